"""Every query of every dashboard and alert rule, asked of real stores that hold a known fleet."""

import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.rows import dict_row

from fixtures import known_fleet as known
from fixtures.grafana import Asked, View, queries
from fixtures.influxdb import Influx
from fixtures.known_fleet import FAST, FULL, IDLE, INTERVAL, ONCE, KnownFleet, set_clock
from fixtures.postgres import create_database, database_name, drop_database
from local.influx.http import InfluxServer
from local.influx.real import RealInflux
from local.servers.influxd import is_installed
from netvitals.cli.grafana.device import PLACED
from netvitals.cli.grafana.shown import others

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not is_installed(), reason="needs influxd: apt-get install influxdb"),
]

FOLDER = Path(__file__).parents[2] / "dashboards"
BOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
RULES = yaml.safe_load((FOLDER / "provisioning/alerting/netvitals.yaml").read_text())["groups"][0]["rules"]
VIEW_HOURS = 4
SHARE = 0.03
"""Of a number, by which it may miss: a mean over hours lacks the first poll's interval."""
EVERYWHERE = {"site": ["berlin", "paris", "(none)"], "type": ["network", "linux"]}
SHOWN_BESIDES = {"ping_status", "fan_state", "power_supply_state"}
"""Of the metrics without a panel of their own."""
NOTHING = {
    "fleet": {"Highest memory"},
    "site": {"Highest memory", "Highest disk", "Disks that fill up"},
    "device": {
        *("Memory", "Memory now", "Disk", "Disk now, highest"),
        *(each.title for each in others(PLACED) if each.metric not in SHOWN_BESIDES),
    },
    "polling": {"Devices that nobody has polled for half an hour"},
}
"""Panels for which the fleet, or the device or site looked at, has nothing."""

type Rows = list[dict[str, Any]]


class Stores:
    """What dashboards ask: InfluxDB and PostgreSQL, filled."""

    def __init__(self, fleet: KnownFleet, influx: Influx, database_url: str) -> None:
        self.fleet, self.influx, self.url = fleet, influx, database_url

    def view(self, hours: float = VIEW_HOURS, interval: str = "5m", **variables: Any) -> View:
        end = self.fleet.end
        shown = View(end - int(hours * 3600), end, interval, EVERYWHERE)
        return shown.choosing(device="sw-1", interface=FAST, ids=["sw-1", "sw-2"]).choosing(**variables)

    def answer(self, asked: Asked, view: View) -> Rows:
        if asked.source == "influxdb":
            return self.influx.query(view.query(asked.text))
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(view.query(asked.text).encode()).fetchall()

    def panel(self, board: str, title: str, view: View, number: int = 0) -> Rows:
        """Return what a query of a panel, by its number, gives."""
        found = [asked for asked in queries(board, BOARDS[board]) if asked.where == title]
        return self.answer(found[number], view)


@pytest.fixture(scope="module")
def stores(
    real_influx: tuple[RealInflux, InfluxServer], postgres_url: str, _template_url: str
) -> Iterator[Stores]:
    server, front = real_influx
    bucket = f"dashboards_{uuid.uuid4().hex[:8]}"
    server.create(bucket)
    url = create_database(postgres_url, template=database_name(_template_url))
    influx = Influx(front, bucket)
    fleet = KnownFleet(url, influx.sink(), int(time.time()) // INTERVAL * INTERVAL)
    with pytest.MonkeyPatch.context() as patch:
        set_clock(fleet, patch)
        fleet.play()
    yield Stores(fleet, influx, url)
    server.drop(bucket)
    drop_database(postgres_url, url)


def values(rows: Rows, column: str, **tags: str) -> list[float]:
    """Return the numbers of a column, without the gaps."""
    chosen = [row for row in rows if all(row[name] == text for name, text in tags.items())]
    return [row[column] for row in chosen if row[column] is not None]


def by(rows: Rows, *names: str) -> dict[Any, dict[str, Any]]:
    return {row[names[0]] if len(names) == 1 else tuple(row[name] for name in names): row for row in rows}


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


# --- Alert rules

FIRING: Mapping[str, set[tuple[str, ...]]] = {
    "offline": {("sw-3",)},
    "cpu": {("sw-1",)},
    "memory": set(),
    "temperature": set(),
    "disk": {("srv-1", "/data")},
    "fan": {("sw-1", "Fan B")},
    "power_supply": {("sw-1", "Power supply B")},
    "filling": {("srv-1", "/log")},
    "errors": {("sw-1", FULL)},
    "utilisation-in": {("sw-1", FULL)},
    "utilisation-out": set(),
    "unreadable": {("sw-4",)},
    "silent": set(),
    "status-silent": set(),
}


def numbers(influx: Influx, query: str) -> dict[tuple[str, ...], Any]:
    """Return what Grafana's reduction makes of a query: the last number of each series, by its labels."""
    found: dict[tuple[str, ...], Any] = {}
    for row in influx.query(query):
        labels = tuple(row[name] for name in ("device_id", "instance") if name in row)
        (number,) = (value for name, value in row.items() if name not in {"time", "device_id", "instance"})
        if number is not None:
            found[labels] = number
    return found


def firing(influx: Influx, rule: Mapping[str, Any], now: int) -> set[tuple[str, ...]] | None:
    """Return the series for which a rule's condition holds; None where there is no data."""
    models = {each["refId"]: each["model"] for each in rule["data"]}
    reduced = {
        ref: numbers(influx, models[model["expression"]]["query"].replace("now()", f"{now}s"))
        for ref, model in models.items()
        if model.get("type") == "reduce"
    }
    if not any(reduced.values()):
        return None
    condition = models[rule["condition"]]
    if condition["expression"] in reduced:
        results = reduced[condition["expression"]]
    else:
        labels = set.intersection(*(set(each) for each in reduced.values()))
        text = models[condition["expression"]]["expression"]
        results = {each: calculated(text, {ref: reduced[ref][each] for ref in reduced}) for each in labels}
    (limit,) = condition["conditions"][0]["evaluator"]["params"]
    assert condition["conditions"][0]["evaluator"]["type"] == "gt"
    return {labels for labels, number in results.items() if number > limit}


def calculated(text: str, given: Mapping[str, float]) -> float:
    """Do the arithmetic of an expression: numbers, letters, + * - < and brackets."""
    filled = re.sub(r"\$([A-Z])", lambda match: repr(float(given[match[1]])), text)
    assert re.fullmatch(r"[\d.+*<() -]+", filled), filled
    return float(eval(filled))  # noqa: S307, as just checked


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["uid"])
def test_a_rule_fires_for_whom_it_should_and_for_nobody_else(stores: Stores, rule: dict[str, Any]) -> None:
    found = firing(stores.influx, rule, stores.fleet.end)
    assert (found or set()) == FIRING[rule["uid"].removeprefix("netvitals-")]


def test_every_rule_has_a_known_answer() -> None:
    assert {rule["uid"].removeprefix("netvitals-") for rule in RULES} == set(FIRING)


def test_silence_is_no_data_and_no_data_is_an_alert(stores: Stores) -> None:
    tomorrow = stores.fleet.end + 86_400
    silent = {
        rule["uid"].removeprefix("netvitals-")
        for rule in RULES
        if firing(stores.influx, rule, tomorrow) is None and rule["noDataState"] == "Alerting"
    }
    assert silent == {"silent", "status-silent"}


def test_an_outage_that_is_over_fires_no_more(stores: Stores) -> None:
    (rule,) = (rule for rule in RULES if rule["uid"] == "netvitals-offline")
    during, after = (
        int(stores.fleet.before_end(minutes)) for minutes in (known.OUTAGE[1] + 10, known.OUTAGE[1] - 10)
    )
    assert firing(stores.influx, rule, during) == {("sw-2",)}
    assert firing(stores.influx, rule, after) is None


# --- What docs/dashboards.md asks

_QUESTION = re.compile(r"^\*\*(.+?\?)\*\*.*?\n\n```sql\n(.+?)\n```", re.MULTILINE)
QUESTIONS = dict(_QUESTION.findall((FOLDER.parent / "docs/dashboards.md").read_text()))
ANSWERS: Mapping[str, dict[tuple[str, ...], Any]] = {
    "How much traffic does an interface have, in bits per second?": {
        (): pytest.approx(8 * known.FAST_IN, rel=1e-3)
    },
    "How much did it transfer today?": {(): pytest.approx(known.FAST_IN * known.HOURS * 3600, rel=SHARE)},
    "Which interfaces are the busiest, in percent of their speed?": {
        ("sw-1", FULL): pytest.approx(96, rel=SHARE),
        ("sw-1", FAST): pytest.approx(8, rel=SHARE),
        ("sw-2", FAST): pytest.approx(4, rel=SHARE),
    },
    "Which interfaces have errors?": {("sw-1", FULL): pytest.approx(known.ERRORS * 3 * 3600, rel=SHARE)},
    "What is the 95th percentile of an uplink?": {(): pytest.approx(8 * known.FAST_IN, rel=1e-3)},
    "Which devices are offline now?": {("sw-3",): "offline"},
    "Which devices have the highest CPU?": {("sw-1",): 95, ("sw-2",): 17, ("sw-3",): 5},
    "Which disks are nearly full?": {("srv-1", "/data"): 97},
    "Which disks will be full first?": {("srv-1", "/log"): pytest.approx(20 / known.LOG_GROWTH, rel=SHARE)},
    "Which devices are reachable but not completely read?": {("sw-4",): 0},
}


@pytest.mark.parametrize("question", ANSWERS)
def test_a_question_of_the_docs_is_answered_with_what_is_known(stores: Stores, question: str) -> None:
    asked = QUESTIONS[question].replace("now()", f"{stores.fleet.end}s")
    found = {
        labels: number
        for labels, number in numbers(stores.influx, asked).items()
        if not isinstance(number, float | int) or number or question.startswith("Which devices are reachable")
    }
    assert found == ANSWERS[question]


def test_every_question_of_the_docs_has_a_known_answer() -> None:
    assert set(QUESTIONS) == set(ANSWERS)


def test_the_readmes_rate_is_the_rate(stores: Stores) -> None:
    text = " ".join((FOLDER.parent / "README.md").read_text().split())
    (query,) = re.findall(r"so a query computes rates: `(SELECT [^`]+)`", text)
    asked = query.replace("…", f"\"device_id\" = 'sw-1' AND time > {stores.fleet.end}s - 3h")
    rates = values(stores.influx.query(asked), "rate", instance=FAST)
    assert len(rates) > 30
    assert rates == pytest.approx([8 * known.FAST_IN] * len(rates), rel=1e-3)
