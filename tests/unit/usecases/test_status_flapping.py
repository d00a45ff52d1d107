"""Devices that change their status again and again: what is announced of them."""

from fixtures.status_bench import START, Bench
from fixtures.status_store import device


def flap(bench: Bench, times: int, minutes: int = 3) -> None:
    """Take `d00` down and up again, each time for so many minutes."""
    for _ in range(times):
        bench.dead = {"d00"}
        bench.minutes(minutes)
        bench.dead = set()
        bench.minutes(minutes)


def test_of_a_device_that_flaps_every_announced_outage_has_its_end_and_one_event_says_that_it_flaps() -> None:
    bench = Bench(device("d00"))
    bench.minutes(2)
    bench.events.messages.clear()
    flap(bench, 8, minutes=2)
    down, up = ("d00", "online", "offline"), ("d00", "offline", "online")
    assert bench.told == [down, up, down, up]
    assert [body.get("flapping") for body in bench.events.bodies] == [None, None, None, True]
    assert "it flaps" in bench.events.bodies[-1]["detail"]
    assert len(bench.store.history) == 1 + 16


def test_an_outage_that_makes_a_device_flap_is_announced_and_its_end_as_well() -> None:
    bench = Bench(device("d00"))
    bench.minutes(2)
    flap(bench, 1)
    bench.minutes(6)
    flap(bench, 1)
    bench.events.messages.clear()
    flap(bench, 2)
    assert bench.told == [("d00", "online", "offline"), ("d00", "offline", "online")]
    assert [body.get("flapping") for body in bench.events.bodies] == [True, None]


def test_a_flapping_device_that_stays_down_is_announced_when_it_is_steady() -> None:
    bench = Bench(device("d00"))
    bench.minutes(2)
    flap(bench, 4)
    bench.events.messages.clear()
    bench.dead = {"d00"}
    bench.minutes(5)
    assert (bench.told, bench.store.devices["d00"].record.status) == ([], "offline")
    bench.minutes(30)
    assert bench.told == [("d00", "online", "offline")]
    assert not bench.store.devices["d00"].record.flapping


def test_what_flaps_under_maintenance_is_no_flapping_after_it() -> None:
    bench = Bench(device("d00", maintenance_until=START + 3600))
    bench.minutes(2)
    flap(bench, 9)
    bench.now = START + 3600
    bench.minutes(1)
    bench.events.messages.clear()
    flap(bench, 1)
    assert [body.get("flapping") for body in bench.events.bodies] == [None, None]
