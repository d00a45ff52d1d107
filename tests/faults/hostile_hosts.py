"""Hosts that attack over SNMP, SSH and WinRM, each in one way; and 96 switches and four hosts that behave.

Run as `python tests/faults/hostile_hosts.py snmp`, `… ssh`, `… winrm`, or `… neighbours`, with `tests` and
the project on PYTHONPATH: prints where they listen as one line of JSON, and serves until its standard input
ends. They have processes of their own, so that their processor time and memory are not those of the poll
that is measured.
"""

import json
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from itertools import count
from typing import Any

import paramiko

from fixtures.ssh_device import LINUX
from fixtures.windows import windows
from local.devices import snmp_hostile, ssh_server
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import interfaces, system
from local.devices.snmp_host import AgentThread
from local.devices.ssh_server import HOST, Exec, Raw, SshServer, answering, kexinit, printing
from local.devices.winrm_host import Behaviour, WinrmHost
from local.devices.winrm_soap import Service

USER, PASSWORD = "monitor", "s3cret-password"
MEGABYTE = 1024 * 1024
_NAMESPACE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"

type Endpoint = tuple[str, int]
type Serving = AbstractContextManager[list[Endpoint]]
"""Hosts of one kind that listen there: one, but for those that attack together."""


@contextmanager
def ssh(run: Exec | None = None, raw: Raw | None = None, **changes: object) -> Iterator[list[Endpoint]]:
    with SshServer(run, raw) as server:
        for name, value in changes.items():
            setattr(server, name, value)
        yield [(HOST, server.port)]


class Repeating(Service):
    """Has the same answer to every question."""

    def __init__(self, text: bytes) -> None:
        super().__init__(windows())
        self._answer = (200, text)

    def answer(self, _: bytes) -> tuple[int, bytes]:
        return self._answer


@contextmanager
def winrm(service: Service | None = None, **behaviour: Any) -> Iterator[list[Endpoint]]:
    """A host that logs in as Windows does, and then answers like this."""
    chosen, users = service or Service(windows()), {USER: PASSWORD}
    with WinrmHost(chosen, users=users, behaviour=Behaviour(**behaviour)) as host:
        yield [(HOST, host.port)]


def http(*parts: bytes, forever: bytes = b"", pause: float = 0) -> Serving:
    """A host that sends this when it is asked something, and `forever` again and again."""
    return ssh(raw=ssh_server.sending(*parts, forever=forever, pause=pause, once_asked=True))


# --- SNMP

CHASSIS_PORTS = 2000
_SUBNETS = count(10)


@contextmanager
def snmp(make: Callable[[], Agent], devices: int = 1) -> Iterator[list[Endpoint]]:
    subnet = next(_SUBNETS)
    with AgentThread({f"127.0.{subnet}.{number}": make() for number in range(1, devices + 1)}) as host:
        yield [(address, host.port) for address in host.agents]


SNMP: Mapping[str, Callable[[], Serving]] = {
    "chassis": lambda: snmp(lambda: Agent({**system("chassis"), **interfaces(CHASSIS_PORTS)})),
    **{
        f"ten-{kind}": partial(snmp, partial(snmp_hostile.Hostile, kind), devices=10)
        for kind in ("table", "longindex", "fat")
    },
    **{kind: partial(snmp, partial(snmp_hostile.Hostile, kind)) for kind in snmp_hostile.KINDS},
}
"""A chassis means no harm, but has much to say."""


# --- SSH


def mpint(number: int) -> bytes:
    data = number.to_bytes(number.bit_length() // 8 + 1)
    return struct.pack(">I", len(data)) + data


def sections(unit: str, *names: str) -> Exec:
    """A probe's answer in which these sections hold a megabyte of this in all."""
    body = unit * ((MEGABYTE // len(names) - 100) // len(unit))
    return answering("\n".join(["@begin Linux", *(f"@{name}\n{body}" for name in names), "@end"]))


def keys_without_end(channel: paramiko.Channel) -> None:
    while True:
        channel.get_transport().renegotiate_keys()


def messages_without_end(payload: bytes) -> Exec:
    def run(channel: paramiko.Channel) -> None:
        transport = channel.get_transport()
        assert isinstance(transport, ssh_server.Transport)
        while True:
            transport.send(payload)

    return run


def many_names() -> Exec:
    """Five thousand interfaces with long names, which all count."""
    rows = (f"{'n' * 150}{number}: 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0" for number in range(5000))
    return answering("\n".join(["@begin Linux", "@network", *rows, "@end"]))


def dripping(channel: paramiko.Channel) -> None:
    for byte in count():
        channel.sendall(bytes([byte % 10 + 48]))
        time.sleep(0.001)


EXT_INFO, INFO_REQUEST, IGNORE, DEBUG = b"\x07", b"\x3c", b"\x02", b"\x04"
_STRING = struct.pack(">I", 0)


def instead_of(first: bytes, payload: bytes) -> Callable[[bytes], bytes]:
    return lambda message: payload if message.startswith(first) else message


SSH: Mapping[str, Callable[[], Serving]] = {
    "silence": lambda: ssh(raw=ssh_server.silent),
    "endless-greeting": lambda: ssh(raw=ssh_server.endless_greeting),
    "dripping-greeting": lambda: ssh(raw=ssh_server.dripping_greeting),
    "dripping-keys": lambda: ssh(raw=ssh_server.dripping_key_exchange),
    "huge-packet": lambda: ssh(raw=ssh_server.huge_packet),
    "garbage": lambda: ssh(raw=ssh_server.garbage),
    "gex": lambda: ssh(
        raw=ssh_server.sending_messages(
            kexinit("diffie-hellman-group-exchange-sha256"), b"\x1f" + mpint((1 << 8192) - 12345) + mpint(2)
        )
    ),
    "long-lists": lambda: ssh(raw=ssh_server.sending_messages(kexinit("," * 200_000))),
    "ignored-before-keys": lambda: ssh(
        raw=ssh_server.sending_messages(kexinit("curve25519-sha256"), *[IGNORE] * 200_000)
    ),
    "extensions": lambda: ssh(mangle=instead_of(EXT_INFO, EXT_INFO + b"\xff" * 4)),
    "prompts": lambda: ssh(
        accepts="keyboard-interactive",
        mangle=instead_of(INFO_REQUEST, INFO_REQUEST + _STRING * 3 + b"\xff" * 4),
    ),
    "empty-prompts": lambda: ssh(accepts="keyboard-interactive", rounds=[[]] * 10_000_000),
    "keys-without-end": lambda: ssh(run=keys_without_end),
    "ignored-without-end": lambda: ssh(run=messages_without_end(IGNORE)),
    "debug-without-end": lambda: ssh(
        run=messages_without_end(DEBUG + b"\0" + struct.pack(">I", 20000) + b"x" * 20000)
    ),
    "output-without-end": lambda: ssh(run=printing(b"x" * 30_000, forever=True)),
    "lines-without-end": lambda: ssh(run=printing(b"\n" * 30_000, forever=True)),
    "errors-without-end": lambda: ssh(run=printing(b"x" * 30_000, stderr=True, forever=True)),
    "dripping-output": lambda: ssh(run=dripping),
    "a-megabyte-of-lines": lambda: ssh(
        run=sections("x\n", "network", "interfaces", "temperature", "mounts", "df")
    ),
    "a-megabyte-of-disks": lambda: ssh(run=sections("/dev/a 1 1 1 1% /" + "/x" * 130 + "\n", "mounts", "df")),
    "a-megabyte-of-digits": lambda: ssh(run=sections("9", "uptime", "cpu", "memory", "df")),
    "many-names": lambda: ssh(run=many_names()),
}


# --- WinRM


def envelope(body: bytes) -> bytes:
    return (
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:n="%s"><s:Body>%s</s:Body>'
        b"</s:Envelope>" % (_NAMESPACE.encode(), body)
    )


def items(unit: bytes, size: int = MEGABYTE - 2000, *, ends: bool = True) -> bytes:
    end = b"<n:EndOfSequence/>" if ends else b"<n:EnumerationContext>more</n:EnumerationContext>"
    content = b"<n:PullResponse><n:Items>%s</n:Items>%s</n:PullResponse>" % (unit * (size // len(unit)), end)
    return envelope(content)


_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"
_ROW = b"<X><Name>eth</Name><DeviceID>C:</DeviceID><Size>9</Size><FreeSpace>1</FreeSpace></X>"
_WIDE_ROW = b"<X>" + b"".join(b"<p%d>v</p%d>" % (number, number) for number in range(300)) + b"</X>"
_FAULT = b"HTTP/1.1 500 x\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n"

WINRM: Mapping[str, Callable[[], Serving]] = {
    "silence": http,
    "elements": lambda: winrm(Repeating(items(b"<a/>"))),
    "depth": lambda: winrm(Repeating(envelope(b"<a>" * 300_000))),
    "attributes": lambda: winrm(
        Repeating(envelope(b"<a " + b" ".join(b"a%d=''" % number for number in range(80_000)) + b"/>"))
    ),
    "entities": lambda: winrm(
        Repeating(b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>' + envelope(b"&b;"))
    ),
    "one-long-text": lambda: winrm(Repeating(items(b"<X><Name>%s</Name></X>" % (b"n" * 900_000), 900_100))),
    "many-rows": lambda: winrm(Repeating(items(_ROW, 3900 * len(_ROW)))),
    "rows-without-end": lambda: winrm(Repeating(items(_ROW, 1500 * len(_ROW), ends=False))),
    "properties-without-end": lambda: winrm(Repeating(items(_WIDE_ROW, 60 * len(_WIDE_ROW), ends=False))),
    "fault": lambda: http(_FAULT % MEGABYTE, b"<a/>" * (MEGABYTE // 4)),
    "long-answer": lambda: winrm(mangle=lambda text: text + b" " * 8 * MEGABYTE),
    "chunks-without-end": lambda: http(
        _OK + b"Transfer-Encoding: chunked\r\n\r\n", forever=b"1\r\nx\r\n" * 5000
    ),
    "large-chunks-without-end": lambda: http(
        _OK + b"Transfer-Encoding: chunked\r\n\r\n", forever=b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    ),
    "headers": lambda: http(b"HTTP/1.1 200 OK\r\n", forever=b"X-%s: y\r\n" % (b"x" * 60_000)),
    "many-headers": lambda: http(b"HTTP/1.1 200 OK\r\n", forever=b"X: y\r\n" * 1000),
    "continue": lambda: http(forever=b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
    "dripping-answer": lambda: winrm(drip_seconds=0.005),
    "dripping-headers": lambda: http(_OK, forever=b"X: y\r\n", pause=0.02),
    "challenge": lambda: http(
        b"HTTP/1.1 401 x\r\nWWW-Authenticate: Negotiate %s\r\nContent-Length: 0\r\n\r\n" % (b"TlRM" * 15_000)
    ),
    "tls-dripping": lambda: http(b"\x16\x03\x03\x40\x00", forever=b"\x02", pause=0.002),
    "tls-garbage": lambda: http(forever=b"\x16\x03\x03\x40\x00" + b"\x02" * 0x4000),
    "length": lambda: http(_OK + b"Content-Length: 999999999999\r\n\r\n", forever=b"x" * 65536),
}

HOSTS: Mapping[str, Mapping[str, Callable[[], Serving]]] = {"snmp": SNMP, "ssh": SSH, "winrm": WINRM}


NEIGHBOURS: Mapping[str, Callable[[], Serving]] = {
    "snmp": lambda: snmp(lambda: Agent({**system("sw"), **interfaces(24)}), devices=96),
    **{f"ssh-{number}": lambda: ssh(run=answering(LINUX)) for number in range(2)},
    **{f"winrm-{number}": winrm for number in range(2)},
}
"""Who must not lose anything."""


@contextmanager
def served(hosts: Mapping[str, Callable[[], Serving]]) -> Iterator[dict[str, list[Endpoint]]]:
    """Serve one host of each kind: where it listens."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(serving()) for kind, serving in hosts.items()}


def main(which: str) -> None:
    with served(NEIGHBOURS if which == "neighbours" else HOSTS[which]) as endpoints:
        sys.stdout.write(f"{json.dumps(endpoints)}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
