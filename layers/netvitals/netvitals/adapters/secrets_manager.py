"""JSON secrets in Secrets Manager, read through Powertools' cache."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from netvitals.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_SECONDS = 300
MIN_REFRESH_SECONDS = 60
"""Between two readings because something was refused: one wrong password is no reason to read it all day."""

_REMEDIES = {
    "AccessDeniedException": "give the function's role secretsmanager:GetSecretValue on this ARN",
    "ResourceNotFoundException": "no such secret in this account and region; check the ARN",
    "DecryptionFailure": "give the function's role kms:Decrypt on the key that encrypts it",
    "InvalidRequestException": "the secret is marked for deletion or has no current version",
}
_logger = logging.getLogger(__name__)


class SecretDocument:
    """The JSON object that a secret holds.

    Read once per process and anew when it is older than `max_age_seconds`. When it can't be read anew,
    what was read before stays in use: a fault of Secrets Manager does not stop the polling.
    """

    def __init__(
        self,
        arn: str,
        client: "SecretsManagerClient",
        *,
        max_age_seconds: int = MAX_AGE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.where = f"secret {arn}"
        self._arn = arn
        self._provider = SecretsProvider(boto3_client=client)
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._refreshed_at = float("-inf")
        self._text: str | bytes | None = None
        self._value: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """The same object as before while the secret is unchanged.

        Raises:
            Unavailable: it could never be read; names the ARN, the cause and the remedy.
        """
        return self._read(force=False)

    def refresh(self) -> bool:
        """Read it anew because what it held was refused; False where that was done lately."""
        if self._clock() - self._refreshed_at < MIN_REFRESH_SECONDS:
            return False
        self._refreshed_at = self._clock()
        self._read(force=True)
        return True

    def _read(self, *, force: bool) -> dict[str, Any]:
        try:
            text = self._provider.get(self._arn, max_age=self._max_age_seconds, force_fetch=force)
            if text != self._text:
                self._value = _object(text, self.where)
                self._text = text  # type: ignore[assignment]  # without a transform it is the text itself
        except (GetParameterError, Unavailable) as error:
            unavailable = error if isinstance(error, Unavailable) else _unavailable(self.where, error)
            if self._text is None:
                raise unavailable from None
            _logger.warning("%s; what it held before stays in use", unavailable)
        return self._value


def _object(text: Any, where: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unavailable(f"{where} holds no JSON object: {error}") from None


def _unavailable(where: str, error: GetParameterError) -> Unavailable:
    cause = error.__context__
    code = getattr(cause, "response", {}).get("Error", {}).get("Code", type(cause).__name__)
    remedy = _REMEDIES.get(code, "check the way to Secrets Manager: NAT or an interface endpoint in a VPC")
    return Unavailable(f"{where} can't be read ({code}): {remedy}")
