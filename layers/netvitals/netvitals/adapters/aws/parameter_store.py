"""Read a configuration document from Systems Manager Parameter Store, through Powertools."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.parameters import SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from netvitals.adapters.aws.faults import code_of
from netvitals.adapters.files.configuration_document import decode_document
from netvitals.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_REMEDIES = {
    "AccessDeniedException": "give the function's role ssm:GetParameter on it",
    "ParameterNotFound": "no such parameter in this account and region; check the name",
}


def document_in_parameter(name: str, client: "SSMClient") -> Any:
    """Return the decoded document in an SSM parameter.

    Raises:
        ConfigurationError: it can't be decoded.
        Unavailable: it can't be read; names the cause and the remedy.
    """
    try:
        text = SSMProvider(boto3_client=client).get(name, decrypt=True)
    except GetParameterError as error:
        code = code_of(error.__context__)
        remedy = _REMEDIES.get(
            code, "check the way to Systems Manager: NAT or an interface endpoint in a VPC"
        )
        raise Unavailable(f"SSM parameter {name} can't be read ({code}): {remedy}") from None
    return decode_document(str(text), f"SSM parameter {name}")
