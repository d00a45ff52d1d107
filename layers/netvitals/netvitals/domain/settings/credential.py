"""Credentials, by name, as the credential map holds them; a job carries only the name."""

from typing import Any, Literal, get_args

import msgspec

from netvitals.domain.errors import CredentialMissing
from netvitals.domain.settings.secret import Secret, decode_secret

AuthProtocol = Literal["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
PrivProtocol = Literal["DES", "3DES", "AES128", "AES192", "AES256", "AES192C", "AES256C"]
"""AES192 and AES256 expand keys as draft-blumenthal-aes-usm-04 says, AES192C and AES256C as Cisco does."""
TransportName = Literal["ntlm", "basic", "kerberos", "certificate"]
Version = Literal["1", "2c", "3"]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class SnmpCredential(_Strict, frozen=True):
    """A community (v1, v2c), or a USM user (v3)."""

    version: Version = "2c"
    community: Secret | None = None
    user: str | None = None
    auth: AuthProtocol | None = None
    auth_key: Secret | None = None
    priv: PrivProtocol | None = None
    priv_key: Secret | None = None
    context: str = ""

    def __post_init__(self) -> None:
        if self.version != "3":
            if self.community is None:
                raise ValueError(f"version {self.version} needs a community")
            return
        if not self.user:
            raise ValueError("version 3 needs a user")
        if (self.auth is None) != (self.auth_key is None) or (self.priv is None) != (self.priv_key is None):
            raise ValueError("auth goes with auth_key and priv with priv_key")
        if self.priv and not self.auth:
            raise ValueError("priv needs auth")
        for name, key in (("auth_key", self.auth_key), ("priv_key", self.priv_key)):
            if key is not None and len(key.reveal()) < 8:  # noqa: PLR2004, RFC 3414, 11.2: at least 8 characters
                raise ValueError(f"{name} has fewer than 8 characters")


class SshCredential(_Strict, frozen=True):
    """A user with a password, a private key (PEM or OpenSSH text), or both."""

    user: str
    password: Secret | None = None
    private_key: Secret | None = None
    passphrase: Secret | None = None

    def __post_init__(self) -> None:
        if self.password is None and self.private_key is None:
            raise ValueError("ssh needs a password or a private_key")


class WinrmCredential(_Strict, frozen=True):
    """A Windows account; `ca` and `certificate_sha256` say which server certificate is trusted."""

    user: str
    password: Secret | None = None
    transport: TransportName = "ntlm"
    certificate: Secret | None = None
    private_key: Secret | None = None
    ca: str | None = None
    certificate_sha256: str | None = None

    def __post_init__(self) -> None:
        if self.transport == "certificate":
            if self.certificate is None or self.private_key is None:
                raise ValueError("transport certificate needs certificate and private_key")
        elif self.password is None:
            raise ValueError(f"transport {self.transport} needs a password")


class Credential(_Strict, frozen=True):
    """What one name in the credential map stands for."""

    snmp: SnmpCredential | None = None
    ssh: SshCredential | None = None
    winrm: WinrmCredential | None = None


def credential_from(name: str, value: Any) -> Credential:
    """The credential that decoded JSON describes.

    Raises:
        CredentialMissing: it is malformed; the text names the key at fault, never its value.
    """
    try:
        return msgspec.convert(value, Credential, dec_hook=decode_secret)
    except (msgspec.ValidationError, NotImplementedError) as error:
        raise CredentialMissing(f"credential {name!r} is malformed: {_told(str(error))}") from None


_ALLOWED = {
    "snmp.version": get_args(Version),
    "snmp.auth": get_args(AuthProtocol),
    "snmp.priv": get_args(PrivProtocol),
    "winrm.transport": get_args(TransportName),
}


def _told(text: str) -> str:
    """What msgspec says, by key, less the one text in which it shows a value.

    That may be a secret which stands in the wrong place.
    """
    cause, found, where = text.rpartition(" - at `$")
    if not found:
        return text
    key = where.strip(".`")
    if cause.startswith("Invalid enum value"):
        cause = f"must be one of {', '.join(_ALLOWED.get(key, ()))}"
    return f"{key}: {cause}"
