"""FreeBSD, OpenBSD and macOS: the probe in a real shell, with commands that print what theirs print."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fixtures.ssh_device import values
from local.devices.unix_host import UnixHost
from netvitals.collectors.cpu_usage import CpuSample, percent
from netvitals.collectors.ssh import bsd
from netvitals.collectors.ssh.findings import Findings, ProbeSection

HOSTS = Path(__file__).parent / "hosts"
UPTIME = 864000
Host = Callable[[str], Findings]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    def findings(system: str) -> Findings:
        simulated = UnixHost(tmp_path)
        simulated.prints(HOSTS / system)
        return simulated.findings()

    return findings


def of(found: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {
        name.removeprefix(prefix).strip(): value for name, value in found.items() if name.startswith(prefix)
    }


def test_freebsd_tells_all_its_vital_signs(host: Host) -> None:
    findings = host("freebsd")
    assert findings.faults == []
    found = values(findings)
    assert found["uptime_seconds"] == UPTIME
    assert [sample for _, sample in findings.cpu] == [CpuSample(2000, 10000)]
    # 2 GiB free, 1 GiB inactive, 1 GiB that ZFS gives back: 4 of 8 GiB are used.
    assert found["memory_percent"] == 50
    assert of(found, "temperature_celsius") == {
        "hw.acpi.thermal.tz0": 27.9,
        "dev.cpu.0": 45.0,
        "dev.cpu.1": 46.0,
    }
    assert of(found, "disk_percent") == {
        "/": 20,
        "/usr/home": pytest.approx(100 / 41, abs=0.001),
        "/data disk": 100,
    }
    assert of(found, "net_bytes_in") == {"em0": 9876543210, "em1": 0, "tun0": 10000}
    assert of(found, "net_discards_in") == {"em0": 2, "em1": 0, "tun0": 0}
    assert found["net_errors_out em0"] == 3
    assert of(found, "net_oper_status") == {"em0": 1, "em1": 2, "tun0": 1}
    assert of(found, "net_speed_bps") == {"em0": 1e9}
    assert {point.if_index for point in findings.points if point.instance == "tun0"} == {4}


def test_openbsd_tells_all_its_vital_signs(host: Host) -> None:
    findings = host("openbsd")
    assert findings.faults == []
    found = values(findings)
    assert found["uptime_seconds"] == UPTIME
    assert [sample for _, sample in findings.cpu] == [CpuSample(1600, 10000)]
    assert found["memory_percent"] == pytest.approx(100 * 90 / 250)
    assert of(found, "temperature_celsius") == {"cpu0.temp0": 41.0, "acpitz0.temp0": 43.5}
    assert of(found, "disk_percent") == {
        "/": pytest.approx(52.6, abs=0.1),
        "/home": pytest.approx(10.5, abs=0.1),
    }
    assert of(found, "net_bytes_out") == {"vio0": 600000000, "enc0": 0}
    assert (found["net_errors_in vio0"], found["net_errors_out vio0"]) == (4, 5)
    assert of(found, "net_oper_status") == {"vio0": 1, "enc0": 2}
    assert of(found, "net_speed_bps") == {"vio0": 1e10}


def test_macos_tells_what_its_commands_tell(host: Host) -> None:
    findings = host("macos")
    assert findings.faults == []
    found = values(findings)
    assert found["uptime_seconds"] == UPTIME
    assert found["cpu_percent"] == pytest.approx(10.0)  # top's second sample, not its first
    assert found["memory_used_bytes"] == (400000 - 10000 + 150000 + 100000) * 16384
    assert set(of(found, "disk_percent")) == {"/", "/System/Volumes/Data"}
    assert of(found, "net_bytes_in") == {"gif0": 0, "en0": 8000000000}
    assert found["net_errors_out en0"] == 7
    assert of(found, "temperature_celsius") == {}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *((word, 1) for word in ("active", "associated", "running", "master", "backup", "inserted")),
        *(
            (text, 2)
            for text in ("no carrier", "no network", "no ring", "inactive", "down", "init", "invalid")
        ),
        ("", 1),
    ],
)
def test_only_what_says_that_a_link_is_down_is_down(status: str, state: int) -> None:
    """FreeBSD's wireless interfaces are `associated` or `running`, OpenBSD's carp0 `master` or `backup`."""
    findings = Findings()
    netstat = ProbeSection(
        1, "", ["Name Mtu Network Address Ipkts Ierrs Ibytes", "wlan0 1500 <Link#3> 00:11 1 0 5"]
    )
    ifconfig = ["wlan0: flags=8843<UP,BROADCAST,RUNNING> mtu 1500", f"\tstatus: {status}"]
    bsd.network(netstat, ProbeSection(), ProbeSection(1, "", ifconfig), findings)
    assert values(findings)["net_oper_status wlan0"] == state


def test_a_directory_mounted_once_more_and_a_snapshot_are_no_disks() -> None:
    """FreeBSD's nullfs, macOS' Time Machine, ZFS' snapshots are none; DragonFly's root is one."""
    findings = Findings()
    rows = [
        "/dev/ada0p2 100 50 50 50% /",
        "/usr/ports 100 50 50 50% /jails/www/usr/ports",
        "/dev/vbd0s1d@ROOT 200 50 50 50% /root",
        "zroot/var 300 50 50 50% /var",
        "zroot/home@daily 300 50 50 50% /home/.zfs/snapshot/daily",
        "com.apple.TimeMachine.2019-11-29-075900@/dev/disk1s1 400 50 50 50% /Volumes/.timemachine/x",
    ]
    bsd.disks(ProbeSection(1, "", rows), findings)
    assert set(of(values(findings), "disk_percent")) == {"/", "/root", "/var"}


@pytest.mark.parametrize(
    "missing", ["vm_stat", "netstat -ibn", "df -kPl", "top -l 2 -n 0 -s 1", "sysctl.txt"]
)
def test_a_command_that_is_missing_costs_only_what_it_says(tmp_path: Path, missing: str) -> None:
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    for file in (HOSTS / "macos").iterdir():
        if file.name != missing:
            (recorded / file.name).write_text(file.read_text())
    simulated = UnixHost(tmp_path / "host")
    simulated.prints(recorded)
    for name in ("sysctl", "netstat", "df", "top", "vm_stat"):
        if name == missing.partition(" ")[0].removesuffix(".txt"):
            simulated.command(name, "exit 1")
    found = {name.split()[0] for name in values(simulated.findings())}
    everything = {"uptime_seconds", "cpu_percent", "memory_percent", "disk_percent", "net_bytes_in"}
    costs = {
        "vm_stat": {"memory_percent"},
        "netstat -ibn": {"net_bytes_in"},
        "df -kPl": {"disk_percent"},
        "top -l 2 -n 0 -s 1": {"cpu_percent"},
        "sysctl.txt": {"uptime_seconds", "memory_percent"},
    }
    assert everything - found == costs[missing]


def test_cpu_percent_is_the_share_of_time_between_two_samples() -> None:
    assert percent(CpuSample(2000, 10000), CpuSample(2250, 11000)) == 25
    assert percent(CpuSample(2000, 10000), CpuSample(2000, 10000)) is None
    assert percent(CpuSample(2000, 10000), CpuSample(100, 20000)) is None


def test_a_speed_of_half_a_gigabit_is_read_whole() -> None:
    lines = [
        "wm0: flags=8843<UP,RUNNING> mtu 1500",
        "\tmedia: Ethernet autoselect (2.5GBASE-T <full-duplex>)",
    ]
    assert bsd._states(lines)["wm0"]["speed"] == 2.5e9
