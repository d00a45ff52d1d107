"""Logging in by prompt (RFC 4256) and by password: what is answered, and what counts as a refusal."""

import struct
from collections.abc import Iterator

import pytest
from paramiko.common import AUTH_FAILED, cMSG_USERAUTH_INFO_REQUEST

from fixtures.ssh_device import LINUX, Device
from local.devices.ssh_server import PASSWORD, SshServer, answering
from netvitals.collectors.ssh.collector import SshCollector
from netvitals.domain.polling.observation import Reason


@pytest.fixture
def server() -> Iterator[SshServer]:
    """As FreeBSD's and PAM's defaults have it: a password is taken by prompt only."""
    with SshServer(answering(LINUX)) as server:
        server.accepts = "publickey,keyboard-interactive"
        yield server


async def test_a_hidden_prompt_is_answered_with_the_password(server: SshServer) -> None:
    reading = await Device(server).poll()
    assert (reading.reason, reading.detail) == (Reason.OK, "")
    assert server.answers == [[PASSWORD]]
    assert server.logins == []  # by the other method, of which the server would note a failure


async def test_macos_asks_once_more_for_nothing(server: SshServer) -> None:
    server.rounds.append([])
    assert (await Device(server).poll()).reason is Reason.OK
    assert server.answers == [[PASSWORD], []]


async def test_a_wrong_password_is_a_refusal_and_is_not_sent_again_in_the_same_interval(
    server: SshServer,
) -> None:
    server.password = "another"
    device = Device(server)
    reading = await device.poll()
    assert (reading.reason, reading.alive) == (Reason.AUTH, True)
    assert reading.detail == "the server refuses the password of user 'monitor'"
    device.collector = SshCollector()  # another process, which knows what was stored
    reading = await device.poll()
    assert "not sent before" in reading.detail
    assert server.answers == [[PASSWORD]]


@pytest.mark.parametrize(
    "prompts",
    [
        [("Username: ", True)],
        [("Password: ", True)],
        [("Password: ", False), ("One-time code: ", False)],
        [("New password: ", False), ("Retype new password: ", False)],
    ],
)
async def test_no_other_prompt_is_answered_and_what_was_asked_is_told(
    server: SshServer, prompts: list[tuple[str, bool]]
) -> None:
    server.rounds = [prompts]
    device = Device(server)
    reading = await device.poll()
    assert (reading.reason, reading.alive, server.answers) == (Reason.AUTH, True, [])
    assert f"asks user 'monitor' '{prompts[0][0].strip()}'" in reading.detail
    assert "ssh_refused" not in device.memory  # nothing was sent that could lock an account


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("Verification code: ", "asks user 'monitor' 'Verification code:' after the password"),
        ("Password: ", "asks user 'monitor' 'Password:' after the password"),
        ("Neues Passwort: ", "asks user 'monitor' 'Neues Passwort:' after the password"),
        ("New password: ", "the account's password has expired"),
    ],
)
async def test_the_password_is_sent_once_whatever_is_asked_after_it(
    server: SshServer, prompt: str, told: str
) -> None:
    server.rounds += [[(prompt, False)]] * 3
    device = Device(server)
    reading = await device.poll()
    assert (reading.reason, server.answers) == (Reason.AUTH, [[PASSWORD]])
    assert told in reading.detail
    assert device.memory["ssh_refused"]["times"] == 1  # it may mean "wrong, once more"


async def test_a_server_that_lets_anybody_in_is_polled(server: SshServer) -> None:
    server.accepts = "none"
    assert (await Device(server).poll()).reason is Reason.OK


async def test_a_password_that_the_server_wants_changed_is_told_as_expired(server: SshServer) -> None:
    """SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252, 8)."""
    server.accepts = "password"

    def login() -> int:
        server.transports[-1].send(
            cMSG_USERAUTH_INFO_REQUEST + _string(b"Your password is too old") + _string()
        )
        return AUTH_FAILED

    server.login = login
    reading = await Device(server).poll()
    assert reading.reason is Reason.AUTH
    assert "the account's password has expired" in reading.detail


async def test_prompts_that_are_announced_and_not_sent_end_the_login(server: SshServer) -> None:
    bomb = cMSG_USERAUTH_INFO_REQUEST + _string() * 3 + struct.pack(">I", 0xFFFFFFFF)
    server.mangle = lambda message: bomb if message.startswith(cMSG_USERAUTH_INFO_REQUEST) else message
    reading = await Device(server).poll()
    assert (reading.reason, reading.alive) == (Reason.PROTOCOL, True)
    assert "announces more prompts than it sends" in reading.detail


def _string(text: bytes = b"") -> bytes:
    return struct.pack(">I", len(text)) + text
