"""The demo's own judgement: it must not say ok where something is missing or wrong."""

import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from local.demo.devices import DemoDevice
from local.demo.environment import environment
from local.demo.expectations import ANY, Between, always, octets
from local.demo.reading import View, points
from local.demo.result import check
from local.demo.scheduler import Ledger
from local.demo.simulated import SimulatedSnmp
from local.devices.snmp_agent import Agent
from local.influx.store import MemoryStore
from local.servers.postgres import postgres_server
from netvitals.domain.polling.job import Job, encode_jobs
from netvitals.reading.devices import StoredDevice
from netvitals.reading.influxql import InfluxQuery, Series

START = 1_000_000_000
DISK = ("disk_percent", "/")


class Store(InfluxQuery):
    """What the demo reads, without HTTP."""

    def __init__(self) -> None:
        self._store = MemoryStore()

    def write(self, *lines: str) -> None:
        self._store.write("network_metrics", "\n".join(lines).encode(), "ns")

    def series(self, statement: str) -> list[Series]:
        (result,) = self._store.query("network_metrics", statement)["results"]
        return msgspec.convert(result.get("series", []), list[Series])


def metric(name: str, value: float, at: int = START + 1, instance: str = "") -> str:
    tag = f",instance={instance}" if instance else ""
    return f"device_metrics,device_id=d{tag},metric_name={name} value={value} {at}"


ONLINE = f'device_status,device_id=d status="online",up=1i {START + 5}'
TOOK = metric("collect_duration_ms", 5)
FULL = metric("disk_percent", 40, instance="/")
SOUND = (ONLINE, metric("ping_status", 1), metric("collect_ok", 1), TOOK, FULL)


@pytest.fixture
def device() -> DemoDevice:
    return DemoDevice(id="d", simulated=SimulatedSnmp(Agent({}), {DISK: always(40)}))


def ledger(polls: int = 1, *, late: bool = False) -> Ledger:
    kept = Ledger()
    for due_at in range(polls):
        job = Job(kind="metrics", device_id="d", address="127.0.0.1", due_at=due_at, expires_at=100)
        kept.polled(encode_jobs([job]), 200 if late else 50)
    return kept


def result(device: DemoDevice, lines: tuple[str, ...], kept: Ledger, status: str = "online") -> str:
    store = Store()
    store.write(*lines)
    nothing: dict[str, Any] = dict.fromkeys(StoredDevice.__struct_fields__, "")
    stored = StoredDevice(**{**nothing, "id": "d", "hostname": "d", "status": status, "reason": "ok"})
    return str(check([device], View([stored]), store, kept, START))


def test_what_is_as_it_must_be_is_ok(device: DemoDevice) -> None:
    assert result(device, SOUND, ledger()) == "demo: 1 devices, 4 points, 0 offline, ok"


def test_a_poll_that_left_no_point_fails_the_demo(device: DemoDevice) -> None:
    said = result(device, SOUND, ledger(polls=2))
    assert "FAILED: d: 2 polls left 1 points of ping_status" in said


def test_a_job_that_came_late_may_have_been_dropped(device: DemoDevice) -> None:
    assert result(device, SOUND, ledger(polls=1, late=True)).endswith("ok")


def without(name: str) -> tuple[str, ...]:
    return tuple(line for line in SOUND if name not in line)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (without("disk_percent"), "1 metrics polls left 0 points of disk_percent /"),
        (
            (*without("disk_percent"), metric("disk_percent", 41, instance="/")),
            "never said that disk_percent / is 41",
        ),
        ((*SOUND, metric("cpu_percent", 1)), "never said anything of cpu_percent"),
        ((*without("collect_ok"), metric("collect_ok", 0)), "a metrics poll was incomplete"),
        (without("device_status"), "is online, and InfluxDB says nothing"),
    ],
)
def test_what_is_missing_or_invented_fails_the_demo(
    device: DemoDevice, lines: tuple[str, ...], fault: str
) -> None:
    assert f"FAILED: d: {fault}" in result(device, lines, ledger())


def test_of_a_real_machine_any_disk_is_believed_and_none_is_missed(device: DemoDevice) -> None:
    device.simulated.expected = {("disk_percent", ANY): Between(0, 100)}
    assert result(device, SOUND, ledger()).endswith("ok")
    assert result(device, without("disk_percent"), ledger()).endswith("ok")
    impossible = (*without("disk_percent"), metric("disk_percent", 101, instance="/"))
    assert "FAILED: d: never said that disk_percent / is 101" in result(device, impossible, ledger())


def test_another_status_than_expected_fails_the_demo(device: DemoDevice) -> None:
    said = result(device, SOUND, ledger(), status="offline")
    assert said.startswith(
        "demo: 1 devices, 4 points, 1 offline, FAILED: d: ended offline (ok) instead of onl"
    )


def test_a_fault_on_the_way_fails_the_demo(device: DemoDevice) -> None:
    kept = ledger()
    kept.faults.append("FunctionError: replay: it broke")
    assert result(device, SOUND, kept).endswith("FAILED: FunctionError: replay: it broke")


def test_traffic_is_the_last_growth_of_the_counters_of_all_interfaces_together() -> None:
    store, now = Store(), time.time_ns() - 60 * 10**9
    for name, values in {"eth0": (0, 1000, 3000), "eth1": (0, 500, 1000), "anew": (0, 900, 5)}.items():
        for at, value in enumerate(values):
            store.write(metric("net_bytes_in", value, now + 10 * at * 10**9, name))
    assert points(store, ["d"], now).vitals == {"d": {"net_bytes_in": 250}}


def test_a_simulated_counter_never_goes_back_and_remembers_what_it_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    counter = octets(8000)
    said = []
    for _ in range(200):
        now += 0.1
        said.append(counter())
    assert said == sorted(said)
    assert 15_000 < int(str(said[-1])) < 25_000
    assert all(counter.holds(float(str(value))) for value in said)
    assert not counter.holds(1e9)


def test_a_path_that_is_too_long_for_a_socket_is_told_as_that(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 90)
    with pytest.raises(RuntimeError, match="set TMPDIR to a shorter one"), postgres_server(deep):
        pass
    assert not deep.exists()


def test_a_temporary_folder_that_cannot_be_made_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(RuntimeError, match="set TMPDIR to a folder that you may write to"), environment(10):
        pass
