"""Define the endpoint and credential of one WinRM poll."""

from typing import NamedTuple

from netvitals.collectors.winrm.protocol import WINRM, WinrmCredential, WinrmSettings
from netvitals.domain.inventory.guard import is_name
from netvitals.domain.ports import Target


class Access(NamedTuple):
    """Endpoint and credential of one WinRM poll."""

    host: str
    """Name in the server's certificate: the device's name where it has one, else its address."""
    port: int
    settings: WinrmSettings
    credential: WinrmCredential

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def access_of(target: Target[WinrmSettings, WinrmCredential]) -> Access:
    """Return where and as whom a target is polled."""
    job, settings = target.job, target.settings
    host = next((name for name in (job.address, job.hostname) if name and is_name(name)), target.address)
    return Access(host, WINRM.port(settings), settings, target.credential)
