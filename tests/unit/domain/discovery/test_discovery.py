"""What discovery makes of what devices say of themselves: one or two, row, parent, what changed."""

from collections.abc import Iterator
from typing import Any

import pytest

from netvitals.domain.discovery.addresses import addresses_in, networks_of
from netvitals.domain.discovery.compare import compare
from netvitals.domain.discovery.found import Found, Neighbour
from netvitals.domain.discovery.merge import Discovered, merge
from netvitals.domain.discovery.parents import propose_parents
from netvitals.domain.discovery.proposals import proposals, sites_of
from netvitals.domain.errors import AddressDenied, ConfigurationError
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import Guard

PRIVATE = Guard(("10.0.0.0/8",))
ENGINE, OTHER_ENGINE = "80001f888059426f645ad54168", "8000000903001b54aabbcc"
MAC, OTHER_MAC = "00:1b:54:aa:bb:cc", "00:1b:54:aa:bb:cd"


def found(address: str, **said: Any) -> Found:
    return Found(address=address, credential="core", **{"name": "sw-1", **said})


def merged(*every: Found) -> list[list[str]]:
    return [device.addresses for device in merge(every)]


def test_a_network_is_asked_without_its_own_and_its_broadcast_address() -> None:
    assert addresses_in(networks_of(["10.0.0.0/30"]), PRIVATE) == ["10.0.0.1", "10.0.0.2"]
    assert addresses_in(networks_of(["10.0.0.0/31"]), PRIVATE) == ["10.0.0.0", "10.0.0.1"]
    assert addresses_in(networks_of(["10.0.0.9"]), PRIVATE) == ["10.0.0.9"]


def test_each_subnet_has_its_turn_and_each_address_one() -> None:
    asked = addresses_in(networks_of(["10.0.0.0/23", "10.0.1.0/24"]), PRIVATE)
    assert asked[:4] == ["10.0.0.1", "10.0.1.0", "10.0.0.2", "10.0.1.1"]
    assert len(asked) == len({*asked}) == 510


def test_no_address_outside_the_allowed_networks_is_asked() -> None:
    half = Guard(("10.0.0.0/25",))
    assert len(addresses_in(networks_of(["10.0.0.0/24"]), half)) == 126
    with pytest.raises(AddressDenied, match=r"8\.8\.8\.1 is in no allowed network"):
        addresses_in(networks_of(["8.8.8.0/24"]), half)


def test_more_addresses_than_wanted_are_refused_before_they_are_counted_one_by_one() -> None:
    with pytest.raises(ConfigurationError, match="16,777,216 addresses, more than 65,536"):
        addresses_in(networks_of(["10.0.0.0/8"]), PRIVATE)
    with pytest.raises(ConfigurationError, match="write it as"):
        networks_of(["10.0.0.0-10.0.0.9"])


ONE = found("10.0.0.1", engine_id=ENGINE, serials=("FOC1234X0AB",), macs=(MAC,))
"""Each of the following says what another address has in common with this one."""
TWO_AGREE = {
    "engine id and serial": {"engine_id": ENGINE, "serials": ("FOC1234X0AB",)},
    "engine id and MAC address": {"engine_id": ENGINE, "macs": (MAC,)},
    "serial and MAC address": {"serials": ("FOC1234X0AB",), "macs": (MAC,)},
}
NOT_ENOUGH: dict[str, dict[str, Any]] = {
    "engine id alone": {"engine_id": ENGINE},
    "serial alone, as in a stack": {"serials": ("FOC1234X0AB",)},
    "MAC address alone": {"macs": (MAC,)},
    "engine id and MAC address, but another serial": {
        "engine_id": ENGINE, "macs": (MAC,), "serials": ("FOC1234X0AC",),
    },
    "engine id and serial, but other MAC addresses": {
        "engine_id": ENGINE, "serials": ("FOC1234X0AB",), "macs": (OTHER_MAC,),
    },
    "all, but another name, as a cloned machine": {
        "engine_id": ENGINE, "serials": ("FOC1234X0AB",), "macs": (MAC,), "name": "sw-2",
    },
    "name alone": {},
}  # fmt: skip


@pytest.mark.parametrize("said", TWO_AGREE.values(), ids=TWO_AGREE.keys())
def test_two_addresses_are_one_device_where_two_identities_agree(said: dict[str, Any]) -> None:
    assert merged(ONE, found("10.0.0.2", **said)) == [["10.0.0.1", "10.0.0.2"]]


@pytest.mark.parametrize("said", NOT_ENOUGH.values(), ids=NOT_ENOUGH.keys())
def test_two_addresses_are_two_devices_otherwise(said: dict[str, Any]) -> None:
    assert merged(ONE, found("10.0.0.2", **said)) == [["10.0.0.1"], ["10.0.0.2"]]


@pytest.mark.parametrize(
    ("engine", "serial", "mac"),
    [
        ("800000000000000000", "FOC1234X0AB", "00:00:5e:00:01:05"),  # zeros; VRRP
        ("8000", "FOC1234X0AB", "02:42:ac:11:00:02"),  # too short; made up locally
        (ENGINE, "To be filled by O.E.M.", "00:00:0c:07:ac:01"),  # HSRP
        (ENGINE, "0000000000", "00:00:00:00:00:00"),
        (ENGINE, "N/A", "01:00:5e:00:00:01"),  # a group's
        (ENGINE, "123", ""),
    ],
)
def test_what_many_devices_share_is_no_identity(engine: str, serial: str, mac: str) -> None:
    said = {"engine_id": engine, "serials": (serial,), "macs": (mac,) if mac else ()}
    assert merged(found("10.0.0.1", **said), found("10.0.0.2", **said)) == [["10.0.0.1"], ["10.0.0.2"]]


def test_interfaces_that_come_and_go_do_not_make_two_devices_of_one() -> None:
    macs = [f"00:1b:54:00:00:{number:02x}" for number in range(20)]
    one = found("10.0.0.1", engine_id=ENGINE, macs=tuple(macs[:15]))
    assert merged(one, found("10.0.0.2", engine_id=ENGINE, macs=tuple(macs[5:]))) == [
        ["10.0.0.1", "10.0.0.2"]
    ]


def test_a_router_without_serial_and_engine_id_is_known_by_its_own_addresses() -> None:
    table = ("10.0.0.1", "10.0.9.1", "192.168.1.1")
    assert merged(
        found("10.0.0.1", macs=(MAC,), addresses=table), found("10.0.9.1", macs=(MAC,), addresses=table)
    ) == [["10.0.0.1", "10.0.9.1"]]


def test_a_device_is_polled_at_the_address_that_the_inventory_has() -> None:
    two = [found(f"10.0.0.{n}", engine_id=ENGINE, macs=(MAC,)) for n in (1, 2)]
    assert merge(two, ["10.0.0.2"])[0].addresses == ["10.0.0.2", "10.0.0.1"]
    assert merge(two)[0].merged_by == ["engine id", "MAC address"]


def test_a_thousand_devices_of_one_engine_id_are_a_thousand_and_take_no_time() -> None:
    clones = [found(f"10.0.{n // 250}.{n % 250 + 1}", engine_id=ENGINE) for n in range(1000)]
    assert len(merge(clones)) == 1000


def tree(links: dict[str, str]) -> list[Discovered]:
    """Devices by name, each of which names some others as its neighbours."""
    return merge(
        found(f"10.0.0.{n}", name=name, neighbours=tuple(map(neighbour, others.split())))
        for n, (name, others) in enumerate(links.items(), 1)
    )


def neighbour(name: str) -> Neighbour:
    return Neighbour(protocol="lldp", name=name)


def parents(devices: list[Discovered]) -> Iterator[tuple[str, str]]:
    return ((each.found.name, each.parent.found.name) for each in devices if each.parent)


def test_the_parent_is_the_neighbour_that_is_nearer_to_the_collector() -> None:
    devices = tree({"core": "dist.example.net", "dist": "access", "access": "ap", "ap": ""})
    assert propose_parents(devices, "core")
    assert dict(parents(devices)) == {"dist": "core", "access": "dist", "ap": "access"}


def test_a_ring_gets_no_loop_and_who_has_two_ways_up_no_parent() -> None:
    devices = tree({"core": "a b", "a": "c", "b": "c", "c": "d", "d": "a c"})
    propose_parents(devices, "core")
    assert dict(parents(devices)) == {"a": "core", "b": "core", "d": "a"}
    assert (
        next(each.note for each in devices if each.found.name == "c")
        == "no parent: it is reached through a and b"
    )


def test_no_parent_is_proposed_where_nobody_knows_where_the_collector_is() -> None:
    devices = tree({"core": "a", "a": ""})
    assert not propose_parents(devices, "")
    assert not propose_parents(devices, "10.9.9.9")
    assert not dict(parents(devices))


def test_a_neighbour_whose_name_two_devices_have_is_nobody() -> None:
    devices = tree({"core": "twin", "twin": "", "TWIN.example.net": ""})
    propose_parents(devices, "core")
    assert not dict(parents(devices))


def test_a_neighbour_is_known_by_its_chassis_whatever_it_calls_itself() -> None:
    said = Neighbour(protocol="lldp", name="somebody", macs=(OTHER_MAC,), addresses=("127.0.0.1",))
    devices = merge([found("10.0.0.1", neighbours=(said,)), found("10.0.0.2", name="ap", macs=(OTHER_MAC,))])
    propose_parents(devices, "10.0.0.1")
    assert dict(parents(devices)) == {"ap": "sw-1"}


def test_a_row_names_the_device_by_its_own_name_or_by_its_address_where_that_tells_nothing() -> None:
    names = ["core", "twin", "Twin", "<private>", "", "two words"]
    every = [found(f"10.0.0.{n}", name=name, macs=(MAC,)) for n, name in enumerate(names, 1)]
    rows = [proposal.device for proposal in proposals(merge(every))]
    assert [row.id for row in rows] == ["core", *(f"10.0.0.{n}" for n in range(2, 7))]
    assert rows[0] == Device(
        id="core", hostname="core", ip_address="10.0.0.1", mac_address=MAC, credential="core"
    )


def test_plain_hosts_get_their_type_and_are_polled_over_what_answered() -> None:
    every = [found("10.0.0.1", profile="linux", port=1161), found("10.0.0.2", profile="ios")]
    linux, ios = (proposal.device for proposal in proposals(merge(every)))
    assert (linux.device_type, linux.settings) == ("linux", {"snmp": {"port": 1161}, "protocols": ["snmp"]})
    assert (ios.device_type, ios.settings) == ("network", {})
    every_type = {each.device.device_type for each in proposals(merge(every), device_type="lab")}
    assert every_type == {"lab"}


def test_the_site_is_that_of_the_subnet_or_what_the_device_says() -> None:
    sites = sites_of(
        [Device(id="a", ip_address="10.0.0.9", site="zurich"), Device(id="b", hostname="b.example.net")]
    )
    every = [
        found("10.0.0.1", location="Rack 4"), found("10.0.1.1", location="Rack 4"),
        found("10.0.1.2", location="Sitting on the Dock of the Bay"), found("10.0.1.3", location="unknown"),
    ]  # fmt: skip
    assert [each.device.site for each in proposals(merge(every), sites=sites)] == ["zurich", "Rack 4", "", ""]
    assert {each.device.site for each in proposals(merge(every), site="lab")} == {"lab"}


def test_against_the_inventory_a_device_is_new_known_moved_or_gone() -> None:
    inventory = [
        Device(id="known", ip_address="10.0.0.1", site="x"),
        Device(id="moved", ip_address="10.0.0.2", mac_address=MAC.upper(), site="x", credential="old"),
        Device(id="renumbered", ip_address="10.0.0.3", site="x"),
        Device(id="gone", ip_address="10.0.0.4"),
        Device(id="off", ip_address="10.0.0.5", enabled=False),
        Device(id="elsewhere", ip_address="10.9.0.1"),
    ]
    every = [
        found("10.0.0.1", name="any"), found("10.0.0.12", name="any2", macs=(MAC,)),
        found("10.0.0.13", name="renumbered"), found("10.0.0.14", name="sw-new"),
    ]  # fmt: skip
    asked = [f"10.0.0.{n}" for n in range(1, 20)]
    rows = compare(proposals(merge(every)), inventory, asked)
    assert [(each.change, each.device.id, each.device.ip_address) for each in rows] == [
        ("known", "known", "10.0.0.1"),
        ("moved", "moved", "10.0.0.12"),
        ("moved", "renumbered", "10.0.0.13"),
        ("new", "sw-new", "10.0.0.14"),
        ("gone", "gone", "10.0.0.4"),
    ]
    assert (rows[1].device.site, rows[1].device.credential, rows[1].before) == ("x", "old", "10.0.0.2")


def test_a_device_that_was_replaced_by_a_namesake_which_stands_twice_has_not_moved() -> None:
    inventory = [Device(id=f"sw-{n}", hostname="twin", ip_address=f"10.0.0.{n}") for n in (1, 2)]
    rows = compare(proposals(merge([found("10.0.0.9", name="twin")])), inventory, ())
    assert [each.change for each in rows] == ["new"]
