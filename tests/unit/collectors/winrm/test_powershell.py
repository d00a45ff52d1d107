"""The script for hosts whose WMI is closed: run where it may be, and nothing of it stays."""

import asyncio
import base64
import json
from collections.abc import Iterator

import pytest

from fixtures.windows import OLD_PROCESSOR, PASSWORD, PROCESSOR, USER, Device, processor, values, windows
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_machine import ACCESS_DENIED, Machine
from local.devices.winrm_soap import Service
from netvitals.collectors.winrm import powershell
from netvitals.collectors.winrm.faults import NoSuchClass, QueryFault, WinrmFault
from netvitals.collectors.winrm.queries import CPU, DISKS
from netvitals.domain.polling.observation import Reason


class ShellOnly(Machine):
    """WMI is open to PowerShell alone."""

    def __init__(self, tables: Machine) -> None:
        super().__init__(dict.fromkeys(tables.tables, ACCESS_DENIED))
        self.local = tables

    def powershell(self, script: str) -> bytes:
        return self.local.powershell(script)


@pytest.fixture
def service() -> Service:
    return Service(ShellOnly(windows()))


@pytest.fixture
def host(service: Service) -> Iterator[WinrmHost]:
    with WinrmHost(service, users={USER: PASSWORD}) as host:
        yield host


@pytest.mark.parametrize("powershell", ["fallback", "always"])
async def test_the_script_gives_what_wmi_gives_and_leaves_no_shell(
    host: WinrmHost, service: Service, powershell: str
) -> None:
    reading = await Device(host, powershell=powershell).poll()
    assert (reading.reason, reading.detail) == (Reason.OK, "")
    found = values(reading)
    assert found["memory_percent", ""] == 75
    assert found["disk_percent", "C:"] == 60
    assert found["net_bytes_in", "vmxnet3 Ethernet Adapter"] == 1000
    assert found["uptime_seconds", ""] == 86_400
    assert service.shells == {}
    assert ("Enumerate" in service.actions) is (powershell == "fallback")
    assert service.actions[-2:] == ["Signal", "Delete"]


async def test_the_script_is_not_run_where_nobody_asked_for_it(host: WinrmHost, service: Service) -> None:
    assert (await Device(host).poll()).reason is Reason.AUTH
    assert "Create" not in service.actions


async def test_the_script_is_not_run_where_wmi_answers(host: WinrmHost, service: Service) -> None:
    service.machine = windows()
    assert (await Device(host, powershell="fallback").poll()).reason is Reason.OK
    assert "Create" not in service.actions


async def test_a_refused_password_is_not_tried_with_powershell_as_well(host: WinrmHost) -> None:
    device = Device(host, powershell="fallback")
    device.credential["password"] = "wrong"
    assert (await device.poll()).reason is Reason.AUTH
    assert host.refused == 1


async def test_a_script_that_does_not_end_is_ended_and_its_shell_closed(
    host: WinrmHost, service: Service
) -> None:
    service.hangs_in_shell = True
    device = Device(host, powershell="always")
    device.seconds = 2.5
    async with asyncio.timeout(10):
        reading = await device.poll()
    assert reading.reason is Reason.TIMEOUT
    assert service.shells == {}
    assert service.actions[-2:] == ["Signal", "Delete"]


async def test_an_old_host_is_asked_by_the_script_for_the_class_that_it_has(
    host: WinrmHost, service: Service
) -> None:
    machine = windows()
    del machine.tables[PROCESSOR]
    machine.tables[OLD_PROCESSOR] = processor
    service.machine = ShellOnly(machine)
    reading = await Device(host, powershell="always").poll()
    assert reading.reason is Reason.OK
    assert ("uptime_seconds", "") in values(reading)


def test_the_script_fits_into_a_command_line_of_cmd() -> None:
    assert len(base64.b64encode(powershell.script().encode("utf-16-le"))) < 8000


def test_the_first_sample_is_given_first_and_the_second_next() -> None:
    rows = {name: [{"Name": "_Total", "at": at}] for name, at in ((PROCESSOR, "1"), (PROCESSOR + "#2", "2"))}
    found = powershell.answers_of(framed({"rows": rows, "errors": {}}), 7)
    assert [found.rows(CPU.queries[0])[0].values["at"] for _ in range(2)] == ["1", "2"]
    with pytest.raises(QueryFault, match="PowerShell says: nothing"):
        found.rows(CPU.queries[0])


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        ("HRESULT 0x80041010,Microsoft.Management", NoSuchClass, Reason.UNSUPPORTED),
        ("HRESULT 0x80041003,Microsoft.Management", QueryFault, Reason.AUTH),
        ("CommandNotFoundException", QueryFault, Reason.PROTOCOL),
    ],
)
def test_errors_of_the_script_are_those_of_wmi(error: str, kind: type[WinrmFault], reason: Reason) -> None:
    found = powershell.answers_of(framed({"rows": {}, "errors": {DISKS.queries[0].wmi_class: error}}), 7)
    with pytest.raises(kind) as caught:
        found.rows(DISKS.queries[0])
    assert caught.value.reason is reason


@pytest.mark.parametrize("output", [b"", b"\xff\xfe", b"@@{", b"@@{}@@", b'@@{"rows":[],"errors":{}}@@'])
def test_output_without_a_report_is_called_that(output: bytes) -> None:
    with pytest.raises(WinrmFault, match="it needs version 3"):
        powershell.answers_of(output, 0)


def framed(report: object) -> bytes:
    return b"a profile says hello\r\n@@" + json.dumps(report).encode() + b"@@\r\n"


@pytest.mark.parametrize("unit", ["{},", '{"":null},', '{"a":"b"},'])
def test_a_report_of_countless_values_is_not_read(unit: str) -> None:
    rows = unit * (1024 * 1024 // len(unit))
    with pytest.raises(WinrmFault, match="reports more than 100000 values"):
        powershell.answers_of(f'@@{{"rows":{{"x":[{rows}{{}}]}},"errors":{{}}}}@@'.encode(), 1)
