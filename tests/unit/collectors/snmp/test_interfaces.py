"""What the reading of interfaces does where a GET gives only a part."""

from collections.abc import Sequence

from netvitals.collectors.snmp.interfaces import (
    NAME,
    OCTETS_32,
    OCTETS_64,
    OPER,
    points_of_interfaces,
    read_interfaces,
)
from netvitals.collectors.snmp.protocol import InterfaceFilter
from netvitals.collectors.snmp.tables import Rows, Tables, Value
from netvitals.collectors.snmp.wire.faults import ProtocolFault
from netvitals.collectors.snmp.wire.session import Read

NOW = 1_700_000_000_000_000_000
LATER = NOW + 1_000_000
REFUSED = ProtocolFault("ifInOctets.2: the agent answers genErr")


class Switch:
    """Two ports up whose 64-bit counters stand at 0; of the 32-bit ones it refuses those of port 2."""

    async def walk(self, columns: Sequence[str]) -> Read:
        rows: dict[str, dict[str, Value]] = {
            NAME: {"1": b"a", "2": b"b"},
            OPER: {"1": 1, "2": 1},
            **{column: {"1": 0, "2": 0} for column in OCTETS_64.values()},
        }
        return Read(Tables({column: Rows(rows.get(column), NOW) for column in columns}))

    async def get(self, oids: Sequence[str]) -> Read:
        assert set(oids) == {f"{column}.{port}" for column in OCTETS_32.values() for port in "12"}
        tables = Tables()
        for oid in oids:
            if oid.endswith(".1"):
                tables.objects[oid] = (7, LATER)
        return Read(tables, REFUSED)


async def test_cells_that_a_get_did_not_bring_are_a_fault_beside_those_that_it_did() -> None:
    wanted = InterfaceFilter()
    interfaces = await read_interfaces(Switch(), wanted, all_64_bit=True)
    assert interfaces.faults == [REFUSED]
    counted = {
        (point.instance, point.value, point.time_ns)
        for point in points_of_interfaces(interfaces, wanted)
        if point.metric_name == "net_bytes_in"
    }
    assert counted == {("a", 7, LATER), ("b", 0, NOW)}
