"""Logins to Debian's sshd: keys, passwords, prompts, host keys, jump hosts, and what refuses them."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fixtures.ssh_device import values
from fixtures.sshd import PASSWORD, StartSshd, Users
from fixtures.sshd_device import check_against_the_host, output_of, poll
from local.devices.ssh_server import Raw, SshServer, sending
from local.servers.sshd import HOST, Sshd, generate_key
from netvitals.domain.polling.observation import Reason

pytestmark = pytest.mark.integration

NETVITALS = Path(sys.executable).with_name("netvitals")


@pytest.mark.parametrize(
    ("passphrase", "kind"),
    [
        ("", ("ed25519",)),
        ("phrase", ("ed25519",)),
        ("", ("ecdsa", "-b", "384")),
        ("phrase", ("ecdsa", "-m", "PEM")),
        ("", ("rsa", "-b", "2048")),
        ("phrase", ("rsa", "-b", "2048", "-m", "PEM")),
    ],
)
async def test_every_kind_of_key_logs_in(
    sshd: Sshd, users: Users, passphrase: str, kind: tuple[str, ...], tmp_path: Path
) -> None:
    user = users.name("dash")
    sshd.allow(user, generate_key(tmp_path / "key", kind[0], passphrase, *kind[1:]))
    credential = {"private_key": (tmp_path / "key").read_text()}
    if passphrase:
        reading = await poll(sshd, user, credential=credential)
        assert (reading.reason, reading.alive) == (Reason.BAD_CREDENTIAL, True)
        assert "encrypted: add its `passphrase`" in reading.detail
        reading = await poll(sshd, user, credential={**credential, "passphrase": "wrong"})
        assert reading.reason is Reason.BAD_CREDENTIAL
        assert "the passphrase does not open the private key" in reading.detail
        credential["passphrase"] = passphrase
    reading = await poll(sshd, user, credential=credential)
    assert (reading.reason, reading.detail) == (Reason.OK, "")


async def test_a_key_that_is_refused_falls_back_to_the_password(
    sshd: Sshd, users: Users, tmp_path: Path
) -> None:
    generate_key(tmp_path / "unknown", "ed25519")
    key = {"private_key": (tmp_path / "unknown").read_text()}
    user = users.name("dash")
    assert (await poll(sshd, user, credential={**key, "password": PASSWORD})).reason is Reason.OK
    reading = await poll(sshd, user, credential=key)
    assert (reading.reason, reading.detail) == (Reason.AUTH, f"the server refuses the key of user {user!r}")


async def test_a_server_that_wants_a_key_and_a_password_gets_both(
    start_sshd: StartSshd, users: Users, tmp_path: Path
) -> None:
    strict, user = start_sshd("AuthenticationMethods publickey,password"), users.name("dash")
    strict.allow(user, generate_key(tmp_path / "key", "ed25519"))
    key = {"private_key": (tmp_path / "key").read_text()}
    assert (await poll(strict, user, credential={**key, "password": PASSWORD})).reason is Reason.OK
    reading = await poll(strict, user, credential=key)
    assert reading.reason is Reason.AUTH
    assert "wants password of user" in reading.detail


async def test_a_refused_password_says_whose(sshd: Sshd, users: Users) -> None:
    user = users.name("dash")
    reading = await poll(sshd, user, credential={"password": "wrong"})
    assert (reading.reason, reading.alive) == (Reason.AUTH, True)
    assert reading.detail == f"the server refuses the password of user {user!r}"


async def test_an_account_without_a_shell_is_told(sshd: Sshd, users: Users) -> None:
    reading = await poll(sshd, users.name("nologin"))
    assert (reading.reason, reading.alive) == (Reason.UNSUPPORTED, True)
    assert "account is currently not available" in reading.detail


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('command="echo backups only"', "backups only"),
        ('restrict,command="/bin/cat"', "N="),
        ('command="exit 1"', "nothing"),
    ],
)
async def test_a_forced_command_is_told(
    sshd: Sshd, users: Users, options: str, said: str, tmp_path: Path
) -> None:
    user = users.name("dash")
    sshd.allow(user, generate_key(tmp_path / "key", "ed25519"), options)
    reading = await poll(sshd, user, credential={"private_key": (tmp_path / "key").read_text()})
    assert reading.reason is Reason.UNSUPPORTED
    assert f"it says {said}" in reading.detail.replace("'", "")


async def test_a_server_that_runs_nothing_is_told(start_sshd: StartSshd, users: Users) -> None:
    reading = await poll(start_sshd("MaxSessions 0"), users.name("dash"))
    assert (reading.reason, reading.alive) == (Reason.UNSUPPORTED, True)
    assert "the server runs no command" in reading.detail


async def test_a_server_with_nothing_but_sha1_is_told_with_what_it_lacks(
    start_sshd: StartSshd, users: Users, tmp_path: Path
) -> None:
    old = start_sshd("KexAlgorithms diffie-hellman-group14-sha1")
    reading = await poll(old, users.name("dash"))
    assert (reading.reason, reading.alive) == (Reason.UNSUPPORTED, True)
    assert "no key exchange in common, it offers diffie-hellman-group14-sha1: update" in reading.detail
    assert "poll it by SNMP" in reading.detail
    generate_key(tmp_path / "rsa", "rsa", "", "-b", "2048")
    old = start_sshd(f"HostKey {tmp_path}/rsa", "HostKeyAlgorithms ssh-rsa")
    reading = await poll(old, users.name("dash"))
    assert "no host key in common, it offers ssh-rsa: update" in reading.detail


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (
            "KexAlgorithms sntrup761x25519-sha512@openssh.com",
            "offers sntrup761x25519-sha512@openssh.com: add one that we speak to its `KexAlgorithms`",
        ),
        ("Ciphers chacha20-poly1305@openssh.com", "to its `Ciphers`, such as aes256-ctr"),
    ],
)
async def test_a_server_that_is_more_modern_than_we_are_is_not_called_unsafe(
    start_sshd: StartSshd, users: Users, option: str, told: str
) -> None:
    reading = await poll(start_sshd(option), users.name("dash"))
    assert (reading.reason, reading.alive) == (Reason.UNSUPPORTED, True)
    assert told in reading.detail
    assert not {"safe", "update", "kex-strict", "ext-info"} & set(reading.detail.replace(",", " ").split())


@pytest.mark.parametrize(
    "algorithm",
    [
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group-exchange-sha256",
    ],
)
async def test_a_server_with_one_key_exchange_only_is_polled(
    start_sshd: StartSshd, users: Users, algorithm: str
) -> None:
    reading = await poll(start_sshd(f"KexAlgorithms {algorithm}"), users.name("dash"))
    assert (reading.reason, reading.detail) == (Reason.OK, "")


BY_PROMPT = ("UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes")


async def test_a_server_that_asks_by_prompt_only_takes_the_right_password_and_refuses_a_wrong_one(
    start_sshd: StartSshd, users: Users, tmp_path: Path
) -> None:
    server, user = start_sshd(*BY_PROMPT), users.name("dash")
    assert (await poll(server, user)).reason is Reason.OK
    assert "Failed password" not in server.log  # which fail2ban and blacklistd count
    reading = await poll(server, user, credential={"password": "wrong"})
    assert (reading.reason, reading.detail) == (
        Reason.AUTH,
        f"the server refuses the password of user {user!r}",
    )
    assert reading.memory["ssh_refused"]["times"] == 1
    strict = start_sshd(*BY_PROMPT, "AuthenticationMethods publickey,keyboard-interactive")
    strict.allow(user, generate_key(tmp_path / "key", "ed25519"))
    key = {"private_key": (tmp_path / "key").read_text()}
    assert (await poll(strict, user, credential={**key, "password": PASSWORD})).reason is Reason.OK


@pytest.mark.parametrize("options", [BY_PROMPT, ("UsePAM yes",), ("UsePAM no",)], ids=" ".join)
async def test_a_password_that_has_expired_is_told_as_that_and_no_new_one_is_set(
    start_sshd: StartSshd, users: Users, options: tuple[str, ...]
) -> None:
    server, user = start_sshd(*options), users.name("bash")
    before = hash_of_password(user)
    output_of("chage", "-d", "0", user)
    try:
        reading = await poll(server, user)
    finally:
        output_of("chage", "-d", "20000", user)
    assert (reading.reason, reading.points) == (Reason.AUTH, [])
    assert "the account's password has expired: set a new one on the host" in reading.detail
    assert hash_of_password(user) == before


def hash_of_password(user: str) -> str:
    lines = Path("/etc/shadow").read_text().splitlines()
    return next(line.split(":")[1] for line in lines if line.startswith(f"{user}:"))


async def test_a_host_is_known_by_any_of_its_keys(
    start_sshd: StartSshd, users: Users, tmp_path: Path
) -> None:
    rsa = generate_key(tmp_path / "rsa", "rsa", "", "-b", "2048")
    several = start_sshd(f"HostKey {tmp_path}/rsa")
    for keys in ((rsa,), (several.host_key,), (rsa, several.host_key)):
        assert (await poll(several, users.name("dash"), host_keys=keys)).reason is Reason.OK


async def test_trust_on_first_use_and_a_key_that_changed(start_sshd: StartSshd, users: Users) -> None:
    server, user = start_sshd(), users.name("dash")
    trusting: dict[str, Any] = {"host_keys": (), "trust_on_first_use": True}
    first = await poll(server, user, **trusting)
    assert (first.reason, first.memory["ssh_host_keys"]) == (Reason.OK, [server.host_key])
    again = await poll(server, user, memory=first.memory, **trusting)
    assert (again.reason, "ssh_host_keys" in again.memory) == (Reason.OK, False)
    server.stop()
    for name in ("host_key", "host_key.pub"):
        (server.folder / name).unlink()
    generate_key(server.folder / "host_key", "ed25519")
    server.start()
    reading = await poll(server, user, memory=first.memory, **trusting)
    assert (reading.reason, reading.alive) == (Reason.HOST_KEY, True)
    assert "but is known by ssh-ed25519 SHA256:" in reading.detail
    assert "Accepted" not in server.log


async def test_a_device_is_reached_through_a_jump_host(
    sshd: Sshd, start_sshd: StartSshd, users: Users
) -> None:
    jump, user = start_sshd(), users.name("dash")
    through: dict[str, Any] = {"jump": f"{HOST}:{jump.port}", "jump_host_keys": (jump.host_key,)}
    reading = await poll(sshd, user, **through)
    assert (reading.reason, reading.detail, reading.alive) == (Reason.OK, "", True)
    check_against_the_host(values(reading))
    assert f"Accepted password for {user}" in jump.log
    reading = await poll(sshd, user, kind="status", **through)
    assert (reading.reason, reading.alive, reading.points) == (Reason.OK, True, [])


@pytest.mark.parametrize(
    ("changes", "reason", "text"),
    [
        ({"jump_host_keys": ()}, Reason.HOST_KEY, "jump host 127.0.0.1:"),
        ({"credential": {"password": "wrong"}}, Reason.AUTH, "refuses the password"),
        ({"allowed": "127.1.0.0/16"}, Reason.BAD_ADDRESS, "jump host: 127.0.0.1 is in no allowed network"),
        ({"jump": "127.0.0.1:1"}, Reason.REFUSED, "jump host 127.0.0.1:1: nothing listens"),
        ({"port": 1}, Reason.UNREACHABLE, "can't connect to 127.0.0.1, port 1"),
    ],
)
async def test_what_is_wrong_on_the_way_does_not_make_the_device_alive(
    sshd: Sshd, users: Users, changes: dict[str, Any], reason: Reason, text: str
) -> None:
    through = {"jump": f"{HOST}:{sshd.port}", "jump_host_keys": (sshd.host_key,), **changes}
    reading = await poll(sshd, users.name("dash"), **through)
    assert (reading.reason, reading.alive) == (reason, False), reading.detail
    assert text in reading.detail


async def test_a_jump_host_that_forwards_nothing_is_told(
    sshd: Sshd, start_sshd: StartSshd, users: Users
) -> None:
    jump = start_sshd("AllowTcpForwarding no")
    through: dict[str, Any] = {"jump": f"{HOST}:{jump.port}", "jump_host_keys": (jump.host_key,)}
    reading = await poll(sshd, users.name("dash"), **through)
    assert (reading.reason, reading.alive) == (Reason.UNSUPPORTED, False)
    assert "forwards nothing: set AllowTcpForwarding" in reading.detail


def greets_in_pieces(sock: socket.socket) -> None:
    for piece in (b"Authorized use only!\r\nSS", b"H-2.", b"0-x\r\n"):
        sock.sendall(piece)
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("greets", "reason", "text"),
    [
        (greets_in_pieces, Reason.OK, ""),
        (socket.socket.close, Reason.PROTOCOL, "it closes the connection without a greeting"),
        (sending(b"SSH-1.5-old\r\n"), Reason.UNSUPPORTED, "no version 2 (SSH-1.5-old)"),
        (sending(b"220 ftp ready\r\n" * 60), Reason.PROTOCOL, "it says '220 ftp ready'"),
        (sending(b"x" * 5000), Reason.PROTOCOL, "is no SSH server"),
    ],
)
async def test_the_greeting_of_a_device_behind_a_jump_host_is_read_as_any_other(
    sshd: Sshd, users: Users, greets: Raw, reason: Reason, text: str
) -> None:
    with SshServer(raw=greets) as device:
        through: dict[str, Any] = {"jump": f"{HOST}:{sshd.port}", "jump_host_keys": (sshd.host_key,)}
        reading = await poll(sshd, users.name("dash"), kind="status", port=device.port, **through)
    assert reading.reason is reason, reading.detail
    assert text in reading.detail


@pytest.mark.parametrize("greeting", [b"x" * 100, b"a line\r\n"])
async def test_a_device_behind_a_jump_host_that_greets_without_end_is_ended(
    start_sshd: StartSshd, users: Users, greeting: bytes
) -> None:
    def greets(sock: socket.socket) -> None:
        while True:
            sock.sendall(greeting)

    jump = start_sshd()
    with SshServer(raw=greets) as device:
        through: dict[str, Any] = {"jump": f"{HOST}:{jump.port}", "jump_host_keys": (jump.host_key,)}
        began = time.process_time()
        reading = await poll(jump, users.name("dash"), port=device.port, **through)
    assert (reading.reason, reading.points) == (Reason.PROTOCOL, [])
    assert "the key exchange broke off" in reading.detail
    assert time.process_time() - began < 3


def test_the_command_line_polls_a_host_with_a_key(sshd: Sshd, users: Users, tmp_path: Path) -> None:
    user = users.name("bash")
    sshd.allow(user, generate_key(tmp_path / "key", "ed25519"))
    options = ["--type", "linux", "--user", user, "--key", str(tmp_path / "key"), "--port", str(sshd.port)]
    row = polled(*options, "--host-key", sshd.host_key)
    assert (row["reason"], row["method"], row["reachable"]) == ("ok", "ssh", True)
    assert {"cpu_percent", "memory_percent", "disk_percent"} <= {p["metric_name"] for p in row["points"]}
    assert polled(*options)["reason"] == "host_key"


def polled(*options: str) -> dict[str, Any]:
    command = [str(NETVITALS), "poll", HOST, "--format", "jsonl", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    row: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (row["reason"] != "ok"), done.stderr
    return row
