"""Describe WinRM: settings, credential, port, memory."""

from typing import Literal

from netvitals.domain.polling.protocol import CredentialPart, MemoryKey, Protocol
from netvitals.domain.settings.secret import Secret
from netvitals.domain.settings.section import Port, Seconds, Section

TransportName = Literal["ntlm", "basic", "kerberos", "certificate"]
_PORT, _TLS_PORT = 5985, 5986


class WinrmSettings(Section, frozen=True):
    """Settings of WinRM, over which WMI is queried; no process is started on the device."""

    port: Port | None = None
    """TCP port of the listener. Unless set: 5986 with TLS, 5985 without."""
    tls: bool = True
    """True for HTTPS; without it, NTLM still encrypts all messages, and Basic is not used."""
    verify: bool = True
    """True checks the server's certificate against the credential's `ca` or fingerprint, or the system's
    roots."""
    operation_timeout_seconds: Seconds = 10.0
    """Time limit of one query."""
    powershell: Literal["never", "fallback", "always"] = "never"
    """Cases in which a script replaces WMI's queries: `never`, as a `fallback` where WMI gave nothing, or
    `always`."""


class WinrmCredential(CredentialPart, frozen=True):
    """A Windows account; `ca` and `certificate_sha256` say which server certificate is trusted."""

    user: str
    """Account that logs in: `user`, `DOMAIN\\user` or `user@realm`."""
    password: Secret | None = None
    """Password of the account; needed by every transport but `certificate`."""
    transport: TransportName = "ntlm"
    """Method of the login."""
    certificate: Secret | None = None
    """The account's certificate, in PEM; goes with `private_key`, for the transport `certificate`."""
    private_key: Secret | None = None
    """The certificate's key, in PEM."""
    ca: str | None = None
    """Certificates, in PEM, of the authorities that the server's is trusted by."""
    certificate_sha256: str | None = None
    """The SHA-256 fingerprint of the server's own certificate, in hexadecimal."""

    def __post_init__(self) -> None:
        if self.transport == "certificate":
            if self.certificate is None or self.private_key is None:
                raise ValueError("transport certificate needs certificate and private_key")
        elif self.password is None:
            raise ValueError(f"transport {self.transport} needs a password")


MEMORY = "winrm"
"""Key of device memory for what the last polls left, a `survey.WinrmMemory`."""

WINRM = Protocol(
    name="winrm",
    settings=WinrmSettings,
    credential=WinrmCredential,
    port=lambda settings: settings.port or (_TLS_PORT if settings.tls else _PORT),
    memory=(
        MemoryKey(name=MEMORY),
        MemoryKey(name="winrm_refused", vital=True),  # `collectors.refusals`
    ),
    collector="netvitals.collectors.winrm.collector:WinrmCollector",
    command_line="netvitals.collectors.winrm.command_line:WINRM",
    loggers={"winrm": "CRITICAL"},
)
