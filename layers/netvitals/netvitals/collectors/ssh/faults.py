"""What can be wrong with a host that is asked over SSH: each text says what, why, and the remedy."""

from netvitals.collectors.host_faults import HostFault
from netvitals.domain.polling.observation import Reason


class SshFault(HostFault):
    """The poll of this device ends, for this reason."""


class Refused(SshFault):
    """The server has looked at the credential and does not take it."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason.AUTH, text)
