"""Every query of every dashboard, asked of real stores that hold a known fleet."""

import time
from itertools import pairwise
from statistics import fmean

import pytest

from fixtures import known_fleet as known
from fixtures.grafana import queries
from fixtures.known_fleet import FAST, FULL, IDLE, INTERVAL, ONCE
from fixtures.known_stores import BOARDS, NEEDS_INFLUX, SHARE, VIEW_HOURS, Stores, by, values
from netvitals.cli.grafana.device import PLACED
from netvitals.cli.grafana.shown import others

pytestmark = NEEDS_INFLUX

SHOWN_BESIDES = {"ping_status", "fan_state", "power_supply_state", "memory_used_bytes", "memory_total_bytes"}
"""Of the metrics without a panel of their own."""
NOTHING = {
    "site": {"Highest disk", "Disks that fill up"},
    "device": {
        *("Disk", "Disk now, highest"),
        *(each.title for each in others(PLACED) if each.metric not in SHOWN_BESIDES),
    },
    "polling": {"Devices that nobody has polled for half an hour"},
}
"""Panels for which the fleet, or the device or site looked at, has nothing."""


@pytest.mark.parametrize("board", BOARDS)
def test_every_query_of_a_dashboard_is_answered_with_something_to_show(stores: Stores, board: str) -> None:
    view = stores.view(site="berlin") if board == "site" else stores.view(device="sw-2")
    shown: dict[tuple[str, str], bool] = {}
    for asked in queries(board, BOARDS[board]):
        part = asked.where, asked.source
        shown[part] = bool(stores.answer(asked, view)) or shown.get(part, False)
    assert {where for (where, _), anything in shown.items() if not anything} == NOTHING.get(board, set())


@pytest.mark.parametrize("interval", ["1m", "5m", "17m", "1h"])
def test_a_steady_rate_is_what_it_is_however_polls_drift_across_buckets(
    stores: Stores, interval: str
) -> None:
    view = stores.view(interval=interval)
    received = values(stores.panel("device", "Traffic", view), "rate", instance=FAST)
    sent = values(stores.panel("device", "Traffic", view, 1), "rate", instance=FAST)
    assert len(received) >= 5
    assert received == pytest.approx([8 * known.FAST_IN] * len(received), rel=1e-3)
    assert sent == pytest.approx([8 * known.FAST_OUT] * len(sent), rel=1e-3)


def test_a_port_without_traffic_has_a_rate_of_zero_even_within_the_hour(stores: Stores) -> None:
    rates = values(stores.panel("device", "Traffic", stores.view(hours=1)), "rate", instance=IDLE)
    assert rates
    assert set(rates) == {0}


def test_a_burst_between_two_polls_is_neither_smeared_over_the_idle_hours_nor_lost(stores: Stores) -> None:
    rates = values(stores.panel("device", "Traffic", stores.view()), "rate", instance=ONCE)
    (burst,) = [rate for rate in rates if rate]
    assert burst == pytest.approx(8 * known.BURST / INTERVAL, rel=0.1)


def test_a_reboot_makes_no_peak_and_no_negative_rate(stores: Stores) -> None:
    rates = values(stores.panel("device", "Traffic", stores.view(device="sw-2")), "rate")
    assert len(rates) > 40
    assert min(rates) >= 0
    assert max(rates) == pytest.approx(8 * known.REBOOTED_IN, rel=1e-3)


def test_an_outage_is_a_gap_in_the_measures_and_the_right_mean_in_the_rates(stores: Stores) -> None:
    view = stores.view(device="sw-2")
    times = [row["time"] / 1e9 for row in stores.panel("device", "CPU", view)]
    longest = max(after - before for before, after in pairwise(times))
    begin, over = known.OUTAGE
    assert longest == pytest.approx(60 * (begin - over) + INTERVAL, abs=INTERVAL)
    rates = [
        row
        for row in stores.panel("device", "Traffic", view)
        if row["time"] / 1e9 > stores.fleet.before_end(begin)
    ]
    assert [row["rate"] for row in rates] == pytest.approx([8 * known.REBOOTED_IN] * len(rates), rel=1e-3)


def test_the_interfaces_of_a_device_have_rates_shares_faults_and_states(stores: Stores) -> None:
    rows = by(stores.panel("device", "Interfaces", stores.view()), "instance")
    assert set(rows) == {FAST, IDLE, ONCE, FULL}
    fast, full = rows[FAST], rows[FULL]
    assert fast["in"] == pytest.approx(8 * known.FAST_IN, rel=SHARE)
    assert fast["in_percent"] == pytest.approx(800 * known.FAST_IN / known.SPEED, rel=SHARE)
    assert fast["out_percent"] == pytest.approx(800 * known.FAST_OUT / known.SPEED, rel=SHARE)
    assert (fast["speed"], fast["oper"], fast["faults"]) == (known.SPEED, 1, 0)
    assert full["faults"] == pytest.approx(known.ERRORS, rel=SHARE)
    assert rows[ONCE]["in"] == pytest.approx(8 * known.BURST / (VIEW_HOURS * 3600), rel=SHARE)
    described = by(stores.panel("device", "Interfaces", stores.view(), 1), "instance")
    assert described[FAST]["description"] == "uplink 1"


def test_the_busiest_and_the_faultiest_interface_stand_first(stores: Stores) -> None:
    busiest = stores.panel("fleet", "Busiest interfaces, in", stores.view())
    assert (busiest[0]["device_id"], busiest[0]["instance"]) == ("sw-1", FULL)
    assert busiest[0]["share"] == pytest.approx(800 * known.FULL_IN / known.SPEED, rel=SHARE)
    (faulty,) = stores.panel("fleet", "Most errors and discards", stores.view())
    assert (faulty["device_id"], faulty["instance"]) == ("sw-1", FULL)
    assert faulty["rate"] == pytest.approx(known.ERRORS, rel=SHARE)


def test_the_highest_of_a_measure_are_those_of_the_devices(stores: Stores) -> None:
    loads = {row["device_id"]: row["value"] for row in stores.panel("fleet", "Highest CPU", stores.view())}
    assert loads == {"sw-1": 95, "sw-2": 17, "sw-3": 5}
    disks = by(stores.panel("fleet", "Highest disk", stores.view()), "device_id", "instance")
    assert disks["srv-1", "/data"]["value"] == 97
    assert disks["srv-1", "/log"]["value"] == pytest.approx(80, abs=0.1)


def test_a_disk_that_fills_up_says_in_how_many_days_it_is_full(stores: Stores) -> None:
    (disk,) = stores.panel("fleet", "Disks that fill up", stores.view())
    assert (disk["device_id"], disk["instance"]) == ("srv-1", "/log")
    assert disk["days"] == pytest.approx(20 / known.LOG_GROWTH, rel=SHARE)


def test_a_sites_traffic_is_the_sum_of_its_interfaces(stores: Stores) -> None:
    view = stores.view(hours=2.5, interval="10m", site="berlin")
    rows = stores.panel("site", "All interfaces of the site", view)
    steady = 8 * (known.FAST_IN + known.FULL_IN + known.REBOOTED_IN)
    since = stores.fleet.before_end(known.OUTAGE[1] - 15)
    rates = [row["rate"] for row in rows if row["time"] / 1e9 > since]
    assert rates
    assert rates == pytest.approx([steady] * len(rates), rel=1e-3)


def test_an_interface_tells_its_rate_its_share_and_what_it_moved(stores: Stores) -> None:
    view = stores.view()
    shares = values(stores.panel("interface", "Share of the speed in use", view), "share")
    assert len(shares) > 40
    assert shares == pytest.approx([800 * known.FAST_IN / known.SPEED] * len(shares), rel=1e-3)
    (moved,) = values(stores.panel("interface", "Moved in the time shown", view), "bytes")
    assert moved == pytest.approx(known.FAST_IN * VIEW_HOURS * 3600, rel=SHARE)
    (percentile,) = values(stores.panel("interface", "95th percentile", view), "r")
    assert percentile == pytest.approx(8 * known.FAST_IN, rel=1e-3)
    rates = values(stores.panel("interface", "Traffic", view), "rate")
    assert fmean(rates) == pytest.approx(8 * known.FAST_IN, rel=1e-3)


def test_names_that_devices_choose_are_found_as_they_are(stores: Stores) -> None:
    """A slash, a quote and a bracket are no part of the query."""
    line = 'device_metrics,device_id=odd,instance=a\'b/c("d"),metric_name=net_speed_bps value=10'
    stores.influx.sink().write([f"{line} {stores.fleet.end * 10**9}"], time.monotonic() + 30)
    view = stores.view(device="odd", interface='a\'b/c("d")')
    assert values(stores.panel("interface", "Speed", view), "value") == [10]


def test_the_fleets_statuses_and_their_changes_are_those_that_were_decided(stores: Stores) -> None:
    (counts,) = stores.panel("fleet", "Devices", stores.view())
    assert counts == {"online": 4, "offline": 1, "unreachable": 0, "unknown": 0, "disabled": 0}
    (gone,) = stores.panel("fleet", "Not online", stores.view())
    assert (gone["device_id"], gone["hostname"], gone["site"], gone["reason"]) == (
        "sw-3",
        "sw-3",
        "paris",
        "timeout",
    )
    changes = stores.panel("fleet", "Changes of status", stores.view(site=["berlin"]))
    assert [(row["device_id"], row["before"], row["after"]) for row in changes] == [
        ("sw-2", "offline", "online"),
        ("sw-2", "online", "offline"),
    ]
    began, over = changes[1]["time"].timestamp(), changes[0]["time"].timestamp()
    assert over - began == pytest.approx(60 * (known.OUTAGE[0] - known.OUTAGE[1]), abs=2.5 * INTERVAL)
    sites = by(stores.panel("fleet", "Sites", stores.view()), "site")
    assert {site: (row["devices"], row["offline"]) for site, row in sites.items()} == {
        "berlin": (2, 0), "paris": (2, 1), "(none)": (1, 0),
    }  # fmt: skip


def test_status_changes_are_annotations_of_the_device(stores: Stores) -> None:
    texts = [row["text"] for row in stores.panel("device", "Status", stores.view(device="sw-2"), -1)]
    assert len(texts) == 2
    assert texts[1].startswith("online → offline: 2 polls failed")


def test_a_poll_that_is_incomplete_says_why(stores: Stores) -> None:
    rows = by(stores.panel("polling", "Why polls are incomplete", stores.view()), "device_id")
    assert set(rows) == {"sw-3", "sw-4"}
    assert "check that its agent runs" in rows["sw-4"]["detail"]
    (incomplete,) = values(stores.panel("polling", "Polls incomplete", stores.view()), "devices")
    assert incomplete == 2


def test_the_number_of_devices_polled_is_known(stores: Stores) -> None:
    view = stores.view(hours=VIEW_HOURS, interval="10m")
    polled = [row["devices"] for row in stores.panel("polling", "Devices polled for metrics", view)]
    assert polled[1:-4] == [4] * len(polled[1:-4])


def test_search_finds_devices_by_name_address_and_id(stores: Stores) -> None:
    (asked,) = [each for each in queries("device", BOARDS["device"]) if each.where == "$device"]
    for typed, found in (("CORE", {"sw-1", "sw-2"}), ("127.0.7.3", {"sw-3"}), ("rv-1", {"srv-1"})):
        rows = stores.answer(
            asked._replace(text=asked.text.replace("$__searchFilter", f"{typed}%")), stores.view()
        )
        assert {row["__value"] for row in rows} == found
