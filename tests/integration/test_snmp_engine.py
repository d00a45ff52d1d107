"""The engine against Debian's snmpd, with net-snmp's own tools as the judge."""

import subprocess
import time
from typing import Literal

import pytest

from fixtures.snmpd import StartSnmpd
from local.servers.snmpd import HOST, Snmpd
from netvitals.collectors.snmp.protocol import SnmpSettings
from netvitals.collectors.snmp.wire.faults import NoAnswer
from netvitals.collectors.snmp.wire.pdu import IPv4, Oid
from netvitals.collectors.snmp.wire.security import CommunitySecurity
from netvitals.collectors.snmp.wire.session import SnmpSession
from netvitals.domain.settings.secret import Secret

pytestmark = pytest.mark.integration

SYSTEM, OR_DESCR, STORAGE = "1.3.6.1.2.1.1", "1.3.6.1.2.1.1.9.1.3", "1.3.6.1.2.1.25.2.3.1"
CONFIGURATION = "rocommunity public 127.0.0.1\nsysName the-device\nsysLocation here\n"


@pytest.fixture(scope="module")
def snmpd(start_snmpd: StartSnmpd) -> Snmpd:
    return start_snmpd(CONFIGURATION)


def session(snmpd: Snmpd, version: Literal["1", "2c"] = "2c", community: str = "public") -> SnmpSession:
    patience = 5 if community == "public" else 0.5
    settings = SnmpSettings(port=snmpd.port, timeout_seconds=patience, retries=1)
    return SnmpSession(HOST, CommunitySecurity(version, Secret(community)), settings, time.monotonic() + 30)


def snmpwalk(snmpd: Snmpd, root: str) -> list[str]:
    """Names without the leading dot, as net-snmp's bulk walk finds them."""
    command = ["snmpbulkwalk", "-v2c", "-cpublic", "-On", "-m", "", f"{HOST}:{snmpd.port}", f".{root}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split(" ")[0].removeprefix(".") for line in text.splitlines() if line.startswith(".")]


async def test_values_have_their_types(snmpd: Snmpd) -> None:
    response = await session(snmpd).get([f"{SYSTEM}.{leaf}.0" for leaf in (2, 3, 5, 99)])
    assert response.tables.value(f"{SYSTEM}.5.0") == b"the-device"
    assert isinstance(response.tables.value(f"{SYSTEM}.2.0"), Oid)
    assert isinstance(response.tables.value(f"{SYSTEM}.3.0"), int)
    assert response.tables.value(f"{SYSTEM}.99.0") is None
    assert abs(response.tables.time_ns(f"{SYSTEM}.3.0") - time.time_ns()) < 10**10
    assert response.rtt_ms > 0


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_a_walk_finds_the_names_that_snmpbulkwalk_finds(
    snmpd: Snmpd, version: Literal["1", "2c"]
) -> None:
    root = "1.3.6.1.2.1.1"
    walk = await session(snmpd, version).walk([root])
    assert walk.error is None
    assert [f"{root}.{index}" for index in walk.tables.column(root)] == snmpwalk(snmpd, root)


async def test_many_columns_at_once_are_what_each_is_alone(snmpd: Snmpd) -> None:
    columns = [f"{STORAGE}.{column}" for column in (1, 2, 3, 4, 5)] + [OR_DESCR, "1.3.6.1.2.1.4.20.1.1"]
    together = await session(snmpd).walk(columns)
    assert together.error is None
    for column in columns:
        alone = await session(snmpd).walk([column])
        assert together.tables.column(column) == alone.tables.column(column)
    assert all(isinstance(value, IPv4) for value in together.tables.column("1.3.6.1.2.1.4.20.1.1").values())


async def test_each_row_has_the_time_of_its_response(snmpd: Snmpd) -> None:
    before = time.time_ns()
    walk = await session(snmpd).walk([OR_DESCR])
    assert walk.tables.column(OR_DESCR)
    for index in walk.tables.column(OR_DESCR):
        assert before <= walk.tables.time_ns(OR_DESCR, index) <= time.time_ns()
    assert walk.tables.time_ns(OR_DESCR, "no such row") == 0


async def test_a_wrong_community_is_no_answer(snmpd: Snmpd) -> None:
    with pytest.raises(NoAnswer):
        await session(snmpd, community="other").get([f"{SYSTEM}.3.0"])
