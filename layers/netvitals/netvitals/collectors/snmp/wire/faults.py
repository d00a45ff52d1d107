"""Classify what can go wrong between us and an SNMP agent."""

from netvitals.domain.errors import NetvitalsError
from netvitals.domain.polling.observation import Reason


class SnmpFault(NetvitalsError):
    """Raised where the device gave less than it was asked for; the text says why, and names no secret."""

    reason = Reason.PROTOCOL
    alive = True
    """True where the fault itself proves that the device answers."""


class NoAnswer(SnmpFault):
    """Raised where nothing came in time that is an answer."""

    reason = Reason.TIMEOUT
    alive = False


class Unreachable(NoAnswer):
    """Raised where this machine has no route to the device."""

    reason = Reason.UNREACHABLE


class AuthFault(SnmpFault):
    """Raised where the agent refused the user, the key, the security level, the context or the view."""

    reason = Reason.AUTH


class ProtocolFault(SnmpFault):
    """Raised where the agent answered what SNMP does not allow, or an error that leaves nothing to do."""


class Unsupported(SnmpFault):
    """Raised where the agent, or this engine, can't do what was asked."""

    reason = Reason.UNSUPPORTED


class TooMuch(SnmpFault):
    """Raised where the device has used up a limit of one poll: nothing more is asked."""

    reason = Reason.PROTOCOL


class Malformed(Exception):
    """Raised for a datagram that is no valid answer: it is dropped and counted, and the wait goes on."""


class Unproven(Malformed):
    """Raised for an unsigned report to a signed request: it counts where no genuine answer comes."""

    def __init__(self, text: str, fault: SnmpFault | None = None) -> None:
        """Take the fault that it is then; None where the request is worth another try."""
        super().__init__(text)
        self.fault = fault


class Resend(Exception):
    """Raised once the security layer has learnt what it needs: wrap the same PDU again and send it."""
