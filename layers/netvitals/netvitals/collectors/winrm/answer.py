"""Find out whether an HTTP server answers, without a login: all of a status poll.

No secret is sent, so that it does not matter yet who answers: the certificate is checked when logging in.
"""

import asyncio
import functools
import re
import ssl

from netvitals.collectors.winrm.access import Access
from netvitals.collectors.winrm.connection import PlainSocket
from netvitals.collectors.winrm.faults import TLS_HINT, WinrmFault
from netvitals.collectors.winrm.tls import CIPHERS
from netvitals.domain.polling.observation import Reason
from netvitals.domain.text import first_line

_MOST_BYTES = 4096
_TLS_ALERT = b"\x15\x03"
"""Beginning of a TLS server's answer to a request without TLS (RFC 8446, 5.1)."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: |\r|$)")


async def http_status(sock: PlainSocket, access: Access) -> int | None:
    """Send an empty request and return the status of the answer, 401 as a rule; close the socket.

    None is a server that answers, and speaks TLS 1.3 only.

    Raises:
        WinrmFault: no HTTP answer came.
    """
    seconds = access.settings.operation_timeout_seconds
    try:
        async with asyncio.timeout(seconds):
            return await _asked(sock, access)
    except TimeoutError:
        raise WinrmFault(
            Reason.TIMEOUT, f"it accepts the connection but answers no HTTP request within {seconds:g} s"
        ) from None
    except ssl.SSLError as error:
        if error.reason == "TLSV1_ALERT_PROTOCOL_VERSION":
            return None
        raise WinrmFault(
            Reason.PROTOCOL,
            f"no TLS there ({first_line(error.reason or str(error))}): "
            "make an HTTPS listener, or set `winrm.tls` to false",
        ) from None
    except OSError as error:
        hint = "" if access.settings.tls else TLS_HINT
        raise WinrmFault(Reason.PROTOCOL, f"the connection broke before any answer ({error}){hint}") from None
    finally:
        sock.close()


async def _asked(sock: PlainSocket, access: Access) -> int:
    context = anonymous_context() if access.settings.tls else None
    reader, writer = await asyncio.open_connection(
        sock=sock, ssl=context, server_hostname=access.host if context else None, limit=_MOST_BYTES
    )
    try:
        writer.write(
            f"POST /wsman HTTP/1.1\r\nHost: {access.authority}\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        line = b""
        while b"\n" not in line and len(line) < _MOST_BYTES:
            data = await reader.read(_MOST_BYTES)
            if not data:
                break
            line += data
    finally:
        writer.transport.abort()
    status = _STATUS.match(line)
    if status is None and not context and (not line or line.startswith(_TLS_ALERT)):
        raise WinrmFault(Reason.PROTOCOL, f"it answers no HTTP request{TLS_HINT}")
    if status is None:
        raise WinrmFault(
            Reason.PROTOCOL, f"what listens there is no HTTP server, it says {first_line(line)!r}"
        )
    return int(status[1])


@functools.cache
def anonymous_context() -> ssl.SSLContext:
    """Return a context that trusts any server, and limits a handshake to the cost of elliptic curves.

    It runs on the event loop. TLS 1.3 has groups of 8,192 bits (RFC 7919), which take 0.1 s, and Python can't
    leave them out.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    return context
