"""Define the job of polling one device, and the bodies of the queue messages that carry jobs.

A body is JSON, `{"version": 1, "jobs": [...]}`, or the same deflated (zlib) in base64. Jobs are free of
secrets and are decoded one by one: one that can't be used costs the others nothing. A key that a newer
version added is left alone.
"""

import base64
import binascii
import zlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from netvitals.domain.errors import InvalidJob, InvalidRow
from netvitals.domain.inventory.device import Device, Name
from netvitals.domain.settings.policy import PollSettings

Kind = Literal["status", "metrics"]
VERSION = 1
MAX_BODY_BYTES = 1024 * 1024
"""Bytes of the largest message that SQS takes."""
MAX_TEXT_BYTES = 4 * 1024 * 1024
"""Limit of a body's bytes when inflated: 300 jobs have about 100 KB."""
MAX_LIFE_SECONDS = 900
"""Seconds after which a job expires, however long its interval is: its queue holds nothing that nobody waits
for."""


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order to poll a device once, at `due_at`, and not after `expires_at` (seconds since the epoch)."""

    kind: Kind
    """Kind of poll: `status` asks whether the device is up, `metrics` everything that it measures."""
    device_id: Annotated[str, Meta(min_length=1, max_length=256)]
    """Id of the device in the inventory."""
    address: Annotated[str, Meta(min_length=1, max_length=256)]
    """Address to dial: an IP address, or a name to be resolved."""
    due_at: int
    """Time at which the poll is due, in seconds since the epoch; a device is polled once for each."""
    expires_at: int
    """Time after which the job is dropped, in seconds since the epoch."""
    interval: int = 0
    """Seconds between two polls of this kind; 0 where the sender did not say."""
    device_type: Name = "network"
    """Device type: built in, or of the configuration document."""
    hostname: Name = ""
    """Host name of the device, for people."""
    site: Name = ""
    """Name shared by the devices behind one line: limits go by it."""
    credential: Name = ""
    """Name of an entry of the credential map, never a secret."""
    settings: PollSettings = PollSettings()
    """Settings of the poll; a key that is left out has its default."""
    memory: dict[str, Any] = {}
    """Device memory that the poll can't do without where `device_state` can't be read: host keys, refused
    credentials."""
    silent: bool = False
    """True where the device has not answered for longer than its timeout: it is tried twice and briefly."""

    @property
    def key(self) -> str:
        """Return a key that is the same for the same poll, however often it is sent."""
        return f"{self.kind}:{self.device_id}:{self.due_at}"


def job_of(
    device: Device,
    kind: Kind,
    settings: PollSettings,
    *,
    address: str = "",
    due_at: int = 0,
    expires_at: int = 0,
    interval: int = 0,
    silent: bool = False,
) -> Job:
    """Return the job that polls a device, at its own address unless `address` is given.

    Raises:
        InvalidRow: it has no address.
    """
    if not device.address:
        raise InvalidRow("neither ip_address nor hostname is set: set one of them")
    return Job(
        kind=kind,
        device_id=device.id,
        address=address or device.address,
        due_at=due_at,
        expires_at=expires_at,
        interval=interval,
        device_type=device.device_type,
        hostname=device.hostname,
        site=device.site,
        credential=device.credential,
        settings=settings,
        memory=device.memory,
        silent=silent,
    )


class _Envelope(msgspec.Struct, frozen=True):
    version: Literal[1]
    jobs: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=1000)]


class Decoded(NamedTuple):
    """The jobs of a message, and the faults of those that can't be used."""

    jobs: list[Job]
    faults: list[InvalidJob]


_encoder = msgspec.json.Encoder()
_envelopes = msgspec.json.Decoder(_Envelope)
_jobs = msgspec.json.Decoder(Job)


def encode_jobs(jobs: Sequence[Job]) -> str:
    """Return the plain body of a queue message."""
    return _encoder.encode({"version": VERSION, "jobs": jobs}).decode()


def encode_job(job: Job) -> bytes:
    """Return one job, encoded as in a body.

    Raises:
        TypeError, ValueError, OverflowError, RecursionError: its memory holds what JSON can't say.
    """
    return _encoder.encode(job)


def deflated_body(jobs: Sequence[bytes]) -> str:
    """Return the deflated body that holds encoded jobs."""
    text = b'{"version":%d,"jobs":[%s]}' % (VERSION, b",".join(jobs))
    return base64.b64encode(zlib.compress(text, 1)).decode()


def decode_jobs(body: str | bytes) -> Decoded:
    """Return the jobs in a message's body.

    Raises:
        InvalidJob: the body is no job message of this version; names the key at fault.
    """
    if len(body) > MAX_BODY_BYTES:
        raise InvalidJob(f"the message has {len(body)} bytes, the limit is {MAX_BODY_BYTES}")
    try:
        text = body.encode() if isinstance(body, str) else body
        envelope = _envelopes.decode(text if text.lstrip()[:1] in {b"{", b""} else _inflated(text))
    except (msgspec.DecodeError, binascii.Error, zlib.error, UnicodeError, RecursionError) as error:
        raise InvalidJob(f"the message is no version {VERSION} job: {error}") from None
    decoded = Decoded([], [])
    for number, raw in enumerate(envelope.jobs):
        try:
            decoded.jobs.append(_decoded(raw))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            decoded.faults.append(InvalidJob(f"job {number} of the message can't be used: {error}"))
    return decoded


def _inflated(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(base64.b64decode(body, validate=True), MAX_TEXT_BYTES)
    if not inflater.eof:
        raise InvalidJob(f"the message is cut short or inflates to more than {MAX_TEXT_BYTES} bytes")
    return text


def _decoded(raw: msgspec.Raw) -> Job:
    try:
        return _jobs.decode(raw)
    except msgspec.ValidationError as error:
        if "unknown field" not in str(error):
            raise
    return msgspec.convert(_known(msgspec.json.decode(raw), Job), Job)


def _known(value: Any, wanted: Any) -> Any:
    """Return the value without the keys that settings of this version do not have."""
    if not (isinstance(value, dict) and isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)):
        return value
    types = {field.encode_name: field.type for field in msgspec.structs.fields(wanted)}
    return {key: _known(inner, types[key]) for key, inner in value.items() if key in types}
