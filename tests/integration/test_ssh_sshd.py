"""What the SSH collector reads behind Debian's sshd, beside what the host says of itself."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.installed import installed
from fixtures.ssh_device import values
from fixtures.sshd import Users
from fixtures.sshd_device import check_against_the_host, output_of, poll
from local.devices.unix_host import UnixHost
from local.servers.sshd import Sshd
from netvitals.domain.polling.observation import Reason

pytestmark = pytest.mark.integration

LOGIN_SHELLS = ["dash", "bash", "ash", "zsh", "ksh", "mksh", "rbash"]
SHELLS = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "ash"], ["ksh"], ["mksh"]]
NETVITALS = Path(sys.executable).with_name("netvitals")


@pytest.mark.parametrize("shell", LOGIN_SHELLS)
async def test_a_login_with_this_shell_gives_what_the_host_says_of_itself(
    sshd: Sshd, users: Users, shell: str
) -> None:
    reading = await poll(sshd, users.name(shell))
    assert (reading.reason, reading.detail) == (Reason.OK, "")
    found = values(reading)
    check_against_the_host(found)
    assert 0 <= found["cpu_percent"] <= 100


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_the_probe_says_the_same_in_every_shell(tmp_path: Path, shell: list[str]) -> None:
    installed(shell[0], shell[0])
    findings = UnixHost(tmp_path).findings(shell, second_sample=True)
    assert findings.faults == []
    check_against_the_host(values(findings))
    (_, before), (_, after) = findings.cpu
    assert after.total > before.total


def test_the_probe_needs_no_more_than_busybox(tmp_path: Path) -> None:
    busybox = installed("busybox", "busybox")
    host = UnixHost(tmp_path)
    for applet in output_of(busybox, "--list").split():
        (host.commands / applet).symlink_to(busybox)
    findings = host.findings(["ash"])
    assert findings.faults == []
    check_against_the_host(values(findings))


def ticks() -> tuple[int, int]:
    """What /proc/stat counts as busy, and all."""
    times = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(times) - times[3] - times[4], sum(times)


async def test_cpu_percent_is_the_share_of_busy_ticks_between_two_polls(sshd: Sshd, users: Users) -> None:
    user, kept = users.name("dash"), []
    memory: dict[str, Any] = {}
    for _ in range(2):
        before = ticks()
        reading = await poll(sshd, user, memory=memory)
        after, memory = ticks(), reading.memory
        cpu = memory["ssh"]["cpu"]
        assert before[0] <= cpu["busy"] <= after[0]
        assert before[1] <= cpu["total"] <= after[1]
        kept.append((cpu["busy"], cpu["total"]))
    (busy, total), (busy_later, total_later) = kept
    expected = 100 * (busy_later - busy) / (total_later - total)
    assert values(reading)["cpu_percent"] == pytest.approx(expected, abs=0.0005)


def files(user: str) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in Path(f"~{user}").expanduser().rglob("*")}


def shells(user: str) -> str:
    return subprocess.run(
        ["pgrep", "-u", user, "-x", "sh"], capture_output=True, text=True, check=False
    ).stdout


async def test_nothing_is_left_behind_on_the_host(sshd: Sshd, users: Users) -> None:
    user = users.name("dash")
    before = files(user)
    assert (await poll(sshd, user)).reason is Reason.OK
    for _ in range(50):
        if not shells(user):
            break
        await asyncio.sleep(0.1)
    assert (shells(user), files(user)) == ("", before)
