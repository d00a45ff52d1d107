"""Make TLS contexts, which say which server is trusted, and hold the client certificate."""

import functools
import ssl
import tempfile
from pathlib import Path

from netvitals.collectors.winrm.connection import TlsSocket
from netvitals.collectors.winrm.faults import WinrmFault
from netvitals.collectors.winrm.protocol import WinrmCredential
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.secret import Secret

CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
"""Ciphers of Python's own list without DHE, whose group the server chooses: one of 10,000 bits takes a
second."""
_SHA256_HEX_DIGITS = 64


def context_for(credential: WinrmCredential, *, verify: bool) -> ssl.SSLContext:
    """Return the context for connections with this credential.

    Raises:
        WinrmFault: the credential's CA, certificate or key can't be read.
    """
    trusts_pin_alone = credential.certificate_sha256 is not None and credential.ca is None
    own = credential.transport == "certificate"
    return _context(
        credential.ca if verify else None,
        verify and not trusts_pin_alone,
        fingerprint(credential) if verify else None,
        credential.certificate if own else None,
        credential.private_key if own else None,
    )


def fingerprint(credential: WinrmCredential) -> str | None:
    """Return the pinned SHA-256 of the server's certificate, as hexadecimal digits.

    Raises:
        WinrmFault: it is none.
    """
    if credential.certificate_sha256 is None:
        return None
    digits = credential.certificate_sha256.replace(":", "").replace(" ", "").lower()
    if len(digits) != _SHA256_HEX_DIGITS or set(digits) - set("0123456789abcdef"):
        raise _unusable("certificate_sha256 is no SHA-256 in hexadecimal digits")
    return digits


@functools.lru_cache(maxsize=64)  # reading the system's roots takes longer than a handshake
def _context(
    ca: str | None,
    verify: bool,  # noqa: FBT001, all of it is the cache's key
    pin: str | None,  # urllib3 changes a context that is used with a pin
    certificate: Secret | None,
    private_key: Secret | None,
) -> ssl.SSLContext:
    # Not `create_default_context`: its strictness refuses what New-SelfSignedCertificate makes.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = TlsSocket
    context.set_ciphers(CIPHERS)
    context.check_hostname = verify and pin is None
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    if verify and ca is None:
        context.load_default_certs()
    elif ca is not None:
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(cadata=ca)
        except (ssl.SSLError, ValueError):
            raise _unusable("ca is no certificate in PEM") from None
    if certificate is not None and private_key is not None:
        _load_own(context, certificate, private_key)
    return context


def _load_own(context: ssl.SSLContext, certificate: Secret, private_key: Secret) -> None:
    """Load the client certificate by way of a file that only we can read, as `ssl` reads nothing else."""
    with tempfile.TemporaryDirectory(prefix="netvitals-") as folder:
        path = Path(folder, "own.pem")
        path.touch(mode=0o600)
        path.write_text(f"{certificate.reveal()}\n{private_key.reveal()}\n")
        try:
            # A password that is no password, so that an encrypted key does not ask on the terminal.
            context.load_cert_chain(path, password="")
        except (ssl.SSLError, ValueError):
            raise _unusable("certificate and private_key are no pair in PEM, without a passphrase") from None


def _unusable(what: str) -> WinrmFault:
    return WinrmFault(Reason.BAD_CREDENTIAL, f"the credential's {what}: correct it in the credential map")
