"""The SSH collector against a server that does as told: results, tarpits, time limits."""

import asyncio
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko
import pytest

from fixtures.ssh_device import LINUX, Device, values
from local.devices import ssh_server
from local.devices.ssh_server import HOST_KEY, Exec, Raw, SshServer, answering
from netvitals.collectors.ssh.collector import SshCollector
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.interfaces import HostInterfaceNames

SECOND_SAMPLE = LINUX.replace("@mounts", "@cpu2\ncpu  125 0 125 850 0 0 0 0 0 0\n@mounts")


async def test_a_poll_gives_every_vital_sign(server: SshServer) -> None:
    server.run = answering(SECOND_SAMPLE)
    reading = await Device(server).poll()
    assert (reading.reason, reading.detail, reading.alive) == (Reason.OK, "", True)
    found = values(reading)
    assert found["cpu_percent"] == 50  # between the two samples of a first poll
    assert (found["memory_percent"], found["uptime_seconds"]) == (25, 5000)
    assert (found["disk_percent /"], found["net_bytes_out eth0"]) == (25, 2)
    assert reading.rtt_ms is not None


async def test_interfaces_that_come_and_go_are_left_out_unless_asked_for(server: SshServer) -> None:
    row = next(line for line in LINUX.splitlines() if line.strip().startswith("eth0:"))
    server.run = answering(LINUX.replace(row, f"{row}\n{row.replace('eth0', 'veth1a2b3c4')}"))
    assert "net_bytes_out veth1a2b3c4" not in values(await Device(server).poll())
    found = values(await Device(server, interfaces=HostInterfaceNames(exclude_names=None)).poll())
    assert found["net_bytes_out veth1a2b3c4"] == found["net_bytes_out eth0"]


async def test_only_a_first_poll_asks_for_two_samples(server: SshServer) -> None:
    asked: list[str] = []

    def run(channel: paramiko.Channel) -> None:
        stdin = ssh_server.stdin_of(channel)
        asked.append(stdin.partition("\n")[0].partition(" ")[2])
        text = LINUX.replace("cpu  100 0 100 800", "cpu  125 0 125 850") if len(asked) > 1 else SECOND_SAMPLE
        lines = text.replace("\n@", f"\n@@{ssh_server.nonce_in(stdin)} ").removeprefix("@")
        channel.sendall(f"@@{ssh_server.nonce_in(stdin)} {lines}\n".encode())

    server.run = run
    device = Device(server)
    await device.poll()
    kept = device.memory["ssh"]["cpu"]
    device.memory["ssh"]["cpu"] = {**kept, "busy": 150, "total": 900}
    reading = await device.poll()
    assert asked == ["S=1 D= R=", "S= D= R="]
    assert values(reading)["cpu_percent"] == 50  # since the sample that was kept: 100 of 200 ticks


@pytest.mark.parametrize(
    ("kept", "gives"),
    [
        ({"busy": 150, "total": 900, "uptime": 4700.0}, True),
        ({"busy": 150, "total": 900, "uptime": None}, True),
        ({"busy": 150, "total": 900, "uptime": 90000.0}, False),  # it has booted since
        ({"busy": 150, "total": 900, "uptime": 4990.0}, False),  # and in between ran for nearly as long
        ({"busy": 99999, "total": 999999, "uptime": 4700.0}, False),  # counters went backwards
        ({"busy": 200, "total": 1000, "uptime": 4700.0}, False),  # no time has gone by
    ],
)
async def test_after_a_restart_there_is_no_cpu_percent_rather_than_a_wrong_one(
    server: SshServer, kept: dict[str, Any], *, gives: bool
) -> None:
    device = Device(server)
    device.memory = {"ssh": {"cpu": {**kept, "at": int(time.time()) - 300}}}
    reading = await device.poll()
    assert ("cpu_percent" in values(reading)) is gives
    assert reading.reason is Reason.OK
    assert device.memory["ssh"]["cpu"]["busy"] == 200  # the next poll has a base again


async def test_memory_that_cannot_be_read_is_a_first_poll(server: SshServer) -> None:
    device = Device(server)
    device.memory = {"ssh": {"cpu": "nonsense"}}
    assert (await device.poll()).reason is Reason.OK


async def test_a_section_that_is_missing_leaves_the_others_and_is_told(server: SshServer) -> None:
    server.run = answering(LINUX.replace("MemTotal: 1000 kB\n", ""))
    reading = await Device(server).poll()
    assert reading.reason is Reason.PARTIAL
    assert reading.detail == "memory: what the device says is not understood"
    assert "disk_percent /" in values(reading)


async def test_a_df_that_hangs_costs_the_disks_and_is_left_alone_for_an_hour(server: SshServer) -> None:
    head = LINUX.partition("@df")[0]
    asked: list[str] = []

    def run(channel: paramiko.Channel) -> None:
        stdin = ssh_server.stdin_of(channel)
        asked.append(stdin.partition("\n")[0].split()[2])
        lines = (head if asked[-1] == "D=" else head.partition("@mounts")[0] + "@end").replace(
            "@", f"@@{ssh_server.nonce_in(stdin)} "
        )
        channel.sendall(f"{lines}\n".encode())
        ssh_server.hanging(channel)

    server.run = run
    device = Device(server, command_timeout_seconds=1.5)
    for _ in range(2):
        reading = await device.poll()
        assert reading.reason is Reason.PARTIAL
        assert reading.detail.startswith("disk: df hangs, a disk does not answer; it is left alone until ")
        assert {"memory_percent", "net_bytes_in eth0"} <= set(values(reading))
    assert asked == ["D=", "D=1"]
    device.memory["ssh"]["df_after"] = int(time.time()) - 1
    await device.poll()
    assert asked[-1] == "D="


async def test_a_status_poll_needs_no_login(server: SshServer) -> None:
    reading = await Device(server).poll("status")
    assert (reading.reason, reading.alive, server.logins) == (Reason.OK, True, [])
    assert reading.rtt_ms is not None


@pytest.mark.parametrize(
    ("raw", "reason", "text"),
    [
        (ssh_server.silent, Reason.TIMEOUT, "sends no SSH greeting within 1 s"),
        (socket.socket.close, Reason.PROTOCOL, "closes the connection without a greeting"),
        (ssh_server.endless_greeting, Reason.PROTOCOL, "is no SSH server"),
        (ssh_server.dripping_greeting, Reason.TIMEOUT, "sends no SSH greeting within 1 s"),
        (ssh_server.sending(b"220 ftp ready\r\n" * 60), Reason.PROTOCOL, "it says '220 ftp ready'"),
        (ssh_server.sending(b"x" * 5000), Reason.PROTOCOL, "is no SSH server"),
        (ssh_server.sending(b"SSH-1.5-old\r\n"), Reason.UNSUPPORTED, "no version 2 (SSH-1.5-old)"),
        (ssh_server.dripping_key_exchange, Reason.TIMEOUT, "the key exchange took too long"),
        (ssh_server.sending(b"SSH-2.0-mute\r\n"), Reason.TIMEOUT, "the key exchange took too long"),
        (ssh_server.huge_packet, Reason.PROTOCOL, "the key exchange broke off"),
        (ssh_server.garbage, Reason.PROTOCOL, "the key exchange broke off"),
        (ssh_server.legacy, Reason.UNSUPPORTED, "update its SSH server, for none of this is considered safe"),
    ],
)  # fmt: skip
async def test_a_server_that_is_no_proper_ssh_server_is_told_as_what_it_is(
    server: SshServer, raw: Raw, reason: Reason, text: str
) -> None:
    server.raw = raw
    reading = await Device(server, connect_timeout_seconds=1 if reason is Reason.TIMEOUT else 10).poll()
    assert (reading.reason, reading.alive) == (reason, True), reading.detail
    assert text in reading.detail
    assert reading.points == []


async def test_lines_before_the_greeting_are_allowed(server: SshServer) -> None:
    server.raw = ssh_server.sending(b"Authorized use only!\r\n\r\nSSH-2.0-x\r\n")
    assert (await Device(server).poll("status")).reason is Reason.OK


@pytest.mark.parametrize(
    ("run", "reason", "text"),
    [
        (None, Reason.UNSUPPORTED, "the server runs no command for user 'monitor'"),
        (ssh_server.printing(b"Only backups here.\n"), Reason.UNSUPPORTED, "it says 'Only backups here.'"),
        (
            ssh_server.printing(b"rbash: sh: not found\n", stderr=True),
            Reason.UNSUPPORTED,
            "rbash: sh: not found",
        ),
        (ssh_server.printing(b""), Reason.UNSUPPORTED, "no POSIX shell, it says nothing"),
        (ssh_server.hanging, Reason.TIMEOUT, "its shell says nothing within the time limit"),
        (ssh_server.printing(b"noise " * 1000, forever=True), Reason.UNSUPPORTED, "it says 'noise noise"),
    ],
)
async def test_a_shell_that_is_none_is_told_as_what_it_is(
    server: SshServer, run: Exec | None, reason: Reason, text: str
) -> None:
    server.run = run
    reading = await Device(server, command_timeout_seconds=1 if reason is Reason.TIMEOUT else 10).poll()
    assert (reading.reason, reading.alive) == (reason, True), reading.detail
    assert text in reading.detail


async def test_noise_around_the_answer_does_not_matter(server: SshServer) -> None:
    def run(channel: paramiko.Channel) -> None:
        channel.sendall(b"\xff\xfeWelcome!\r\n" * 500)
        channel.sendall_stderr(b"stty: not a tty\n" * 500)
        answering(LINUX)(channel)
        ssh_server.hanging(channel)  # nobody waits for its end

    server.run = run
    assert (await Device(server).poll()).reason is Reason.OK


async def test_the_devices_time_limit_ends_a_visit_and_keeps_what_was_read(server: SshServer) -> None:
    def run(channel: paramiko.Channel) -> None:
        answering(LINUX.partition("@cgroup")[0])(channel)
        ssh_server.hanging(channel)

    server.run = run
    reading = await Device(server).poll(seconds=3)
    assert reading.reason is Reason.PARTIAL
    assert "cut short, it did not end in time" in reading.detail
    assert values(reading)["memory_percent"] == 25


async def test_a_server_that_ignores_the_command_is_ended_with_the_devices_time(server: SshServer) -> None:
    class Mute(ssh_server._Interface):
        def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
            del channel, command
            time.sleep(8)
            return True

    def raw(sock: Any) -> None:
        transport = paramiko.Transport(sock)
        transport.add_server_key(HOST_KEY)
        transport.start_server(server=Mute(server))
        transport.join()

    server.raw = raw
    reading = await Device(server).poll(seconds=3)
    assert (reading.reason, reading.detail) == (Reason.TIMEOUT, "starting the probe took too long")


async def test_a_poll_that_nobody_waits_for_any_more_ends_on_its_thread_too(server: SshServer) -> None:
    server.run = ssh_server.hanging
    task = asyncio.create_task(Device(server).poll())
    await asyncio.to_thread(server.logged_in.wait, 10)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await _until_no_thread("paramiko")


async def test_the_loop_stays_free_while_hosts_are_slow(server: SshServer) -> None:
    """More tarpits than threads, and a host that answers is still polled."""
    tarpit = ssh_server.dripping_greeting
    with SshServer(raw=tarpit) as slow:
        collector = SshCollector(threads=2)
        devices = [Device(slow, connect_timeout_seconds=3) for _ in range(20)]
        good = Device(server)
        for device in (*devices, good):
            device.collector = collector
        waiting = [asyncio.create_task(device.poll()) for device in devices]
        await asyncio.sleep(0.1)
        assert (await good.poll()).reason is Reason.OK
        assert not any(task.done() for task in waiting)
        assert {(await task).reason for task in waiting} == {Reason.TIMEOUT}


async def test_nothing_is_left_of_many_polls_whatever_became_of_them(server: SshServer) -> None:
    device = Device(server, connect_timeout_seconds=1, command_timeout_seconds=0.3)
    behaviours: list[tuple[Raw | None, Exec | None]] = [
        (None, answering(LINUX)), (None, None), (None, ssh_server.hanging), (ssh_server.garbage, None),
        (ssh_server.legacy, None), (socket.socket.close, None),
    ]  # fmt: skip
    before, threads = _descriptors(), set(threading.enumerate())
    for _ in range(5):
        for server.raw, server.run in behaviours:
            await device.poll()
    await _until_no_thread("paramiko")
    new = set(threading.enumerate()) - threads
    assert not [thread for thread in new if isinstance(thread, threading.Timer)]
    pooled = [thread for thread in new if thread.name.startswith("ssh")]
    # The pool keeps its threads; on a busy machine one is still tidying up when the next poll begins.
    assert 1 <= len(pooled) < len(behaviours)
    server.__exit__()
    for _ in range(200):  # the server's threads have ends of their own
        if _descriptors() <= before:
            break
        await asyncio.sleep(0.05)
    assert _descriptors() <= before


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def _until_no_thread(module: str) -> None:
    """No client transport is alive any more."""
    for _ in range(200):
        transports = [
            thread
            for thread in threading.enumerate()
            if isinstance(thread, paramiko.Transport) and not thread.server_mode
        ]
        if not transports:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{module} threads are left: {transports}")
