"""The WinRM collector against a simulated host over real connections: what is asked, told and remembered."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fixtures.windows import (
    NETWORK,
    OLD_PROCESSOR,
    PASSWORD,
    PROCESSOR,
    THERMAL,
    USER,
    Device,
    nic,
    processor,
    values,
    windows,
)
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_machine import ACCESS_DENIED, QUOTA, TIMED_OUT
from local.devices.winrm_soap import Service
from netvitals.collectors.winrm.protocol import MEMORY
from netvitals.collectors.winrm.survey import ABSENT_SECONDS
from netvitals.domain.polling.observation import Reason


@pytest.fixture
def service() -> Service:
    return Service(windows())


@pytest.fixture
def host(service: Service) -> Iterator[WinrmHost]:
    with WinrmHost(service, users={USER: PASSWORD}) as host:
        yield host


async def test_a_first_poll_gives_everything_under_the_names_of_snmp(host: WinrmHost) -> None:
    reading = await Device(host).poll()
    assert (reading.reason, reading.detail, reading.alive) == (Reason.OK, "", True)
    found = values(reading)
    assert found["uptime_seconds", ""] == 86_400
    assert found["cpu_percent", ""] == pytest.approx(25, abs=0.1)
    assert found["memory_percent", ""] == 75
    assert {instance for name, instance in found if name == "disk_percent"} == {"C:", "E:"}
    assert found["net_bytes_in", "vmxnet3 Ethernet Adapter _2"] == 2000
    assert reading.rtt_ms is not None


async def test_a_second_poll_takes_the_first_ones_sample_and_asks_no_more_than_it_must(
    host: WinrmHost, service: Service
) -> None:
    device = Device(host)
    await device.poll()
    before, service.queries = host.requests, []
    reading = await device.poll()
    assert values(reading)["cpu_percent", ""] == pytest.approx(25, abs=0.1)
    assert [query.split(" FROM ")[1].split()[0] for query in service.queries] == [
        "Win32_OperatingSystem", PROCESSOR, "Win32_LogicalDisk", NETWORK,
    ]  # fmt: skip
    login, several_rows = 2, 2
    assert host.requests - before == login + 4 + several_rows


async def test_what_is_sent_is_sealed_and_the_password_is_not_in_it(
    host: WinrmHost, service: Service
) -> None:
    """The host answers 500 to anything that is not sealed, and it has answered."""
    assert not host.behaviour.allow_unencrypted
    assert host.context is None
    await Device(host).poll()
    assert service.queries


@pytest.mark.parametrize(("first_rows", "page_rows"), [(0, 1), (1, 1), (1, 100), (50, 100)])
async def test_rows_are_complete_however_a_host_pages_them(first_rows: int, page_rows: int) -> None:
    machine = windows()
    machine.tables[NETWORK] = [nic(f"NIC {number}", number) for number in range(7)]
    service = Service(machine, first_rows=first_rows, page_rows=page_rows)
    with WinrmHost(service, users={USER: PASSWORD}) as host:
        found = values(await Device(host).poll())
    assert [found["net_bytes_in", f"NIC {number}"] for number in range(7)] == [n * 1000 for n in range(7)]


async def test_an_old_host_is_asked_for_the_class_that_it_has(host: WinrmHost, service: Service) -> None:
    del service.machine.tables[PROCESSOR], service.machine.tables[THERMAL]
    service.machine.tables[OLD_PROCESSOR] = processor
    device = Device(host)
    reading = await device.poll()
    assert reading.reason is Reason.OK
    assert values(reading)["cpu_percent", ""] == pytest.approx(25, abs=0.1)
    service.queries.clear()
    await device.poll()
    assert not [query for query in service.queries if PROCESSOR in query or THERMAL in query]


async def test_a_class_that_was_missing_is_asked_for_again_after_a_day(
    host: WinrmHost, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Device(host)
    await device.poll()
    assert set(device.memory[MEMORY]["absent"]) == {THERMAL}
    zone = {"Name": r"\_TZ.TZ00", "HighPrecisionTemperature": 3010}
    service.machine.tables[THERMAL] = [zone]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + max(ABSENT_SECONDS) - 60)
    assert ("temperature_celsius", "_TZ.TZ00") not in values(await device.poll())
    monkeypatch.setattr(time, "time", lambda: now + max(ABSENT_SECONDS) + 60)
    assert values(await device.poll())["temperature_celsius", "_TZ.TZ00"] == pytest.approx(27.85)
    assert "absent" not in device.memory[MEMORY]


def booted(service: Service, at: float) -> None:
    """The host says that it started then, and has the time that we have."""
    texts = {"LastBootUpTime": at, "LocalDateTime": time.time()}
    service.machine.tables["Win32_OperatingSystem"][0].update(  # type: ignore[union-attr, index]  # rows, as `windows` gives them
        {name: datetime.fromtimestamp(second, UTC).isoformat() for name, second in texts.items()}
    )


async def test_a_class_that_a_host_just_started_has_not_loaded_is_asked_for_again_within_minutes(
    host: WinrmHost, service: Service
) -> None:
    booted(service, time.time() - 60)
    device = Device(host)
    await device.poll()
    assert 0 < device.memory[MEMORY]["absent"][THERMAL] - time.time() <= min(ABSENT_SECONDS)


async def test_a_host_that_has_started_anew_is_asked_for_every_class_at_once(
    host: WinrmHost, service: Service
) -> None:
    device = Device(host)
    await device.poll()
    service.queries.clear()
    booted(service, time.time() - 1000)
    await device.poll()
    assert [query for query in service.queries if THERMAL in query]


async def test_a_host_without_a_class_says_so_and_is_not_at_fault(host: WinrmHost, service: Service) -> None:
    del service.machine.tables[NETWORK]
    reading = await Device(host).poll()
    assert (reading.reason, reading.detail) == (Reason.OK, "the host has no WMI classes for: network")


async def test_a_host_without_any_class_is_told_what_to_do(host: WinrmHost, service: Service) -> None:
    service.machine.tables.clear()
    reading = await Device(host).poll()
    assert reading.reason is Reason.UNSUPPORTED
    assert "winmgmt /resyncperf" in reading.detail


@pytest.mark.parametrize("fault", [ACCESS_DENIED, TIMED_OUT])
async def test_a_section_that_fails_leaves_the_others_and_says_so(
    host: WinrmHost, service: Service, fault: Exception
) -> None:
    service.machine.tables["Win32_LogicalDisk"] = fault  # type: ignore[assignment]  # one of Fault's
    reading = await Device(host).poll()
    assert reading.reason is Reason.PARTIAL
    assert reading.detail.startswith("disks: ")
    assert {"cpu_percent", "memory_percent", "net_bytes_in"} <= {name for name, _ in values(reading)}


async def test_an_account_that_may_log_in_and_read_nothing_is_told_its_groups(
    host: WinrmHost, service: Service
) -> None:
    service.machine.tables = dict.fromkeys(service.machine.tables, ACCESS_DENIED)
    device = Device(host)
    reading = await device.poll()
    assert (reading.reason, reading.alive) == (Reason.AUTH, True)
    assert "Performance Monitor Users" in reading.detail
    assert "winrm_refused" not in device.memory, "the password is right: no account is locked out by it"


async def test_a_quota_that_is_used_up_ends_the_poll(host: WinrmHost, service: Service) -> None:
    service.machine.tables["Win32_OperatingSystem"] = QUOTA
    reading = await Device(host).poll()
    assert (reading.reason, service.actions) == (Reason.PROTOCOL, ["Enumerate"])
    assert "maximum number of concurrent operations" in reading.detail


async def test_a_refused_password_is_sent_once_and_then_not_for_a_while(host: WinrmHost) -> None:
    device = Device(host)
    device.credential["password"] = "wrong"
    first = await device.poll()
    assert (first.reason, first.alive) == (Reason.AUTH, True)
    assert USER in first.detail
    second = await device.poll()
    assert second.reason is Reason.AUTH
    assert "not sent before" in second.detail
    assert host.refused == 1
    device.credential["password"] = PASSWORD
    assert (await device.poll()).reason is Reason.OK
    assert "winrm_refused" not in device.memory


@pytest.mark.parametrize("password", [PASSWORD, "wrong-horse-battery"])
async def test_a_password_is_in_no_log_and_in_no_result(
    host: WinrmHost, password: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    device = Device(host)
    device.credential["password"] = password
    reading = await device.poll()
    told = "".join(capfd.readouterr()) + caplog.text + reading.detail + repr(reading.memory)
    assert told
    assert password not in told
    assert "TlRMTVNT" not in told, "an NTLM token, against which passwords can be tried"


@pytest.mark.parametrize(
    ("offers", "told"),
    [
        ("Kerberos", "only Kerberos"),
        ('Basic realm="WSMAN"', "only Basic"),
        ("NTLM", "only NTLM"),
        ('Kerberos, Basic realm="a, Negotiate"', "only Kerberos, Basic"),
        (" ", "only none"),
    ],
)
async def test_a_host_that_offers_no_negotiate_has_refused_no_login(
    host: WinrmHost, offers: str, told: str
) -> None:
    host.behaviour.offers, host.behaviour.ntlm = offers, False
    device = Device(host)
    reading = await device.poll()
    assert (reading.reason, reading.alive, host.refused) == (Reason.AUTH, True, 0)
    assert f"the host offers no Negotiate login, which transport ntlm needs, {told}: set " in reading.detail
    assert "winrm_refused" not in device.memory
    host.behaviour.ntlm = True
    assert (await device.poll()).reason is Reason.OK  # it is asked at once, once it is put right


async def test_a_wrong_password_is_a_refusal_whatever_the_host_offers_afterwards(host: WinrmHost) -> None:
    host.behaviour.offers = "Kerberos"
    device = Device(host)
    device.credential["password"] = "wrong"
    reading = await device.poll()
    assert (reading.reason, host.refused) == (Reason.AUTH, 1)
    assert "refuses the login" in reading.detail
    assert device.memory["winrm_refused"]["times"] == 1


async def test_a_status_poll_is_one_request_without_a_login(host: WinrmHost, service: Service) -> None:
    reading = await Device(host).poll("status")
    assert (reading.reason, reading.alive, reading.points) == (Reason.OK, True, [])
    assert (host.requests, host.logins, service.actions) == (1, 0, [])


async def test_a_port_where_nobody_listens_is_refused() -> None:
    with WinrmHost(Service(windows()), users={}) as host:
        device = Device(host)
    reading = await device.poll()
    assert (reading.reason, reading.alive) == (Reason.REFUSED, False)
    assert "winrm quickconfig" in reading.detail


async def test_memory_that_can_not_be_read_is_as_none(host: WinrmHost) -> None:
    device = Device(host)
    device.memory = {MEMORY: {"cpu": "x", "absent": []}}
    assert (await device.poll()).reason is Reason.OK
