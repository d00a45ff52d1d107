"""Define the faults of a host that is logged in to; each text names fault, cause and remedy."""

from netvitals.domain.polling.observation import Reason


class HostFault(Exception):
    """Raised to end the poll of a device, with the reason."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class LoginRefused(HostFault):
    """Raised where the host has checked the credential and refuses it."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason.AUTH, text)
