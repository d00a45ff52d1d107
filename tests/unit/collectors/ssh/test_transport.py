"""What a server may make of an SSH connection, before it is known and after: time, memory and processor."""

import struct
import time
from collections.abc import Iterator

import paramiko
import pytest

from fixtures.ssh_device import LINUX, Device
from local.devices.ssh_server import Raw, SshServer, answering, kexinit, sending_messages
from netvitals.collectors.ssh.transport import CPU_SECONDS, LONGEST_PACKET, MOST_GROUP_BITS
from netvitals.domain.polling.observation import Reason

EXT_INFO = b"\x07"
GROUP = b"\x1f"
IGNORED = b"\x02"


@pytest.fixture
def server() -> Iterator[SshServer]:
    with SshServer(answering(LINUX)) as server:
        yield server


def mpint(number: int) -> bytes:
    data = number.to_bytes(number.bit_length() // 8 + 1)
    return struct.pack(">I", len(data)) + data


@pytest.mark.parametrize(
    ("bits", "text"), [(8192, "a group of 8192 bits"), (MOST_GROUP_BITS, "took too long")]
)
async def test_a_server_that_chooses_its_own_group_chooses_none_that_takes_a_second_to_use(
    server: SshServer, bits: int, text: str
) -> None:
    group = GROUP + mpint((1 << bits) - 12345) + mpint(2)
    server.raw = sending_messages(kexinit("diffie-hellman-group-exchange-sha256"), group)
    before = time.process_time()
    reading = await Device(server, connect_timeout_seconds=1).poll()
    assert text in reading.detail
    assert time.process_time() - before < 0.5


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (sending_messages(kexinit("," * 100_000)), "a message of 100"),
        (sending_messages(kexinit("curve25519-sha256"), b"\x1f" + mpint(1 << 800_000)), "a message of 100"),
        (sending_messages(bytes(LONGEST_PACKET + 1)), "it announces a packet of 262"),
        (
            sending_messages(kexinit("curve25519-sha256"), *[b"\x02ignored"] * 200_000),
            "keeps this process busy",
        ),
    ],
    ids=["lists", "number", "packet", "messages"],
)
async def test_a_key_exchange_costs_no_more_than_one_costs(server: SshServer, raw: Raw, text: str) -> None:
    server.raw = raw
    before = time.process_time()
    reading = await Device(server, connect_timeout_seconds=60).poll(seconds=90)
    assert (reading.reason, reading.alive) == (Reason.PROTOCOL, True)
    assert text in reading.detail
    assert time.process_time() - before < 2 * CPU_SECONDS  # the server's part is in it as well


async def test_a_server_that_keeps_its_thread_busy_after_the_login_is_told_as_that(server: SshServer) -> None:
    def run(channel: paramiko.Channel) -> None:
        while not channel.closed:
            server.transports[-1].send(IGNORED)

    server.run = run
    reading = await Device(server, command_timeout_seconds=60).poll(seconds=90)
    assert reading.reason is Reason.PROTOCOL
    assert reading.detail == "the login works, but then the connection broke off: it keeps this process busy"


async def test_extensions_that_are_announced_and_not_sent_end_the_connection(server: SshServer) -> None:
    server.mangle = lambda message: EXT_INFO + b"\xff" * 4 if message.startswith(EXT_INFO) else message
    reading = await Device(server).poll()
    assert (reading.reason, reading.alive, server.logins) == (Reason.PROTOCOL, True, [])
    assert "announces more extensions than it sends" in reading.detail
