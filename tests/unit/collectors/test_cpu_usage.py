"""CPU percent between two samples, and which sample may be used."""

import pytest

from netvitals.collectors.cpu_usage import STALE_SECONDS, CpuSample, is_recent, is_same_boot, percent


@pytest.mark.parametrize(
    ("busy", "total", "expected"),
    [(25, 100, 25.0), (0, 100, 0.0), (101, 100, 100.0), (25, 0, None), (25, -1, None), (-1, 100, None)],
)
def test_the_busy_share_of_the_time_between_two_samples(
    busy: int, total: int, expected: float | None
) -> None:
    before = CpuSample(1000, 5000)
    assert percent(before, CpuSample(1000 + busy, 5000 + total)) == expected


def test_counters_that_are_not_read_in_one_instant_may_differ_a_little() -> None:
    assert percent(CpuSample(50, 0), CpuSample(46, 100), tolerance=5) == 0
    assert percent(CpuSample(50, 0), CpuSample(44, 100), tolerance=5) is None


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [(1000, 1000, True), (1000, 1060, True), (1000, 1061, False), (None, 1000, True), (1000, None, True)],
)
def test_a_boot_is_the_same_if_its_time_is_about_the_same_or_not_known(
    before: float | None, after: float | None, *, same: bool
) -> None:
    assert is_same_boot(before, after) is same


@pytest.mark.parametrize(("age", "recent"), [(-1, False), (0, True), (STALE_SECONDS, False)])
def test_a_sample_of_the_future_or_of_long_ago_is_not_averaged_over(age: float, *, recent: bool) -> None:
    assert is_recent(age) is recent
