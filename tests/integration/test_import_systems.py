"""`netvitals inventory import --from` NetBox, LibreNMS and Zabbix, into a real PostgreSQL."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fixtures.inventory_servers import (
    TOKEN,
    librenms,
    librenms_device,
    netbox,
    netbox_device,
    serving,
    zabbix,
    zabbix_host,
)
from fixtures.postgres import Execute
from netvitals.cli.main import cli

pytestmark = pytest.mark.integration

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    def invoke(*arguments: str | Path, code: int = 0, token: str = TOKEN) -> Result:
        env = {"DATABASE_URL": database_url, "NETVITALS_SOURCE_TOKEN": token}
        result = CliRunner().invoke(cli, ["inventory", "import", *map(str, arguments)], env=env)
        assert result.exit_code == code, (result.output, result.exception)
        assert TOKEN not in result.output
        return result

    return invoke


ALL = (
    "SELECT id, coalesce(hostname, ''), host(ip_address), device_type, coalesce(credential, ''),"
    " coalesce(site, ''), enabled FROM devices ORDER BY id"
)


def test_netbox_gives_all_pages_of_devices_and_virtual_machines(run: Run, execute: Execute) -> None:
    devices = [
        netbox_device(1),
        netbox_device(2, status={"value": "offline"}, custom_fields={"netvitals_credential": "edge"}),
        netbox_device(3, primary_ip=None),
        netbox_device(4, name=None, primary_ip={"address": "fd00::4/64"}, role={"slug": "linux"}),
        netbox_device(5, role=None, device_role={"slug": "core"}),
    ]
    machines = [netbox_device(1, platform={"slug": "windows-server-2022"}, role={"slug": "server"})]
    with serving(netbox(devices, machines)) as system:
        result = run("--from", "netbox", system.url, "--type", "core=linux")
        again = run("--from", "netbox", f"{system.url}/", "--type", "core=linux")
    assert result.stdout == "5 added, 0 changed, 0 unchanged\n"
    assert again.stdout == "0 added, 0 changed, 5 unchanged\n"
    assert execute(ALL) == [
        ("netbox-1", "sw-1", "10.0.0.1", "network", "", "zurich", True),
        ("netbox-2", "sw-2", "10.0.0.2", "network", "edge", "zurich", False),
        ("netbox-4", "", "fd00::4", "linux", "", "zurich", True),
        ("netbox-5", "sw-5", "10.0.0.5", "linux", "", "zurich", True),
        ("netbox-vm-1", "sw-1", "10.0.0.1", "windows", "", "zurich", True),
    ]
    assert "1 left out: no primary IP address" in result.stderr
    assert "taken as network: access (2); --type NAME=TYPE says otherwise" in result.stderr
    assert system.asked.count("/api/dcim/devices/") == 6


def test_librenms_gives_everything_but_its_secrets(run: Run, execute: Execute) -> None:
    v3 = {"snmpver": "v3", "authname": "monitor", "authpass": "s3cret-auth", "cryptopass": "s3cret-priv"}
    devices = [
        librenms_device(1, dependency_parent_id=None),
        librenms_device(2, community="c0mmunity-two", dependency_parent_id="1", port="1161"),
        librenms_device(3, **v3, ignore="1", dependency_parent_id="1,2"),
        librenms_device(4, disabled=True, os="linux", type="server", hostname="srv.example.net", ip=""),
        librenms_device(5, snmp_disable=1, os="ping"),
    ]
    with serving(librenms(devices)) as system:
        result = run("--from", "librenms", system.url)
    assert result.stdout == "5 added, 0 changed, 0 unchanged\n"
    assert execute(
        "SELECT id, host(ip_address), device_type, coalesce(credential, ''), parent_id, enabled,"
        " maintenance_until::text, settings FROM devices ORDER BY id"
    ) == [
        ("librenms-1", "10.0.0.1", "network", "librenms-v2c", None, True, None, {}),
        ("librenms-2", "10.0.0.2", "network", "librenms-v2c-2", "librenms-1", True, None,
         {"snmp": {"port": 1161}}),
        ("librenms-3", "10.0.0.3", "network", "librenms-v3-monitor", None, True, "infinity", {}),
        ("librenms-4", None, "linux", "librenms-v2c", None, False, None, {"protocols": ["snmp"]}),
        ("librenms-5", "10.0.0.5", "network", "", None, True, None, {"protocols": []}),
    ]  # fmt: skip
    assert "credential librenms-v2c-2: 1 devices; write it into the credential map" in result.stderr
    assert not [secret for secret in ("c0mmunity", "s3cret") if secret in result.output]
    assert not [
        secret
        for secret in ("c0mmunity", "s3cret")
        if secret in str(execute("SELECT devices::text FROM devices"))
    ]


def test_zabbix_gives_its_snmp_hosts_and_those_of_a_known_system(run: Run, execute: Execute) -> None:
    agent = [
        {
            "type": "1",
            "main": "1",
            "useip": "0",
            "ip": "",
            "dns": "srv.example.net",
            "port": "10050",
            "details": [],
        }
    ]
    hosts = [
        zabbix_host(1, maintenance_status="1", maintenanceid="7"),
        zabbix_host(2, status="1", inventory={"macaddress_a": "00:1b:54:aa:bb:cc"}),
        zabbix_host(3, interfaces=agent, parentTemplates=[{"name": "Linux by Zabbix agent"}]),
        zabbix_host(4, interfaces=agent, parentTemplates=[{"name": "Website"}]),
    ]
    with serving(zabbix(hosts, [{"maintenanceid": "7", "active_till": "1795449600"}])) as system:
        result = run("--from", "zabbix", system.url)
    assert result.stdout == "3 added, 0 changed, 0 unchanged\n"
    assert execute(ALL) == [
        ("zabbix-sw-1", "Switch 1", "10.0.0.1", "network", "zabbix-v2c", "zurich", True),
        ("zabbix-sw-2", "Switch 2", "10.0.0.2", "network", "zabbix-v2c", "zurich", False),
        ("zabbix-sw-3", "srv.example.net", None, "linux", "", "zurich", True),
    ]
    assert execute(
        "SELECT id, extract(epoch FROM maintenance_until)::bigint FROM devices"
        " WHERE maintenance_until IS NOT NULL"
    ) == [("zabbix-sw-1", 1795449600)]
    assert "1 left out: neither an SNMP interface" in result.stderr


EXPORT = """
zabbix_export:
  version: '7.0'
  hosts:
    - host: sw-1
      name: Switch 1
      templates: [{name: Cisco IOS by SNMP}]
      groups: [{name: Sites/zurich}]
      interfaces:
        - {type: SNMP, ip: 10.0.0.1, port: '1161', details: {community: '{$SNMP_COMMUNITY}'}}
    - host: sw-2
      status: DISABLED
      interfaces: [{type: SNMP, useip: 'NO', dns: sw-2.example.net, port: '161'}]
"""


def test_an_export_of_zabbix_leaves_defaults_out_and_is_read_all_the_same(
    run: Run, execute: Execute, tmp_path: Path
) -> None:
    path = tmp_path / "hosts.yaml"
    path.write_text(EXPORT)
    run("--from", "zabbix", path, "--credential", "core")
    assert execute(ALL) == [
        ("zabbix-sw-1", "Switch 1", "10.0.0.1", "network", "core", "zurich", True),
        ("zabbix-sw-2", "sw-2.example.net", None, "network", "core", "", False),
    ]
    assert execute("SELECT settings FROM devices ORDER BY id") == [({"snmp": {"port": 1161}},), ({},)]


def test_answers_that_were_saved_are_read_as_well(run: Run, execute: Execute, tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({"count": 1, "results": [netbox_device(1)]}))
    run("--from", "netbox", path)
    path.write_text(json.dumps({"devices": [librenms_device(1)]}))
    run("--from", "librenms", path)
    assert execute("SELECT id FROM devices ORDER BY id") == [("librenms-1",), ("netbox-1",)]
    for system in ("netbox", "librenms", "zabbix"):
        path.write_text('{"error": "no"}')
        assert "hold" in str(run("--from", system, path, code=2).output) or system == "librenms"


def many(count: int) -> list[dict[str, Any]]:
    return [netbox_device(number) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"cut": 500}, "gave no whole answer"),
        ({"status": 503}, "answers /api/dcim/devices/ with HTTP 503"),
        ({"status": 302}, "with HTTP 302"),
        ({"token": "nbt_wrong"}, "refuses the token (HTTP 403)"),
    ],
    ids=["breaks off", "unavailable", "redirects", "refuses the token"],
)
def test_nothing_is_changed_by_an_answer_that_is_not_whole(
    run: Run, execute: Execute, fault: dict[str, Any], said: str
) -> None:
    with serving(netbox(many(4), [])) as system:
        run("--from", "netbox", system.url)
        system.cut, system.status = fault.get("cut"), fault.get("status", 200)
        arguments = ("--from", "netbox", system.url, "--disable-missing")
        result = run(*arguments, code=2, token=fault.get("token", TOKEN))
    assert said in result.stderr
    assert result.stderr.endswith("nothing was changed\n")
    assert execute("SELECT count(*) FROM devices WHERE enabled") == [(4,)]


def test_blanks_around_a_token_do_no_harm(run: Run) -> None:
    with serving(netbox(many(1), [])) as system:
        assert run("--from", "netbox", system.url, token=f" {TOKEN}\n").stdout.startswith("1 added")


@pytest.mark.parametrize(
    "token", [" ", f"{TOKEN}\nX-Other: 1", f"{TOKEN}\u201d", f"Token {TOKEN}"],
    ids=["blank", "two lines", "a typographic quote", "two words"],
)  # fmt: skip
def test_what_can_be_no_token_is_refused_and_not_shown(run: Run, token: str) -> None:
    with serving(netbox(many(1), [])) as system:
        for name, title in (("netbox", "NetBox"), ("librenms", "LibreNMS"), ("zabbix", "Zabbix")):
            refused = run("--from", name, system.url, code=2, token=token)
            assert f"the token of {title} is empty or holds characters that no token has" in refused.stderr
    assert not system.asked


def test_fewer_devices_than_are_counted_are_no_answer(run: Run) -> None:
    def short(*_: Any) -> tuple[int, Any]:
        return 200, {"count": 9, "next": None, "results": many(4)}

    def few(*_: Any) -> tuple[int, Any]:
        return 200, {"status": "ok", "count": 9, "devices": [librenms_device(1)]}

    with serving(short) as system:
        assert "counts 9 objects" in run("--from", "netbox", system.url, code=2).stderr
    with serving(few) as system:
        assert "counts 9 devices and gave 1" in run("--from", "librenms", system.url, code=2).stderr


def test_values_that_a_system_should_not_have_are_told_and_change_nothing(run: Run) -> None:
    documents: list[dict[str, Any]] = [
        {"count": "4", "next": None, "results": many(4)},
        {"count": 4, "next": "http://[bad", "results": many(4)},
    ]
    for document in documents:
        with serving(lambda *_, document=document: (200, document)) as system:
            told = run("--from", "netbox", system.url, code=2).stderr
        assert "answers with values that it should not have" in told
        assert told.endswith("nothing was changed\n")


def test_an_end_of_maintenance_beyond_the_calendar_is_told_with_its_host(run: Run, execute: Execute) -> None:
    hosts = [zabbix_host(1, maintenance_status="1", maintenanceid="7"), zabbix_host(2)]
    with serving(zabbix(hosts, [{"maintenanceid": "7", "active_till": "9" * 14}])) as system:
        refused = run("--from", "zabbix", system.url, code=1)
    assert refused.stdout.startswith("device 'zabbix-sw-1': maintenance_until ")
    assert refused.stderr.endswith("1 fault; nothing was imported\n")
    assert not execute("SELECT id FROM devices")


def test_the_next_page_is_asked_of_the_same_system_whatever_host_its_link_names(run: Run) -> None:
    second = {"count": 2, "next": None, "results": [netbox_device(2)]}
    with serving(lambda *_: (200, second)) as other:
        host = other.url.partition("//")[2]
        for link in (f"@{host}/api", f"//{host}/api", f"{other.url}/api"):
            first = {"count": 2, "next": link, "results": [netbox_device(1)]}
            pages = iter([first, second, {"count": 0, "next": None, "results": []}])
            with serving(lambda *_, pages=pages: (200, next(pages))) as system:
                run("--from", "netbox", system.url)
                assert len(system.asked) == 3
    assert not other.asked


def test_a_count_that_librenms_leaves_out_is_not_compared(run: Run) -> None:
    answer = {"status": "ok", "count": None, "devices": [librenms_device(1)]}
    with serving(lambda *_: (200, answer)) as system:
        assert run("--from", "librenms", system.url).stdout.startswith("1 added")


def test_a_page_of_something_else_is_told_as_that(run: Run) -> None:
    with serving(lambda *_: (200, b"<!DOCTYPE html><title>Login</title>")) as system:
        for name in ("netbox", "librenms", "zabbix"):
            assert "what is no JSON" in run("--from", name, system.url, code=2).stderr
    with serving(zabbix([], [])) as system:
        result = run("--from", "zabbix", system.url, code=2, token="wrong")
    assert "refuses host.get: Invalid params. Not authorised" in result.stderr


def test_only_devices_of_that_system_are_disabled_and_they_come_back(run: Run, execute: Execute) -> None:
    execute("INSERT INTO devices (id, ip_address) VALUES ('mine', '10.0.1.1')")
    devices = many(3)
    with serving(netbox(devices, [])) as system:
        run("--from", "netbox", system.url)
        devices.pop()
        result = run("--from", "netbox", system.url, "--disable-missing")
        assert result.stdout == "0 added, 0 changed, 2 unchanged, 1 disabled\n"
        assert "- netbox-3: disabled, it is not named any more" in result.stderr
        devices.append(netbox_device(3))
        assert run("--from", "netbox", system.url).stdout == "0 added, 1 changed, 2 unchanged\n"
    assert execute("SELECT id FROM devices WHERE NOT enabled") == []


def test_what_a_person_has_set_since_stays(run: Run, execute: Execute) -> None:
    with serving(librenms([librenms_device(1)])) as system:
        run("--from", "librenms", system.url)
        execute("UPDATE devices SET credential = 'core', settings = '{\"metrics_interval_seconds\": 60}'")
        assert run("--from", "librenms", system.url).stdout == "0 added, 0 changed, 1 unchanged\n"
    assert execute("SELECT credential, settings FROM devices") == [("core", {"metrics_interval_seconds": 60})]


def test_options_that_do_not_go_together_are_told(run: Run, tmp_path: Path) -> None:
    assert "go with --from" in run(tmp_path / "x.csv", "--type", "a=linux", code=2).stderr
    assert "--map" in run("--from", "netbox", "http://127.0.0.1:1", "--map", "a=id", code=2).stderr
    assert (
        "with one of linux, network, windows"
        in run("--from", "netbox", "http://127.0.0.1:1", "--type", "core=router", code=2).stderr
    )
    refused = run("--from", "netbox", "http://127.0.0.1:1", code=2)
    assert "Connection refused" in refused.stderr
