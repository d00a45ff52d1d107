"""Load private keys for logins, and check servers by their known host keys."""

import base64
import functools
import hashlib
import io
import warnings
from collections.abc import Sequence
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.utils import CryptographyDeprecationWarning

from netvitals.collectors.ssh.faults import SshFault
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.secret import Secret

_PUBLIC = ("ssh-", "ecdsa-sha2-", "sk-", "---- BEGIN SSH2 PUBLIC KEY", "-----BEGIN PUBLIC KEY")

# A DSA key is a fault of the credential, which is reported without this warning.
warnings.filterwarnings("ignore", "SSH DSA keys", CryptographyDeprecationWarning)

_RSA = ("rsa-sha2-512", "rsa-sha2-256")
"""Names of the signatures of an `ssh-rsa` key (RFC 8332)."""


def private_key(text: Secret, passphrase: Secret | None) -> paramiko.PKey:
    """Return an Ed25519, ECDSA or RSA key, in PEM or OpenSSH's format.

    Raises:
        SshFault: it is none of these, or its passphrase is missing or wrong.
    """
    key = _private_key(text, passphrase)
    if isinstance(key, str):
        raise SshFault(Reason.BAD_CREDENTIAL, key)
    return key


@functools.lru_cache(maxsize=256)
def _private_key(text: Secret, passphrase: Secret | None) -> paramiko.PKey | str:
    """Return the key, or its fault; cached, as passphrases are slow by design and devices share keys.

    Read by cryptography: paramiko's own reader cuts an ECDSA or RSA key without a comment to nothing where
    the key happens to need no padding.
    """
    if text.reveal().lstrip().startswith(_PUBLIC):
        return "what the credential has as `private_key` is a public key: put the private one there"
    try:
        return _for_paramiko(_loaded(text.reveal(), passphrase))
    except _Encrypted:
        return "the private key is encrypted: add its `passphrase` to the credential"
    except _Dsa:
        return "the private key is a DSA key, which servers no longer accept: make an Ed25519 key"
    except UnsupportedAlgorithm:
        return (
            "the private key is encrypted with a cipher that is not read here, as chacha20-poly1305 is: "
            "write it anew with `ssh-keygen -p -Z aes256-ctr -f FILE`"
        )
    except Exception:  # noqa: BLE001, parsers of hostile text; what they say may quote it
        wrong = "the passphrase does not open the private key, or it" if passphrase else "the private key"
        return f"{wrong} is no Ed25519, ECDSA or RSA key in PEM or OpenSSH's format"


class _Encrypted(Exception):
    """Raised for a key that needs a passphrase, where there is none."""


class _Dsa(Exception):
    """Raised for a DSA key, which paramiko no longer reads."""


def _loaded(text: str, passphrase: Secret | None) -> Any:
    load = load_ssh_private_key if "BEGIN OPENSSH" in text else load_pem_private_key
    data = f"{text.strip()}\n".encode()
    phrase = passphrase.reveal().encode() if passphrase is not None else None
    try:
        return load(data, phrase)
    except TypeError:  # a phrase that is missing, or one that is not needed
        if phrase is None:
            raise _Encrypted from None
        return load(data, None)


def _for_paramiko(key: Any) -> paramiko.PKey:
    if isinstance(key, DSAPrivateKey):
        raise _Dsa
    if isinstance(key, RSAPrivateKey):
        return paramiko.RSAKey(key=key)
    if isinstance(key, EllipticCurvePrivateKey):
        return paramiko.ECDSAKey(vals=(key, key.public_key()))
    # Of the other kinds paramiko knows one, and takes that only from a file.
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return paramiko.Ed25519Key.from_private_key(io.StringIO(plain.decode()))


def line_of(key: paramiko.PKey) -> str:
    """Return the key as a line of `host_keys`: `ssh-ed25519 AAAA…`."""
    return f"{key.get_name()} {key.get_base64()}"


def fingerprint(line: str) -> str:
    """Return the fingerprint as `ssh-keygen -l` prints it: `ssh-ed25519 SHA256:…`."""
    kind, encoded = line.split()[:2]
    digest = hashlib.sha256(base64.b64decode(encoded)).digest()
    return f"{kind} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


class KnownHost:
    """Checks a server by its known keys; `who` is what an error calls it, `setting` where keys stand."""

    def __init__(self, who: str, setting: str, keys: Sequence[str]) -> None:
        self._who = who
        self._setting = setting
        self._keys = [_normal(key, setting) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._keys)

    def order(self, algorithms: Sequence[str]) -> list[str]:
        """Return the host key algorithms, those of known keys first: a server has several and shows one."""
        kinds = {key.split()[0] for key in self._keys}
        known = [name for name in algorithms if name in kinds or (name in _RSA and "ssh-rsa" in kinds)]
        return known + [name for name in algorithms if name not in known]

    def check(self, key: paramiko.PKey) -> None:
        """Raise SshFault unless the server's key is one of its known keys."""
        line = line_of(key)
        if line in self._keys:
            return
        if not self._keys:
            raise SshFault(
                Reason.HOST_KEY,
                f"{self._who} has no known host key and offers {fingerprint(line)}: compare that with "
                f"`ssh-keygen -l` on it, then set `{self._setting}` to {line!r}",
            )
        known = ", ".join(map(fingerprint, self._keys))
        raise SshFault(
            Reason.HOST_KEY,
            f"{self._who} offers the host key {fingerprint(line)} but is known by {known}; nothing was sent: "
            f"find out why, then set `{self._setting}` to the right key",
        )


def _normal(key: str, setting: str) -> str:
    """Return type and base64 of a key's line, without a comment."""
    try:
        kind, encoded = key.split()[:2]
        decoded = base64.b64decode(encoded, validate=True)
    except ValueError:
        kind, decoded = "", b""
    # RFC 4253, 6.6: a key's blob begins with its type.
    if not kind or decoded[4 : 4 + int.from_bytes(decoded[:4])] != kind.encode():
        raise SshFault(
            Reason.HOST_KEY,
            f"`{setting}` holds {key[:40]!r}, which is no host key: write it as ssh-keyscan prints it, "
            "without the host: 'ssh-ed25519 AAAA…'",
        )
    return f"{kind} {encoded}"
