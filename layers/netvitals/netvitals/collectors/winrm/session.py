"""Query a device under one login, on one thread; translate pywinrm's errors into ours."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
import urllib3
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from netvitals.collectors.winrm.access import Access
from netvitals.collectors.winrm.connection import Flood, WinrmConnection
from netvitals.collectors.winrm.faults import TLS_HINT, Dropped, NoSuchClass, QueryFault, Refused, WinrmFault
from netvitals.collectors.winrm.rows import WmiRow
from netvitals.collectors.winrm.transport import guarded_protocol, login_not_judged
from netvitals.collectors.winrm.wql import rows_of
from netvitals.domain.polling.observation import Reason
from netvitals.domain.text import first_line

_INVALID_RESOURCE = 0x8033801A
"""Code ERROR_WSMAN_INVALID_RESOURCE_URI, of hosts that add no error of WMI's own."""
_UNKNOWN = {0x80041010, 0x8004100E, 0x80041017}
"""Codes WBEM_E_INVALID_CLASS, _INVALID_NAMESPACE, and _INVALID_QUERY: an older class without a property."""
_DENIED = {5, 0x80070005, 0x80041003}
"""Codes ERROR_ACCESS_DENIED, E_ACCESSDENIED, WBEM_E_ACCESS_DENIED."""
_AFTER_LOGIN = (QueryFault, WSManFaultError, WinRMOperationTimeoutError)
"""Errors of a host that has accepted the login."""
_BAD_REQUEST, _SERVER_ERROR, _UNAVAILABLE = 400, 500, 503


class Session:
    """Logs in with the first message, and once more where the connection is lost after that."""

    def __init__(self, connection: WinrmConnection, access: Access) -> None:
        self.logged_in = False
        """True after the device has accepted the credential."""
        self._connection = connection
        self._access = access
        self._protocol = guarded_protocol(self._connection, self._access)
        self._may_return = True

    def close(self) -> None:
        with suppress(Exception):  # whatever its state: closing the connection ends it
            self._protocol.transport.close_session()

    def rows(self, query: str) -> list[WmiRow]:
        """Return the rows of a WQL query.

        Raises:
            QueryFault: this query gives nothing.
            WinrmFault: nor would another.
        """
        try:
            with self.translated():
                return rows_of(self._protocol, query)
        except Dropped:
            # What was sealed with the old connection's keys is no use on a new one, and pywinrm sends just
            # that. A login that was never accepted is not tried twice: it would count towards a lockout.
            if not self.logged_in or not self._may_return:
                raise
        self._may_return = False
        self.close()
        self._protocol = guarded_protocol(self._connection, self._access)
        with self.translated():
            return rows_of(self._protocol, query)

    @contextmanager
    def translated(self) -> Iterator[Protocol]:
        """Return the protocol, for a conversation without a second try.

        Raises:
            WinrmFault: instead of what pywinrm raises.
        """
        try:
            yield self._protocol
        except Exception as error:  # noqa: BLE001, pywinrm passes on whatever a malformed answer did to it
            fault = self._fault_of(error)
            self.logged_in |= isinstance(error, _AFTER_LOGIN)
            raise fault from None
        self.logged_in = True

    def _fault_of(self, error: Exception) -> WinrmFault:
        if self._connection.aborted:
            return WinrmFault(Reason.TIMEOUT, "it took longer than the device's time limit")
        match error:
            case WinrmFault():
                return error
            case InvalidCredentialsError():
                return self._refusal()
            case WinRMTransportError():
                return self._of_http(error.code)
            case requests.RequestException():
                return self._of_requests(error)
        return _of_protocol(error, self._access.credential.user)

    def _refusal(self) -> WinrmFault:
        if self.logged_in and self._may_return:
            return Dropped("the connection was replaced, and the new one wants a login")
        offered = login_not_judged(self._protocol)
        if offered is not None:
            return WinrmFault(Reason.AUTH, _not_offered(self._access.credential.transport, offered))
        return Refused(
            f"the host refuses the login of {self._access.credential.user!r}: correct the credential, "
            "or allow its transport on the host's WinRM service"
        )

    def _of_http(self, code: int) -> WinrmFault:
        if self.logged_in and code == _BAD_REQUEST:
            return Dropped("the host does not understand what was sealed for a connection that is gone")
        if code == _UNAVAILABLE:
            return WinrmFault(
                Reason.PROTOCOL,
                "HTTP status 503: the host's WinRM service does not run (`winrm quickconfig`)",
            )
        if code == _SERVER_ERROR:
            return WinrmFault(
                Reason.PROTOCOL,
                "HTTP status 500 without a reason: the host wants encryption, use ntlm or TLS",
            )
        return WinrmFault(Reason.PROTOCOL, f"HTTP status {code}: what listens there is no WinRM service")

    def _of_requests(self, error: Exception) -> WinrmFault:
        cause = _root(error)
        if isinstance(error, requests.exceptions.SSLError):
            return _of_tls(first_line(str(cause), 200))
        if isinstance(cause, (TimeoutError, urllib3.exceptions.TimeoutError)):
            return WinrmFault(Reason.TIMEOUT, "it stopped answering")
        if isinstance(cause, Flood):
            return WinrmFault(Reason.PROTOCOL, str(cause))
        hint = "" if self.logged_in or self._access.settings.tls else TLS_HINT
        return Dropped(f"the connection broke ({first_line(str(cause))}){hint}")


def _not_offered(transport: str, offered: str) -> str:
    needed = "Basic" if transport == "basic" else "Negotiate"
    return (
        f"the host offers no {needed} login, which transport {transport} needs, only {offered}: set "
        f"WSMan:\\localhost\\Service\\Auth\\{needed} to true there, or choose another transport"
    )


def _of_protocol(error: Exception, user: str) -> WinrmFault:
    if isinstance(error, WinRMOperationTimeoutError):
        return QueryFault(Reason.TIMEOUT, "the host did not finish in `winrm.operation_timeout_seconds`")
    if isinstance(error, WSManFaultError):
        return _of_wsman(error, user)
    # Only the kind of other errors is reported: their texts may quote anything.
    said = first_line(
        f"{type(error).__name__}: {error}" if isinstance(error, WinRMError) else type(error).__name__
    )
    return WinrmFault(Reason.PROTOCOL, f"its answer makes no sense ({said})")


def _of_wsman(fault: Any, user: str) -> WinrmFault:
    codes = {fault.wmierror_code, fault.wsman_fault_code}
    subcode = str(fault.fault_subcode).rpartition(":")[2]
    said = first_line(fault.reason or "")
    if codes & _DENIED or subcode == "AccessDenied":
        return QueryFault(
            Reason.AUTH,
            f"{user!r} may log in but not read WMI: put it into Remote Management Users and "
            "Performance Monitor Users, and give it Remote Enable on root/cimv2",
        )
    if codes & _UNKNOWN or (fault.wmierror_code is None and fault.wsman_fault_code == _INVALID_RESOURCE):
        return NoSuchClass(said)
    if subcode == "QuotaLimit":
        return WinrmFault(
            Reason.PROTOCOL, f"a quota of the host's WinRM service is used up, others ask it as well ({said})"
        )
    return QueryFault(Reason.PROTOCOL, f"the host says: {said}")


def _of_tls(cause: str) -> WinrmFault:
    if "CERTIFICATE_VERIFY_FAILED" in cause or "ingerprint" in cause:
        return WinrmFault(
            Reason.HOST_KEY,
            f"its certificate is not trusted ({cause}): give the credential its `ca` "
            "or `certificate_sha256`; nothing was sent",
        )
    return WinrmFault(
        Reason.PROTOCOL,
        f"no TLS there ({cause}): make an HTTPS listener with TLS 1.2, or set `winrm.tls` to false",
    )


def _root(error: BaseException) -> BaseException:
    """Return the exception that the libraries have wrapped."""
    inner = getattr(error, "reason", None) or next(
        (each for each in error.args if isinstance(each, BaseException)), None
    )
    return _root(inner) if isinstance(inner, BaseException) and inner is not error else error
