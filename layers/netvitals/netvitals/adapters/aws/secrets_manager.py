"""JSON secrets in Secrets Manager, through Powertools."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from netvitals.adapters.aws.faults import code_of
from netvitals.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_SECONDS = 300
PAUSE_SECONDS = 60
"""Between two readings for a reason: one wrong password, or a fault of Secrets Manager, repeats itself."""

_REMEDIES = {
    "NoCredentialsError": "set AWS credentials, or AWS_PROFILE",
    "AccessDeniedException": "give the function's role secretsmanager:GetSecretValue on this ARN",
    "ResourceNotFoundException": "no such secret in this account and region; check the ARN",
    "DecryptionFailure": "give the function's role kms:Decrypt on the key that encrypts it",
    "InvalidRequestException": "the secret is marked for deletion or has no current version",
}
_logger = logging.getLogger(__name__)


class SecretDocument:
    """The JSON object that a secret holds.

    `read` gives what is held and waits for nothing, once there is something: it may be called while
    devices are waited for. `renew` belongs before that, `refresh` on a thread beside it. What was read
    stays in use when it can't be read anew: a fault of Secrets Manager does not stop the polling.
    """

    def __init__(
        self, arn: str, client: "SecretsManagerClient", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.where = f"secret {arn}"
        self._arn = arn
        self._provider = SecretsProvider(boto3_client=client)
        self._clock = clock
        self._lock = threading.Lock()
        self._tried_at = self._read_at = float("-inf")
        self._text: str | bytes | None = None
        self._value: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """The same object as before while the secret's content is the same.

        Raises:
            Unavailable: it could never be read; names the ARN, the cause and the remedy.
        """
        if self._text is None:
            with self._lock:
                if self._text is None:
                    self._load()
        return self._value

    def renew(self) -> None:
        """Read it anew where it is older than `MAX_AGE_SECONDS`."""
        with self._lock:
            old = self._clock() - self._read_at > MAX_AGE_SECONDS
            if self._text is not None and old and self._rested():
                self._reload()

    def refresh(self) -> bool:
        """Read it anew because what it held was refused; False where that was done lately."""
        with self._lock:
            rested = self._rested()
            if rested:
                self._reload()
            return rested

    def _rested(self) -> bool:
        return self._clock() - self._tried_at >= PAUSE_SECONDS

    def _reload(self) -> None:
        self._tried_at = self._clock()
        try:
            self._load()
        except Unavailable as error:
            if self._text is None:
                raise
            _logger.warning("%s; what it held before stays in use", error)

    def _load(self) -> None:
        try:
            text = self._provider.get(self._arn, force_fetch=True)
        except GetParameterError as error:
            raise _unavailable(self.where, error) from None
        if text != self._text:
            self._value = _object(text, self.where)
            self._text = text  # type: ignore[assignment]  # without a transform it is the text itself
        self._read_at = self._clock()


def _object(text: Any, where: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unavailable(f"{where} holds no JSON object: {error}") from None


def _unavailable(where: str, error: GetParameterError) -> Unavailable:
    code = code_of(error.__context__)
    remedy = _REMEDIES.get(code, "check the way to Secrets Manager: NAT or an interface endpoint in a VPC")
    return Unavailable(f"{where} can't be read ({code}): {remedy}")
