"""A refused login is remembered, so that polling locks no account."""

import json
import time
from typing import Any

from fixtures.clock import Clock
from fixtures.polling import job
from netvitals.collectors.refusals import LONGEST_PAUSE_SECONDS, Refusals, fingerprint
from netvitals.collectors.ssh.protocol import SSH, SshCredential, SshSettings
from netvitals.domain.polling.observation import Reading
from netvitals.domain.ports import Target, target_of
from netvitals.domain.settings.secret import Secret

INTERVAL = 300


class Polls:
    """One device, polled at each interval by a process that may be another each time."""

    def __init__(self, *, new_process_each_time: bool = True) -> None:
        self.clock = Clock()
        self.memory: dict[str, Any] = {}
        self.password = "wrong-horse"  # what the credential holds
        self._new = new_process_each_time
        self._refusals = Refusals("ssh", self.clock)

    def target(self) -> Target[SshSettings, SshCredential]:
        due = int(self.clock.now)
        credential = SshCredential(user="u", password=Secret(self.password))
        this = job(due_at=due, expires_at=due + INTERVAL, memory=json.loads(json.dumps(self.memory)))
        deadline = time.monotonic() + 9
        return target_of(SSH, this, address="10.0.0.1", credential=credential, deadline=deadline)

    def poll(self, *, refuses: bool = True, keeps_memory: bool = True) -> bool:
        """Whether the credential was sent."""
        if self._new:
            self._refusals = Refusals("ssh", self.clock)
        target, reading = self.target(), Reading()
        if self._refusals.reason_to_wait(target) is not None:
            return False
        (self._refusals.record if refuses else self._refusals.clear)(target, reading)
        if keeps_memory:
            self.memory = {k: v for k, v in {**self.memory, **reading.memory}.items() if v is not None}
        return True

    def polled(self, times: int) -> list[bool]:
        sent = []
        for _ in range(times):
            sent.append(self.poll())
            self.clock.now += INTERVAL
        return sent


def test_the_pause_grows_while_the_credential_keeps_being_refused() -> None:
    assert [int(sent) for sent in Polls().polled(16)] == [1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_the_pause_ends_at_an_hour_so_that_a_repaired_account_is_found() -> None:
    sent = Polls().polled(200)
    assert sum(sent[-24:]) == 24 * INTERVAL // LONGEST_PAUSE_SECONDS


def test_a_job_delivered_twice_sends_the_password_once_even_if_nothing_was_stored() -> None:
    polls = Polls(new_process_each_time=False)
    assert polls.poll(keeps_memory=False)
    assert not polls.poll(keeps_memory=False)
    polls.clock.now += INTERVAL
    assert polls.poll(keeps_memory=False)


def test_a_changed_password_is_tried_at_once() -> None:
    polls = Polls()
    polls.polled(2)
    assert not polls.poll()
    polls.password = "right-horse"
    assert polls.poll(refuses=False)
    assert polls.memory == {}


def test_a_poll_that_comes_a_little_early_is_not_put_off_by_an_interval() -> None:
    polls = Polls()
    polls.poll()
    polls.clock.now += INTERVAL - 20
    assert polls.poll()


def test_memory_of_another_shape_is_no_refusal() -> None:
    polls = Polls()
    shapes: list[Any] = ["", 1, [], {"mark": 3}, {"mark": "abc", "times": "x", "until": 9e99}]
    for strange in shapes:
        polls.memory = {"ssh_refused": strange}
        assert polls._refusals.reason_to_wait(polls.target()) is None


def test_what_is_stored_tells_too_little_to_find_the_password_by() -> None:
    polls = Polls()
    polls.poll()
    stored = polls.memory["ssh_refused"]
    assert len(stored["mark"]) == 3
    assert "wrong-horse" not in json.dumps(polls.memory)
    # Thousands of other passwords look the same, and no device's state adds to another's.
    other = polls.target()
    assert fingerprint("c\0ssh", tuple(_fields(other).items())) == stored["mark"]
    assert len({fingerprint("c\0ssh", (("password", Secret(str(n))),)) for n in range(40)}) > 30


def _fields(target: Target) -> dict[str, Any]:
    return {name: getattr(target.credential, name) for name in target.credential.__struct_fields__}


def test_the_text_for_a_person_says_when_and_what_to_do() -> None:
    polls = Polls()
    polls.poll()
    text = polls._refusals.reason_to_wait(polls.target())
    assert text is not None
    assert "not sent before 08:03:45 UTC" in text
    assert "correct it" in text
