"""Explain an engine's reports (RFC 3412, 7.2; RFC 3414, 5; RFC 3413, 4.1.2)."""

from typing import NamedTuple

from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.collectors.snmp.wire.decode import decode_oid, decode_pdu
from netvitals.collectors.snmp.wire.faults import AuthFault, Malformed, ProtocolFault, SnmpFault, Unsupported


class Report(NamedTuple):
    """A kind of report, and the fault of a poll that gets it."""

    name: str
    fault: type[SnmpFault]
    text: str
    """Text of the fault, with `{user}`, `{auth}`, `{priv}`, `{level}` and `{context}` of the credential;
    never a key."""


_USM_STATS = "1.3.6.1.6.3.15.1.1"
_TARGETS = "1.3.6.1.6.3.12.1"
_MPD_STATS = "1.3.6.1.6.3.11.2.1"
NOT_IN_TIME_WINDOW = f"{_USM_STATS}.2"
UNKNOWN_ENGINE = f"{_USM_STATS}.4"
DECRYPTION_ERROR = f"{_USM_STATS}.6"

REPORTS = {
    f"{_USM_STATS}.1": Report(
        "usmStatsUnsupportedSecLevels",
        AuthFault,
        "unsupported level: the agent does not take {level} from user {user!r}; "
        "give the credential the auth and priv that the agent has for this user",
    ),
    NOT_IN_TIME_WINDOW: Report(
        "usmStatsNotInTimeWindows",
        ProtocolFault,
        "not in time window, even with the boots and time that the agent itself has just told; "
        "its engine boots counter may be worn out or its clock may jump: restart its SNMP agent",
    ),
    f"{_USM_STATS}.3": Report(
        "usmStatsUnknownUserNames",
        AuthFault,
        "unknown user: the agent knows no user {user!r}; create it there, or correct the credential's user",
    ),
    UNKNOWN_ENGINE: Report(
        "usmStatsUnknownEngineIDs",
        ProtocolFault,
        "unknown engine id: the agent refuses the engine id that it has itself told",
    ),
    f"{_USM_STATS}.5": Report(
        "usmStatsWrongDigests",
        AuthFault,
        "wrong digest: the agent has another auth_key, or another auth protocol than {auth}, "
        "for user {user!r}",
    ),
    DECRYPTION_ERROR: Report(
        "usmStatsDecryptionErrors",
        AuthFault,
        "decryption error: the agent has another priv_key, or another priv protocol than {priv}, "
        "for user {user!r}",
    ),
    f"{_TARGETS}.4": Report(
        "snmpUnavailableContexts", AuthFault, "unavailable context: the agent can't serve {context!r} now"
    ),
    f"{_TARGETS}.5": Report(
        "snmpUnknownContexts",
        AuthFault,
        "unknown context: the agent has no context {context!r}; correct the credential's context",
    ),
    f"{_MPD_STATS}.1": Report(
        "snmpUnknownSecurityModels", Unsupported, "the agent does not speak the user-based security model"
    ),
    f"{_MPD_STATS}.3": Report(
        "snmpUnknownPDUHandlers", ProtocolFault, "the agent has nobody who answers this kind of request"
    ),
}


def report_oid(contained: bytes) -> str:
    """Return the object that a report PDU counts, without its instance.

    Raises:
        Malformed: it is no report, or one without an object.
    """
    names = decode_pdu(contained).names
    if not names:
        raise Malformed("a report that says nothing")
    return decode_oid(names[0]).removesuffix(".0")


def fault_of_report(oid: str, credential: SnmpCredential, address: str) -> SnmpFault:
    """Return the fault of a poll that gets this report."""
    report = REPORTS.get(oid)
    if report is None:
        return ProtocolFault(f"{address}: answers with a report of {oid}, which netvitals does not know")
    level = "authPriv" if credential.priv else "authNoPriv" if credential.auth else "noAuthNoPriv"
    text = report.text.format(
        user=credential.user,
        auth=credential.auth,
        priv=credential.priv,
        context=credential.context,
        level=level,
    )
    return report.fault(f"{address}: {text} ({report.name})")
