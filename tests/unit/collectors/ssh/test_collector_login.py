"""Logins of the SSH collector: refused passwords, and host keys that are pinned, trusted or wrong."""

import logging
import time
from typing import Any

import pytest
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL

from fixtures.ssh_device import Device
from local.devices.ssh_server import HOST_KEY, OTHER_KEY, PASSWORD, USER, SshServer
from netvitals.collectors.ssh.collector import SshCollector
from netvitals.collectors.ssh.keys import line_of
from netvitals.collectors.ssh.protocol import SshCredential
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.secret import Secret


async def test_a_refused_password_is_a_device_that_is_alive(server: SshServer) -> None:
    server.password = "another"
    reading = await Device(server).poll()
    assert (reading.reason, reading.alive) == (Reason.AUTH, True)
    assert reading.detail == "the server refuses the password of user 'monitor'"


async def test_no_word_of_a_credential_is_in_what_is_told_kept_or_logged(
    server: SshServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.password = "another"
    device = Device(server)
    device.credential = SshCredential(
        user=USER,
        password=Secret(PASSWORD),
        private_key=Secret("s3cret-key"),
        passphrase=Secret("s3cret-phrase"),
    )
    unreadable = await device.poll()
    device.credential = SshCredential(user=USER, password=Secret(PASSWORD))
    refused = await device.poll()
    assert (unreadable.reason, refused.reason) == (Reason.BAD_CREDENTIAL, Reason.AUTH)
    assert "s3cret" not in f"{caplog.text} {unreadable.detail} {refused.detail} {device.memory}"


async def test_a_refused_password_is_not_sent_again_in_the_same_interval(server: SshServer) -> None:
    server.password = "another"
    device = Device(server)
    await device.poll()
    reading = await device.poll()
    assert (reading.reason, reading.alive, len(server.logins)) == (Reason.AUTH, True, 1)
    assert "not sent before" in reading.detail
    device.collector = SshCollector()  # another process, which knows what was stored
    await device.poll()
    assert len(server.logins) == 1
    device.credential = SshCredential(user=USER, password=Secret("another"))
    assert (await device.poll()).reason is Reason.OK
    assert "ssh_refused" not in device.memory


async def test_a_login_that_the_server_answers_by_hanging_up_counts_as_refused(server: SshServer) -> None:
    server.raw = None

    def hang_up() -> int:
        for connection in server._open:
            connection.close()
        return AUTH_FAILED

    server.login = hang_up
    device = Device(server)
    assert (await device.poll()).reason is Reason.AUTH
    assert "ssh_refused" in device.memory


async def test_what_the_server_wants_to_see_is_told(server: SshServer) -> None:
    server.accepts = "publickey"
    reading = await Device(server).poll()
    assert (reading.reason, server.logins) == (Reason.AUTH, [])
    assert reading.detail.startswith("the server wants publickey of user 'monitor'")
    assert "ssh_refused" not in reading.memory  # nothing was refused that could lock an account


async def test_a_server_that_wants_more_after_the_password_says_so(server: SshServer) -> None:
    server.login = lambda: AUTH_PARTIALLY_SUCCESSFUL
    server.accepts = "publickey,password"
    reading = await Device(server).poll()
    assert reading.reason is Reason.AUTH
    assert "publickey" in reading.detail


async def test_a_login_that_takes_too_long_is_no_refusal(server: SshServer) -> None:
    def slow() -> int:
        time.sleep(5)
        return AUTH_FAILED

    server.login = slow
    device = Device(server, connect_timeout_seconds=2)
    reading = await device.poll()
    assert (reading.reason, reading.detail) == (Reason.TIMEOUT, "the login took too long")
    assert "ssh_refused" not in device.memory


async def test_an_unknown_host_key_is_refused_before_anything_is_sent(server: SshServer) -> None:
    reading = await Device(server, host_keys=()).poll()
    assert (reading.reason, reading.alive, server.logins) == (Reason.HOST_KEY, True, [])
    assert f"set `ssh.host_keys` to '{line_of(HOST_KEY)}'" in reading.detail


async def test_another_host_key_than_the_pinned_one_is_refused(server: SshServer) -> None:
    server.host_key = OTHER_KEY
    reading = await Device(server).poll()
    assert (reading.reason, reading.alive, server.logins) == (Reason.HOST_KEY, True, [])
    assert "nothing was sent" in reading.detail


@pytest.mark.parametrize(
    "key", ["ssh-ed25519", "ssh-rsa AAAA", "nonsense !!", "ssh-rsa " + line_of(HOST_KEY).split()[1]]
)
async def test_a_pinned_key_that_is_none_trusts_nobody(server: SshServer, key: str) -> None:
    reading = await Device(server, host_keys=(key,)).poll()
    assert (reading.reason, server.logins) == (Reason.HOST_KEY, [])
    assert "`ssh.host_keys` holds" in reading.detail


async def test_a_comment_behind_a_pinned_key_does_not_matter(server: SshServer) -> None:
    reading = await Device(server, host_keys=(f"{line_of(HOST_KEY)} root@host",)).poll()
    assert reading.reason is Reason.OK


async def test_trust_on_first_use_keeps_the_key_and_refuses_another(server: SshServer) -> None:
    device = Device(server, trust_on_first_use=True)
    assert (await device.poll()).reason is Reason.OK
    assert device.memory["ssh_host_keys"] == [line_of(HOST_KEY)]
    server.host_key = OTHER_KEY
    reading = await device.poll()
    assert (reading.reason, len(server.logins)) == (Reason.HOST_KEY, 1)
    assert "ssh_host_keys" not in reading.memory
    device.ssh["host_keys"] = (line_of(OTHER_KEY),)  # a person has looked and pins the new one
    assert (await device.poll()).reason is Reason.OK


@pytest.mark.parametrize("kept", ["x", [], [1], {"a": 1}])
async def test_a_kept_key_that_cannot_be_read_trusts_nobody(server: SshServer, kept: Any) -> None:
    device = Device(server, trust_on_first_use=True)
    device.memory = {"ssh_host_keys": kept}
    reading = await device.poll()
    assert (reading.reason, server.logins) == (Reason.HOST_KEY, [])


async def test_a_key_that_was_trusted_once_is_nothing_without_the_setting(server: SshServer) -> None:
    device = Device(server, host_keys=())
    device.memory = {"ssh_host_keys": [line_of(HOST_KEY)]}
    assert (await device.poll()).reason is Reason.HOST_KEY
