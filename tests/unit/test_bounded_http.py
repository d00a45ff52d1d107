"""Connections that keep to their limits, in clear and in TLS, directly and through a proxy."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from botocore.exceptions import BotoCoreError

from fixtures.limits import ends_within
from local import http_faults as faults
from local.http_faults import Fault
from local.proxy import HttpProxy
from netvitals.adapters.aws import clients
from netvitals.adapters.aws.clients import Patience
from netvitals.bounded_http import Limits, PlainSocket, TlsSocket, limited_pools

LIMITS = Limits(size=100_000, seconds=0.5)
BAD: dict[str, Fault] = {
    "drips": faults.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
    "drips headers": faults.trickle(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "hangs": faults.stall,
    "floods": faults.flood(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    "floods headers": faults.flood(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
}


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, certificate: Path) -> Iterator[HttpProxy]:
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    with HttpProxy(1, context) as server:
        yield server


def url(server: HttpProxy) -> str:
    return f"{'https' if server._tls else 'http'}://127.0.0.1:{server.port}/"


def manager(certificate: Path, limits: Limits = LIMITS) -> urllib3.PoolManager:
    pools = urllib3.PoolManager(ssl_context=ssl.create_default_context(cafile=str(certificate)))
    pools.pool_classes_by_scheme = limited_pools(limits)
    return pools


@pytest.mark.parametrize("bad", BAD)
def test_a_request_ends_within_its_limits(server: HttpProxy, certificate: Path, bad: str) -> None:
    server.inflict(BAD[bad])
    with ends_within(0.5), pytest.raises(urllib3.exceptions.HTTPError):
        manager(certificate).request("GET", url(server), retries=False, timeout=60)


def test_limits_begin_anew_with_each_request_of_a_connection(server: HttpProxy, certificate: Path) -> None:
    server.inflict(faults.answer(200, b"x" * 60_000))
    pools = manager(certificate)
    for _ in range(4):
        assert len(pools.request("GET", url(server)).data) == 60_000
        time.sleep(0.2)
    (pool,) = [pools.connection_from_url(url(server))]
    assert pool.num_connections == 1


def test_an_answer_as_large_as_its_limit_is_read(server: HttpProxy, certificate: Path) -> None:
    head = len(b"HTTP/1.1 200 Fault\r\nContent-Length: 99000\r\n\r\n")
    server.inflict(faults.answer(200, b"x" * 99_000))
    exactly = Limits(99_000 + head, 5)
    assert len(manager(certificate, exactly).request("GET", url(server)).data) == 99_000
    with pytest.raises(urllib3.exceptions.ProtocolError, match="larger than it may be"):
        manager(certificate, Limits(99_000 + head - 1, 5)).request("GET", url(server), retries=False)


@pytest.mark.parametrize("bad", BAD)
def test_a_client_of_aws_keeps_to_its_patience(
    server: HttpProxy, certificate: Path, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", url(server))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    server.inflict(BAD[bad])
    client = clients.client("secretsmanager", Patience(1, 0.5, 1, 100_000))
    with ends_within(0.5), pytest.raises(BotoCoreError):
        client.get_secret_value(SecretId="x")


@pytest.mark.parametrize("bad", BAD)
def test_a_proxy_of_the_environment_that_misbehaves_is_bounded_as_well(
    bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with HttpProxy(1) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        proxy.inflict(BAD[bad])
        client = clients.client("secretsmanager", Patience(0.5, 0.5, 1, 100_000))
        with ends_within(1), pytest.raises(BotoCoreError):
            client.get_secret_value(SecretId="x")


def test_sockets_are_what_is_counted(server: HttpProxy, certificate: Path) -> None:
    server.inflict(faults.answer(200, b"x"))
    pools = manager(certificate)
    pools.request("GET", url(server))
    pool = pools.connection_from_url(url(server))
    assert pool.pool is not None
    sock = pool.pool.get_nowait().sock
    assert isinstance(sock, TlsSocket if server._tls else PlainSocket)
