"""The stack's dashboard in CloudWatch shows functions, queues and metrics that there are."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws.cloudformation import EVERYTHING, Deployed
from netvitals.cli.cost.prices import prices_in
from netvitals.observability import NAMESPACE

ROOT = Path(__file__).parents[2]
PRICES = prices_in()
SOURCES = {
    "fanout": "fanout",
    "status-collector": "collector",
    "metrics-collector": "collector",
    "status": "status",
    "replay": "replay",
}
"""The folder of a function's code by the end of its service's name."""
_SEARCH = re.compile(r"SEARCH\('\{(\w+),(.+?)\} MetricName=\"(\w+)\" service=\"(.+?)\"', '\w+', \d+\)")


def widgets(parameters: dict[str, str] | None = None) -> list[dict[str, Any]]:
    body = Deployed({"Dashboard": "on"} | (parameters or {}))["OperationsDashboard"]["DashboardBody"]
    found: list[dict[str, Any]] = json.loads(body.replace("${!", "${"))["widgets"]
    return found


def metrics() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield namespace, name and dimensions of every metric that is shown; of a search, dimensions are `*`."""
    for widget in widgets():
        for row in widget["properties"]["metrics"]:
            if isinstance(row[0], dict):
                for space, dimensions, name, service in _SEARCH.findall(row[0]["expression"]):
                    yield space, name, {**dict.fromkeys(dimensions.split(","), "*"), "service": service}
            else:
                texts = [part for part in row if isinstance(part, str)]
                yield texts[0], texts[1], dict(zip(texts[2::2], texts[3::2], strict=True))


def emitted(function: str) -> dict[str, set[str]]:
    """Return the dimensions of the metrics that a function writes, besides `service`."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse((ROOT / f"functions/{function}/app.py").read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "emit":
            (values,) = node.args
            assert isinstance(values, ast.Dict)
            names = [key.value for key in values.keys if isinstance(key, ast.Constant)]
            found |= {str(name): {str(each.arg) for each in node.keywords} for name in names}
    return found


OURS = [
    pytest.param(name, dimensions, id=f"{dimensions['service'].removeprefix('netvitals-local-')}-{name}")
    for space, name, dimensions in metrics()
    if space == NAMESPACE
]


@pytest.mark.parametrize(("name", "dimensions"), OURS)
def test_every_metric_of_ours_is_written_by_that_function_with_those_dimensions(
    name: str, dimensions: dict[str, str]
) -> None:
    services = {
        resource.properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for resource in Deployed().all("Lambda::Function")
    }
    assert dimensions["service"] in services
    function = SOURCES[dimensions["service"].removeprefix("netvitals-local-")]
    assert emitted(function)[name] | {"service"} == set(dimensions)


def test_every_function_is_shown_with_errors_throttles_and_durations() -> None:
    functions = {function.name for function in Deployed().all("Lambda::Function")}
    for metric in ("Errors", "Throttles", "Duration", "Invocations"):
        assert {d["FunctionName"] for _, name, d in metrics() if name == metric} == functions, metric


def test_every_queue_is_shown() -> None:
    queues = {f"{queue.name}.QueueName" for queue in Deployed().all("SQS::Queue")}
    waiting = {d["QueueName"] for _, name, d in metrics() if name == "ApproximateNumberOfMessagesVisible"}
    assert waiting == queues


def test_every_log_group_that_is_reckoned_with_is_there() -> None:
    groups = {group.name for group in Deployed().all("Logs::LogGroup")}
    assert {d["LogGroupName"] for _, name, d in metrics() if name == "IncomingBytes"} == groups


def test_what_it_is_for_is_on_it() -> None:
    shown = {name for space, name, _ in metrics() if space == NAMESPACE}
    assert shown >= {
        *("Devices", "DevicesPolled", "DevicesSilent", "PollsIncomplete", "PollSeconds"),
        *("PointsWritten", "LinesSpooled", "PointsReplayed", "LinesRefused"),
    }


def test_widgets_are_in_the_stacks_region_and_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in widgets():
        assert widget["properties"]["region"] == "us-east-1"
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        assert max(columns) < 24
        assert not cells & taken
        taken |= cells


def cost(counters: dict[str, float], parameters: dict[str, str] | None = None) -> dict[str, float]:
    """Return what the dashboard makes of counters, which are given by the first letter of their ids."""
    rows = widgets(parameters)[-1]["properties"]["metrics"]
    given = {row[-1]["id"]: counters.get(row[-1]["id"][0], 0.0) for row in rows if isinstance(row[0], str)}
    found: dict[str, float] = {}
    for row in rows:
        if isinstance(row[0], dict):
            filled = re.sub(r"FILL\((\w+),0\)", lambda match: repr(given[match[1]]), row[0]["expression"])
            filled = re.sub(r"[a-z]+", lambda match: repr(found[match[0]]), filled)
            assert re.fullmatch(r"[\d.e+*/() -]+", filled), filled
            found[row[0]["id"]] = eval(filled)  # noqa: S307, as just checked
    return found


def test_the_month_costs_what_the_prices_say() -> None:
    deployed = Deployed()
    seconds, invocations, messages, log_bytes, points = 3_000.0, 40_000.0, 1_000_000.0, 2e9, 5e6
    found = cost({"d": 1000 * seconds, "i": invocations, "q": messages, "l": log_bytes, "p": points})
    memory = [int(function.properties["MemorySize"]) for function in deployed.all("Lambda::Function")]
    gigabytes = sum(memory) / 1024
    functions = (
        seconds * gigabytes * PRICES.lambda_gb_second + len(memory) * invocations * PRICES.lambda_request
    )
    assert found["lambda"] == pytest.approx(functions)
    assert found["sqs"] == pytest.approx(3 * 4 * messages * PRICES.sqs_request)
    assert found["logs"] == pytest.approx(5 * log_bytes / 1e9 * PRICES.log_gb)
    assert found["influxdb"] == pytest.approx(3 * points * 146 / 1e6 * PRICES.influxdb_mb_in)
    assert found["total"] == pytest.approx(sum(found.values()) - found["total"])


def test_a_processor_has_its_own_price() -> None:
    arm, other = (cost({"d": 1e6}, {"Architecture": name})["lambda"] for name in ("arm64", "x86_64"))
    assert other == pytest.approx(1.25 * arm, rel=1e-3)


def test_it_can_be_left_out() -> None:
    assert Deployed({"Dashboard": "off"}).all("CloudWatch::Dashboard") == []
    assert len(Deployed(EVERYTHING).all("CloudWatch::Dashboard")) == 1
