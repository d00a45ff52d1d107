"""Read JSON secrets from Secrets Manager through Powertools, and renew them while no device is polled."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from netvitals.adapters.aws.faults import code_of
from netvitals.adapters.aws.silence import SILENCE_SECONDS, Silence
from netvitals.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_SECONDS = 300
PAUSE_SECONDS = 60
"""Seconds between two reads for one reason: a wrong password, or a fault of Secrets Manager, recurs."""

_REMEDIES = {
    "NoCredentialsError": "set AWS credentials, or AWS_PROFILE",
    "AccessDeniedException": "give the function's role secretsmanager:GetSecretValue on this ARN",
    "ResourceNotFoundException": "no such secret in this account and region; check the ARN",
    "DecryptionFailure": "give the function's role kms:Decrypt on the key that encrypts it",
    "InvalidRequestException": "the secret is marked for deletion or has no current version",
}
_logger = logging.getLogger(__name__)


class SecretsManager:
    """Holds the secrets of one process.

    `client` makes first reads, without which nothing works; `renewal_client`, which should wait briefly and
    try once, renews secrets. After a read without an answer no secret is read for some seconds.
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
        """Return the secret as a document; it is read at its first use."""
        document = SecretDocument(arn, self._first, self._again, clock=self._clock)
        self._documents.append(document)
        return document

    def renew(self, seconds: float) -> None:
        """Read secrets anew that are too old, and wait at most so many seconds.

        Call it at the end of an invocation: no device waits then, and a process that is frozen while it waits
        would seldom get an answer.
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
    """Reads secrets with one client, and pauses for some seconds after one without an answer."""

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
    """Implements `JsonObject` on a secret.

    After the first time, `read` returns the held object without waiting, so it may be called while devices
    are polled; call `renew` and `refresh` on another thread. The held object stays in use when it can't be
    read anew, so that a fault of Secrets Manager does not stop polling.
    """

    def __init__(
        self, arn: str, first: _Reader, again: _Reader, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take `first`, which reads it the first time, and `again`, which reads it anew."""
        self.where = f"secret {arn}"
        self._arn = arn
        self._first, self._again = first, again
        self._clock = clock
        self._lock = threading.Lock()
        self._tried_at = self._read_at = float("-inf")
        self._refused_until = float("-inf")
        self._refusal = ""
        self._text: str | bytes | None = None
        self._value: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Return the object: the same one while the secret's content is the same.

        After a failure it raises the same for `SILENCE_SECONDS` without asking, because every device asks.

        Raises:
            Unavailable: it could never be read; names the ARN, the cause and the remedy.
        """
        if self._text is None:
            with self._lock:
                if self._text is None:
                    self._load_first()
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
        """Read it anew because its content was refused; return whether it has changed.

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

    def _load_first(self) -> None:
        if self._clock() < self._refused_until:
            raise Unavailable(self._refusal)
        try:
            self._load(self._first)
        except Unavailable as error:
            self._refusal = str(error)
            self._refused_until = self._clock() + SILENCE_SECONDS
            raise

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
