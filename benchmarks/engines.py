"""The SNMP engines that are compared, behind one interface: ours, gufo-snmp's, snmp_exporter's."""

import asyncio
import os
import resource
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import yaml
from gufo.snmp.aio.client import SnmpSession as GufoSession

from local.servers.process import accepts, free_port, running
from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.collectors.snmp.wire.security import CommunitySecurity
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.domain.settings.secret import Secret

REPETITIONS = 25
TIMEOUT_SECONDS = 2.0
IF_TABLE, IF_X_TABLE = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
TEN_OIDS = [f"1.3.6.1.2.1.1.{number}.0" for number in (1, 2, 3, 5, 6)] + [
    f"{IF_TABLE}.{column}.1" for column in (2, 5, 8, 10, 16)
]
NEEDED = [f"{IF_TABLE}.{column}" for column in (2, 3, 5, 7, 8, 10, 13, 14, 16, 19, 20)] + [
    f"{IF_X_TABLE}.{column}" for column in (1, 6, 10, 15, 18)
]
"""What a full collection of interfaces reads: names, type, speed, states, octets in both widths, errors."""
EVERYTHING = [f"{IF_TABLE}.{column}" for column in range(1, 23)] + [
    f"{IF_X_TABLE}.{column}" for column in range(1, 20)
]


_TYPES = dict.fromkeys(
    (f"{IF_TABLE}.2", f"{IF_TABLE}.22", f"{IF_X_TABLE}.1", f"{IF_X_TABLE}.18"), "DisplayString"
) | {f"{IF_TABLE}.6": "PhysAddress48"}
"""What snmp_exporter must know of objects that are no numbers."""


class Engine(Protocol):
    """Each returns how many values it got."""

    name: str

    def cpu_seconds(self) -> float: ...
    async def get(self, address: str, port: int) -> int: ...
    async def walk(self, address: str, port: int) -> int: ...
    async def collect(self, address: str, port: int) -> int: ...


def _own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Netvitals:
    name = "netvitals"
    _security = CommunitySecurity("2c", Secret("public"))

    def cpu_seconds(self) -> float:
        return _own_cpu_seconds()

    def _session(self, address: str, port: int) -> SnmpSession:
        settings = SnmpSettings(port=port, timeout_seconds=TIMEOUT_SECONDS, max_repetitions=REPETITIONS)
        return SnmpSession(address, self._security, settings, time.monotonic() + 60)

    async def get(self, address: str, port: int) -> int:
        return len((await self._session(address, port).get(TEN_OIDS)).tables)

    async def _walk(self, address: str, port: int, columns: Sequence[str]) -> int:
        walk = await self._session(address, port).walk(columns)
        if walk.error:
            raise walk.error
        return len(walk.tables)

    async def walk(self, address: str, port: int) -> int:
        return await self._walk(address, port, EVERYTHING)

    async def collect(self, address: str, port: int) -> int:
        return await self._walk(address, port, NEEDED)


class Gufo:
    """A session per device, as its documentation does; it walks one subtree after the other."""

    name = "gufo-snmp"

    def cpu_seconds(self) -> float:
        return _own_cpu_seconds()

    def _session(self, address: str, port: int) -> GufoSession:
        return GufoSession(addr=address, port=port, timeout=TIMEOUT_SECONDS, max_repetitions=REPETITIONS)

    async def get(self, address: str, port: int) -> int:
        async with self._session(address, port) as session:
            return len(await session.get_many(TEN_OIDS))

    async def _walk(self, address: str, port: int, roots: Sequence[str]) -> int:
        count = 0
        async with self._session(address, port) as session:
            for root in roots:
                rows = {oid: value async for oid, value in session.getbulk(root)}
                count += len(rows)
        return count

    async def walk(self, address: str, port: int) -> int:
        return await self._walk(address, port, (IF_TABLE, IF_X_TABLE))

    async def collect(self, address: str, port: int) -> int:
        return await self._walk(address, port, NEEDED)


class Exporter:
    """A running snmp_exporter, asked over HTTP; what the asking costs is not counted."""

    name = "snmp_exporter"

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self._port = port

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def _ask(self, module: str, address: str, port: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        path = f"/snmp?target={address}:{port}&module={module}"
        writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        text = await reader.read(-1)
        writer.close()
        assert b" 200 OK" in text[:20], text[:500]
        return text.count(b"\nbench_")

    async def get(self, address: str, port: int) -> int:
        return await self._ask("get", address, port)

    async def walk(self, address: str, port: int) -> int:
        return await self._ask("walk", address, port)

    async def collect(self, address: str, port: int) -> int:
        return await self._ask("collect", address, port)


def _metric(oid: str, *, scalar: bool = False) -> dict[str, object]:
    index = [] if scalar else [{"labelname": "ifIndex", "type": "gauge"}]
    kind = _TYPES.get(oid.removesuffix(".1" if scalar else ""), "gauge")
    return {"name": f"bench_{oid.replace('.', '_')}", "oid": oid, "type": kind, "help": oid, "indexes": index}


def _module(**parts: object) -> dict[str, object]:
    return {
        "version": 2,
        "auth": {"community": "public"},
        "max_repetitions": REPETITIONS,
        "timeout": "2s",
        **parts,
    }


def _exporter_config() -> dict[str, object]:
    get_metrics = [_metric(oid, scalar=True) for oid in TEN_OIDS]
    return {
        "get": _module(get=TEN_OIDS, metrics=get_metrics),
        "walk": _module(walk=[IF_TABLE, IF_X_TABLE], metrics=[_metric(column) for column in EVERYTHING]),
        "collect": _module(walk=NEEDED, metrics=[_metric(column) for column in NEEDED]),
    }


@asynccontextmanager
async def exporter() -> AsyncIterator[Exporter | None]:
    """A snmp_exporter of our own; None where there is none on this machine."""
    program = shutil.which("prometheus-snmp-exporter") or shutil.which("snmp_exporter")
    if program is None:
        yield None
        return
    with TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "snmp.yml").write_text(yaml.safe_dump(_exporter_config()))
        options = ["--config.file=snmp.yml", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
        with running([program, *options], folder, lambda: accepts(port)) as process:
            yield Exporter(process, port)


@asynccontextmanager
async def all_engines() -> AsyncIterator[list[Engine]]:
    async with exporter() as found:
        yield [Netvitals(), Gufo(), *([found] if found else [])]
