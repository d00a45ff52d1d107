"""Evaluate a profile's examples by the collector itself, with their objects in place of a device."""

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, takewhile

from netvitals.collectors.snmp.collector import SYS_DESCR, SYS_OBJECT_ID, SnmpCollector
from netvitals.collectors.snmp.profiles.example import Example, point_name, value_of
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.collectors.snmp.protocol import SNMP, SnmpCredential, SnmpSettings
from netvitals.collectors.snmp.tables import Rows, Tables
from netvitals.collectors.snmp.wire.session import Read, SnmpSession
from netvitals.collectors.snmp.wire.sessions import Opened
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading
from netvitals.domain.ports import target_of
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret
from netvitals.domain.settings.vitals import EVERY_VITAL_SIGN

_NOWHERE = "192.0.2.1"
"""An address for documentation (RFC 5737), to which nothing is sent."""
_SECONDS = 60.0
_ROUNDED = 0.0005
"""Tolerance of values: percentages and temperatures are stored to three places."""


async def faults_of(book: ProfileBook, name: str, examples: Sequence[Example]) -> list[str]:
    """Return the faults of a profile's examples: `example[0]: cpu_percent is 18, the example says 17`."""
    return [
        f"example[{number}]: {fault}"
        for number, example in enumerate(examples)
        for fault in _differences(example, *await _read(book, name, example), name)
    ]


async def _read(book: ProfileBook, name: str, example: Example) -> tuple[str, dict[str, float], str]:
    """Return the profile that was used, points by `metric[instance]`, and the poll's detail."""
    names_itself = {SYS_OBJECT_ID, SYS_DESCR} & example.answers.keys()
    settings = PollSettings(
        snmp=SnmpSettings(profile=None if names_itself else name), vitals=EVERY_VITAL_SIGN
    )
    job = Job(kind="metrics", device_id=name, address=_NOWHERE, due_at=0, expires_at=0, settings=settings)
    deadline = time.monotonic() + _SECONDS
    credential = SnmpCredential(community=Secret(""))
    target = target_of(SNMP, job, address=_NOWHERE, credential=credential, deadline=deadline)
    session, reading = _Answering(example.answers), Reading()
    await SnmpCollector(book, lambda _target, _repetitions, _budget: Opened(session, dict)).collect(
        target, reading
    )
    points = {
        point_name(point.metric_name, point.instance): point.value
        for point in reading.points
        if point.metric_name != "uptime_seconds"
    }
    return reading.memory["snmp"]["profile"], points, reading.detail


def _differences(
    example: Example, used: str, points: Mapping[str, float], told: str, name: str
) -> Iterator[str]:
    if used != name:
        yield f"the device gets the profile {used}"
        return
    if told:
        yield told
    named = example.named_points
    for point in dict.fromkeys((*named, *points)):
        said, is_now = named.get(point), points.get(point)
        if said is None:
            yield f"{point} is {is_now}, the example does not name it"
        elif is_now is None:
            yield f"{point} is missing, the example says {said}"
        elif abs(is_now - said) > _ROUNDED + 1e-12 * abs(said):
            yield f"{point} is {is_now}, the example says {said}"


class _Answering(SnmpSession):
    """Implements a session whose agent has these objects and no others."""

    def __init__(self, answers: Mapping[str, int | float | str]) -> None:
        self._answers = {oid: value_of(answer) for oid, answer in answers.items()}
        self._oids = sorted(answers)

    @property
    def repetitions(self) -> int:
        return 1

    @property
    def rows(self) -> dict[str, int]:
        return {}

    async def get(self, oids: Sequence[str]) -> Read:
        tables = Tables()
        tables.objects = {oid: (self._answers[oid], 1) for oid in oids if oid in self._answers}
        return Read(tables)

    async def walk(self, columns: Sequence[str], seconds: float | None = None) -> Read:
        del seconds  # nothing takes any
        return Read(Tables({column: self._rows(f"{column}.") for column in columns}))

    def _rows(self, prefix: str) -> Rows:
        after = islice(self._oids, bisect_left(self._oids, prefix), None)
        indexes = [oid.removeprefix(prefix) for oid in takewhile(lambda oid: oid.startswith(prefix), after)]
        indexes.sort(key=lambda index: [int(arc) for arc in index.split(".")])
        return Rows({index: self._answers[prefix + index] for index in indexes}, time_ns=1)
