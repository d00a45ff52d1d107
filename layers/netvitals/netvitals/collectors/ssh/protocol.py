"""Describe SSH: settings, credential, port, memory."""

import msgspec

from netvitals.domain.polling.protocol import CredentialPart, MemoryKey, Protocol
from netvitals.domain.settings.interfaces import HostInterfaceNames
from netvitals.domain.settings.secret import Secret
from netvitals.domain.settings.section import Port, Seconds, Section

_PORT, _MAX_PORT = 22, 65_535


class SshSettings(Section, frozen=True):
    """Settings of SSH, over which one probe of POSIX shell is run; it leaves nothing behind."""

    port: Port = _PORT
    """TCP port of the server."""
    connect_timeout_seconds: Seconds = 5.0
    """Time limit of connecting, and of each of banner and authentication."""
    command_timeout_seconds: Seconds = 15.0
    """Time limit of the probe's output."""
    host_keys: tuple[str, ...] = ()
    """Pinned keys as `ssh-keyscan` prints them without the host: `ssh-ed25519 AAAA…`."""
    trust_on_first_use: bool = False
    """True accepts an unknown host key and keeps it; without it, and without `host_keys`, nothing is sent."""
    jump: str | None = None
    """Jump host that takes the same credential, as `host` or `host:port`."""
    jump_host_keys: tuple[str, ...] = ()
    """Pinned keys of the jump host, in the form of `host_keys`; it is never trusted on first use."""
    interfaces: HostInterfaceNames = HostInterfaceNames()

    def __post_init__(self) -> None:
        if self.jump is not None and not 1 <= host_and_port(self.jump)[1] <= _MAX_PORT:
            raise ValueError(f"jump: its port is not between 1 and {_MAX_PORT}")


def host_and_port(jump: str) -> tuple[str, int]:
    """Split `host`, `host:port`, `[2001:db8::1]:port`; an address with colons and no brackets has no port."""
    host, _, port = jump.rpartition(":")
    if host and port.isdecimal() and (":" not in host or host.endswith("]")):
        return host.strip("[]"), int(port)
    return jump.strip("[]"), _PORT


class SshCredential(CredentialPart, frozen=True):
    """A user with a password, a private key (PEM or OpenSSH text), or both."""

    user: str
    """User that logs in."""
    password: Secret | None = None
    """Password of the user; needed where there is no private key."""
    private_key: Secret | None = None
    """Private key of the user, in PEM or OpenSSH's format."""
    passphrase: Secret | None = None
    """Passphrase of the private key, where it is encrypted."""

    def __post_init__(self) -> None:
        if self.password is None and self.private_key is None:
            raise ValueError("ssh needs a password or a private_key")


MEMORY = "ssh"
"""Key of device memory for what the last polls left, a `memory.SshMemory`."""
HOST_KEYS = "ssh_host_keys"
"""Key of device memory for the host key that was trusted on first use: a list of one line, as `host_keys`
takes it."""

SSH = Protocol(
    name="ssh",
    settings=SshSettings,
    credential=SshCredential,
    port=lambda settings: settings.port,
    memory=(
        MemoryKey(name=MEMORY),
        MemoryKey(name=HOST_KEYS, vital=True, write_once=True),
        MemoryKey(name="ssh_refused", vital=True),  # `collectors.refusals`
    ),
    # A key that was trusted before may only be out of reach.
    without_memory=lambda settings: msgspec.structs.replace(settings, trust_on_first_use=False),
    collector="netvitals.collectors.ssh.collector:SshCollector",
    command_line="netvitals.collectors.ssh.command_line:SSH",
    # It logs what hostile servers send, with tracebacks; their faults are results here.
    loggers={"paramiko": "CRITICAL"},
)
