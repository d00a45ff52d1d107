"""What boto3 raises when a service can't be used."""

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

AWS_FAULTS: tuple[type[Exception], ...] = (
    ClientError,
    BotoCoreError,
    ResponseParserError,
    ValueError,  # botocore takes every answer for UTF-8, and that of a proxy in between need not be
)
