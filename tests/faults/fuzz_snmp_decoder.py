"""Coverage-guided fuzzing of everything that reads octets from the network: only `Malformed` may come out.

Run as `python tests/faults/fuzz_snmp_decoder.py MINUTES [-runs=N …]`, with `tests` and the project on
PYTHONPATH and any options of libFuzzer: it begins with a simulated switch's answers.
"""

import sys
from collections.abc import Iterator

import atheris

with atheris.instrument_imports(include=["netvitals.collectors.snmp"]):
    from netvitals.collectors.snmp.wire import pdu
    from netvitals.collectors.snmp.wire.decode import decode_pdu
    from netvitals.collectors.snmp.wire.encode import encode_oid, encode_request
    from netvitals.collectors.snmp.wire.faults import Malformed
    from netvitals.collectors.snmp.wire.get import GetWork
    from netvitals.collectors.snmp.wire.security import CommunitySecurity
    from netvitals.collectors.snmp.wire.transport import message_id
    from netvitals.collectors.snmp.wire.walk import Pace, WalkWork
    from netvitals.collectors.snmp.wire.work import Request

from faults.libfuzzer import fuzz

from local.devices.snmp_devices import switch
from local.devices.snmp_tables import values_of
from netvitals.domain.polling.budget import Budget
from netvitals.domain.settings.secret import Secret

SECURITY = CommunitySecurity("2c", Secret("public"))
COLUMNS = ["1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.10"]
SCALARS = ["1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.3.0"]
MAX_STEPS = 500


def check(data: bytes) -> None:
    """A datagram, or what one is wrapped around."""
    try:
        if data[:1] == b"\x30":
            message_id(data)
            data = SECURITY.unwrap(data, 1)
        answer = decode_pdu(data)
    except Malformed:
        return
    assert sum(map(len, answer.names)) <= len(data)
    _get(answer)
    _walk(answer)


def _get(answer: pdu.Pdu) -> None:
    """The same answer to each request: what a GET makes of it is bounded and was asked for."""
    work = GetWork(SCALARS, tries=1)
    for _ in range(MAX_STEPS):
        request = work.next_request()
        if request is None:
            break
        work.answered(request, answer, 1, 1.0)
    assert work.next_request() is None
    assert set(values_of(work.tables)) <= set(SCALARS)


def _walk(answer: pdu.Pdu) -> None:
    """The same answer to each request is a loop, which must end."""
    work = WalkWork(COLUMNS, Pace(10, 25, bulk=True), retries=1, budget=Budget(max_values=10_000))
    for _ in range(MAX_STEPS):
        step = work.next_request()
        if step is None:
            break
        work.answered(step, answer, 1, 1.0)
    assert work.next_request() is None
    work.tables()


def seeds() -> Iterator[bytes]:
    agent = switch(4)
    for tag, oids in ((pdu.GET, SCALARS), (pdu.GET_NEXT, COLUMNS), (pdu.GET_BULK, COLUMNS)):
        request = Request(tag, [encode_oid(oid) for oid in oids], 1, 3)
        asked = encode_request(tag, 1 << 30, request.names, request.repetitions)
        (answer,) = agent.receive(SECURITY.wrap(asked, 1))
        yield answer
        yield SECURITY.unwrap(answer, 1)


def main(minutes: float, *options: str) -> int:
    return fuzz([check], seeds(), minutes, "-max_len=600", *options)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), *sys.argv[2:]))
