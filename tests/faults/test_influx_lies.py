"""An InfluxDB, or what stands before it, that floods, drips, bombs and lies: no line is miscounted, the
deadline holds, memory stays small, and nothing is left running."""

import gzip
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.limits import ends_within
from local import http_faults as faults
from local.http_faults import Fault
from local.proxy import HttpProxy
from netvitals.domain.settings.configuration import InfluxSettings
from netvitals.domain.settings.secret import Secret
from netvitals.store.access import InfluxAccess
from netvitals.store.influx.sink import InfluxSink
from netvitals.store.outcome import WriteOutcome

CANARY = "canary-token-5d1c"
LINES = [f"m,device_id=d{n} x={n} {10**18 + n}" for n in range(40)]
DEADLINE_SECONDS = 2.5
MOST_MEGABYTES = 32
HEAD = b"HTTP/1.1 400 Bad Request\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(b"\0" * (256 << 20), 9)
"""A quarter of a megabyte that unpacks to a thousand times as much."""

LIES: dict[str, Fault] = {
    "an endless body": faults.flood(HEAD + b"\r\n", b"x" * 65536),
    "endless chunks": faults.flood(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "an endless length of a chunk": faults.flood(CHUNKED, b"0" * 65536),
    "an endless extension of a chunk": faults.flood(CHUNKED + b"5;", b"x" * 65536),
    "endless trailers": faults.flood(CHUNKED + b"0\r\n", b"X: " + b"x" * 60000 + b"\r\n"),
    "endless headers": faults.flood(HEAD, b"X: " + b"x" * 60000 + b"\r\n"),
    "an endless header": faults.flood(HEAD + b"X: ", b"x" * 65536),
    "an endless status": faults.flood(b"HTTP/1.1 400 ", b"x" * 65536),
    "endless continuations": faults.flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "zeros that never end": faults.flood(b"", b"\0" * 65536),
    "a bomb in gzip": faults.answer(400, BOMB, Content_Encoding="gzip"),
    "a bomb in gzip that is called deflate": faults.answer(400, BOMB, Content_Encoding="deflate, gzip"),
    "a dripping status": faults.trickle(b"HTTP/1.1 ", b"2"),
    "dripping headers": faults.trickle(b"HTTP/1.1 204 No Content\r\n", b"X: y\r\n", 0.05),
    "a dripping body": faults.trickle(HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "a dripping body of no length": faults.trickle(HEAD + b"\r\n", b"x"),
    "dripping continuations": faults.trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "nothing": faults.stall,
    "a token of ours in an endless text": faults.flood(HEAD + b"\r\n", CANARY.encode() * 1000),
    "bait for a search": faults.answer(400, b"unable to parse '" * 20000),
    "bait in JSON": faults.answer(400, json.dumps({"message": "unable to parse '" * 3500}).encode()),
    "deep JSON": faults.answer(400, b"[" * 200_000),
    "deep objects": faults.answer(400, b'{"data":' * 100_000),
    "a long number": faults.answer(
        400, b'{"message": "line ' + b"9" * 50_000 + b" dropped=" + b"9" * 9_000 + b'"}'
    ),
    "a negative length": faults.answer(400, b"x", content_length="-5"),
    "a length that is a lie": faults.answer(400, b"{}", Content_Length="9" * 300),
    "no UTF-8": faults.answer(400, b"\xff\xfe" * 40_000),
    "a page that is a success": faults.answer(200, b"<html>welcome</html>"),
    "an endless success": faults.flood(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    "another protocol": faults.answer(101, b"", Upgrade="h2c", Connection="Upgrade"),
}


@pytest.fixture(scope="module")
def proxy() -> Iterator[HttpProxy]:
    with HttpProxy(1) as proxy:
        yield proxy


@contextmanager
def growth() -> Iterator[list[float]]:
    """Yield a list whose only number is by how many megabytes the process ever grew."""
    before, most, done = resident(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            most[0] = max(most[0], resident() - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def written(proxy: HttpProxy) -> WriteOutcome:
    access = InfluxAccess(url=f"http://127.0.0.1:{proxy.port}", token=Secret(CANARY), org="o")
    settings = InfluxSettings(timeout_seconds=2, retries=3)
    return InfluxSink(lambda: access, settings).write(LINES, time.monotonic() + DEADLINE_SECONDS)


@pytest.mark.parametrize("lie", LIES)
def test_no_line_is_lost_to_a_lie_and_none_costs_more_than_its_time(proxy: HttpProxy, lie: str) -> None:
    proxy.inflict(LIES[lie])
    with ends_within(DEADLINE_SECONDS), growth() as megabytes:
        outcome = written(proxy)
    assert (outcome.accepted, outcome.refused) == (0, [])
    assert sorted(outcome.unsent) == sorted(LINES)
    assert outcome.obstacle is not None
    assert outcome.detail
    assert CANARY[:8] not in outcome.detail
    assert megabytes[0] < MOST_MEGABYTES


def test_a_thread_that_waits_for_a_dripping_answer_ends_by_itself(proxy: HttpProxy) -> None:
    proxy.inflict(LIES["dripping headers"])
    others = set(threading.enumerate())
    assert written(proxy).unsent == LINES
    for thread in set(threading.enumerate()) - others:
        if "_post" in thread.name:  # the proxy goes on for a minute
            thread.join(5)
            assert not thread.is_alive()
