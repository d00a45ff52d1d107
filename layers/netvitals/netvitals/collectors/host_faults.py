"""What can be wrong with a host that is logged in to: each text says what, why, and the remedy."""

from netvitals.domain.polling.observation import Reason


class HostFault(Exception):
    """The poll of this device ends, for this reason."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class LoginRefused(HostFault):
    """The host has looked at the credential and does not accept it."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason.AUTH, text)
