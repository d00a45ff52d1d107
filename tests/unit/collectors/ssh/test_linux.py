"""Linux: the probe in a real shell over made-up /proc and /sys, and what comes of it."""

from pathlib import Path

import pytest

from fixtures.ssh_device import values
from local.devices.unix_host import UnixHost
from netvitals.collectors.ssh.probe import Probe

MEMORY = """MemTotal:        1000000 kB
MemFree:          200000 kB
MemAvailable:     600000 kB
Buffers:           50000 kB
Cached:           300000 kB
SReclaimable:      40000 kB
Shmem:             20000 kB
"""
NETWORK = """Inter-|   Receive                                      |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes  packets errs drop fifo colls …
    lo: 3577889125 4013482 0 0 0 0 0 0 3577889125 4013482 0 0 0 0 0 0
  eth0:1163101045   53415    1    2    0     0          0         0  3960030   30919    3    4  0 0 0 0
br-lan.5@x: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
"""


@pytest.fixture
def linux(tmp_path: Path) -> UnixHost:
    host = UnixHost(tmp_path)
    host.command("uname", "echo Linux")
    host.file("proc/uptime", "12345.67 99999.99\n")
    host.file("proc/stat", "cpu  1000 100 500 8000 200 50 50 100 300 0\ncpu0 1 1 1 1 1 1 1 1 1 1\nbtime 1\n")
    host.file("proc/meminfo", MEMORY)
    host.file("proc/net/dev", NETWORK)
    host.file("proc/mounts", "")
    return host


def disk(host: UnixHost, mounts: str, rows: str) -> None:
    """df that knows these rows, by the path that it is asked for."""
    host.file("proc/mounts", mounts)
    host.file("rows", rows)
    host.command(
        "df",
        'echo "Filesystem 1024-blocks Used Available Capacity Mounted on"; shift\n'
        'for path; do while read -r row; do case $row in *" $path") printf "%s\\n" "$row";; esac; '
        f'done <"{host.root}/rows"; done',
    )


def of(host: UnixHost, prefix: str) -> dict[str, float]:
    found = values(host.findings())
    return {
        name.removeprefix(prefix).strip(): value for name, value in found.items() if name.startswith(prefix)
    }


def test_uptime_and_cpu_time_are_those_of_proc(linux: UnixHost) -> None:
    findings = linux.findings()
    assert findings.uptime == 12345.67
    [(_, sample)] = findings.cpu
    assert (sample.busy, sample.total) == (1800, 10000)  # iowait idles, guest is in user already
    assert findings.faults == []


def test_a_first_poll_takes_a_second_sample(linux: UnixHost) -> None:
    assert len(linux.findings(second_sample=True).cpu) == 2


def test_memory_is_what_a_new_program_could_not_have(linux: UnixHost) -> None:
    assert of(linux, "memory") == {
        "_percent": 40,
        "_used_bytes": 400000 * 1024,
        "_total_bytes": 1000000 * 1024,
    }


def test_old_kernels_without_mem_available_count_what_can_be_reclaimed(linux: UnixHost) -> None:
    linux.file("proc/meminfo", MEMORY.replace("MemAvailable", "MemSomething"))
    assert of(linux, "memory_percent") == {"": pytest.approx(43.0)}


@pytest.mark.parametrize(
    ("limit", "current", "stat"),
    [
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ],
)
def test_in_a_container_its_limit_counts(linux: UnixHost, limit: str, current: str, stat: str) -> None:
    linux.file(f"sys/fs/cgroup/{limit}", "104857600\n")
    linux.file(f"sys/fs/cgroup/{current}", "83886080\n")
    linux.file(f"sys/fs/cgroup/{stat}", "anon 1\ninactive_file 31457280\ntotal_inactive_file 31457280\n")
    assert of(linux, "memory_percent") == {"": 50}


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_a_container_without_a_limit_has_the_hosts_memory(linux: UnixHost, limit: str) -> None:
    linux.file("sys/fs/cgroup/memory.max", f"{limit}\n")
    linux.file("sys/fs/cgroup/memory.current", "1\n")
    assert of(linux, "memory_percent") == {"": 40}


def test_any_name_that_linux_takes_is_an_interface(linux: UnixHost) -> None:
    names = ["a|b", r"x\cy", r"n\n", "v1.100", "é", "-n"]
    counters = "7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0"
    linux.file("proc/net/dev", NETWORK + "".join(f"{name}: {counters}\n" for name in names))
    for name in (*names, "eth0"):
        linux.file(f"sys/class/net/{name}/operstate", "up\n")
    found = of(linux, "net_oper_status")
    assert {name: found.get(name) for name in (*names, "eth0")} == dict.fromkeys((*names, "eth0"), 1)
    assert of(linux, "net_bytes_in").keys() >= set(names)


@pytest.mark.parametrize("lines", [1, 3])
def test_a_profile_that_reads_from_standard_input_takes_nothing_that_is_needed(
    linux: UnixHost, lines: int
) -> None:
    linux.command("login", "read line; " * lines + 'exec sh "$@"')
    findings = linux.findings(["login"])
    assert findings.faults == []
    assert "memory_percent" in values(findings)


def test_one_value_that_makes_no_sense_costs_that_value_only(linux: UnixHost) -> None:
    linux.file(
        "proc/net/dev",
        "a: 1 1 x 0 0 0 0 0 2 1 0 0 0 0 0 0\n"
        f"b: {'9' * 400} 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n"
        "c: -5 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n",
    )
    sensors = {"0": "45000", "1": "warm", "2": "9" * 400, "3": "-5000", "4": "--5"}
    for number, reading in sensors.items():
        linux.file(f"sys/class/hwmon/hwmon0/temp{number}_input", f"{reading}\n")
    found = values(linux.findings())
    assert {name for name in found if name.startswith("net_errors_in")} == {
        "net_errors_in b",
        "net_errors_in c",
    }
    assert {name for name in found if name.startswith("net_bytes_in")} == {"net_bytes_in a"}
    assert sorted(value for name, value in found.items() if name.startswith("temperature")) == [-5, 45]


@pytest.mark.parametrize("uptime", ["inf", "nan", "1e400", "-5", "1e12"])
def test_an_uptime_that_is_no_time_is_none(linux: UnixHost, uptime: str) -> None:
    linux.file("proc/uptime", f"{uptime} 1\n")
    findings = linux.findings()
    assert (findings.uptime, findings.faults) == (None, ["uptime: what the device says is not understood"])


def test_interfaces_have_counters_state_speed_and_index_and_loopback_is_none(linux: UnixHost) -> None:
    links = (("eth0", "up", 2, 1000), ("lo", "unknown", 1, 0), ("br-lan.5@x", "lowerlayerdown", 7, -1))
    for name, state, index, speed in links:
        for file, value in (("operstate", state), ("ifindex", index), ("speed", speed)):
            linux.file(f"sys/class/net/{name}/{file}", f"{value}\n")
    found = values(linux.findings())
    assert {name: value for name, value in found.items() if name.endswith(" eth0")} == {
        "net_bytes_in eth0": 1163101045,
        "net_bytes_out eth0": 3960030,
        "net_errors_in eth0": 1,
        "net_errors_out eth0": 3,
        "net_discards_in eth0": 2,
        "net_discards_out eth0": 4,
        "net_oper_status eth0": 1,
        "net_speed_bps eth0": 1e9,
    }
    assert found["net_oper_status br-lan.5@x"] == 7
    assert "net_speed_bps br-lan.5@x" not in found
    assert not any(name.endswith(" lo") for name in found)


def test_interfaces_without_sysfs_still_count(linux: UnixHost) -> None:
    assert of(linux, "net_bytes_out") == {"eth0": 3960030, "br-lan.5@x": 8}


def test_temperatures_have_the_names_of_chips_and_labels(linux: UnixHost) -> None:
    sensors = {
        "hwmon0/name": "coretemp", "hwmon0/temp1_input": "45000", "hwmon0/temp1_label": "Package id 0",
        "hwmon0/temp2_input": "43500", "hwmon0/temp2_label": "Core 0",
        "hwmon1/name": "nvme", "hwmon1/temp1_input": "38850", "hwmon1/temp1_label": "Composite",
        "hwmon2/name": "nvme", "hwmon2/temp1_input": "39850", "hwmon2/temp1_label": "Composite",
        "hwmon3/name": "nct6775", "hwmon3/temp1_input": "127500", "hwmon3/temp2_input": "-128000",
        "hwmon4/device/name": "x", "hwmon4/name": "old", "hwmon4/device/temp1_input": "51000",
        "hwmon5/name": "acpitz", "hwmon5/temp1_input": "27800",
    }  # fmt: skip
    for path, text in sensors.items():
        linux.file(f"sys/class/hwmon/{path}", f"{text}\n")
    zones = {
        "0": ("acpitz", "27800"),
        "1": ("x86_pkg_temp", "46000"),
        "2": ("soc-thermal", "52"),
        "3": ("gpu", "0"),
    }
    for zone, (kind, reading) in zones.items():
        linux.file(f"sys/class/thermal/thermal_zone{zone}/type", f"{kind}\n")
        linux.file(f"sys/class/thermal/thermal_zone{zone}/temp", f"{reading}\n")
    assert of(linux, "temperature_celsius") == {
        "coretemp Package id 0": 45.0,
        "coretemp Core 0": 43.5,
        "nvme Composite [hwmon1 temp1]": 38.85,
        "nvme Composite [hwmon2 temp1]": 39.85,
        "old": 51.0,
        "acpitz": 27.8,
        "x86_pkg_temp": 46.0,
        "soc-thermal": 52.0,
    }


def test_only_disks_of_the_host_are_asked_for_and_each_once(linux: UnixHost, tmp_path: Path) -> None:
    odd = tmp_path / "a 1\\b"
    (tmp_path / "home").mkdir()
    odd.mkdir()
    escaped = str(odd).replace("\\", "\\134").replace(" ", "\\040")
    disk(
        linux,
        f"rootfs / rootfs rw 0 0\nproc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 0\n"
        f"/dev/sda1 /usr ext4 rw 0 0\n"  # a bind mount
        f"server:/export /mnt nfs4 rw 0 0\n/dev/loop0 /opt squashfs ro 0 0\ntmpfs /tmp tmpfs rw 0 0\n"
        f"/dev/sdb1 /etc/passwd ext4 rw 0 0\n"  # a file that is mounted, as in containers
        f"/dev/mapper/vg-home {tmp_path}/home xfs rw 0 0\ntank/data {escaped} zfs rw 0 0\n",
        "/dev/sda1 1000 250 500 34% /\n"
        f"/dev/mapper/vg-home 2000 1000 1000 50% {tmp_path}/home\n"
        f"tank/data 3000 300 2700 10% {odd}\n"
        "server:/export 1 1 1 1% /mnt\n/dev/loop0 1 1 0 100% /opt\ntmpfs 1 1 1 1% /tmp\n",
    )
    assert linux.findings().faults == []
    assert set(of(linux, "disk_percent")) == {"/", f"{tmp_path}/home", str(odd)}
    assert of(linux, "disk_percent")["/"] == pytest.approx(
        100 / 3, abs=0.001
    )  # of what users may fill, as df says


def test_openwrts_overlay_is_told_once(linux: UnixHost) -> None:
    disk(
        linux,
        "/dev/root /usr squashfs ro 0 0\n/dev/mtdblock6 /tmp jffs2 rw 0 0\n"
        "overlayfs:/overlay / overlay rw 0 0\n",
        "/dev/mtdblock6 9216 3072 6144 33% /tmp\noverlayfs:/overlay 9216 3072 6144 33% /\n",
    )
    assert of(linux, "disk_used_bytes") == {"/": 3072 * 1024}


def test_a_df_that_fails_is_told_and_costs_the_disks_only(linux: UnixHost) -> None:
    linux.file("proc/mounts", "/dev/sda1 / ext4 rw 0 0\n")
    linux.command("df", "exit 1")
    findings = linux.findings()
    assert findings.faults == ["disk: the device says nothing of it"]
    assert "memory_percent" in values(findings)


def test_a_df_that_hangs_is_ended_by_timeout_and_noticed(linux: UnixHost) -> None:
    linux.file("proc/mounts", "/dev/sda1 / ext4 rw 0 0\n")
    linux.command("df", "exec sleep 100")
    linux.command("timeout", 'exec /usr/bin/timeout "$1" "$2" 0.1 "$4" "$5" "$6"')
    probe = Probe(second_sample=False, disks=True)
    output = linux.output(probe)
    assert output.complete
    findings = probe.findings(output)
    assert probe.df_hung
    assert findings.faults == []  # what it means is for who remembers it
    assert "net_bytes_in eth0" in values(findings)


def test_df_can_be_left_out(linux: UnixHost) -> None:
    linux.file("proc/mounts", "/dev/sda1 / ext4 rw 0 0\n")
    linux.command("df", 'echo "/dev/sda1 10 5 5 50% /"')
    assert of(linux, "disk_percent") == {"/": 50}
    findings = linux.findings(disks=False)
    assert (findings.faults, "disk_percent /" in values(findings)) == ([], False)


def test_an_old_busybox_timeout_is_spoken_to_in_its_own_way(linux: UnixHost) -> None:
    linux.file("proc/mounts", "/dev/sda1 / ext4 rw 0 0\n")
    linux.command("df", 'echo "/dev/sda1 10 5 5 50% /"')
    linux.command("timeout", '[ "$1" = -t ] || exit 127\nshift 4; exec "$@"')
    assert of(linux, "disk_percent") == {"/": 50}


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("proc/uptime", "", "uptime: the device says nothing of it"),
        ("proc/uptime", "soon\n", "uptime: what the device says is not understood"),
        ("proc/stat", "intr 1 2 3\n", "cpu: what the device says is not understood"),
        ("proc/meminfo", "MemFree: 1 kB\n", "memory: what the device says is not understood"),
        (
            "proc/meminfo",
            "MemTotal: 0 kB\nMemAvailable: 0 kB\n",
            "memory: what the device says is not understood",
        ),
        ("proc/meminfo", f"MemTotal: {'9' * 5000} kB\n", "memory: what the device says is not understood"),
        ("proc/net/dev", "", "interfaces: the device says nothing of it"),
    ],
)
def test_a_section_that_fails_leaves_the_others_and_says_so(
    linux: UnixHost, path: str, text: str, fault: str
) -> None:
    everything = {name.split()[0].split("_")[0] for name in values(linux.findings())}
    linux.file(path, text)
    findings = linux.findings()
    assert findings.faults == [fault]
    found = {name.split()[0].split("_")[0] for name in values(findings)}
    assert everything - found <= {fault.partition(":")[0].replace("interfaces", "net")}
