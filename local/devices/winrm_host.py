"""A simulated Windows host on a loopback address: HTTP, TLS, the login, and what can go wrong with them."""

import base64
import functools
import hashlib
import os
import re
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self

import spnego
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from spnego.channel_bindings import GssChannelBindings

from local.devices.winrm_soap import Service

_BOUNDARY = b"--Encrypted Boundary"
_SEALED = "application/HTTP-SPNEGO-session-encrypted"
_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


@dataclass(kw_only=True)
class Behaviour:
    """Settings of the host: logins that it offers, and faults."""

    basic: bool = False
    ntlm: bool = True
    offers: str = ""
    """`WWW-Authenticate` of a 401, instead of what is taken."""
    require_cbt: bool = False
    """Only logins that are bound to this TLS connection."""
    allow_unencrypted: bool = False
    redirect_to: str = ""
    drop_after: int = 0
    """Close the connection after this many answers, once."""
    drops_every_time: bool = False
    drip_seconds: float = 0
    """Between single bytes of an answer."""
    silent_on: str = ""
    """Never answer this action, `Enumerate` or `Pull`."""
    mangle: Callable[[bytes], bytes] | None = None
    """Changes the envelope before it is sealed."""
    seals: bool = True
    gzip: bool = False


class WinrmHost(ThreadingHTTPServer):
    """`with WinrmHost(service, "127.1.0.1", users={…}) as host:` serves at `host.port`."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(
        self,
        service: Service,
        address: str = "127.0.0.1",
        port: int = 0,
        *,
        users: dict[str, str],
        tls: tuple[Path, Path] | None = None,
        client_ca: Path | None = None,
        behaviour: Behaviour | None = None,
    ) -> None:
        """`tls` is a certificate and its key; `client_ca` issues the client certificates that log in."""
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), _Connection)
        self.service = service
        self.users = users
        self.behaviour = behaviour or Behaviour()
        self.port: int = self.server_address[1]
        self.requests = self.connections = self.logins = self.refused = 0
        self.released = threading.Event()
        self.bindings: GssChannelBindings | None = None
        _accept(users)
        self.context = _context(tls, client_ca) if tls else None
        if tls and self.behaviour.require_cbt:
            self.bindings = _bindings(tls[0])

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's asks DNS for its own name as well

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that hang up."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Microsoft-HTTPAPI/2.0", ""
    disable_nagle_algorithm = True
    timeout = 60
    server: WinrmHost

    def setup(self) -> None:
        self.server.connections += 1
        self._context: spnego.ContextProxy | None = None
        self._logged_in = False
        self._answers = 0
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.server.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        behaviour = self.server.behaviour
        if behaviour.redirect_to:
            self._reply(307, headers={"Location": behaviour.redirect_to})
        elif self.path != "/wsman":
            self._reply(404)
        elif self._log_in():
            self._answer(body)

    # --- the login

    def _log_in(self) -> bool:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        behaviour = self.server.behaviour
        if scheme == _MUTUAL:
            self._logged_in = self._has_certificate()
        elif scheme == "Basic" and behaviour.basic:
            user, _, password = base64.b64decode(token).decode().partition(":")
            self._logged_in = self.server.users.get(user) == password
        elif scheme == "Negotiate" and behaviour.ntlm:
            return self._negotiate(base64.b64decode(token))
        if not self._logged_in:
            self.server.refused += scheme in {"Basic", _MUTUAL}
            self._challenge()
        return self._logged_in

    def _has_certificate(self) -> bool:
        return isinstance(self.request, ssl.SSLSocket) and bool(self.request.getpeercert())

    def _negotiate(self, token: bytes) -> bool:
        if self._context is None or self._context.complete:
            self._context = spnego.server(
                protocol="ntlm",
                channel_bindings=self.server.bindings,
                options=spnego.NegotiateOptions.use_ntlm,
            )
        try:
            challenge = self._context.step(token)
        except Exception:  # noqa: BLE001, whatever is wrong with it, it is no login
            self._context = None
            self.server.refused += 1
            self._challenge()
            return False
        if not self._context.complete:
            self._challenge(challenge)
            return False
        self._logged_in = True
        self.server.logins += 1
        return True

    def _challenge(self, token: bytes | None = None) -> None:
        behaviour = self.server.behaviour
        offers = []
        if behaviour.ntlm:
            offers.append(f"Negotiate {base64.b64encode(token).decode()}" if token else "Negotiate")
        if behaviour.basic and not token:
            offers.append('Basic realm="WSMAN"')
        if behaviour.offers and not token:
            offers = [behaviour.offers]
        self._reply(401, headers={"WWW-Authenticate": ", ".join(offers)})

    # --- messages

    def _answer(self, body: bytes) -> None:
        behaviour, sealed = self.server.behaviour, b""
        if not body:
            self._reply(200)
            return
        if "multipart/encrypted" in self.headers.get("Content-Type", ""):
            try:
                message = self._unseal(body)
            except Exception:  # noqa: BLE001, sealed with the keys of another connection
                self._reply(400)
                return
            sealed = _SEALED.encode()
        elif self.server.context is None and not behaviour.allow_unencrypted:
            self._reply(500)  # AllowUnencrypted=false
            return
        else:
            message = body
        if behaviour.silent_on and f"/{behaviour.silent_on}<".encode() in message:
            self.server.released.wait()
            self.close_connection = True
            return
        status, envelope = self.server.service.answer(message)
        if behaviour.mangle is not None:
            envelope = behaviour.mangle(envelope)
        self._send(status, envelope, seal=bool(sealed) and behaviour.seals)

    def _send(self, status: int, envelope: bytes, *, seal: bool) -> None:
        behaviour = self.server.behaviour
        headers = {"Content-Type": "application/soap+xml;charset=UTF-8"}
        if seal:
            headers["Content-Type"] = (
                f'multipart/encrypted;protocol="{_SEALED}";boundary="Encrypted Boundary"'
            )
            envelope = self._seal(envelope)
        if behaviour.gzip:
            headers["Content-Encoding"] = "gzip"
        self._reply(status, envelope, headers)
        self._answers += 1
        if behaviour.drop_after and self._answers >= behaviour.drop_after:
            behaviour.drop_after = behaviour.drop_after if behaviour.drops_every_time else 0
            self.close_connection = True

    def _unseal(self, body: bytes) -> bytes:
        assert self._context is not None  # noqa: S101, or it is not understood
        _, head, payload = body.split(_BOUNDARY + b"\r\n", 2)
        blob = payload.split(b"octet-stream\r\n", 1)[1].removesuffix(_BOUNDARY + b"--\r\n")
        message = self._context.unwrap(blob[4:]).data
        announced = re.search(rb"Length=(\d+)", head)
        if announced is None or len(message) != int(announced[1]):
            raise ValueError("not the length that it says")
        return message

    def _seal(self, envelope: bytes) -> bytes:
        assert self._context is not None  # noqa: S101, it has unsealed the question
        sealed = self._context.wrap_winrm(envelope)
        length = len(envelope) + sealed.padding_length
        return (
            _BOUNDARY + b"\r\n\tContent-Type: " + _SEALED.encode() + b"\r\n\tOriginalContent: "
            b"type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % length
            + _BOUNDARY + b"\r\n\tContent-Type: application/octet-stream\r\n"
            + struct.pack("<i", len(sealed.header)) + sealed.header + sealed.data
            + _BOUNDARY + b"--\r\n"
        )  # fmt: skip

    def _reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not self.server.behaviour.drip_seconds or not body:
            self.wfile.write(body)
            return
        for byte in body:
            self.wfile.write(bytes([byte]))
            time.sleep(self.server.behaviour.drip_seconds)


def _context(tls: tuple[Path, Path], client_ca: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(client_ca)
    return context


def _bindings(certificate: Path) -> GssChannelBindings:
    """Return the channel bindings that tie a login to this server (RFC 5929, 4)."""
    der = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(Encoding.DER)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(der).digest())


_accounts: dict[str, str] = {}


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Make the folder of the accounts file, which goes with the process."""
    return tempfile.TemporaryDirectory(prefix="netvitals-accounts-")


def _accept(users: dict[str, str]) -> None:
    """NTLM's acceptor reads its accounts from a file that the environment names, one for the process."""
    _accounts.update(users)
    path = Path(_folder().name, "users")
    path.write_text("".join(f"{domain}:{name}:{password}\n" for domain, name, password in _parted()))
    os.environ["NTLM_USER_FILE"] = str(path)


def _parted() -> list[tuple[str, str, str]]:
    parted = [(*user.rpartition("\\")[::2], password) for user, password in _accounts.items()]
    return parted + [("WORKSTATION", name, password) for domain, name, password in parted if not domain]
