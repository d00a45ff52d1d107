"""The per-device message from fan-out to the collector: strict, versioned, free of secrets."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from netvitals.domain.errors import InvalidJob, InvalidRow
from netvitals.domain.inventory.device import Device, Name
from netvitals.domain.settings.policy import PollSettings

Kind = Literal["status", "metrics"]
VERSION = 1
MAX_BODY_BYTES = 256 * 1024


class Job(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Poll this device once, at `due_at`, and not after `expires_at` (seconds since the epoch)."""

    kind: Kind
    device_id: Annotated[str, Meta(min_length=1, max_length=256)]
    address: Annotated[str, Meta(min_length=1, max_length=256)]
    due_at: int
    expires_at: int
    device_type: Name = "network"
    hostname: Name = ""
    site: Name = ""
    credential: Name = ""
    settings: PollSettings = PollSettings()
    memory: dict[str, Any] = {}

    @property
    def key(self) -> str:
        """The same for the same poll, however often it is sent."""
        return f"{self.kind}:{self.device_id}:{self.due_at}"


def job_of(device: Device, kind: Kind, settings: PollSettings, due_at: int = 0, expires_at: int = 0) -> Job:
    """The job that asks a device, without what earlier polls left for it.

    Raises:
        InvalidRow: it has no address.
    """
    if not device.address:
        raise InvalidRow("neither ip_address nor hostname is set: set one of them")
    return Job(
        kind=kind,
        device_id=device.id,
        address=device.address,
        due_at=due_at,
        expires_at=expires_at,
        device_type=device.device_type,
        hostname=device.hostname,
        site=device.site,
        credential=device.credential,
        settings=settings,
    )


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    jobs: Annotated[list[Job], Meta(min_length=1, max_length=1000)]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Body)


def encode_jobs(jobs: Sequence[Job]) -> str:
    """The body of a queue message: `{"version": 1, "jobs": [...]}`."""
    return _encoder.encode({"version": VERSION, "jobs": jobs}).decode()


def decode_jobs(body: str | bytes) -> list[Job]:
    """The jobs in a message's body.

    Raises:
        InvalidJob: the body is no job message of this version; names the key at fault.
    """
    if len(body) > MAX_BODY_BYTES:
        raise InvalidJob(f"the message has {len(body)} bytes, the limit is {MAX_BODY_BYTES}")
    try:
        return _decoder.decode(body).jobs
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidJob(f"the message is no version {VERSION} job: {error}") from None
