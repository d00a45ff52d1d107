"""Tell faults of AWS apart: what boto3 raises when a service can't be used, and AWS's code for it."""

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

AWS_FAULTS: tuple[type[Exception], ...] = (
    ClientError,
    BotoCoreError,
    ResponseParserError,
    ValueError,  # botocore takes every answer for UTF-8, and that of a proxy in between need not be
    # Its parsers take an answer of 200 for what the service's model says, and stumble over anything else.
    AttributeError,
    LookupError,
    TypeError,
    ArithmeticError,
    RecursionError,
)


def code_of(error: BaseException | None) -> str:
    """Return AWS's code for the error, or the error's type where AWS gave none."""
    response = (
        getattr(error, "response", None) or {}
    )  # botocore's own connection errors have one that is None
    return str(response.get("Error", {}).get("Code", type(error).__name__))
