"""Name the errors that boto3 raises when a service can't be used, and AWS's code of an error."""

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

AWS_FAULTS: tuple[type[Exception], ...] = (
    ClientError,
    BotoCoreError,
    ResponseParserError,
    ValueError,  # botocore decodes every answer as UTF-8, which a proxy's answer need not be
    # Its parsers expect of an answer 200 what the service's model says, and raise these for anything else.
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
