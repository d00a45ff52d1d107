"""What is wrong with an inventory whose rows can be read."""

from typing import Any

import pytest

from netvitals.domain.inventory.check import Rules, check_inventory
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import Guard
from netvitals.domain.settings.configuration import Configuration

RULES = Rules(configuration=Configuration(), guard=Guard(["10.0.0.0/8"]), credential_names={"core", "edge"})


def device(device_id: str = "a", **fields: Any) -> Device:
    return Device(id=device_id, **{"ip_address": "10.0.0.1"} | fields)


def faults(*devices: Device, rules: Rules = RULES) -> list[tuple[str, str, str]]:
    rows = [(f"line {number}", each) for number, each in enumerate(devices, 2)]
    return [(bad.where, bad.field, str(bad)) for bad in check_inventory(rows, rules)]


def test_a_sound_inventory_has_no_fault() -> None:
    assert (
        faults(
            device(
                "a", credential="core", mac_address="00:1b:54:AA:bb:cc", settings={"snmp": {"port": 1161}}
            ),
            device("b", parent_id="a", mac_address="001b.54aa.bbcc", device_type="linux"),
            device("c", ip_address=None, hostname="sw.example.net", parent_id="b", credential=""),
        )
        == []
    )


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"ip_address": "192.0.2.1"}, "ip_address", "NETVITALS_ALLOWED_NETWORKS"),
        ({"ip_address": "169.254.169.254"}, "ip_address", "metadata"),
        ({"ip_address": "127.1"}, "ip_address", "no IP address"),
        ({"ip_address": "10.0.0.1; DROP TABLE"}, "ip_address", "no IP address"),
        ({"ip_address": None}, "ip_address", "one of them is needed"),
        ({"ip_address": None, "hostname": "0x7f.1"}, "hostname", "must be a host name"),
        ({"mac_address": "00:1b:54"}, "mac_address", "00:1b:54:aa:bb:cc"),
        ({"device_type": "printer"}, "device_type", "known: linux, network, windows"),
        ({"settings": {"snmp": {"port": 0}}}, "settings", "settings.snmp.port"),
        ({"settings": {"snpm": {}}}, "settings", "did you mean 'snmp'"),
        ({"credential": "cores"}, "credential", "did you mean 'core'?"),
        ({"parent_id": "z"}, "parent_id", "not in the inventory"),
        ({"parent_id": "a"}, "parent_id", "circle: a → a"),
    ],
)
def test_a_fault_names_the_row_the_field_and_what_is_allowed(
    fields: dict[str, Any], field: str, said: str
) -> None:
    [(where, at, text)] = faults(device(**fields))
    assert (where, at) == ("line 2", field)
    assert said in text


def test_all_faults_of_all_rows_are_found() -> None:
    found = faults(device("a", device_type="x", credential="y"), device("b"), device("c", mac_address="z"))
    assert [(where, field) for where, field, _ in found] == [
        ("line 2", "device_type"),
        ("line 2", "credential"),
        ("line 4", "mac_address"),
    ]


def test_an_id_that_stands_there_twice_names_both_lines() -> None:
    [(where, field, text)] = faults(device("a"), device("b"), device("a"))
    assert (where, field) == ("line 4", "id")
    assert "first at line 2" in text


def test_a_circle_of_parents_is_told_once_with_the_way_round() -> None:
    found = faults(
        device("a", parent_id="b"),
        device("b", parent_id="c"),
        device("c", parent_id="a"),
        device("d", parent_id="a"),
    )
    assert [(where, field) for where, field, _ in found] == [("line 2", "parent_id")]
    assert "a → b → c → a" in found[0][2]


def test_a_chain_of_a_hundred_thousand_parents_is_no_circle() -> None:
    chain = [device(str(number), parent_id=str(number + 1)) for number in range(100_000)]
    assert faults(*chain, device("100000")) == []
    [(_, _, text)] = faults(*chain, device("100000", parent_id="0"))
    assert "0 → 1 → 2 → 3 → 4 → … → 0" in text


def test_devices_that_are_there_already_can_be_parents_and_close_a_circle() -> None:
    rules = Rules(
        configuration=Configuration(),
        guard=RULES.guard,
        others={"old": device("old", parent_id="new"), "x": device("x", parent_id="x")},
    )
    assert faults(device("a", parent_id="old"), device("new"), rules=rules) == []
    [(where, _, text)] = faults(device("new", parent_id="old"), rules=rules)
    assert where == "line 2"
    assert "circle" in text


def test_credentials_are_not_checked_where_nobody_knows_them() -> None:
    rules = Rules(configuration=Configuration(), guard=RULES.guard)
    assert faults(device(credential="whatever"), rules=rules) == []


def test_a_secret_that_strayed_into_settings_is_not_shown() -> None:
    [(_, _, text)] = faults(device(settings={"snmp": {"community": "s3cret"}}))
    assert "s3cret" not in text
    assert "Secrets Manager" in text
