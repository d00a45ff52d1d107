"""What the charts of the page show."""

from netvitals.ui.charts import highest


def test_of_many_series_a_chart_shows_the_whole_device_and_the_highest() -> None:
    series = {f"CPU {core}": [(1, float(core)), (2, 0.0)] for core in range(40)} | {"CPU": [(1, 1.0)]}
    shown = highest(series, {"CPU", "memory"})
    assert set(shown) == {"CPU", *(f"CPU {core}" for core in range(29, 40))}
    assert list(shown) == [name for name in series if name in shown], "in the order in which they are named"


def test_few_series_are_all_shown() -> None:
    series = {f"fan {number}": [(1, 0.0)] for number in range(12)}
    assert highest(series, ()) == series
