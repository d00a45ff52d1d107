"""Answers of InfluxDB, true ones and lies: every line ends up in one place, and none is blamed for nothing.

Run as `make fuzz ARGS=influx_answers`. Three things are tried in turn, each from
a seed that is printed where something is found: texts of answers; whole writes to servers that are honest in
the words of the versions of InfluxDB, or lie in any of them; and octets in place of HTTP, over a connection.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace

from faults.fuzzing import play
from influxdb_client.rest import ApiException

from local.http_faults import answer_and_close
from local.proxy import HttpProxy
from netvitals.domain.settings.configuration import InfluxSettings
from netvitals.domain.settings.secret import Secret
from netvitals.store.access import InfluxAccess
from netvitals.store.influx.answers import Fault, Remedy, fault_of
from netvitals.store.influx.connection import MAX_TEXT_BYTES
from netvitals.store.influx.delivery import MAX_REQUESTS, Delivery
from netvitals.store.influx.named_lines import named_in
from netvitals.store.influx.sink import InfluxSink
from netvitals.store.outcome import WriteOutcome

MOST_SECONDS = 0.5
"""Of processor time for one answer."""
LINES = [f"m,device_id=d{n % 7},instance=Gi{n} value={n}.0 {10**18 + n}" for n in range(400)]
STATUSES = [200, 204, 301, 400, 400, 400, 400, 401, 403, 404, 408, 413, 418, 422, 429, 500, 503]
PIECES = [
    *("unable to parse '", "': ", " dropped=", "dropped=1", "line 1", "line 2:", "partial write: ", "\\n"),
    *("field type conflict: ", '"', "{", "}", "[", "]", ":", ",", '{"message": "', '{"error": "', '"}', "]}"),
    *('"data": [', '"original_line": "', '"error_message": "', "null", "1e999", "\\ud800", "\ud83d", "\0"),
    *("9" * 20, "<html>", "nginx", " ", "x" * 50, "\n", "\x1b[2J", "é", LINES[0], LINES[3]),
]
type Answer = tuple[int, str]
type Server = Callable[[Sequence[str]], Answer]


def exception_of(answer: Answer) -> ApiException | None:
    """What influxdb-client makes of an answer."""
    status, body = answer
    if status == 204:
        return None
    reply = SimpleNamespace(status=status, reason="R", data=body, getheaders=dict, getheader=lambda *_: None)
    return ApiException(http_resp=reply)


def text(chance: random.Random) -> str:
    """A body of pieces that mean something, in an order that need not."""
    kind = chance.random()
    if kind < 0.1:
        return chance.choice(PIECES) * chance.randrange(1, 4000)
    pieces = "".join(chance.choices(PIECES, k=chance.randrange(40)))
    if kind < 0.5:
        return json.dumps({chance.choice(["message", "error", "code"]): pieces, "data": ["x", {"a": pieces}]})
    return pieces


def one_text(chance: random.Random) -> None:
    """What is read out of a text: in no time, and all lines of it accounted for."""
    status, body = chance.choice(STATUSES), text(chance)[:MAX_TEXT_BYTES]
    lines = chance.choices(LINES, k=chance.randrange(1, 400))
    began = time.process_time()
    fault = fault_of(exception_of((status if status != 204 else 400, body)) or AssertionError())
    named = named_in(fault.message, lines)
    assert time.process_time() - began < MOST_SECONDS, "it takes too long"
    assert len(fault.detail) < 500
    assert fault.detail.isprintable()
    found = [*(refusal.line for refusal in named.refused), *named.suspects, *named.rest]
    assert Counter(found) == Counter(lines), "a line is lost or made"
    if fault.remedy is Remedy.ISOLATE:
        document = json.loads(body, parse_constant=str)
        assert any(document.get(key) for key in ("message", "error")), "these are not InfluxDB's words"


def quoting(bad: list[str], of: Sequence[str]) -> Answer:  # noqa: ARG001, versions 1 and 2 number nothing
    texts = "\n".join(f"unable to parse '{line}': bad" for line in bad)
    return 400, json.dumps({"error": f"partial write: {texts} dropped=0"})


def quoting_one(bad: list[str], of: Sequence[str]) -> Answer:
    return quoting(bad[:1], of)


def numbering(bad: list[str], of: Sequence[str]) -> Answer:
    numbers = [of.index(line) + 1 for line in bad]
    return 400, json.dumps({"message": "; ".join(f"line {number}: bad" for number in numbers)})


def listing(bad: list[str], of: Sequence[str]) -> Answer:  # noqa: ARG001, as above
    data = [{"original_line": line, "error_message": "bad"} for line in bad]
    return 400, json.dumps({"error": "partial write", "data": data})


def counting(bad: list[str], of: Sequence[str]) -> Answer:  # noqa: ARG001, as above
    return 422, json.dumps({"message": f"partial write: field type conflict: x dropped={len(bad)}"})


def mute(bad: list[str], of: Sequence[str]) -> Answer:  # noqa: ARG001, as above
    return 400, json.dumps({"message": "something is wrong"})


VERSIONS = [quoting, quoting_one, numbering, listing, counting, mute]


def honest(chance: random.Random, bad: set[str]) -> Server:
    """Refuses bad lines in the words of one version."""
    words = chance.choice(VERSIONS)

    def server(lines: Sequence[str]) -> Answer:
        found = [line for line in lines if line in bad]
        return words(found, lines) if found else (204, "")

    return server


def lying(chance: random.Random) -> Server:
    """Says anything, at any time."""
    usual = chance.choice([204, 400, 413, chance.choice(STATUSES)])

    def server(_: Sequence[str]) -> Answer:
        status = usual if chance.random() < 0.7 else chance.choice(STATUSES)
        return (status, "") if status == 204 else (status, text(chance)[:MAX_TEXT_BYTES])

    return server


def one_write(chance: random.Random) -> None:
    """A write to a server: whatever it says, each line is in one place, and an honest one is believed."""
    lines = chance.sample(LINES, chance.randrange(1, len(LINES)))
    bad = set(chance.sample(lines, chance.randrange(min(len(lines), 12))))
    is_honest = chance.random() < 0.5
    server = honest(chance, bad) if is_honest else lying(chance)
    taken: list[str] = []

    def send(some: Sequence[str]) -> Fault | None:
        error = exception_of(server(some))
        if error is None:
            taken.extend(some)
            return None
        return fault_of(error)

    delivery = Delivery(send)
    delivery.deliver(lines)
    check(delivery.outcome(), lines, taken)
    if is_honest and len(bad) < len(lines):
        refused = {refusal.line for refusal in delivery.outcome().refused}
        assert refused == bad or delivery.outcome().obstacle is not None, "an honest server is not believed"
        assert refused <= bad, "a good line is blamed"


def check(outcome: WriteOutcome, lines: Sequence[str], taken: Sequence[str]) -> None:
    refused = [refusal.line for refusal in outcome.refused]
    assert outcome.accepted + len(refused) + len(outcome.unsent) == len(lines), "lines are lost or made"
    kept = Counter(refused) + Counter(outcome.unsent)
    assert not kept - Counter(lines), "a line stands for another"
    assert not (Counter(lines) - kept) - Counter(taken), "a line that was not taken is called accepted"
    assert outcome.requests <= MAX_REQUESTS
    assert bool(outcome.unsent) == (outcome.obstacle is not None), "lines are kept without a reason"


def sink_of(proxy: HttpProxy) -> InfluxSink:
    access = InfluxAccess(url=f"http://127.0.0.1:{proxy.port}", token=Secret("t0ken"), org="o")
    settings = InfluxSettings(
        timeout_seconds=0.5, retries=0, backoff_initial_seconds=0.01, backoff_maximum_seconds=0.01
    )
    return InfluxSink(lambda: access, settings)


HTTP = [
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 400 Bad\r\nContent-Length: 20\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.0 204\r\n",
    b"HTTP/9.9 204 x\r\n",
    b"HTTP/1.1 2O4\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: -1\r\n",
    b"Retry-After: 9e9\r\n",
    b"\r\n",
    b"5\r\n",
    b"ffffffffffffffff\r\n",
    b'{"message": "x"}',
    b"\0" * 100,
    b"X: " + b"y" * 70_000,
    b"X: y\r\n" * 200,
]


def one_exchange(chance: random.Random, proxy: HttpProxy, sink: InfluxSink) -> None:
    """Octets in place of an answer: nothing is raised, the deadline holds, and a success is one of HTTP."""
    octets = bytearray(b"".join(chance.choices(HTTP, k=chance.randrange(1, 8))))
    for _ in range(chance.randrange(4)):
        if octets:
            octets[chance.randrange(len(octets))] = chance.randrange(256)
    proxy.inflict(answer_and_close(bytes(octets)))
    began = time.monotonic()
    outcome = sink.write(LINES[:3], began + 2)
    # Of seconds to spare on a busy machine; what does not hold lasts as long as the server likes.
    assert time.monotonic() - began < 12, "the deadline does not hold"
    assert outcome.accepted + len(outcome.refused) + len(outcome.unsent) == 3
    assert not outcome.accepted or b"204" in octets, "what is no success is taken for one"


if __name__ == "__main__":
    with HttpProxy(1) as proxy:
        exchanges = partial(one_exchange, proxy=proxy, sink=sink_of(proxy))
        sys.exit(play({"texts": one_text, "writes": one_write, "exchanges": exchanges}))
