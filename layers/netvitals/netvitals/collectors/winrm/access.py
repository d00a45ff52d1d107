"""Whom to ask as what, and as whom."""

from typing import NamedTuple

from netvitals.domain.inventory.guard import is_name
from netvitals.domain.ports import Target
from netvitals.domain.settings.credential import WinrmCredential
from netvitals.domain.settings.policy import WinrmSettings

_PORT, _TLS_PORT = 5985, 5986


class Access(NamedTuple):
    host: str
    """What the server's certificate must be for: the device's name where it has one, else its address."""
    port: int
    settings: WinrmSettings
    credential: WinrmCredential

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def access_of(target: Target, credential: WinrmCredential) -> Access:
    job, winrm = target.job, target.job.settings.winrm
    host = next((name for name in (job.address, job.hostname) if name and is_name(name)), target.address)
    return Access(host, winrm.port or (_TLS_PORT if winrm.tls else _PORT), winrm, credential)
