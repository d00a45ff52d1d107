"""Circles of parents, for the check of an inventory and for the status decision."""

import pytest

from netvitals.domain.inventory.circles import circles


@pytest.mark.parametrize(
    ("parents", "found"),
    [
        pytest.param({}, [], id="no devices"),
        pytest.param({"a": None, "b": "a", "c": ""}, [], id="parents that have none"),
        pytest.param({"a": "router"}, [], id="a parent that is not among the devices"),
        pytest.param({"a": "a"}, [["a"]], id="a device that is its own parent"),
        pytest.param({"below": "a", "a": "b", "b": "a"}, [["a", "b"]], id="a device below a circle"),
        pytest.param({"a": "b", "b": "a", "c": "d", "d": "c"}, [["a", "b"], ["c", "d"]], id="two circles"),
    ],
)
def test_a_circle_is_found_once_with_its_devices_alone(
    parents: dict[str, str | None], found: list[list[str]]
) -> None:
    assert list(circles(parents)) == found
