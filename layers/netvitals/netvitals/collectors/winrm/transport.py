"""Guard pywinrm's transport: it dials only what was vetted, follows nothing, and reads no environment."""

import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests_ntlm import HttpNtlmAuth
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from winrm.protocol import Protocol
from winrm.transport import HAVE_KERBEROS, Transport

from netvitals.collectors.winrm.access import Access
from netvitals.collectors.winrm.connection import PlainSocket, TlsSocket, WinrmConnection
from netvitals.collectors.winrm.envelope import BadEnvelope, tree_of
from netvitals.collectors.winrm.faults import WinrmFault
from netvitals.collectors.winrm.ntlm import PromptNtlmAuth
from netvitals.collectors.winrm.protocol import WinrmCredential, WinrmSettings
from netvitals.collectors.winrm.tls import context_for, fingerprint
from netvitals.domain.polling.observation import Reason
from netvitals.domain.text import printable

# A device's malformed headers are reported once, as its fault; InfluxDB's client has other loggers.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
_CONNECT_SECONDS = 5.0
_SCHEMES = {"ntlm": "Negotiate", "kerberos": "Negotiate", "basic": "Basic"}
"""Schemes of `WWW-Authenticate` that logins need, by pywinrm's name for the method."""
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]{1,30})(?=\s|,|$)")
_READ_MARGIN_SECONDS = 2.0
"""Seconds beyond an operation's time limit, after which the server itself says that it took too long."""


def guarded_protocol(connection: WinrmConnection, access: Access) -> Protocol:
    """Return the protocol of pywinrm over this connection.

    Raises:
        WinrmFault: the credential can't be used like this.
    """
    _check_use(access.settings, access.credential)
    endpoint = f"{'https' if access.settings.tls else 'http'}://{access.authority}/wsman"
    seconds = max(1, round(access.settings.operation_timeout_seconds))
    protocol = Protocol(
        endpoint,
        username=access.credential.user,
        password="",
        operation_timeout_sec=seconds,
        read_timeout_sec=seconds + 1,
        proxy=None,
    )
    transport = _GuardedTransport(_adapter(connection, access), endpoint, access)
    transport.read_timeout_sec = (_CONNECT_SECONDS, seconds + _READ_MARGIN_SECONDS)
    protocol.transport = transport
    return protocol


def login_not_judged(protocol: Protocol) -> str | None:
    """Return, after a 401, what the host offers instead of our login; None where it has checked our login.

    A host that does not offer our way says 401 to everybody, and no account is locked by that.
    """
    assert isinstance(protocol.transport, _GuardedTransport)  # noqa: S101, as `guarded_protocol` made it
    return protocol.transport.not_judged()


def _check_use(settings: WinrmSettings, credential: WinrmCredential) -> None:
    if credential.transport in {"basic", "certificate"} and not settings.tls:
        raise WinrmFault(
            Reason.BAD_CREDENTIAL,
            f"transport {credential.transport} is only used with TLS: set `winrm.tls`, or use ntlm",
        )
    if credential.transport == "kerberos" and not HAVE_KERBEROS:
        raise WinrmFault(
            Reason.UNSUPPORTED,
            "Kerberos needs the library that `pip install pywinrm[kerberos]` brings, "
            "which is not installed: use transport ntlm",
        )


class _GuardedTransport(Transport):
    read_timeout_sec: Any
    """Seconds for requests, which takes a pair as well: for connecting, and for reading."""

    def __init__(self, adapter: "_Adapter", endpoint: str, access: Access) -> None:
        credential = access.credential
        own = credential.transport
        super().__init__(
            endpoint,
            username=credential.user,
            password=credential.password.reveal() if credential.password else "",
            # With a client certificate the adapter has it: pywinrm would want files.
            auth_method="basic" if own == "certificate" else own,
            service="HTTP",
            # Kerberos would go on in clear text where its library can't encrypt.
            message_encryption="auto" if access.settings.tls else "always",
            ca_trust_path="",  # nor would it read the environment's
            proxy=None,
            # The adapter sees to it; this keeps urllib3 from warning of it with each request.
            server_cert_validation="validate" if access.settings.verify else "ignore",
        )
        self._adapter = adapter
        self._by_certificate = own == "certificate"

    def build_session(self) -> requests.Session:
        if self.session is None:
            self._guard(super().build_session())
        assert self.session is not None  # noqa: S101, it was built
        return self.session

    def setup_encryption(self, session: requests.Session) -> None:
        self._guard(session)  # the first message goes out here, before `build_session` returns
        super().setup_encryption(session)

    def _guard(self, session: requests.Session) -> None:
        if not session.trust_env:  # done before
            return
        session.trust_env = False  # neither a proxy nor ~/.netrc
        session.headers["Accept-Encoding"] = "identity"
        if self.auth_method == "basic":  # requests would write a text in Latin-1, or fail to
            session.auth = HTTPBasicAuth(str(self.username).encode(), str(self.password).encode())
        if self.auth_method == "ntlm":
            session.auth = PromptNtlmAuth(self.username, self.password)
        if self._by_certificate:
            session.auth = None
            session.headers["Authorization"] = (
                "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
            )
        for scheme in ("http://", "https://"):
            session.mount(scheme, self._adapter)

    def not_judged(self) -> str | None:
        needed = _SCHEMES.get(self.auth_method)
        auth = self.session.auth if self.session is not None else None
        if needed is None or (isinstance(auth, HttpNtlmAuth) and auth.session_security is not None):
            return None
        offered = dict.fromkeys(_SCHEME.findall(self._adapter.challenge))
        # Without any scheme it is unknown what was checked: Basic has sent the password.
        if needed.lower() in map(str.lower, offered) or (not offered and self.auth_method == "basic"):
            return None
        return printable(", ".join(offered), 100) or "none"

    def _get_message_response_text(self, response: requests.Response) -> bytes:
        kind = response.headers.get("Content-Type", "")
        sealed = "multipart/encrypted" in kind
        if not response.ok and not sealed and "soap" not in kind:
            return b""  # a page of the web server's own, of which the status says everything
        if self.encryption and response.ok and not sealed:
            raise WinrmFault(Reason.PROTOCOL, "it answers in clear text to a message that was encrypted")
        text: bytes = super()._get_message_response_text(response)
        if b"\0" in text:
            raise WinrmFault(Reason.PROTOCOL, "its answer is not in UTF-8")
        with suppress(ValueError):  # a text that is no XML is reported by its reader
            _check(text)
        return text


def _check(text: bytes) -> None:
    """Refuse what pywinrm would make a tree of by itself, of whatever size and depth."""
    try:
        tree_of(text)
    except BadEnvelope as error:
        raise WinrmFault(Reason.PROTOCOL, str(error)) from None


def _adapter(connection: WinrmConnection, access: Access) -> "_Adapter":
    options: dict[str, Any] = {"maxsize": 1, "block": True, "retries": False, "connection": connection}
    if not access.settings.tls:
        return _Adapter(_PlainPool(access.host, access.port, **options))
    verify = access.settings.verify
    options["ssl_context"] = context_for(access.credential, verify=verify)
    options["assert_fingerprint"] = fingerprint(access.credential) if verify else None
    return _Adapter(_TlsPool(access.host, access.port, **options))


class _Adapter(HTTPAdapter):
    """Sends everything through one pool, whatever URL it is for."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        super().__init__(max_retries=0)
        self._pool = pool
        self.challenge = ""
        """`WWW-Authenticate` of the last 401."""

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Do nothing: the pool's context decides whom to trust, and requests would add its own roots."""

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        response = super().send(*arguments, **options)
        if response.status_code == requests.codes.unauthorized:
            self.challenge = response.headers.get("WWW-Authenticate", "")
        if response.is_redirect:
            raise WinrmFault(Reason.PROTOCOL, "it redirects elsewhere, which is never followed")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise WinrmFault(Reason.PROTOCOL, "it compresses its answer, which nobody asked for")
        return response

    def close(self) -> None:
        self._pool.close()
        super().close()


if TYPE_CHECKING:
    _Base = HTTPConnection
else:
    _Base = object


class _Dialled(_Base):
    """Takes its socket from the poll's `WinrmConnection`, as a connection of urllib3."""

    def __init__(self, *arguments: Any, connection: WinrmConnection, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._connection = connection
        self._held: bytearray | None = None

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send head and body in one write: apart they are two packets and two system calls."""
        self._held = bytearray()
        super().request(*arguments, **options)
        held, self._held = self._held, None
        super().send(held)
        if isinstance(self.sock, PlainSocket | TlsSocket):
            self.sock.begin()

    def send(self, data: Any) -> None:
        if self._held is None:
            super().send(data)
        else:
            self._held += data

    def _new_conn(self) -> Any:
        return self._connection.dial(
            self.timeout if isinstance(self.timeout, int | float) else _CONNECT_SECONDS
        )


class _PlainConnection(_Dialled, HTTPConnection):
    pass


class _TlsConnection(_Dialled, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
