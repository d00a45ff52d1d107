"""What an invocation of the collector costs: `python benchmarks/collector_handler.py [ports]`.

The real handler takes bundles of one and of many switches (24 ports, half of them in use, 50 ms away).
Devices, a real PostgreSQL and a server in InfluxDB's place are in another process. Prints the CPU of an
invocation and of each device in it, how long it takes, and the bytes between it and both stores. Beside a
metrics poll stands what the SNMP session alone needs to walk the columns of IF-MIB that the poll reads, in
the same run: the ratio says what the rest costs, whatever the machine does besides.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from functools import partial
from pathlib import Path
from socket import SHUT_WR, create_connection, socket
from statistics import median
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from agents import addresses
from sizes import QUICK, given

from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import switch_objects
from local.devices.snmp_host import AgentThread
from local.devices.snmp_mib import Counter64, Mib, Object
from local.influx.http import InfluxServer
from local.lambda_.handlers import Context, handler_of, sqs_event
from local.proxy import Proxy
from local.servers.postgres import postgres_server
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.schema import migrate
from netvitals.collectors.reach import prober
from netvitals.collectors.snmp import interfaces as if_mib
from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.collectors.snmp.wire.security import CommunitySecurity
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.domain.polling.job import Job, Kind, deflated_body, encode_job
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret

RTT_SECONDS = 0.05
SIZES: dict[Kind, int] = {"status": 10, "metrics": 10} if QUICK else {"status": 300, "metrics": 100}
INTERVALS: dict[Kind, int] = {"status": 30, "metrics": 300}
ROUNDS = 2 if QUICK else 8
(PORTS,) = given((24,), 4) if __name__ == "__main__" else (4 if QUICK else 24,)
NETWORK, NOBODY = "127.44", "127.45"


class CountingProxy(Proxy):
    """Passes bytes on, and counts those of both directions."""

    def __init__(self, upstream: int) -> None:
        self.bytes = {"sent": 0, "received": 0}
        super().__init__(upstream)

    def _serve(self, client: socket) -> None:
        with create_connection(("127.0.0.1", self.upstream)) as server:
            back = threading.Thread(target=self._pass, args=(server, client, "received"), daemon=True)
            back.start()
            self._pass(client, server, "sent")
            back.join()

    def _pass(self, source: socket, target: socket, direction: str) -> None:
        with suppress(OSError):  # either side may have gone
            while data := source.recv(65_536):
                self.bytes[direction] += len(data)
                target.sendall(data)
            target.shutdown(SHUT_WR)


class _Nowhere:
    """A store that counts what it takes, before compression."""

    def __init__(self) -> None:
        self.bytes = self.lines = 0

    def write(self, bucket: str, text: bytes, precision: str) -> None:
        assert bucket
        assert precision
        self.bytes += len(text) + 1
        self.lines += text.count(b"\n") + 1

    def query(self, bucket: str, statement: str) -> dict[str, Any]:
        raise NotImplementedError(bucket, statement)


def _switch() -> Agent:
    objects: dict[str, Object] = switch_objects(PORTS)
    for port in range(1, PORTS // 2 + 1):
        for column in (6, 10):
            objects[f"1.3.6.1.2.1.31.1.1.1.{column}.{port}"] = lambda: Counter64(time.time_ns() // 1000)
    return Agent(Mib(objects), delay=RTT_SECONDS)


def _serve() -> None:
    """Be the world; print where it is, and at each line of input what was counted."""
    store, agent = _Nowhere(), _switch()
    hosts = dict.fromkeys(addresses(NETWORK, max(SIZES.values())), agent)
    influx = InfluxServer(store, "token")
    threading.Thread(target=influx.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as world:
        url = world.enter_context(postgres_server(Path(folder, "postgres"), password="p"))  # noqa: S106, it opens nothing
        host = world.enter_context(AgentThread(hosts))
        ways = {
            "postgres": world.enter_context(CountingProxy(urlsplit(url).port or 0)),
            "influx": world.enter_context(CountingProxy(influx.server_port)),
        }
        _say({"postgres": _at(url, ways["postgres"].port), "influx": _at(influx.url, ways["influx"].port),
              "snmp": host.port})  # fmt: skip
        for _ in sys.stdin:
            counted = {f"{name} {way}": n for name, proxy in ways.items() for way, n in proxy.bytes.items()}
            _say(counted | {"line protocol": store.bytes, "lines": store.lines})


def _at(url: str, port: int) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}"))


def _say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


@contextmanager
def world() -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield where the world is, and what returns what it has counted so far."""
    command = [sys.executable, __file__, "--serve", *(["--quick"] if QUICK else [str(PORTS)])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asked, answers = process.stdin, process.stdout
        assert asked
        assert answers
        where = json.loads(answers.readline())

        def counted() -> dict[str, int]:
            print(file=asked, flush=True)
            found: dict[str, int] = json.loads(answers.readline())
            return found

        try:
            yield where, counted
        finally:
            asked.close()


def bundle(kind: Kind, count: int, port: int, due_at: int, *, silent: bool = False) -> dict[str, Any]:
    settings, interval = PollSettings(snmp=SnmpSettings(port=port)), INTERVALS[kind]
    name = "silent" if silent else "access"
    jobs = [
        encode_job(
            Job(
                kind=kind, device_id=f"{name}-sw-{number:04}", address=address, credential="c",
                site=f"site-{number // 10}",
                due_at=due_at, expires_at=int(time.time()) + interval, interval=interval, settings=settings,
                silent=silent,
            )
        )
        for number, address in enumerate(addresses(NOBODY if silent else NETWORK, count))
    ]  # fmt: skip
    return sqs_event([{"MessageId": "m", "ReceiptHandle": "r", "Body": deflated_body(jobs)}], kind)


class Measured:
    """The medians of the processor time, and the means of what was counted."""

    def __init__(self, run: Callable[[], None], counted: Callable[[], dict[str, int]], rounds: int) -> None:
        before, wall, cpu = counted(), time.perf_counter(), list[float]()
        for _ in range(rounds):
            cpu.append(cpu_ms(run))
        self.cpu_ms = median(cpu)
        self.wall = (time.perf_counter() - wall) / rounds
        self.counted = {name: (n - before[name]) / rounds for name, n in counted().items()}


def cpu_ms(run: Callable[[], None]) -> float:
    began = time.process_time()
    run()
    return (time.process_time() - began) * 1000


class Runner:
    """Runs bundles of one kind through the handler, each as due an interval after the one before."""

    def __init__(self, handler: Any, kind: Kind, port: int) -> None:
        self._handler, self._kind, self._port = handler, kind, port
        self._due_at = int(time.time()) - 3600

    def run(self, count: int, *, silent: bool = False) -> None:
        self._due_at += INTERVALS[self._kind]
        event = bundle(self._kind, count, self._port, self._due_at, silent=silent)
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            answer = self._handler(event, Context(120))
        assert answer == {"batchItemFailures": []}, answer


class Walk:
    """The SNMP session alone, asked for what a poll reads of the interfaces."""

    _columns = (
        if_mib.NAME, if_mib.DESCR, if_mib.OPER, if_mib.SPEED, if_mib.HIGH_SPEED, if_mib.ALIAS, if_mib.TYPE,
        *if_mib.OCTETS_64.values(), *if_mib.COUNTERS.values(), if_mib.DISCONTINUITY,
    )  # fmt: skip

    def __init__(self, port: int) -> None:
        self._settings = SnmpSettings(port=port)
        self._runner = asyncio.Runner()

    def run(self, count: int) -> None:
        self._runner.run(self._walk_all(addresses(NETWORK, count)))

    async def _walk_all(self, hosts: Sequence[str]) -> None:
        await asyncio.gather(*map(self._walk, hosts))

    async def _walk(self, host: str) -> None:
        security, deadline = CommunitySecurity("2c", Secret("public")), time.monotonic() + 60
        read = await SnmpSession(host, security, self._settings, deadline).walk(self._columns)
        assert read.error is None, read.error
        assert len(read.tables) >= PORTS * len(self._columns)


def measure(where: dict[str, Any], counted: Any) -> None:
    handler = handler_of("collector")
    for kind, size in SIZES.items():
        runner = Runner(handler, kind, where["snmp"])
        runner.run(size)
        one = Measured(partial(runner.run, 1), counted, ROUNDS)
        runner.run(size)
        many = Measured(partial(runner.run, size), counted, ROUNDS)
        silent = Measured(partial(runner.run, size, silent=True), counted, 1)
        each = (many.cpu_ms - one.cpu_ms) / (size - 1)
        print(f"\n{kind}: {one.cpu_ms - each:.1f} ms CPU an invocation and {each:.2f} ms a device, "
              f"{many.wall:.2f} s for {size} devices")  # fmt: skip
        print(f"  silent: {silent.cpu_ms / size:.2f} ms a device, {silent.wall:.2f} s for {size} devices")
        if kind == "metrics":
            compare_with_walk(runner, Walk(where["snmp"]), size)
        for name in many.counted:
            part = (many.counted[name] - one.counted[name]) / (size - 1)
            print(f"  {name}: {one.counted[name] - part:,.0f} an invocation, {part:,.0f} a device")


def compare_with_walk(runner: Runner, walk: Walk, size: int) -> None:
    """Print what a poll costs beside the walk, in turns, since a busy machine slows both alike."""
    walk.run(size)
    pairs = []
    for _ in range(ROUNDS):
        runner.run(size)  # the one after the walk pays for cold caches
        pairs.append((cpu_ms(partial(runner.run, size)) / size, cpu_ms(partial(walk.run, size)) / size))
    ratio = median(poll / alone for poll, alone in pairs)
    alone = median(alone for _, alone in pairs)
    print(f"  the walk alone: {alone:.2f} ms a device; the poll with its share of the invocation is "
          f"{ratio:.2f} times that; load {os.getloadavg()[0]:.1f}")  # fmt: skip


@contextmanager
def deployed(where: dict[str, Any]) -> Iterator[None]:
    """Give the handler the environment that it finds the world by, with tables in the database.

    As on Lambda, it may send no ICMP: a host is probed only where its protocol is silent for a second.
    """
    with tempfile.TemporaryDirectory() as folder, patch.object(prober, "icmp_mode", lambda _version: None):
        database = Database(lambda: Secret(where["postgres"]))
        migrate(database)
        database.close()
        credentials = Path(folder, "credentials.json")
        credentials.write_text(json.dumps({"c": {"snmp": {"community": "public"}}}))
        credentials.chmod(0o600)
        os.environ |= {
            "DATABASE_URL": where["postgres"],
            "INFLUXDB_URL": where["influx"],
            "INFLUXDB_TOKEN": "token",
            "INFLUXDB_ORG": "netvitals",
            "NETVITALS_CREDENTIALS_FILE": str(credentials),
            "NETVITALS_ALLOWED_NETWORKS": "127.0.0.0/8",
            "NETVITALS_ALLOW_LOCAL": "on",
        }
        yield


def main() -> None:
    with world() as (where, counted), deployed(where):
        print(f"The collector's handler; switches of {PORTS} ports, {RTT_SECONDS * 1000:.0f} ms away")
        measure(where, counted)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        _serve()
    else:
        main()
