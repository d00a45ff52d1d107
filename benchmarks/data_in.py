"""Bytes of line protocol that switches send to InfluxDB a month: `python benchmarks/data_in.py [hours]`.

Plays a day of 20 switches with 24 ports through the real collector's handler, a real PostgreSQL, and a server
that counts what InfluxDB would receive before compression. A third of the used ports is busy, a third bursty,
a third idle at night. The clock of this process is moved from one due time to the next, so a day takes about
ten minutes.
"""

# ruff: noqa: E402, the clock is moved before anything takes it for itself

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any
from zlib import crc32

sys.path.insert(0, str(Path(__file__).parents[1]))

_real_ns = time.time_ns
_shift_ns = 0
time.time_ns = lambda: _real_ns() + _shift_ns
time.time = lambda: time.time_ns() / 1e9

from fleets import database_server
from sizes import QUICK, given

from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import switch_objects
from local.devices.snmp_host import AgentThread
from local.devices.snmp_mib import Counter64, Gauge32, Object, TimeTicks
from local.influx.http import InfluxServer
from local.lambda_.handlers import Context, handler_of, sqs_event
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.schema import migrate
from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.collectors.snmp.wire import transport
from netvitals.domain.polling.job import Job, Kind, encode_jobs
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret
from netvitals.store.line_protocol import status_line
from netvitals.wiring.parts import forget

DEVICES, PORTS = (2 if QUICK else 20), 24
HOURS = 24
MONTH_HOURS = 730
SLOT = 300
STATUS_SECONDS, METRICS_SECONDS = 30, 300
RATE = 200_000
"""Bytes a second of a port that is busy."""


class Counting:
    """A store that keeps nothing but the number of bytes."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, bucket: str, text: bytes, precision: str) -> None:
        assert bucket
        assert precision == "ns"
        self.bytes += len(text) + 1

    def query(self, bucket: str, statement: str) -> dict[str, Any]:
        raise NotImplementedError(bucket, statement)


# The kernel stamps datagrams by its own clock, which does not move.
setattr(transport, "_received_at", lambda _: time.time_ns())  # noqa: B010, it is private to its module


def set_clock(at: float) -> None:
    global _shift_ns  # noqa: PLW0603, the clock of the process
    _shift_ns = int(at * 1e9) - _real_ns()


def is_active(port: int, slot: int) -> bool:
    """Return whether a used port carries traffic in a slot of five minutes."""
    kind = port % 3
    hour = slot * SLOT % 86_400 / 3600
    if kind == 0:
        return True
    return crc32(b"%d/%d" % (port, slot)) % 10 < 3 if kind == 1 else 7 <= hour < 19


class Port:
    """The octets of a port as a function of time."""

    def __init__(self, port: int, start: int, slots: int, *, used: bool) -> None:
        self._start = start
        active = [used and is_active(port, start // SLOT + slot) for slot in range(slots + 2)]
        self._rates = [RATE * on * (1 + port % 5) for on in active]
        self._before = [
            port * 10**9,
            *accumulate((rate * SLOT for rate in self._rates), initial=port * 10**9),
        ][1:]

    def octets(self) -> Counter64:
        slot, within = divmod(time.time() - self._start, SLOT)
        return Counter64(int(self._before[int(slot)] + self._rates[int(slot)] * within))


def noise(name: str, low: int, high: int) -> Gauge32:
    return Gauge32(low + crc32(f"{name} {int(time.time()) // 60}".encode()) % (high - low))


def switch(number: int, used: int, start: int, hours: int) -> Agent:
    objects: dict[str, Object] = switch_objects(PORTS, f"switch-{number}")
    booted = start - 10_000_000 - number * 7919
    objects["1.3.6.1.2.1.1.3.0"] = lambda: TimeTicks(int((time.time() - booted) * 100) % 2**32)
    for port in range(1, PORTS + 1):
        name, row = f"GigabitEthernet1/0/{port}", Port(port, start, hours * 12, used=port <= used)
        x = "1.3.6.1.2.1.31.1.1.1"
        objects |= {f"{x}.1.{port}": name, f"{x}.6.{port}": row.octets, f"{x}.10.{port}": row.octets}
        objects[f"1.3.6.1.2.1.2.2.1.8.{port}"] = 1 if port <= used else 2
    objects |= {
        "1.3.6.1.4.1.9.9.109.1.1.1.1.8.1": partial(noise, f"cpu {number}", 5, 40),
        "1.3.6.1.4.1.9.9.48.1.1.1.5.1": partial(noise, f"used {number}", 30_000_000, 40_000_000),
        "1.3.6.1.4.1.9.9.13.1.3.1.3.1006": partial(noise, f"degrees {number}", 36, 42),
        "1.3.6.1.2.1.105.1.3.1.1.4.1": partial(noise, f"watts {number}", 110, 118),
    }
    for part in (1, 2):
        objects |= {
            f"1.3.6.1.4.1.9.9.13.1.4.1.2.{part}": f"Switch 1 - FAN {part}, Normal",
            f"1.3.6.1.4.1.9.9.13.1.4.1.3.{part}": 1,
            f"1.3.6.1.4.1.9.9.13.1.5.1.2.{part}": f"Switch 1 - Power Supply {part}, Normal",
            f"1.3.6.1.4.1.9.9.13.1.5.1.3.{part}": 1,
            f"1.3.6.1.2.1.47.1.1.1.1.7.{part}": f"Switch 1 - FAN {part} speed",
            f"1.3.6.1.4.1.9.9.91.1.1.1.1.1.{part}": 10,
            f"1.3.6.1.4.1.9.9.91.1.1.1.1.2.{part}": 9,
            f"1.3.6.1.4.1.9.9.91.1.1.1.1.3.{part}": 0,
            f"1.3.6.1.4.1.9.9.91.1.1.1.1.4.{part}": partial(noise, f"rpm {number} {part}", 4050, 4250),
            f"1.3.6.1.4.1.9.9.91.1.1.1.1.5.{part}": 1,
        }
    return Agent(objects)


@contextmanager
def deployed(store: Counting, *, everything: bool) -> Iterator[Callable[[Any, Any], Any]]:
    """Yield the collector's handler, with the world that it needs in its environment."""
    server = InfluxServer(store, "token")
    with tempfile.TemporaryDirectory() as folder, database_server() as url, server_running(server):
        database = Database(lambda: Secret(url))
        migrate(database)
        database.close()
        credentials, document = Path(folder, "credentials.json"), Path(folder, "netvitals.json")
        credentials.write_text(json.dumps({"c": {"snmp": {"community": "public"}}}))
        credentials.chmod(0o600)
        document.write_text(json.dumps({"collector": {"store": "everything" if everything else "changes"}}))
        os.environ |= {
            "DATABASE_URL": url,
            "INFLUXDB_URL": server.url,
            "INFLUXDB_TOKEN": "token",
            "INFLUXDB_ORG": "netvitals",
            "NETVITALS_CREDENTIALS_FILE": str(credentials),
            "NETVITALS_CONFIG_FILE": str(document),
            "NETVITALS_ALLOWED_NETWORKS": "127.0.0.0/8",
            "NETVITALS_ALLOW_LOCAL": "on",
            "POWERTOOLS_LOG_LEVEL": "ERROR",
        }
        forget()
        yield handler_of("collector")
        forget()


@contextmanager
def server_running(server: InfluxServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def bundle(kind: Kind, addresses: list[str], port: int, due_at: int) -> dict[str, Any]:
    interval = STATUS_SECONDS if kind == "status" else METRICS_SECONDS
    settings = PollSettings(snmp=SnmpSettings(port=port))
    jobs = [
        Job(
            kind=kind, device_id=f"access-sw-{number:04}", address=address, credential="c", due_at=due_at,
            expires_at=due_at + interval, interval=interval, settings=settings,
        )
        for number, address in enumerate(addresses)
    ]  # fmt: skip
    message = {"MessageId": "m", "ReceiptHandle": "r", "Body": encode_jobs(jobs)}
    return sqs_event([message], kind)


def played(used: int, hours: int, *, everything: bool = False) -> float:
    """Return the megabytes of one device and month."""
    start = int(_real_ns() / 1e9) // 86_400 * 86_400 - 86_400
    store = Counting()
    addresses = [f"127.41.0.{number + 1}" for number in range(DEVICES)]
    set_clock(start)
    agents = {address: switch(number, used, start, hours) for number, address in enumerate(addresses)}
    with (
        deployed(store, everything=everything) as handler,
        AgentThread(agents) as host,
        Path(os.devnull).open("w") as nowhere,
    ):
        for due_at in range(start, start + hours * 3600, STATUS_SECONDS):
            set_clock(due_at + 1)
            kinds: tuple[Kind, ...] = ("status", "metrics") if due_at % METRICS_SECONDS == 0 else ("status",)
            for kind in kinds:
                with redirect_stdout(nowhere):
                    answer = handler(bundle(kind, addresses, host.port, due_at), Context(120))
                assert answer == {"batchItemFailures": []}, answer
    heartbeats = hours * 3600 / 300 * DEVICES * (len(status_line("access-sw-0001", "online", 1, 10**18)) + 1)
    return (store.bytes + heartbeats) / DEVICES / hours * MONTH_HOURS / 1e6


def main() -> None:
    (hours,) = given((HOURS,), 1)
    print(f"{DEVICES} switches of {PORTS} ports, {hours} hours, MB of line protocol a device and month\n")
    print("| ports in use | MB |\n| ---: | ---: |")
    for used in (0, PORTS // 2, PORTS):
        print(f"| {used} | {played(used, hours):.1f} |", flush=True)
    print(f"| {PORTS // 2}, `store: everything` | {played(PORTS // 2, min(hours, 1), everything=True):.1f} |")


if __name__ == "__main__":
    main()
