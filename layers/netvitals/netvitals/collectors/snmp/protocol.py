"""Describe SNMP: settings, credential, port, memory."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from netvitals.domain.polling.protocol import CredentialPart, MemoryKey, Protocol
from netvitals.domain.settings.interfaces import InterfaceNames
from netvitals.domain.settings.secret import Secret
from netvitals.domain.settings.section import Port, Seconds, Section

MIN_KEY_CHARACTERS = 8
"""Least characters of a passphrase (RFC 3414, 11.2)."""
Version = Literal["1", "2c", "3"]
AuthProtocol = Literal["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
SpelledAuth = Literal[AuthProtocol, "SHA", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
"""Names of authentication protocols as vendors and Net-SNMP spell them, too."""
PrivProtocol = Literal["DES", "3DES", "AES128", "AES192", "AES256", "AES192C", "AES256C"]
"""Names of privacy protocols: AES192 and AES256 expand keys as draft-blumenthal-aes-usm-04 says, AES192C and
AES256C as Cisco does."""
SpelledPriv = Literal[PrivProtocol, "AES", "AES-128", "AES-192", "AES-256", "AES-192-C", "AES-256-C"]
_SHORT_FOR = {"SHA": "SHA1", "AES": "AES128"}
"""Names that stand for the one variant that RFC 3414 or RFC 3826 defined."""

MAX_RETRIES = 10


class InterfaceFilter(InterfaceNames, frozen=True):
    """Filter of interfaces, by ifName and otherwise; an empty list excludes nothing."""

    exclude_types: tuple[int, ...] = ()
    """Numbers of IANAifType, such as 24 for softwareLoopback, whose interfaces are left out."""
    only_oper_up: bool = False
    """True selects only interfaces whose ifOperStatus is up."""
    only_admin_up: bool = False
    """True selects only interfaces whose ifAdminStatus is up."""
    alias_tag: bool = False
    """True adds ifAlias, the operator's own description, as the tag `alias`; renaming then starts a new
    series."""


class SnmpSettings(Section, frozen=True):
    """Settings of SNMP, versions 1, 2c and 3; the credential says which version, and the user."""

    port: Port = 161
    """UDP port of the agent."""
    version: Version | None = None
    """Version that overrides the credential's where both are of communities."""
    timeout_seconds: Seconds = 2.0
    """Time limit of the answer to one request."""
    retries: Annotated[int, Meta(ge=0, le=MAX_RETRIES)] = 2
    """Number of times that a request without an answer is repeated."""
    max_repetitions: Annotated[int, Meta(ge=1, le=200)] = 25
    """Limit of the rows asked for in one GETBULK: their number adapts to what the device can answer."""
    requests_in_flight: Annotated[int, Meta(ge=1, le=32)] = 4
    """Requests that wait for the device's answers at the same time."""
    max_varbinds: Annotated[int, Meta(ge=100, le=1_000_000)] = 100_000
    """Limit of the values read in one poll: a guard against devices whose tables do not end."""
    profile: str | None = None
    """Profile in place of the one that sysObjectID selects."""
    interfaces: InterfaceFilter = InterfaceFilter()


class SnmpCredential(CredentialPart, frozen=True):
    """A community (v1, v2c), or a USM user (v3)."""

    version: Version = "2c"
    """Version of SNMP: `1` and `2c` need a community, `3` a user."""
    community: Secret | None = None
    """Community that may read."""
    user: str | None = None
    """USM user of version 3."""
    auth: SpelledAuth | None = None
    """Authentication protocol of version 3, which signs messages; goes with `auth_key`."""
    auth_key: Secret | None = None
    """Passphrase to sign with: at least 8 characters."""
    priv: SpelledPriv | None = None
    """Privacy protocol of version 3, which encrypts messages; goes with `priv_key`, and needs `auth`."""
    priv_key: Secret | None = None
    """Passphrase to encrypt with: at least 8 characters."""
    context: str = ""
    """Context name of version 3, where the agent wants one."""

    def __post_init__(self) -> None:
        for name in ("auth", "priv"):
            msgspec.structs.force_setattr(self, name, _canonical(getattr(self, name)))
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
            if key is not None and len(key.reveal()) < MIN_KEY_CHARACTERS:
                raise ValueError(f"{name} has fewer than {MIN_KEY_CHARACTERS} characters")


def _canonical(spelled: str | None) -> str | None:
    """Return the name of an auth or priv protocol that everything else knows it by."""
    return None if spelled is None else _SHORT_FOR.get(spelled, spelled.replace("-", ""))


INSISTING_SECONDS = 0.6
"""Seconds between two tries of a device that did not answer the poll before; an answer to any of them
counts."""


def insisting(settings: SnmpSettings) -> SnmpSettings:
    """Return settings with which a device is asked more often in the same time.

    On a line that loses a fifth of all packets, both ways, a request and its answer come through in 64 of
    100 cases. With three tries in each of the three polls until its timeout, a device would be taken for
    offline some nine times a month: 0.36 ** 9 is one in ten thousand. Ten tries make it 0.36 ** 23.
    """
    patience = settings.timeout_seconds * (settings.retries + 1)
    tries = min(int(patience / INSISTING_SECONDS), MAX_RETRIES + 1)
    if tries <= settings.retries + 1:
        return settings
    return msgspec.structs.replace(settings, timeout_seconds=patience / tries, retries=tries - 1)


MEMORY = "snmp"
"""Key of device memory for what the last polls left, a `memory.SnmpMemory`."""
ENGINE_MEMORY = "snmp_engine"
"""Key of device memory for the agent's engine, a `wire.engines.EngineMemory`: a poll over v3 need not
discover it."""

SNMP = Protocol(
    name="snmp",
    settings=SnmpSettings,
    credential=SnmpCredential,
    port=lambda settings: settings.port,
    transport="udp",
    memory=(
        MemoryKey(name=MEMORY),
        MemoryKey(name=ENGINE_MEMORY),
    ),
    collector="netvitals.collectors.snmp.collector:SnmpCollector",
    insisting=insisting,
    command_line="netvitals.collectors.snmp.command_line:SNMP",
    loggers={"pysnmp": "WARNING"},
)
