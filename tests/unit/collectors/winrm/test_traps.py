"""What pywinrm does on its own, and what hosts do to it: each ended by us."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from fixtures.windows import PASSWORD, USER, Device, values, windows
from local.devices.winrm_host import Behaviour, WinrmHost
from local.devices.winrm_machine import TIMED_OUT
from local.devices.winrm_soap import Service
from netvitals.collectors.winrm import connection, wql
from netvitals.domain.polling.observation import Reading, Reason


@contextmanager
def windows_host(address: str = "127.0.0.1", **behaviour: object) -> Iterator[WinrmHost]:
    users = {USER: PASSWORD}
    with WinrmHost(
        Service(windows()),
        address,
        users=users,
        behaviour=Behaviour(**behaviour),  # type: ignore[arg-type]  # any field
    ) as host:
        yield host


@contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something that is no Windows host."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]


async def test_a_redirect_is_not_followed() -> None:
    with windows_host() as elsewhere, windows_host(basic=True) as host:
        host.behaviour.redirect_to = f"http://127.0.0.1:{elsewhere.port}/wsman"
        reading = await Device(host).poll()
        assert (reading.reason, elsewhere.connections) == (Reason.PROTOCOL, 0)
    assert "redirects" in reading.detail


async def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with windows_host() as proxy, windows_host() as host:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await Device(host).poll()).reason is Reason.OK
        assert proxy.connections == 0


async def test_only_the_vetted_address_is_dialled_whatever_the_name_resolves_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise AssertionError("a name was resolved that had been vetted before")

    with windows_host("127.3.2.1") as host:
        device = Device(host)
        device.hostname = "dc-1.example.net"
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert (await device.poll()).reason is Reason.OK


async def test_ipv6_is_dialled_and_written_in_brackets() -> None:
    with windows_host("::1") as host:
        device = Device(host)
        assert (await device.poll()).reason is Reason.OK
        assert (await device.poll("status")).reason is Reason.OK


@pytest.mark.parametrize("after", [1, 2, 3, 5])
async def test_a_connection_that_is_dropped_after_the_login_costs_one_more_login(after: int) -> None:
    with windows_host(drop_after=after) as host:
        reading = await Device(host).poll()
        assert reading.reason is Reason.OK
        assert host.connections in {2, 3}  # where pywinrm notices first, it tries by itself, and in vain
        assert len(values(reading)) == len(reading.points)


async def test_a_host_that_drops_every_connection_is_given_up() -> None:
    with windows_host(drop_after=2, drops_every_time=True) as host:
        reading = await Device(host).poll()
        assert host.connections <= 5
    assert reading.reason is Reason.PARTIAL
    assert "uptime_seconds" in {name for name, _ in values(reading)}


async def test_an_answer_that_drips_ends_with_the_devices_time() -> None:
    with windows_host(drip_seconds=0.01) as host:
        device = Device(host)
        device.seconds = 0.6
        async with asyncio.timeout(60):
            reading = await device.poll()
    assert (reading.reason, reading.alive) == (Reason.TIMEOUT, True)
    assert "time limit" in reading.detail


async def test_a_host_that_stops_answering_costs_what_it_has_not_said() -> None:
    with windows_host() as host:
        device = Device(host)
        await device.poll()
        host.behaviour.silent_on = "Pull"
        device.seconds = 0.6
        reading = await device.poll()
    assert reading.reason is Reason.PARTIAL
    assert {"uptime_seconds", "memory_percent", "cpu_percent"} <= {name for name, _ in values(reading)}


async def test_a_poll_that_nobody_waits_for_any_more_frees_its_thread() -> None:
    with windows_host(silent_on="Enumerate") as host:
        device = Device(host, operation_timeout_seconds=200)
        device.seconds = 300
        polls = [asyncio.create_task(device.poll()) for _ in range(8)]
        await asyncio.sleep(0.3)
        for poll in polls:
            poll.cancel()
        await asyncio.wait(polls, timeout=60)
        host.behaviour.silent_on = ""
        async with asyncio.timeout(60):
            assert (await device.poll()).reason is Reason.OK


async def test_an_operation_that_times_out_on_the_host_is_not_tried_for_ever() -> None:
    with windows_host() as host:
        service = host.service
        service.machine.tables = dict.fromkeys(service.machine.tables, TIMED_OUT)
        reading = await Device(host).poll()
        assert (reading.reason, len(service.queries)) == (Reason.TIMEOUT, 5)
    assert "operation_timeout_seconds" in reading.detail


async def test_an_enumeration_without_an_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wql, "MOST_PULLS", 5)
    with windows_host() as host:
        host.service.never_ends = True
        reading = await Device(host).poll()
        assert host.service.actions.count("Pull") <= 5 * 6
    assert "does not come to an end" in reading.detail


async def test_more_than_a_host_can_have_to_say_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.PlainSocket, "budget", 100_000)
    with windows_host(mangle=lambda envelope: envelope + b" " * 1_000_000) as host:
        reading = await Device(host).poll()
    assert (reading.reason, reading.detail) == (Reason.PROTOCOL, "it sends too much")


async def test_one_answer_of_more_than_a_megabyte_is_not_read() -> None:
    with windows_host(mangle=lambda envelope: envelope + b" " * connection.ANSWER_BYTES) as host:
        reading = await Device(host).poll()
    assert (reading.reason, reading.detail) == (Reason.PROTOCOL, "it sends too much")


def endless_header(sock: socket.socket) -> None:
    sock.recv(1000)
    with suppress(OSError):
        while True:
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


async def test_a_host_that_keeps_its_thread_busy_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CPU_SECONDS", 0.05)
    monkeypatch.setattr(connection, "ANSWER_BYTES", 2**40)
    monkeypatch.setattr(connection.PlainSocket, "budget", 2**40)

    with listener(endless_header) as port:
        reading = await poll_port(port)
    assert (reading.reason, reading.detail) == (Reason.PROTOCOL, "it keeps this process busy")


async def test_an_endless_header_is_not_read_either() -> None:
    with listener(endless_header) as port:
        reading = await poll_port(port)
    assert reading.reason is Reason.PROTOCOL


async def poll_port(port: int, kind: str = "metrics") -> Reading:
    with windows_host() as host:
        device = Device(host, port=port)
        device.seconds = 5
        return await device.poll(kind)


SPEAKS_TLS = "if it is a listener with TLS, set `winrm.tls` to true"


@pytest.mark.parametrize("kind", ["status", "metrics"])
@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", ""),
        (b"\x00" * 100, ""),
        (b"HTTP/1.1 999 \r\n\r\n", ""),
        (b"\x15\x03\x03\x00\x02\x02\x0a", SPEAKS_TLS),
        (b"", SPEAKS_TLS),
    ],
)
async def test_what_is_no_winrm_service_is_alive_and_told_as_what_it_is(
    said: bytes, told: str, kind: str
) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(said)
        sock.close()

    with listener(serve) as port:
        reading = await poll_port(port, kind)
    assert (reading.alive, reading.reason) == (True, Reason.PROTOCOL)
    assert told in reading.detail


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_an_http_server_that_is_no_winrm_service_is_alive(status: int) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n".encode())

    with listener(serve) as port:
        assert (await poll_port(port, "status")).reason is Reason.OK
        reading = await poll_port(port)
    assert (reading.alive, reading.reason) == (True, Reason.PROTOCOL)
    assert f"HTTP status {status}" in reading.detail


PAGE = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
    b"<HTML><HEAD><TITLE>Service Unavailable</TITLE></HEAD><BODY><p>HTTP Error</p></BODY></HTML>"
)


@pytest.mark.parametrize(
    ("status", "text"),
    [(503, "the host's WinRM service does not run"), (400, "HTTP status 400"), (404, "HTTP status 404")],
)
@pytest.mark.parametrize("head", [b"Content-Type: text/html; charset=us-ascii\r\n", b""])
async def test_a_page_of_the_web_servers_own_is_told_by_its_status(
    status: int, text: str, head: bytes
) -> None:
    """HTTP.sys, which WinRM listens through, says so where the service is stopped or the request is bad."""

    def serve(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 %d x\r\n%sContent-Length: %d\r\n\r\n%s" % (status, head, len(PAGE), PAGE))

    with listener(serve) as port:
        reading = await poll_port(port)
    assert (reading.alive, reading.reason) == (True, Reason.PROTOCOL)
    assert text in reading.detail


async def test_a_server_that_accepts_and_says_nothing_is_alive_and_times_out() -> None:
    with listener(lambda sock: time.sleep(len(sock.recv(99)))) as port, windows_host() as host:
        device = Device(host, port=port, operation_timeout_seconds=0.3)
        reading = await device.poll("status")
    assert (reading.alive, reading.reason) == (True, Reason.TIMEOUT)


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'

ATTRIBUTES = b"<a " + b" ".join(b"b%d=''" % number for number in range(20_000)) + b"/>"
EBCDIC_BOMB = b'<?xml version="1.0" encoding="cp037"?>' + BOMB.decode().encode("cp037")[21:]


@pytest.mark.parametrize(
    ("mangle", "said"),
    [
        pytest.param(lambda _: BOMB, "SOAP forbids", id="entities"),
        pytest.param(lambda _: BOMB.decode().encode("utf-16"), "not in UTF-8", id="entities in UTF-16"),
        pytest.param(lambda _: EBCDIC_BOMB, "not in UTF-8", id="entities in EBCDIC"),
        pytest.param(lambda _: b"<a>" + b"<a/>" * 200_000 + b"</a>", "more XML elements", id="elements"),
        pytest.param(lambda _: b"<a>" * 5000, "more XML elements", id="depth"),
        pytest.param(lambda _: ATTRIBUTES, "a tag without an end", id="attributes"),
        pytest.param(lambda _: b"<html/>", "none to a query", id="another document"),
        pytest.param(lambda envelope: envelope[:200], "no XML", id="half an answer"),
        pytest.param(
            lambda envelope: re.sub(rb">\d+<", b">NaN<", envelope),
            "nothing that can be used",
            id="no numbers",
        ),
    ],
)
async def test_an_answer_that_makes_no_sense_is_told(mangle: Callable[[bytes], bytes], said: str) -> None:
    with windows_host(mangle=mangle) as host:
        reading = await Device(host).poll()
    assert reading.reason in {Reason.PROTOCOL, Reason.PARTIAL}
    assert said in reading.detail


async def test_a_fault_is_bounded_like_any_answer() -> None:
    """pywinrm itself makes a tree of it."""
    bomb = b"<a>" + b"<a/>" * 200_000 + b"</a>"
    with windows_host(mangle=lambda _: bomb) as host:
        host.service.machine.tables.clear()
        reading = await Device(host).poll()
    assert reading.reason is Reason.PROTOCOL
    assert "more XML elements" in reading.detail


async def test_an_answer_in_clear_text_to_a_sealed_question_is_not_believed() -> None:
    with windows_host(seals=False) as host:
        reading = await Device(host).poll()
    assert (reading.reason, reading.points) == (Reason.PROTOCOL, [])
    assert "clear text" in reading.detail


async def test_a_compressed_answer_is_not_unpacked() -> None:
    with windows_host(gzip=True) as host:
        reading = await Device(host).poll()
    assert "compresses" in reading.detail


async def test_a_fault_with_a_code_that_is_no_number_is_told() -> None:
    def mangle(envelope: bytes) -> bytes:
        return re.sub(rb'Code="\d+"', b'Code="x"', envelope)

    with windows_host(mangle=mangle) as host:
        host.service.machine.tables.clear()
        reading = await Device(host).poll()
    assert reading.reason is Reason.PROTOCOL


@pytest.mark.parametrize("transport", ["basic", "certificate"])
async def test_basic_and_certificates_are_not_used_without_tls(transport: str) -> None:
    with windows_host(basic=True, allow_unencrypted=True) as host:
        device = Device(host)
        device.credential |= {"transport": transport, "certificate": "x", "private_key": "y"}
        reading = await device.poll()
        assert (reading.reason, host.requests) == (Reason.BAD_CREDENTIAL, 0)
    assert "winrm.tls" in reading.detail


async def test_kerberos_without_its_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netvitals.collectors.winrm.transport.HAVE_KERBEROS", False)
    with windows_host() as host:
        device = Device(host)
        device.credential["transport"] = "kerberos"
        reading = await device.poll()
        assert (reading.reason, host.requests) == (Reason.UNSUPPORTED, 0)
    assert "pywinrm[kerberos]" in reading.detail


async def test_nothing_is_left_open_after_many_polls() -> None:
    with windows_host() as host:
        device, before = Device(host), open_files()
        for number in range(20):
            host.behaviour.drop_after = number % 4
            await device.poll()
        device.credential["password"] = "wrong"
        await device.poll()
        for _ in range(100):
            if open_files() > before:
                await asyncio.sleep(0.05)  # the host closes its own ends when it gets to it
        assert open_files() <= before


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())
