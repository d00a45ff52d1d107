"""What can be wrong with a host that is polled over WinRM: each text says what, why, and the remedy."""

from netvitals.collectors.host_faults import HostFault, LoginRefused
from netvitals.domain.polling.observation import Reason

TLS_HINT = ": if it is a listener with TLS, set `winrm.tls` to true"


class WinrmFault(HostFault):
    """The poll of this device ends, for this reason."""


class Refused(WinrmFault, LoginRefused):
    """The server has looked at the credential and does not accept it."""


class Dropped(WinrmFault):
    """The connection is gone, and with it the keys that NTLM had agreed on."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason.PROTOCOL, text)


class QueryFault(WinrmFault):
    """This query gives nothing; others may."""


class NoSuchClass(QueryFault):
    """The host does not know the class or one of its properties: it is not able to tell, and not at fault."""

    def __init__(self, text: str) -> None:
        super().__init__(Reason.UNSUPPORTED, text)
