"""How long to wait before something is tried again."""

from netvitals.domain.backoff import pauses


def test_each_pause_is_anything_up_to_a_step_that_doubles_until_the_cap() -> None:
    many = [list(pauses(6, 0.1, 0.5)) for _ in range(2000)]
    for step, each in zip((0.1, 0.2, 0.4, 0.5, 0.5), zip(*many, strict=True), strict=True):
        assert 0 <= min(each) < 0.1 * step
        assert 0.9 * step < max(each) <= step


def test_there_is_one_pause_less_than_there_are_tries() -> None:
    assert [len(list(pauses(tries, 1, 1))) for tries in (0, 1, 2, 5)] == [0, 0, 1, 4]


def test_two_processes_that_failed_together_do_not_come_back_together() -> None:
    assert list(pauses(4, 1, 10)) != list(pauses(4, 1, 10))


def test_a_thousand_tries_are_no_overflow() -> None:
    assert max(pauses(1000, 0.1, 5)) <= 5
