"""The configuration document as a file or an SSM parameter holds it: YAML or JSON, bounded in size."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netvitals.domain.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

MAX_BYTES = 256 * 1024

_REMEDIES = {
    "AccessDeniedException": "give the function's role ssm:GetParameter on it",
    "ParameterNotFound": "no such parameter in this account and region; check the name",
}


def document_in_file(path: str) -> Any:
    """The decoded document in a YAML or JSON file.

    Raises:
        ConfigurationError: it can't be read or decoded.
    """
    try:
        with Path(path).open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        return decode_document(text.decode(), path)
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is no UTF-8 text") from None


def document_in_parameter(name: str, client: "SSMClient") -> Any:
    """The decoded document in an SSM parameter.

    Raises:
        ConfigurationError: it can't be decoded.
        Unavailable: it can't be read; names the cause and the remedy.
    """
    from aws_lambda_powertools.utilities.parameters import SSMProvider  # noqa: PLC0415, pulls in boto3
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError  # noqa: PLC0415, as above

    from netvitals.adapters.aws.faults import code_of  # noqa: PLC0415, pulls in botocore

    try:
        text = SSMProvider(boto3_client=client).get(name, decrypt=True)
    except GetParameterError as error:
        code = code_of(error.__context__)
        remedy = _REMEDIES.get(
            code, "check the way to Systems Manager: NAT or an interface endpoint in a VPC"
        )
        raise Unavailable(f"SSM parameter {name} can't be read ({code}): {remedy}") from None
    return decode_document(str(text), f"SSM parameter {name}")


def decode_document(text: str, name: str) -> Any:
    """The value that YAML or JSON text stands for.

    Raises:
        ConfigurationError: it is too large, malformed, has a key twice, or YAML anchors or tags.
    """
    if len(text) > MAX_BYTES:
        raise ConfigurationError(f"{name}: has more than {MAX_BYTES} characters")
    try:
        if text.lstrip().startswith("{"):
            return json.loads(text, object_pairs_hook=_without_duplicates)
        from netvitals.adapters.files import strict_yaml  # noqa: PLC0415, a JSON document does not need it

        return strict_yaml.load(text)
    except RecursionError:
        raise ConfigurationError(f"{name}: is nested too deeply") from None
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one section")
    return result
