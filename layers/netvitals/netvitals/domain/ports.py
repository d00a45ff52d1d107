"""Declare what the use cases need of the outside world."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

import msgspec

from netvitals.domain.decision.status import (
    Change,
    Channel,
    DeliveryReport,
    Monitored,
    OutboxMessage,
    PollingGap,
    SiteState,
)
from netvitals.domain.errors import AddressDenied
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import BadRow
from netvitals.domain.polling import protocol as polling
from netvitals.domain.polling.changes import Samples
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import KnownState, Observation, PollResult, Reading
from netvitals.domain.polling.protocol import CredentialPart
from netvitals.domain.settings.credential import Credential
from netvitals.domain.settings.policy import PingSettings
from netvitals.domain.settings.section import Section


async def _no_other_host(host: str) -> str:
    raise AddressDenied(f"{host} may not be dialled: its address was not checked")


class Target[S = Any, C = Any](msgspec.Struct, frozen=True, kw_only=True):
    """A device to be polled now over one protocol, with all that was looked up and checked for it."""

    job: Job
    settings: S
    """The protocol's section of the job's settings."""
    address: str
    """The IP address that the guard has passed; the only one to dial."""
    credential: C
    """The protocol's part of the device's credential."""
    deadline: float
    """Time at which the poll ends, on the clock of `time.monotonic`."""
    resolve: Callable[[str], Awaitable[str]] = _no_other_host
    """Returns the vetted address of another host, by way of which the device is reached.

    Raises AddressDenied or NameNotResolved.
    """


def target_of[S: Section, C: CredentialPart](
    protocol: polling.Protocol[S, C],
    job: Job,
    *,
    address: str,
    credential: C,
    deadline: float,
    resolve: Callable[[str], Awaitable[str]] = _no_other_host,
) -> Target[S, C]:
    """Return the target of a job's poll over one protocol."""
    return Target(
        job=job,
        settings=protocol.settings_of(job.settings),
        address=address,
        credential=credential,
        deadline=deadline,
        resolve=resolve,
    )


class Collector(Protocol):
    """Asks a device over one protocol."""

    async def collect(self, target: Target[Any, Any], reading: Reading) -> None:
        """Put what the device answers into the reading, as it answers.

        A device's faults are the reading's `reason` and `detail`, never an exception. For a `status`
        job one cheap exchange is enough. The caller ends it at the deadline and keeps the reading.
        """
        ...


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a host probe."""

    method: str
    alive: bool | None
    """True where the host answered; None where this process can't tell (ICMP not permitted, no port to
    try)."""
    rtt_ms: float | None = None
    sent: int = 0
    received: int = 0
    accepted: bool = False
    """True where a TCP connection was accepted, not only refused."""
    detail: str = ""


class Prober(Protocol):
    """Finds out whether a host answers, by ICMP or TCP."""

    def method(self, address: str) -> str:
        """Return how this process probes this address: `icmp`, or `tcp` where it may not send ICMP."""
        ...

    async def probe(self, address: str, settings: PingSettings, *, connect_only: bool = False) -> Reach:
        """Return whether the host at this vetted address answers; never raises for the host's faults."""
        ...


class Poller(Protocol):
    """Polls one device."""

    async def poll(self, job: Job, deadline: float | None = None) -> PollResult:
        """Poll the job's device until the deadline, on the event loop's clock; its faults are in the result.

        Raises:
            Unavailable: the credential store can't be read, which is no fault of the device.
        """
        ...


class QueueMessage(msgspec.Struct, frozen=True):
    """A message of a job queue, as it was received."""

    id: str
    body: str
    receipt: str = ""


class Redelivery(Protocol):
    """Returns failed messages to their job queue."""

    def redeliver(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        """Have failed messages delivered again after so many seconds; later where the queue refuses that."""
        ...


class Inventory(Protocol):
    """Reads the devices to poll."""

    def devices(self, report: Callable[[BadRow], None]) -> Iterator[Sequence[Device]]:
        """Yield all enabled devices joined with their state, in chunks, so that memory stays flat.

        A row that can't be read is given to `report` and left out; it never ends the reading.

        Raises:
            Unavailable: the inventory can't be read.
        """
        ...


class SnapshotWriter(Protocol):
    """Collects the devices of one reading; nothing is kept unless `keep` says so."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def add(self, devices: Sequence[Device]) -> None: ...

    def keep(self, now: float) -> None:
        """Put what was collected in place of the snapshot before.

        Raises:
            Unavailable: it could not be stored; the one before is still there.
        """
        ...


class Snapshots(Protocol):
    """Keeps copies of the inventory where fan-out reaches them without the database."""

    def writer(self) -> SnapshotWriter: ...

    def latest(self) -> tuple[float, Iterator[Sequence[Device]]]:
        """Return when the latest was taken (seconds since the epoch), and its devices in chunks.

        Raises:
            Unavailable: there is none, or it can't be read.
        """
        ...


class ObservationStore(Protocol):
    """Records the outcomes of polls, by which status is decided."""

    def record(self, observations: Sequence[Observation]) -> None:
        """Keep the newest observation of each device, in one statement, in whatever order they come.

        Counts `failures` or `successes` in a row, and since when (`streak_since`): status is decided by them.
        Of several polls that were due at the same time one counts. A late observation adds to no count; a
        late answer makes `last_seen_at` as new as it is, and ends the row of failures it falls into. What was
        attempted a minute or more after the store's own time counts for no known device, and is logged.

        Raises:
            Unavailable: they could not be stored.
        """
        ...


class StateReader(Protocol):
    """Reads the state that earlier polls have recorded."""

    def known(self, device_ids: Collection[str], *, samples: bool = False) -> Mapping[str, KnownState]:
        """Return what earlier polls have left of these devices, in one statement; a new device is left out.

        Only with `samples` is what reporting by exception needs among it.

        Raises:
            Unavailable: the state can't be read.
        """
        ...


class SampleRecord(msgspec.Struct, frozen=True):
    """The samples of a device after a poll, and which ones the poll was compared with."""

    device_id: str
    read_at: int | None
    """The `due_at` of the samples that were read before the poll; None where there were none."""
    samples: Samples


class SampleStore(Protocol):
    """Stores the samples that metrics polls leave for reporting by exception."""

    def record(self, records: Sequence[SampleRecord]) -> Collection[str]:
        """Replace samples that are still those that were read; return the ids of those devices.

        Raises:
            Unavailable: none was replaced.
        """
        ...


class QueuedJobs(msgspec.Struct, frozen=True):
    """Encoded jobs that travel in one message."""

    jobs: Sequence[bytes]
    due_at: int
    """Time at which the message is to be delivered, in seconds since the epoch."""


class JobQueue(Protocol):
    """Sends jobs to the collectors."""

    def send(self, messages: Iterable[QueuedJobs]) -> int:
        """Send the messages in batches and return how many were accepted, after retries.

        Raises:
            Unavailable: some were not accepted; the text says how many.
        """
        ...


class StatusRun(Protocol):
    """Gives one run of the status decision its data, in one transaction: all of it is kept, or nothing."""

    def note_monitored(self, now: float) -> None:
        """Note which devices are enabled, and since when: `now` for those that are enabled again."""
        ...

    @property
    def gap(self) -> PollingGap:
        """Return the gap in polling as the previous run left it."""
        ...

    @property
    def newest_attempt_at(self) -> float | None:
        """Return when any enabled device was last polled."""
        ...

    @property
    def parents_of_failing(self) -> Mapping[str, str]:
        """Return the parent's id of each enabled device whose last poll failed, by the device's id."""
        ...

    @property
    def sites(self) -> Mapping[str, SiteState]:
        """Return the sites that were ever lost, and the fleet under the empty name."""
        ...

    def devices(self) -> Iterator[Sequence[Monitored]]:
        """Yield all enabled devices in chunks, the devices of one site one after the other."""
        ...

    def apply(self, changes: Sequence[Change], now: float) -> Collection[str]:
        """Write records and rows of history; returns the ids of the devices that were changed.

        A device that was polled since it was read, with another outcome, or was seen later than it was read
        to be, is left to the next run.
        """
        ...

    def enqueue(self, messages: Sequence[OutboxMessage]) -> None:
        """Put messages into the outbox."""
        ...

    def save(self, gap: PollingGap, sites: Sequence[SiteState]) -> None:
        """Store what the next run reads."""
        ...


class StatusStore(Protocol):
    """Keeps statuses, and the outbox of what is announced of them."""

    def run[Result](self, work: Callable[[StatusRun], Result]) -> Result | None:
        """Return what `work` returns, or None where another run is at work; `work` may be called twice.

        Raises:
            Unavailable: the database can't be used; nothing has changed.
        """
        ...

    def deliver(
        self, channel: Channel, send: Callable[[Sequence[OutboxMessage]], Collection[str]], limit: int = 1000
    ) -> DeliveryReport:
        """Send messages, oldest first, and mark those as published whose ids `send` returns.

        One process at a time sends the messages of a channel; to the others there is nothing to send.

        Raises:
            Unavailable: the database can't be used; what was sent will be sent once more, under its id.
        """
        ...


class Publisher(Protocol):
    """Sends messages of the outbox to their readers."""

    def send(self, messages: Sequence[OutboxMessage]) -> Collection[str]:
        """Return the ids of the messages that were accepted; the next run sends the others again."""
        ...


class CredentialStore(Protocol):
    """Reads credentials by their names."""

    def get(self, name: str) -> Credential:
        """Return the credential of this name; the empty name is an empty credential.

        Raises:
            CredentialMissing: there is none of this name, or it is malformed.
            Unavailable: the store can't be read.
        """
        ...

    def refresh(self) -> bool:
        """Read the store once more because a credential was refused; return whether it says something else.

        Does nothing where that was done lately. Blocks for seconds where the store does not answer.
        """
        ...
