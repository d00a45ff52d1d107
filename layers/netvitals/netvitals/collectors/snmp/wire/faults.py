"""Classify what can go wrong between us and an SNMP agent."""

from netvitals.domain.errors import NetvitalsError
from netvitals.domain.polling.observation import Reason


class SnmpFault(NetvitalsError):
    """The device gave less than it was asked for; the text says what and why, and names no secret."""

    reason = Reason.PROTOCOL
    alive = True
    """Whether the fault itself proves that the device answers."""


class NoAnswer(SnmpFault):
    """Nothing that we may take for an answer came in time."""

    reason = Reason.TIMEOUT
    alive = False


class Unreachable(NoAnswer):
    """This machine knows no way to the device."""

    reason = Reason.UNREACHABLE


class AuthFault(SnmpFault):
    """The agent refused the user, the key, the security level, the context or the view."""

    reason = Reason.AUTH


class ProtocolFault(SnmpFault):
    """The agent answered what SNMP does not allow, or an error that leaves nothing to do."""


class Unsupported(SnmpFault):
    """The agent, or this engine, can't do what was asked."""

    reason = Reason.UNSUPPORTED


class TooMuch(SnmpFault):
    """The device has cost what one poll may: nothing more is asked."""

    reason = Reason.PROTOCOL


class Malformed(Exception):
    """A datagram that is no valid answer: dropped and counted, and the wait goes on."""


class Unproven(Malformed):
    """A report that nobody has signed, to a request that was: it counts where no genuine answer comes."""

    def __init__(self, text: str, fault: SnmpFault | None = None) -> None:
        """Take the fault that it is then; None where the request is worth another try."""
        super().__init__(text)
        self.fault = fault


class Resend(Exception):
    """The security layer has learnt what it needs from the answer: wrap the same PDU again and send it."""
