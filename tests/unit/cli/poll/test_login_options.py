"""`--user`, `--password`, `--key` and what goes with them become a credential and settings."""

from pathlib import Path

import paramiko
import pytest
from click.testing import Result

from fixtures.poll_command import poll, scripted
from fixtures.polling import Scripted, healthy, refused
from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.collectors.ssh.protocol import SshCredential
from netvitals.collectors.winrm.protocol import WinrmCredential, WinrmSettings
from netvitals.domain.settings.secret import Secret

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    return scripted(monkeypatch, healthy)


def one(*options: str, **env: str) -> Result:
    return poll("10.0.0.9", *options, **env)


def test_a_user_logs_in_with_the_password_of_the_environment(collector: Scripted) -> None:
    one("--type", "linux", "--user", "monitor", "--port", "2222", NETVITALS_PASSWORD="s3cret")
    [target] = collector.targets
    assert target.credential == SshCredential(user="monitor", password=Secret("s3cret"))
    assert target.settings.port == 2222
    assert target.job.settings.protocols == ("ssh",)


def test_a_key_is_read_from_its_file(collector: Scripted, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("BEGIN RSA PRIVATE KEY")
    one("--type", "linux", "--user", "m", "--key", str(tmp_path / "key"))
    [target] = collector.targets
    assert target.credential == SshCredential(user="m", private_key=Secret("BEGIN RSA PRIVATE KEY"))


@pytest.mark.parametrize("key_format", ["openssh", "pem"])
def test_an_encrypted_key_wants_its_passphrase(collector: Scripted, tmp_path: Path, key_format: str) -> None:
    path = tmp_path / "key"
    paramiko.RSAKey.generate(1024).write_private_key_file(str(path), password="phrase")
    if key_format == "openssh":
        path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHI\n")
    options = ("--type", "linux", "--user", "m", "--key", str(path))
    assert "set NETVITALS_KEY_PASSPHRASE" in one(*options).stderr
    one(*options, NETVITALS_KEY_PASSPHRASE="phrase")
    [target] = collector.targets
    assert target.credential.passphrase == Secret("phrase")


def test_a_windows_user_logs_in_over_winrm(collector: Scripted) -> None:
    one("--type", "windows", "--user", "LAB\\monitor", "--password", "s3cret")
    [target] = collector.targets
    assert target.credential == WinrmCredential(user="LAB\\monitor", password=Secret("s3cret"))
    assert target.job.settings.protocols == ("winrm",)


def test_what_a_windows_host_is_trusted_by_is_given_beside_the_user(
    collector: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    login = ("--type", "windows", "--user", "m", "--password", "p")
    one(*login, "--ca", str(tmp_path / "ca.pem"), "--certificate-sha256", "ab", "--transport", "basic")
    one(*login, "--no-tls", "--no-verify", "--port", "5985")
    trusting, plain = collector.targets
    assert trusting.credential == WinrmCredential(
        user="m",
        password=Secret("p"),
        transport="basic",
        ca="-----BEGIN CERTIFICATE-----",
        certificate_sha256="ab",
    )
    assert trusting.settings == WinrmSettings()
    assert plain.settings == WinrmSettings(tls=False, verify=False, port=5985)


def test_a_community_beside_a_user_is_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = scripted(monkeypatch, refused)
    one("--type", "linux", "--user", "m", "--password", "p", "--community", "public")
    assert [target.credential for target in collector.targets] == [
        SshCredential(user="m", password=Secret("p")),
        SnmpCredential(community=Secret("public")),
    ]


def test_a_community_alone_polls_a_linux_host_by_snmp(collector: Scripted) -> None:
    one("--type", "linux", "--community", "public")
    assert collector.targets[0].job.settings.protocols == ("snmp",)


def test_host_keys_are_pinned_or_taken_on_trust(collector: Scripted) -> None:
    login = ("--type", "linux", "--user", "m", "--password", "p")
    one(*login, "--host-key", HOST_KEY)
    one(*login, "--trust-host-key")
    one(*login)
    chosen = [target.settings for target in collector.targets]
    assert [ssh.host_keys for ssh in chosen] == [(HOST_KEY,), (), ()]
    assert [ssh.trust_on_first_use for ssh in chosen] == [False, True, False]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--type", "linux"), "give the user to log in as with --user"),
        (("--type", "linux", "--user", "m"), "set NETVITALS_PASSWORD"),
        (("--type", "linux", "--user", "m", "--key", "/no/such/key"), "--key /no/such/key can't be read"),
        (
            ("--type", "windows", "--user", "m", "--password", "p", "--ca", "/no/such/ca"),
            "--ca /no/such/ca can't be read",
        ),
    ],
)
def test_what_is_missing_is_told(collector: Scripted, options: tuple[str, ...], complaint: str) -> None:
    result = one(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert not collector.targets
