"""Limit paramiko's transport in what a server can make it do, before and after its key is checked."""

import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import paramiko
from paramiko.kex_curve25519 import KexCurve25519
from paramiko.kex_gex import KexGexSHA256
from paramiko.kex_group16 import KexGroup16SHA512
from paramiko.packet import Packetizer

from netvitals.collectors.ssh.faults import SshFault
from netvitals.domain.polling.observation import Reason
from netvitals.domain.text import printable

LONGEST_PACKET = 256 * 1024
"""Bytes of a packet; OpenSSH's own limit (PACKET_MAX_SIZE)."""
LONGEST_KEX_MESSAGE = 35_000
"""Bytes of a message in the key exchange: the most that an implementation must be able to take (RFC 4253,
6.1)."""
LONGEST_GREETING = 64 * 1024
"""Bytes of all lines up to the identification, of a device behind a jump host; others were read before."""
CPU_SECONDS = 1.0
"""Processor time that one connection's thread may use; a poll uses 0.005, one with 1 MB of output 0.05."""
MOST_GROUP_BITS = 4096
"""Bits of a group that the server chooses. One of 8,192 bits holds the interpreter's lock for a second."""
_EXPONENT_BITS = 512
"""Bits of an exponent: twice the strength of our strongest cipher, as in OpenSSH; paramiko uses up to the
group's."""
_EXT_INFO, _KEXINIT, _USERAUTH_INFO_REQUEST = 7, 20, 60
_KEX_MESSAGES = range(_KEXINIT, 50)
_SHORTEST_EXTENSION, _SHORTEST_PROMPT = 8, 5
"""Bytes of two empty strings, and of one with a boolean behind it."""
_OUTDATED = ("sha1", "cbc", "arcfour", "3des", "dss", "ssh-rsa", "md5", "blowfish", "cast128", "none")
"""Parts of algorithms' names that are no longer considered safe."""
_SETTINGS = {
    "key exchange": ("KexAlgorithms", "curve25519-sha256"),
    "host key": ("HostKeyAlgorithms", "rsa-sha2-512"),
    "cipher": ("Ciphers", "aes256-ctr"),
    "MAC": ("MACs", "hmac-sha2-256"),
}
"""Settings of OpenSSH with one value that we speak, by the name of the kind of algorithm."""

# Its threads log tracebacks of whatever a device does wrong, which is a result here and reported once.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class BoundedPacketizer(Packetizer):
    """Ends a connection that is too long in one packet, or that takes too much processor time.

    paramiko believes any length and any count in a message, and loops as often as a message says. It also
    starts a timer, a thread for each connection that outlives a failed one; `Session` sees to that itself.
    """

    _greeting_bytes = 0

    def start_handshake(self, timeout: float) -> None:
        pass

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:  # noqa: FBT001, FBT002, as paramiko calls it
        if n > LONGEST_PACKET:
            raise paramiko.SSHException(f"it announces a packet of {n} bytes")
        if time.thread_time() > CPU_SECONDS:
            raise paramiko.SSHException("it keeps this process busy")
        return super().read_all(n, check_rekey)

    def read_message(self) -> tuple[int, paramiko.Message]:
        kind, message = super().read_message()
        _check(kind, message)
        return kind, message

    def _read_timeout(self, timeout: float) -> bytes:
        data: bytes = super()._read_timeout(timeout)  # type: ignore[misc]  # the stubs leave it out
        self._greeting_bytes += len(data)
        if self._greeting_bytes > LONGEST_GREETING:
            raise paramiko.SSHException("its greeting does not end")
        return data


def _check(kind: int, message: paramiko.Message) -> None:
    """Raise SSHException for a message whose reading would cost more than the message is worth."""
    data = message.asbytes()
    if kind in _KEX_MESSAGES and len(data) > LONGEST_KEX_MESSAGE:
        raise paramiko.SSHException(f"a message of {len(data)} bytes in the key exchange")
    if kind == _EXT_INFO and paramiko.Message(data).get_int() > len(data) // _SHORTEST_EXTENSION:
        raise paramiko.SSHException("it announces more extensions than it sends")
    if kind == _USERAUTH_INFO_REQUEST:  # RFC 4256, 3.2: name, instruction, language tag, prompts
        text = paramiko.Message(data)
        for _ in range(3):
            text.get_string()
        if text.get_int() > len(data) // _SHORTEST_PROMPT:
            raise paramiko.SSHException("it announces more prompts than it sends")


class _Group16(KexGroup16SHA512):
    def _generate_x(self) -> None:
        self.x = _exponent()


class _GroupExchange(KexGexSHA256):
    max_bits: ClassVar[int] = MOST_GROUP_BITS

    def _generate_x(self) -> None:
        """Check the size of the server's group, and choose an exponent."""
        assert self.p is not None  # noqa: S101, it was sent
        if self.p.bit_length() > MOST_GROUP_BITS:
            raise paramiko.SSHException(
                f"it chooses a group of {self.p.bit_length()} bits, which is not used"
            )
        self.x = _exponent()


def _exponent() -> int:
    return secrets.randbits(_EXPONENT_BITS) | 1 << (_EXPONENT_BITS - 1)


class BoundedTransport(paramiko.Transport):
    """Remembers what the server has offered, as a client's transport."""

    _kex_info: ClassVar[Mapping[str, type]] = {
        **vars(paramiko.Transport)["_kex_info"],
        "curve25519-sha256": KexCurve25519,  # RFC 8731; paramiko has only the name that it had before
        _Group16.name: _Group16,
        _GroupExchange.name: _GroupExchange,
    }
    _preferred_kex: Sequence[str] = ("curve25519-sha256", *vars(paramiko.Transport)["_preferred_kex"])

    def __init__(self, sock: Any, window_bytes: int) -> None:
        super().__init__(sock, default_window_size=window_bytes, packetizer_class=BoundedPacketizer)
        self._offered: Mapping[str, Any] = {}

    def _really_parse_kex_init(
        self,
        m: paramiko.Message,
        ignore_first_byte: bool = False,  # noqa: FBT001, FBT002, as paramiko calls it
    ) -> Mapping[str, Any]:
        parsed: Mapping[str, Any] = super()._really_parse_kex_init(m, ignore_first_byte)  # type: ignore[misc]  # the stubs leave it out
        if not ignore_first_byte:
            self._offered = parsed
        return parsed

    def nothing_in_common(self, who: str) -> SshFault:
        """Name the server's list (RFC 4253, 7.1) that holds nothing that we speak, and the remedy."""
        options = self.get_security_options()
        for name, ours, theirs in (
            ("key exchange", options.kex, "kex_algo_list"),
            ("host key", options.key_types, "server_key_algo_list"),
            ("cipher", options.ciphers, "client_encrypt_algo_list"),
            ("cipher", options.ciphers, "server_encrypt_algo_list"),
            ("MAC", options.digests, "client_mac_algo_list"),
            ("MAC", options.digests, "server_mac_algo_list"),
        ):
            offered = [each for each in self._offered.get(theirs, ()) if not _is_marker(each)]
            if not set(ours) & set(offered):
                return _mismatch(who, name, offered)
        return SshFault(Reason.UNSUPPORTED, f"{who} and we have no algorithms in common: poll it by SNMP")


def _is_marker(name: str) -> bool:
    """Return whether it announces an extension and is no algorithm (RFC 8308, OpenSSH's PROTOCOL 1.10)."""
    return name.startswith(("ext-info-", "kex-strict-"))


def _mismatch(who: str, name: str, offered: Sequence[str]) -> SshFault:
    setting, ours = _SETTINGS[name]
    remedy = f"add one that we speak to its `{setting}`, such as {ours}"
    if all(any(part in each for part in _OUTDATED) for each in offered):
        remedy = "update its SSH server, for none of this is considered safe any more"
    listed = printable(", ".join(offered), 200) or "none"
    return SshFault(
        Reason.UNSUPPORTED,
        f"{who} and we have no {name} in common, it offers {listed}: {remedy}, or poll it by SNMP",
    )
