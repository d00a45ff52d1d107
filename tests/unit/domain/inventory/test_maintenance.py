"""Until when a device is under maintenance."""

from netvitals.domain.inventory.maintenance import Maintenance, Window

NOW = 1_000.0


def window(scope: str, name: str, ends_at: float, starts_at: float = 0.0) -> Window:
    return Window(id=1, scope=scope, name=name, starts_at=starts_at, ends_at=ends_at)  # type: ignore[arg-type]  # one of three


def until(*windows: Window, own: float | None = None) -> float | None:
    return Maintenance(windows, NOW).until("sw-1", "zurich", "network", own)


def test_the_latest_end_of_what_holds_for_a_device_counts() -> None:
    assert until() is None
    assert until(own=5.0) == 5.0
    assert until(window("device", "sw-1", 2000), own=1500.0) == 2000
    assert until(window("site", "zurich", 2000), window("type", "network", 3000), own=9000.0) == 9000
    assert until(window("site", "zurich", 2000), window("site", "zurich", 1500)) == 2000


def test_a_window_of_others_or_at_another_time_says_nothing() -> None:
    others = window("device", "zurich", 2000), window("site", "sw-1", 2000), window("type", "linux", 2000)
    assert until(*others) is None
    assert until(window("device", "sw-1", NOW), window("device", "sw-1", 3000, starts_at=NOW + 1)) is None
    assert until(window("device", "sw-1", 3000, starts_at=NOW)) == 3000
