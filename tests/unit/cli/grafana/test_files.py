"""Dashboards and alert rules as files: what is committed is what is generated, and holds together."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
import yaml
from click.testing import CliRunner

from netvitals.cli.grafana import device, files, rules, shown
from netvitals.cli.grafana.dashboard import DEVICE, FLEET, INTERFACE, POLLING, SITE
from netvitals.cli.main import cli
from netvitals.domain.polling.metrics import METRICS, MetricSpec

FOLDER = Path(__file__).parents[4] / "dashboards"
BOARDS = files.dashboards()
type Json = dict[str, Any]


def every_panel() -> Iterator[tuple[str, Json]]:
    for name, board in BOARDS.items():
        yield from ((name, panel) for panel in board["panels"] if panel["type"] != "row")


PANELS = [pytest.param(panel, id=f"{name}-{panel['title']}") for name, panel in every_panel()]


def test_the_committed_files_are_those_that_are_generated() -> None:
    generated = files.files()
    committed = {str(path.relative_to(FOLDER)): path for path in FOLDER.rglob("*") if path.is_file()}
    assert set(committed) == set(generated)
    stale = [name for name, text in generated.items() if committed[name].read_text() != text]
    assert stale == [], "generate them anew: netvitals grafana write dashboards"


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    for board in BOARDS.values():
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert max(x for x, _ in cells) < 24
            assert not cells & taken, panel["title"]
            taken |= cells


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_is_missing_where_it_has_nothing_to_show(panel: Json) -> None:
    assert panel["title"]
    if panel["type"] != "text":
        assert panel["fieldConfig"]["defaults"]["noValue"]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_the_data_sources_that_were_chosen(panel: Json) -> None:
    sources = {target["datasource"]["uid"] for target in panel.get("targets", [])}
    assert sources <= {"${influxdb}", "${postgresql}"}
    if len(sources) == 1:
        assert panel["datasource"]["uid"] in sources


def test_a_graph_has_a_unit() -> None:
    for _, panel in every_panel():
        if panel["type"] == "timeseries":
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_links_lead_to_dashboards_with_the_variables_that_they_give() -> None:
    variables = {
        board["uid"]: {each["name"] for each in board["templating"]["list"]} for board in BOARDS.values()
    }
    assert set(variables) == {FLEET, SITE, DEVICE, INTERFACE, POLLING}
    linked: dict[str, set[str]] = {uid: set() for uid in variables}
    for board in BOARDS.values():
        for url in re.findall(r'"url": "/d/([^"]+)"', json.dumps(board)):
            uid, _, query = url.partition("?")
            assert set(re.findall(r"var-(\w+)=", query)) <= variables[uid]
            linked[board["uid"]].add(uid)
    assert linked == {
        FLEET: {SITE, DEVICE, INTERFACE},
        SITE: {SITE, DEVICE, INTERFACE},
        DEVICE: {SITE, DEVICE, INTERFACE},
        INTERFACE: set(),
        POLLING: {SITE, DEVICE},
    }


def test_links_take_their_values_from_columns_that_the_table_has() -> None:
    for _, panel in every_panel():
        text = json.dumps(panel)
        queried = " ".join(target.get("query") or target["rawSql"] for target in panel.get("targets", []))
        for field in re.findall(r"__data\.fields\.(\w+)", text):
            assert field in queried, panel["title"]


def test_a_new_metric_is_shown_without_a_line_of_code() -> None:
    specs = {**METRICS, "pump_rpm": MetricSpec("measure", "revolutions", 0)}
    (pump,) = (each for each in shown.others(device.PLACED, specs) if each.metric == "pump_rpm")
    assert (pump.title, pump.unit) == ("Pump rpm", "short")
    assert {each.metric for each in shown.others(device.PLACED)} | device.PLACED == set(METRICS)


def test_what_is_said_of_a_metric_is_of_one_that_there_is() -> None:
    assert set(shown.SHOWN) <= set(METRICS)
    assert set(METRICS) >= device.PLACED


def test_no_query_fills_within_sub_queries_of_several_series() -> None:
    """InfluxDB 1 answers these wrongly."""
    for name, panel in every_panel():
        filled = [t["query"] for t in panel.get("targets", []) if "fill(previous)" in t.get("query", "")]
        assert not filled or name == "interface.json", panel["title"]
        assert all('"speed"' in query.split("fill(previous)")[0] for query in filled)


class _Data(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    ref_id: str
    relative_time_range: dict[str, int]
    datasource_uid: str
    model: Json


class _Rule(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What Grafana's provisioning reads of a rule (pkg/services/provisioning/alerting/rules_types.go)."""

    uid: str
    title: str
    condition: str
    data: list[_Data]
    hold: str = msgspec.field(name="for")
    no_data_state: Literal["OK", "NoData", "Alerting", "KeepLast"] = "NoData"
    exec_err_state: Literal["OK", "Error", "Alerting", "KeepLast"] = "Alerting"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class _Group(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    org_id: int
    name: str
    folder: str
    interval: str
    rules: list[_Rule]


class _File(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    api_version: int
    groups: list[_Group]


def read(text: str) -> list[_Rule]:
    (group,) = msgspec.convert(yaml.safe_load(text), _File).groups
    return group.rules


def test_rules_are_what_grafana_reads() -> None:
    found = read((FOLDER / files.ALERTING).read_text())
    for rule in found:
        refs = [each.ref_id for each in rule.data]
        assert rule.condition == refs[-1] == "C"
        assert len(set(refs)) == len(refs)
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", rule.uid)
        assert re.fullmatch(r"\d+[smh]", rule.hold)
        assert "$__" not in json.dumps([each.model for each in rule.data]), "a rule has no variables"
    assert len({rule.uid for rule in found}) == len(found)


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, ["grafana", *arguments], env={"DATABASE_URL": ""})
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.output


@pytest.fixture
def inventory(tmp_path: Path) -> str:
    path = tmp_path / "devices.csv"
    path.write_text(
        "id,ip_address,device_type,site,enabled\nsw.1,10.0.0.1,network,berlin,\nsw/2,10.0.0.2,network,paris,\n"
        "srv-1,10.0.0.3,linux,berlin,\nold,10.0.0.4,network,berlin,false\n"
    )
    return str(path)


def test_rules_for_a_site_list_its_devices_and_carry_its_label(inventory: str) -> None:
    found = read(run("rules", "--site", "berlin", "--inventory", inventory, "--label", "team=core"))
    for rule in found:
        assert rule.labels["site"] == "berlin"
        assert rule.labels["team"] == "core"
        assert rule.title.endswith("berlin")
        queries = [each.model["query"] for each in rule.data if "query" in each.model]
        assert all(r'"device_id" =~ /^(srv-1|sw\.1)$/' in query for query in queries)
    assert {"netvitals-cpu-berlin", "netvitals-offline-berlin"} <= {rule.uid for rule in found}
    assert not [rule.uid for rule in found if "silent" in rule.uid], "those are about all devices"


def test_rules_of_sites_in_any_script_have_ids_of_their_own() -> None:
    found: list[str] = []
    for name in ("", "berlin", "Z rich", "Zürich", "Zörich", "北京", "上海"):
        document = rules.rule_files(rules.RuleOptions(ids=("a",), name=name))
        found += [rule["uid"] for rule in document["groups"][0]["rules"]]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid) for uid in found)
    assert "netvitals-cpu-berlin" in found


def test_rules_for_a_type_of_a_site_are_about_both(inventory: str) -> None:
    found = read(run("rules", "--site", "paris", "--type", "network", "--inventory", inventory))
    assert r'"device_id" =~ /^(sw\/2)$/' in found[0].data[0].model["query"]


def test_a_threshold_and_an_interval_of_ones_own_are_in_the_rules() -> None:
    found = {rule.uid: rule for rule in read(run("rules", "--set", "cpu=70", "--metrics-interval", "600"))}
    cpu = found["netvitals-cpu"]
    assert cpu.data[-1].model["conditions"] == [{"evaluator": {"type": "gt", "params": [70.0]}}]
    assert cpu.hold == "1800s"
    assert "now() - 1800s" in cpu.data[0].model["query"]


def test_a_rule_about_what_is_held_back_reads_as_far_back_as_the_last_full_write() -> None:
    cpu, fan = (rule for rule in rules.specs(rules.RuleOptions(), None) if rule.key in {"cpu", "fan"})
    assert [query.ago for query in (*cpu.queries, *fan.queries)] == [900, 4200]
    assert fan.summary.endswith("(1 ok, 2 warning, 3 failed, 4 off)")


def test_many_devices_become_several_rules_with_names_of_their_own() -> None:
    chosen = tuple(f"device-{number}" for number in range(rules.MAX_IDS + 1))
    document = rules.rule_files(rules.RuleOptions(ids=chosen, name="a site with a name that is far too long"))
    uids = [rule["uid"] for rule in document["groups"][0]["rules"]]
    assert len(set(uids)) == len(uids) == 2 * len(rules.specs(rules.RuleOptions(), ("x",)))
    assert max(map(len, uids)) <= rules.MAX_UID


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("rules", "--set", "cpuu=7"), 2, "'cpuu' is none of cpu, disk"),
        (("rules", "--set", "cpu=hot"), 2, "'hot' is no number"),
        (("rules", "--set", "cpu"), 2, "is not NAME=VALUE"),
        (("rules", "--site", "berlin"), 2, "give --inventory FILE, or a database with DATABASE_URL"),
    ],
)
def test_wrong_usage_says_what_is_right(arguments: tuple[str, ...], code: int, says: str) -> None:
    assert says in " ".join(run(*arguments, code=code).split())


def test_a_site_without_devices_is_an_error(inventory: str) -> None:
    assert "no enabled device" in run("rules", "--site", "rome", "--inventory", inventory, code=1)


def test_write_writes_what_is_committed(tmp_path: Path) -> None:
    run("write", str(tmp_path))
    assert (tmp_path / "fleet.json").read_text() == (FOLDER / "fleet.json").read_text()
