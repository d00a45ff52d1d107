"""Define the faults of a host that is polled over WinRM; each text names fault, cause and remedy."""

from netvitals.collectors.host_faults import HostFault, LoginRefused
from netvitals.domain.polling.observation import Reason

TLS_HINT = ": if it is a listener with TLS, set `winrm.tls` to true"


class WinrmFault(HostFault):
    """Raised to end the poll of a device over WinRM, with the reason."""


class Refused(WinrmFault, LoginRefused):
    """Raised where the server has checked the credential and refuses it."""


class Dropped(WinrmFault):
    """Raised where the connection is lost, and with it the keys that NTLM had agreed on."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason.PROTOCOL, text)


class QueryFault(WinrmFault):
    """Raised to end one query; others may still give rows."""


class NoSuchClass(QueryFault):
    """Raised where the host does not have the class or one of its properties, which is no fault."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason.UNSUPPORTED, text)
