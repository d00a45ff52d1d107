"""JSON secrets in Secrets Manager, through Powertools: read once, and anew where no device waits for it."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from netvitals.adapters.aws.faults import code_of
from netvitals.adapters.aws.silence import Silence
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


class SecretsManager:
    """The secrets of one process.

    `client` is for what nothing can go on without; `renewal_client`, which should wait briefly and try once,
    for what is held already and would only be newer. Where one secret brings no answer the others do not
    wait for theirs.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        renewal_client: "SecretsManagerClient",
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._first = _Reader(client, clock)
        self._again = _Reader(renewal_client, clock)
        self._documents: list[SecretDocument] = []
        self._renewing = threading.Lock()

    def document(self, arn: str) -> "SecretDocument":
        """Return the secret, which nobody has read yet."""
        document = SecretDocument(arn, self._first, self._again, clock=self._clock)
        self._documents.append(document)
        return document

    def renew(self, seconds: float) -> None:
        """Read secrets anew that have grown old, and wait no longer than so many seconds for it.

        Belongs at the end of an invocation: nothing that is polled waits for it there, and a process that is
        frozen while it waits for an answer would seldom see one.
        """
        old = any(document.is_old() for document in self._documents)
        if seconds > 0 and old and self._renewing.acquire(blocking=False):
            thread = threading.Thread(target=self._renew, name="renews secrets", daemon=True)
            thread.start()
            thread.join(seconds)

    def _renew(self) -> None:
        try:
            for document in self._documents:
                document.renew()
        finally:
            self._renewing.release()


class _Reader:
    """Reads secrets with one client, and asks no more for a while after it did not answer."""

    def __init__(self, client: "SecretsManagerClient", clock: Callable[[], float]) -> None:
        self._provider = SecretsProvider(boto3_client=client)
        self._silence = Silence(clock)

    def read(self, arn: str, where: str) -> Any:
        """Return the secret's content.

        Raises:
            Unavailable: it can't be read; names the ARN, the cause and the remedy.
        """
        if self._silence.lasts():
            raise Unavailable(f"{where} can't be read: Secrets Manager did not answer for another just now")
        try:
            return self._provider.get(arn, force_fetch=True)
        except GetParameterError as error:
            self._silence.note(error.__context__)
            raise _unavailable(where, error) from None


class SecretDocument:
    """The JSON object that a secret holds.

    `read` gives what is held and waits for nothing, once there is something: it may be called while
    devices are waited for. `renew` and `refresh` belong on a thread beside that. What was read stays in use
    when it can't be read anew: a fault of Secrets Manager does not stop the polling.
    """

    def __init__(
        self, arn: str, first: _Reader, again: _Reader, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`first` reads it while there is nothing, `again` when there is."""
        self.where = f"secret {arn}"
        self._arn = arn
        self._first, self._again = first, again
        self._clock = clock
        self._lock = threading.Lock()
        self._tried_at = self._read_at = float("-inf")
        self._text: str | bytes | None = None
        self._value: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Return the same object as before while the secret's content is the same.

        Raises:
            Unavailable: it could never be read; names the ARN, the cause and the remedy.
        """
        if self._text is None:
            with self._lock:
                if self._text is None:
                    self._load(self._first)
        return self._value

    def is_old(self) -> bool:
        """Return whether `renew` would read it anew."""
        old = self._clock() - self._read_at > MAX_AGE_SECONDS
        return self._text is not None and old and self._rested()

    def renew(self) -> None:
        """Read it anew where it is older than `MAX_AGE_SECONDS`."""
        with self._lock:
            if self.is_old():
                self._reload()

    def refresh(self) -> bool:
        """Read it anew because what it held was refused; return whether it holds something else now.

        Does nothing where that was done lately, and never raises.
        """
        with self._lock:
            before = self._text
            if self._rested():
                self._reload()
            return self._text != before

    def _rested(self) -> bool:
        return self._clock() - self._tried_at >= PAUSE_SECONDS

    def _reload(self) -> None:
        self._tried_at = self._clock()
        try:
            self._load(self._first if self._text is None else self._again)
        except Unavailable as error:
            kept = "" if self._text is None else "; what it held before stays in use"
            _logger.warning("%s%s", error, kept)

    def _load(self, reader: _Reader) -> None:
        text = reader.read(self._arn, self.where)
        if text != self._text:
            self._value = _object(text, self.where)
            self._text = text
        self._read_at = self._clock()


def _object(text: Any, where: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise Unavailable(f"{where} holds no JSON object: {error}") from None


def _unavailable(where: str, error: GetParameterError) -> Unavailable:
    code = code_of(error.__context__)
    remedy = _REMEDIES.get(code, "check the way to Secrets Manager: NAT or an interface endpoint in a VPC")
    return Unavailable(f"{where} can't be read ({code}): {remedy}")
