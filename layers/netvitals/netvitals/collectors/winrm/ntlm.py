"""Begin NTLM without waiting for the 401: a login takes two requests instead of three."""

import base64
import logging
import re
from typing import Any

import requests
import spnego
from requests_ntlm import HttpNtlmAuth
from requests_ntlm.requests_ntlm import ShimSessionSecurity
from spnego.channel_bindings import GssChannelBindings

# At DEBUG it logs its tokens, against which passwords can be tried.
logging.getLogger("spnego").setLevel(logging.WARNING)
_CHALLENGE = re.compile(r"\bNegotiate ([A-Za-z0-9+/=]+)")
_UNAUTHORIZED = 401


class PromptNtlmAuth(HttpNtlmAuth):
    """Sends its first token, which holds no secret, with the first request ([MS-NTHT] 3.1); curl does so too.

    A connection that is lost later is left to requests_ntlm; `Session` starts a new session then.
    """

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared = super().__call__(request)
        if self.session_security is None:
            self._client = spnego.client(
                self.username,
                self.password,
                protocol="ntlm",
                options=spnego.NegotiateOptions.use_ntlm,
            )
            prepared.headers["Authorization"] = _header(self._client.step())
        return prepared

    def response_hook(self, r: requests.Response, **kwargs: Any) -> requests.Response:
        challenge = _CHALLENGE.search(r.headers.get("WWW-Authenticate", ""))
        if self.session_security is not None or r.status_code != _UNAUTHORIZED or challenge is None:
            return super().response_hook(r, **kwargs)
        bindings = self._bindings(r)
        _ = r.content  # so that the connection, which is what logs in, is used again
        r.raw.release_conn()
        request = r.request.copy()
        token = self._client.step(base64.b64decode(challenge[1]), channel_bindings=bindings)
        request.headers["Authorization"] = _header(token)
        answer: requests.Response = r.connection.send(request, **kwargs)
        answer.history.append(r)
        self.session_security = ShimSessionSecurity(self._client)
        return answer

    def _bindings(self, response: requests.Response) -> GssChannelBindings | None:
        """Return the channel binding of this TLS connection (RFC 5929, 4); None without TLS."""
        digest = self._get_server_cert(response)
        return GssChannelBindings(application_data=b"tls-server-end-point:" + digest) if digest else None


def _header(token: bytes | None) -> str:
    return f"Negotiate {base64.b64encode(token or b'').decode()}"
