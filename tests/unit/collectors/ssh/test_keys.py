"""Private keys in every form that people have them, and what is said of those that can't be read."""

import subprocess
import sys
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from local.devices.ssh_server import HOST_KEY
from local.servers.sshd import generate_key
from netvitals.collectors.ssh.faults import SshFault
from netvitals.collectors.ssh.keys import KnownHost, fingerprint, line_of, private_key
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.secret import Secret

KEYS: dict[str, Any] = {
    "ssh-ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa-sha2-nistp256": ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-sha2-nistp521": ec.generate_private_key(ec.SECP521R1()),
    "ssh-rsa": rsa.generate_private_key(65537, 2048),
}
FORMATS = {
    "openssh": PrivateFormat.OpenSSH,
    "pkcs8": PrivateFormat.PKCS8,
    "traditional": PrivateFormat.TraditionalOpenSSL,
}


@pytest.mark.parametrize(
    ("kind", "form"), sorted(set(product(KEYS, FORMATS)) - {("ssh-ed25519", "traditional")})
)
@pytest.mark.parametrize("phrase", [None, "phrase"])
def test_every_kind_of_key_is_read_in_every_format(kind: str, form: str, phrase: str | None) -> None:
    encryption = BestAvailableEncryption(phrase.encode()) if phrase else NoEncryption()
    text = KEYS[kind].private_bytes(Encoding.PEM, FORMATS[form], encryption).decode()
    key = private_key(Secret(f"\n{text}\r\n"), Secret(phrase) if phrase else None)
    assert key.get_name() == kind
    assert key.can_sign()
    if phrase:
        for wrong, told in ((None, "is encrypted"), (Secret("wrong"), "passphrase does not open")):
            with pytest.raises(SshFault, match=told):
                private_key(Secret(text), wrong)
    else:
        assert private_key(Secret(text), Secret("needless")).get_name() == kind


def test_keys_without_a_comment_are_read_whether_or_not_they_need_padding() -> None:
    for _ in range(20):
        text = ec.generate_private_key(ec.SECP384R1()).private_bytes(
            Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
        )
        assert private_key(Secret(text.decode()), None).get_name() == "ecdsa-sha2-nistp384"


def test_a_key_that_is_none_is_told_without_a_word_of_it() -> None:
    other = ed448.Ed448PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text in ("", "canary-secret", "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary-secret\n", other.decode()):
        with pytest.raises(SshFault) as caught:
            private_key(Secret(text), None)
        assert caught.value.reason is Reason.BAD_CREDENTIAL
        assert "is no Ed25519, ECDSA or RSA key" in str(caught.value)
        assert "canary" not in repr(caught.value)


def test_a_dsa_key_is_told_as_that_and_prints_no_warning() -> None:
    """In a process of its own, since pytest shows warnings in its own way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        key = dsa.generate_private_key(1024)  # noqa: S505, SSH has no longer ones
        texts = [
            key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
            for form in (PrivateFormat.OpenSSH, PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
        ]
    done = subprocess.run(
        [sys.executable, "-c", _READ_KEYS], input="\0".join(texts), capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.count("is a DSA key, which servers no longer accept: make an Ed25519 key") == 3


_READ_KEYS = """
import sys
from netvitals.collectors.ssh.keys import private_key
from netvitals.domain.settings.secret import Secret
for text in sys.stdin.read().split(chr(0)):
    try:
        private_key(Secret(text), None)
    except Exception as error:
        print(error)
"""


@pytest.mark.parametrize("phrase", [Secret("phrase"), Secret("wrong"), None])
def test_a_cipher_that_is_not_read_is_not_blamed_on_the_passphrase(
    tmp_path: Path, phrase: Secret | None
) -> None:
    generate_key(tmp_path / "key", "ed25519", "phrase", "-Z", "chacha20-poly1305@openssh.com")
    with pytest.raises(
        SshFault, match=r"cipher that is not read here.*ssh-keygen -p -Z aes256-ctr"
    ) as caught:
        private_key(Secret((tmp_path / "key").read_text()), phrase)
    assert caught.value.reason is Reason.BAD_CREDENTIAL


def test_a_public_key_is_told_as_that() -> None:
    with pytest.raises(SshFault, match="is a public key: put the private one there"):
        private_key(Secret(line_of(HOST_KEY)), None)


def test_the_algorithms_of_known_keys_are_asked_for_first() -> None:
    known = KnownHost("it", "ssh.host_keys", [line_of(HOST_KEY), _rsa_line()])
    offered = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"]
    assert known.order(offered) == ["ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]
    assert KnownHost("it", "ssh.host_keys", []).order(offered) == offered


def test_fingerprints_are_those_of_ssh_keygen() -> None:
    assert fingerprint(line_of(HOST_KEY)) == f"{HOST_KEY.get_name()} {HOST_KEY.fingerprint}"


def _rsa_line() -> str:
    text = KEYS["ssh-rsa"].private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return line_of(private_key(Secret(text.decode()), None))
