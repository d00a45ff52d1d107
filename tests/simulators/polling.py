"""Stand-ins for what a poll stands on: collectors, host probe, credentials, each doing as a test says."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from time import time_ns
from typing import Any

import msgspec

from netvitals.domain.errors import CredentialMissing
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.polling.point import Point
from netvitals.domain.ports import Collector, Reach, Target
from netvitals.domain.settings.credential import Credential, SnmpCredential, SshCredential, WinrmCredential
from netvitals.domain.settings.policy import PingSettings, PollSettings
from netvitals.domain.settings.secret import Secret
from netvitals.usecases.poll_device import PollDevice

type Behaviour = Callable[[Target, Reading], Awaitable[None]]

PASSWORD = Secret("s3cret-password")
EVERYTHING = Credential(
    snmp=SnmpCredential(community=Secret("public")),
    ssh=SshCredential(user="u", password=PASSWORD),
    winrm=WinrmCredential(user="u", password=PASSWORD),
)
ALIVE = Reach(method="icmp", alive=True, rtt_ms=3.0, sent=1, received=1)
SILENT = Reach(method="icmp", alive=False, sent=1, detail="no ICMP echo reply")
CANNOT_TELL = Reach(method="tcp", alive=None)


def job(device_id: str = "sw-1", **changes: Any) -> Job:
    given = {"kind": "metrics", "address": "10.0.0.1", "due_at": 1000, "expires_at": 2**40, **changes}
    settings = {name: given.pop(name) for name in list(given) if name in PollSettings.__struct_fields__}
    return Job(device_id=device_id, settings=PollSettings(**settings), credential="c", **given)


def point(name: str = "uptime_seconds", value: float = 1.0, instance: str = "") -> Point:
    return Point(name, value, time_ns(), instance)


async def healthy(_: Target, reading: Reading) -> None:
    reading.alive = True
    reading.rtt_ms = 20.0
    await asyncio.sleep(0.02)
    reading.points.append(point())
    reading.reason = Reason.OK


async def silent(target: Target, reading: Reading) -> None:
    await asyncio.sleep(6)
    reading.fail(Reason.TIMEOUT, f"{target.address}: no answer")


async def refused(_: Target, reading: Reading) -> None:
    reading.alive = True
    reading.fail(Reason.AUTH, "the device refuses this user")


async def crashing(_: Target, reading: Reading) -> None:
    reading.alive = True
    reading.points.append(point())
    raise ZeroDivisionError(PASSWORD.reveal())


async def hanging(_: Target, reading: Reading) -> None:
    reading.alive = True
    reading.points.append(point())
    await asyncio.Event().wait()


async def uncancellable(_: Target, reading: Reading) -> None:
    """Until the end of the test, which cancels it again and again."""
    reading.alive = True
    for _attempt in range(10):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1000)


class Scripted:
    """A collector that does for each device what the script says, and remembers who was asked."""

    def __init__(self, script: Mapping[str, Behaviour], otherwise: Behaviour = healthy) -> None:
        self._script, self._otherwise = script, otherwise
        self.targets: list[Target] = []

    async def collect(self, target: Target, reading: Reading) -> None:
        self.targets.append(target)
        await self._script.get(target.job.device_id, self._otherwise)(target, reading)


class FakeProber:
    def __init__(self, reach: Reach = CANNOT_TELL, seconds: float = 1.0) -> None:
        self._reach, self._seconds = reach, seconds
        self.probes: list[tuple[str, PingSettings, bool]] = []

    def method(self, address: str) -> str:
        assert address
        return self._reach.method

    async def probe(self, address: str, settings: PingSettings, *, connect_only: bool = False) -> Reach:
        self.probes.append((address, settings, connect_only))
        await asyncio.sleep(self._seconds)
        return self._reach


class FakeCredentials:
    """`later` is what the store holds once it has been refreshed."""

    def __init__(self, now: Mapping[str, Credential], later: Mapping[str, Credential] | None = None) -> None:
        self._held, self._later = now, later
        self.refreshed = 0

    def get(self, name: str) -> Credential:
        try:
            return self._held[name]
        except KeyError:
            raise CredentialMissing(f"credential {name!r} is not in the test") from None

    def refresh(self) -> bool:
        self.refreshed += 1
        self._held = self._later or self._held
        return True


class Crashes(list[tuple[str, str, BaseException]]):
    def __call__(self, device_id: str, what: str, error: BaseException) -> None:
        self.append((device_id, what, error))


async def as_given(address: str) -> str:
    return address


class Bench(msgspec.Struct, kw_only=True):
    """A `PollDevice` with everything around it."""

    collectors: dict[str, Collector]
    prober: FakeProber = msgspec.field(default_factory=FakeProber)
    credentials: FakeCredentials = msgspec.field(default_factory=lambda: FakeCredentials({"c": EVERYTHING}))
    resolve: Callable[[str], Awaitable[str]] = as_given
    crashes: Crashes = msgspec.field(default_factory=Crashes)

    @property
    def device(self) -> PollDevice:
        return PollDevice(
            self.resolve, self.credentials, self.prober, self.collectors.__getitem__, self.crashes
        )


def bench(behaviour: Behaviour = healthy, **changes: Any) -> Bench:
    """A bench whose SNMP behaves like that."""
    return Bench(collectors={"snmp": Scripted({}, behaviour)}, **changes)
