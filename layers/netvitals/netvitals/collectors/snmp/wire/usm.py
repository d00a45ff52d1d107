"""Make keys, message digests and ciphers of the user-based security model (RFC 3414, 3826, 7860).

Keys come from pysnmp's security models. A message's digest and cipher go straight to OpenSSL instead:
for 1400 bytes pysnmp takes 15 µs a digest and 14-18 µs an AES pass, `hmac.digest` takes 2.3 and
`cryptography` 3.9, twice for every exchange.

Importing this takes some 70 ms, most of it pysnmp: only those who speak version 3 do.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple, Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pyasn1.type.univ import OctetString
from pysnmp.proto.secmod.rfc3414 import localkey, service

from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.domain.settings.secret import Secret

AUTH, PRIV, REPORTABLE = 1, 2, 4
"""Bits of msgFlags (RFC 3412, 6.4)."""
KNOWN_SECRETS = 2048
KNOWN_ENGINES = 16_384
_BLOCK_BYTES = _SALT_BYTES = 8


class AuthModel(NamedTuple):
    """An authentication protocol."""

    digest: str
    """Name of the digest in hashlib."""
    mac_bytes: int
    oid: tuple[int, ...]
    """OID of its usmAuthProtocol, by which pysnmp's key functions know it."""


_USM_AUTH = (1, 3, 6, 1, 6, 3, 10, 1, 1)
AUTH_MODELS = {
    "MD5": AuthModel("md5", 12, (*_USM_AUTH, 2)),
    "SHA1": AuthModel("sha1", 12, (*_USM_AUTH, 3)),
    "SHA224": AuthModel("sha224", 16, (*_USM_AUTH, 4)),
    "SHA256": AuthModel("sha256", 24, (*_USM_AUTH, 5)),
    "SHA384": AuthModel("sha384", 32, (*_USM_AUTH, 6)),
    "SHA512": AuthModel("sha512", 48, (*_USM_AUTH, 7)),
}


class DecryptionFailed(Exception):
    """Raised where the ciphertext or its salt has an impossible length."""


class Privacy(Protocol):
    """Encrypts and decrypts with a localised key; boots and time are those of the message."""

    def encrypt(self, boots: int, time: int, plain: bytes) -> tuple[bytes, bytes]:
        """Return the ciphertext and its salt, which no other message of this process has."""
        ...

    def decrypt(self, boots: int, time: int, salt: bytes, data: bytes) -> bytes:
        """Return the plaintext, padding included; a wrong key is no error here, and gives noise.

        Raises:
            DecryptionFailed: the ciphertext or its salt has an impossible length.
        """
        ...


# From a random start, so that processes that share a key do not share salts (RFC 3826, 3.1.2.1).
_salts = count(int.from_bytes(os.urandom(_SALT_BYTES)))


class AesCfb:
    """Encrypts with AES in CFB-128; boots, time and salt are the IV (RFC 3826, 3.1.2.1)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = algorithms.AES(key)

    def _at(self, boots: int, time: int, salt: bytes) -> Cipher[CFB]:
        return Cipher(self._key, CFB((boots << 32 | time).to_bytes(8) + salt))

    def encrypt(self, boots: int, time: int, plain: bytes) -> tuple[bytes, bytes]:
        salt = (next(_salts) & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(_SALT_BYTES)
        return self._at(boots, time, salt).encryptor().update(plain), salt

    def decrypt(self, boots: int, time: int, salt: bytes, data: bytes) -> bytes:
        if len(salt) != _SALT_BYTES:
            raise DecryptionFailed(f"the salt has {len(salt)} bytes instead of {_SALT_BYTES}")
        return self._at(boots, time, salt).decryptor().update(data)


class DesCbc:
    """Encrypts with DES in CBC; the second half of the key, xor salt, is the IV (RFC 3414, 8.1.1.1)."""

    __slots__ = ("_key", "_pre_iv")

    def __init__(self, key: bytes) -> None:
        # Encrypt, decrypt, encrypt under one key is DES, which OpenSSL no longer has by itself.
        self._key = TripleDES(key[:8] * 3)
        self._pre_iv = int.from_bytes(key[8:16])

    def _at(self, salt: bytes) -> Cipher[modes.CBC]:
        return Cipher(self._key, modes.CBC((self._pre_iv ^ int.from_bytes(salt)).to_bytes(_BLOCK_BYTES)))

    def encrypt(self, boots: int, time: int, plain: bytes) -> tuple[bytes, bytes]:  # noqa: ARG002, DES has no time
        salt = (boots << 32 | next(_salts) & 0xFFFF_FFFF).to_bytes(_SALT_BYTES)
        return self._at(salt).encryptor().update(plain + bytes(-len(plain) % _BLOCK_BYTES)), salt

    def decrypt(self, boots: int, time: int, salt: bytes, data: bytes) -> bytes:  # noqa: ARG002, as above
        if len(salt) != _SALT_BYTES or len(data) % _BLOCK_BYTES:
            raise DecryptionFailed(f"DES with {len(salt)} bytes of salt and {len(data)} bytes of data")
        return self._at(salt).decryptor().update(data)


class PrivModel(NamedTuple):
    """A privacy protocol."""

    expansion: Any
    """Model of pysnmp, which expands the key."""
    cipher: Callable[[bytes], Privacy] | None
    """Makes the cipher of a key; None where messages are left to pysnmp's engine altogether."""


# 3DES is an expired draft that few devices speak: pysnmp's engine does as well.
PRIV_MODELS = {
    "DES": PrivModel(service.des.Des(), DesCbc),
    "3DES": PrivModel(service.des3.Des3(), None),
    "AES128": PrivModel(service.aes.Aes(), AesCfb),
    "AES192": PrivModel(service.aes192.AesBlumenthal192(), AesCfb),
    "AES256": PrivModel(service.aes256.AesBlumenthal256(), AesCfb),
    "AES192C": PrivModel(service.aes192.Aes192(), AesCfb),
    "AES256C": PrivModel(service.aes256.Aes256(), AesCfb),
}


def declined(credential: SnmpCredential) -> bool:
    """Return whether this credential needs pysnmp's engine instead of the fast session."""
    return credential.priv is not None and PRIV_MODELS[credential.priv].cipher is None


class LocalKeys:
    """Signs messages with a user's keys on one engine; prints none of them."""

    __slots__ = ("_digest", "_key", "flags", "mac_bytes", "privacy")

    def __init__(self, auth: AuthModel | None, auth_key: bytes, privacy: Privacy | None) -> None:
        self._digest, self.mac_bytes = (auth.digest, auth.mac_bytes) if auth else ("", 0)
        self._key = auth_key
        self.privacy = privacy
        self.flags = (AUTH if auth else 0) | (PRIV if privacy else 0)

    def mac(self, message: bytes) -> bytes:
        """Return the digest of a message whose digest field holds zeros."""
        return hmac.digest(self._key, message, self._digest)[: self.mac_bytes]


@lru_cache(maxsize=KNOWN_ENGINES)
def local_keys(credential: SnmpCredential, engine_id: bytes) -> LocalKeys:
    """Return a version 3 credential's keys on an engine: in milliseconds for its first, then microseconds.

    The whole credential is the key of the cache: users of the same name but with other secrets are
    strangers to each other.
    """
    if credential.auth is None or credential.auth_key is None:
        return LocalKeys(None, b"", None)
    auth = AUTH_MODELS[credential.auth]
    auth_key = _auth_key(auth, credential.auth_key, engine_id)
    if credential.priv is None or credential.priv_key is None:
        return LocalKeys(auth, auth_key, None)
    model = PRIV_MODELS[credential.priv]
    if model.cipher is None:
        raise ValueError(f"{credential.priv} is left to pysnmp's engine")
    return LocalKeys(auth, auth_key, model.cipher(_priv_key(model, auth, credential.priv_key, engine_id)))


def _auth_key(auth: AuthModel, secret: Secret, engine_id: bytes) -> bytes:
    master = _master_key(auth.digest, secret)
    return _octets(localkey.localize_key(master, OctetString(engine_id), getattr(hashlib, auth.digest)))


def _priv_key(model: PrivModel, auth: AuthModel, secret: Secret, engine_id: bytes) -> bytes:
    master = OctetString(_master_key(auth.digest, secret))
    return _octets(model.expansion.localize_key(auth.oid, master, OctetString(engine_id)))


@lru_cache(maxsize=KNOWN_SECRETS)
def _master_key(digest: str, secret: Secret) -> bytes:
    """Return the digest of a megabyte of the repeated passphrase (RFC 3414, A.2); 4-8 ms."""
    return _octets(localkey.hash_passphrase(secret.reveal().encode(), getattr(hashlib, digest)))


def _octets(value: Any) -> bytes:
    octets: bytes = value.asOctets()
    return octets
