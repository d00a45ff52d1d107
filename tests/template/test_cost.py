"""The model of the cost counts what is deployed and what functions write; the docs are its output."""

import ast
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from local import cost_tables
from local.aws.cloudformation import TEMPLATE, Deployed
from local.aws.template import load
from netvitals.cli.cost import figures
from netvitals.cli.cost.model import Deployment
from netvitals.observability import MAX_VALUES, emit

ROOT = Path(__file__).parents[2]
DOCUMENT = load(TEMPLATE)
SOURCES = {path.parent.name: path for path in (ROOT / "functions").glob("*/app.py")}
SOURCES["observability"] = ROOT / "layers/netvitals/netvitals/observability.py"


def emitted(source: Path) -> Iterator[str]:
    """The names of metrics in calls of `emit` with a literal."""
    for node in ast.walk(ast.parse(source.read_text())):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") == "emit"
            and isinstance(node.args[0], ast.Dict)
        ):
            yield from (key.value for key in node.args[0].keys if isinstance(key, ast.Constant))  # type: ignore[misc]  # the keys are texts


@pytest.mark.parametrize("function", SOURCES)
def test_every_metric_that_a_function_writes_is_counted_once(function: str) -> None:
    counted = [
        name
        for each in figures.EMITTED
        if each.function == function
        for name in (*each.always, *each.with_silence, *each.in_trouble)
    ]
    assert sorted(counted) == sorted(emitted(SOURCES[function]))


def test_every_alarm_and_dashboard_is_counted() -> None:
    deployed = Deployed()
    looked_at = 0
    for alarm in deployed.all("CloudWatch::Alarm"):
        parts = [part for part in alarm.properties.get("Metrics", []) if "MetricStat" in part]
        looked_at += len(parts) or 1
    assert looked_at == figures.ALARM_METRICS
    assert len(deployed.all("CloudWatch::Dashboard")) == figures.DASHBOARDS


def test_schedules_queues_and_secrets_are_those_that_are_counted() -> None:
    deployed = Deployed()
    assert len(deployed.all("Scheduler::Schedule")) == figures.SCHEDULES
    assert len(deployed.all("Lambda::EventSourceMapping")) == figures.POLLED_QUEUES
    for function, name in (("collector", "StatusCollector"), ("fanout", "Fanout"), ("status", "Status")):
        variables = deployed[f"{name}Function"]["Environment"]["Variables"]
        secrets = [variable for variable in variables if variable.endswith("_SECRET_ARN")]
        assert len(secrets) == figures.SECRETS[function]


@pytest.mark.parametrize(
    ("parameter", "attribute"),
    [
        ("StatusCollectorMemoryMb", "status_mb"),
        ("MetricsCollectorMemoryMb", "metrics_mb"),
        ("FanoutMemoryMb", "fanout_mb"),
        ("StatusMemoryMb", "decision_mb"),
        ("StatusConcurrency", "status_concurrency"),
        ("MetricsConcurrency", "metrics_concurrency"),
        ("FanoutTimeoutSeconds", "fanout_timeout"),
        ("StatusTimeoutSeconds", "decision_timeout"),
    ],
)
def test_a_deployment_is_what_the_template_makes_of_it(parameter: str, attribute: str) -> None:
    assert DOCUMENT["Parameters"][parameter]["Default"] == getattr(Deployment(), attribute)


def size(values: dict[str, Any], **dimensions: str) -> int:
    with redirect_stdout(io.StringIO()) as written:
        emit(values, **dimensions)
    return len(written.getvalue())


def test_a_record_of_metrics_is_as_long_as_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "netvitals-metrics-collector")
    polled = {
        "DevicesPolled": 300,
        "PointsWritten": 4211,
        "PointsHeld": 15321,
        "PollSeconds": [0.123] * MAX_VALUES,
    }
    assert 0.7 * figures.EMF_LOG < size(polled) <= figures.EMF_LOG
    incomplete = size({"PollsIncomplete": 3}, reason="unreachable")
    assert 0.7 * figures.REASON_LOG < incomplete <= figures.REASON_LOG
    read = {"DevicesRead": 10_000, "JobsSent": 20_000, "DevicesSilent": 100}
    assert 0.7 * figures.FANOUT_LOG < size(read, kind="status") <= figures.FANOUT_LOG


# --- The docs are output


@pytest.mark.parametrize("name", cost_tables.blocks())
def test_the_tables_of_the_guide_are_those_that_are_computed(name: str) -> None:
    """When this fails: python -m local.cost_tables."""
    page = cost_tables.GUIDE.read_text()
    assert cost_tables.replaced(page, name, cost_tables.blocks()[name]) == page


def test_the_headline_is_computed() -> None:
    """When this fails: python -m local.cost_tables."""
    assert cost_tables.headline() in cost_tables.README.read_text()


def test_a_block_that_is_missing_or_differs_is_noticed() -> None:
    page = "a\n<!-- b -->\n\nold\n\n<!-- end -->\nc"
    assert cost_tables.replaced(page, "b", "new") == page.replace("old", "new")
    with pytest.raises(ValueError, match="no block"):
        cost_tables.replaced(page, "d", "new")
