"""What a walk asks next, without a device."""

from netvitals.collectors.snmp.wire import pdu
from netvitals.collectors.snmp.wire.encode import encode_oid
from netvitals.collectors.snmp.wire.faults import AuthFault, TooMuch
from netvitals.collectors.snmp.wire.pdu import Pdu
from netvitals.collectors.snmp.wire.walk import Pace, Step, WalkWork
from netvitals.domain.polling.budget import Budget


def answer_to(step: Step) -> Pdu:
    """The first row of each column that was asked for."""
    names = [encode_oid(f"{column.name}.1") for column in step.columns]
    return Pdu(pdu.RESPONSE, 1, 0, 0, names, [1] * len(names))


def test_a_walk_that_was_given_up_asks_for_nothing_more_when_answers_in_flight_arrive() -> None:
    pace = Pace(1, 1, bulk=False)
    pace.room = 1
    columns = ["1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.2.2.1.16"]
    work = WalkWork(columns, pace, retries=1, budget=Budget(max_values=100))
    refused, answered = (work.next_request() for _ in columns)
    assert refused is not None
    assert answered is not None
    work.failed(refused, AuthFault("the user is unknown"))
    work.answered(answered, answer_to(answered), 0, 1.0)
    assert work.next_request() is None
    work.close(TooMuch("later"))
    assert [str(fault) for fault in work.faults.values()] == ["the user is unknown"] * 2
