"""What `sam build` makes is what runs: every function with its events, under AWS's runtime client and the
template's own environment, and the files that are uploaded."""

import json
import marshal
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType
from typing import Any

import psycopg
import pytest
from template.test_rights import granted

from fixtures.influxdb import TOKEN, Influx
from fixtures.lambda_build import ROOT, built
from fixtures.snmpd import StartSnmpd
from local.aws import server as aws
from local.aws.account import Account
from local.aws.cloudformation import EVERYTHING, Deployed
from local.event import HOST
from local.invoke import function_from
from local.lambda_.sandbox import Function, Outcome, Sandbox
from local.servers.snmpd import HOST as SNMPD_HOST
from local.servers.snmpd import Snmpd

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

COMMUNITY = "canary-community"
MEGABYTE = 1024 * 1024
MACHINES = {"x86_64": 62, "arm64": 183}
"""ELF's e_machine."""
FUNCTIONS = (
    "FanoutFunction",
    "StatusCollectorFunction",
    "MetricsCollectorFunction",
    "StatusFunction",
    "ReplayFunction",
)
QUEUES = ("StatusQueue", "MetricsQueue", "SpoolQueue", "RejectQueue")


@pytest.fixture(scope="session")
def host_build(build_folder: Path) -> Path:
    return built(HOST, build_folder)


@pytest.fixture(scope="session", params=["arm64", "x86_64"])
def any_build(request: pytest.FixtureRequest, build_folder: Path) -> tuple[str, Path]:
    return request.param, built(request.param, build_folder)


@pytest.fixture(scope="module")
def snmpd(start_snmpd: StartSnmpd) -> Snmpd:
    return start_snmpd(f"rocommunity {COMMUNITY}\n")


class Stack:
    """The stack with its queues and secrets, where a function runs in a sandbox of its own."""

    def __init__(self, build: Path, services: aws.Aws, database_url: str, influx: Influx) -> None:
        self._build, self.aws = build, services
        contents = {
            "DatabaseSecretArn": {"url": database_url},
            "InfluxDbSecretArn": influx.secret,
            "CredentialsSecretArn": {"lab": {"snmp": {"version": "2c", "community": COMMUNITY}}},
        }
        self.account = Account(services.client, contents, QUEUES)
        names = {"EventBusName": "default", "ConfigParameterName": "/netvitals"}
        self.parameters = self.account.secrets | names | {"AllowedNetworks": "127.0.0.0/8"}
        services.client("ssm").put_parameter(Name="/netvitals", Value="log_level: INFO", Type="String")

    def function(self, name: str) -> Function:
        given = function_from(self._build, name, self.parameters).environment
        own = {key: self.account.queues.get(value, value) for key, value in given.items()}
        local = {"AWS_ENDPOINT_URL": self.aws.url, "NETVITALS_ALLOW_LOCAL": "on"}
        return function_from(self._build, name, self.parameters, own | local)

    def invoke(self, name: str, event: Any) -> Outcome:
        """Run a function once; whatever it does, it does within its role and without showing a secret."""
        self.aws.calls.clear()
        with Sandbox(self.function(name)) as sandbox:
            outcome = sandbox.invoke(json.dumps(event).encode())
        assert COMMUNITY not in outcome.log
        assert TOKEN not in outcome.log
        deployed = Deployed(self.parameters)
        role = deployed[name]["Role"].rsplit(":", 1)[1]
        assert set(self.aws.calls) - granted(deployed[role]) == set()
        return outcome

    def bodies(self, queue: str) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self.account.receive(queue)]


@pytest.fixture
def stack(host_build: Path, database_url: str, influx: Influx) -> Iterator[Stack]:
    with aws.running() as services:
        yield Stack(host_build, services, database_url, influx)


type Change = Callable[[dict[str, Any]], None]


def event_of(name: str, change: Change | None = None) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    if change:
        change(event)
    return event


def now(event: dict[str, Any]) -> None:
    event["scheduled_time"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(address: str, port: int) -> Change:
    """The devices of an event's jobs, moved to this agent."""

    def move(event: dict[str, Any]) -> None:
        for record in event["Records"]:
            body = json.loads(record["body"])
            for job in body["jobs"]:
                job["address"] = address
                job["settings"]["snmp"]["port"] = port
            record["body"] = json.dumps(body)

    return move


def metrics_of(outcome: Outcome) -> dict[str, float]:
    """What the log's EMF lines count."""
    lines = [json.loads(line) for line in outcome.log.splitlines() if '"_aws"' in line]
    counted: dict[str, float] = {}
    for line in lines:
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            counted[metric["Name"]] = sum(line[metric["Name"]])
    return counted


def add_device(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO devices (id, ip_address, device_type, credential, site)"
            " VALUES ('sw-1', '127.0.0.1', 'network', 'lab', 'here')"
        )


@pytest.mark.parametrize(("kind", "jobs"), [("status", 2), ("metrics", 1)])
def test_a_tick_becomes_messages_on_its_queue(stack: Stack, database_url: str, kind: str, jobs: int) -> None:
    add_device(database_url)
    outcome = stack.invoke("FanoutFunction", event_of(f"fanout-{kind}", now))
    assert outcome.error is None, outcome.log
    assert outcome.payload["jobs"] == jobs
    assert stack.account.depth(f"{kind.title()}Queue") == jobs


def test_a_tick_that_is_none_is_an_error_that_says_what_is_expected(stack: Stack) -> None:
    outcome = stack.invoke("FanoutFunction", event_of("fanout-bad-tick"))
    assert outcome.error is not None
    assert outcome.error["errorType"] == "ConfigurationError"
    assert "rate(1 minute)" in outcome.error["errorMessage"]


@pytest.mark.parametrize(
    ("function", "event"),
    [
        ("StatusCollectorFunction", "collector-status"),
        ("MetricsCollectorFunction", "collector-metrics"),
    ],
)
def test_a_batch_of_jobs_becomes_points(
    stack: Stack, influx: Influx, snmpd: Snmpd, function: str, event: str
) -> None:
    outcome = stack.invoke(function, event_of(event, at(SNMPD_HOST, snmpd.port)))
    assert outcome.error is None, outcome.log
    assert outcome.payload == {"batchItemFailures": []}, outcome.log
    polled = metrics_of(outcome)["DevicesPolled"]
    up = influx.query("SELECT value FROM device_metrics WHERE metric_name = 'ping_status'")
    assert [row["value"] for row in up] == [1] * int(polled)
    names = {row["metric_name"] for row in influx.query("SELECT metric_name, value FROM device_metrics")}
    assert ("net_bytes_in" in names) == (function == "MetricsCollectorFunction")


def test_a_malformed_job_goes_back_and_an_expired_one_does_not(stack: Stack) -> None:
    event = event_of("collector-malformed-and-expired")
    outcome = stack.invoke("StatusCollectorFunction", event)
    assert outcome.error is None, outcome.log
    malformed = sorted(record["messageId"] for record in event["Records"][:2])
    assert [failure["itemIdentifier"] for failure in outcome.payload["batchItemFailures"]] == malformed
    assert metrics_of(outcome) == {"JobsRejected": 2, "JobsExpired": 1}


def test_the_status_function_decides(stack: Stack, database_url: str) -> None:
    add_device(database_url)
    outcome = stack.invoke("StatusFunction", event_of("status-tick"))
    assert outcome.error is None, outcome.log
    assert outcome.payload["devices"] == 1


def test_a_spooled_batch_is_written(stack: Stack, influx: Influx) -> None:
    outcome = stack.invoke("ReplayFunction", event_of("replay-lines"))
    assert outcome.error is None, outcome.log
    assert outcome.payload == {"batchItemFailures": []}, outcome.log
    rows = influx.query("SELECT value FROM device_metrics WHERE metric_name = 'cpu_percent'")
    assert [row["value"] for row in rows] == [12.5]


def test_a_malformed_batch_is_set_aside(stack: Stack) -> None:
    outcome = stack.invoke("ReplayFunction", event_of("replay-malformed"))
    assert outcome.error is None, outcome.log
    assert outcome.payload == {"batchItemFailures": []}
    assert len(stack.bodies("RejectQueue")) == 1


@pytest.mark.parametrize(
    ("function", "event"),
    [
        ("StatusCollectorFunction", "collector-status"),
        ("MetricsCollectorFunction", "collector-metrics"),
        ("StatusFunction", "status-tick"),
        ("ReplayFunction", "replay-lines"),
    ],
)
def test_a_function_that_finds_influxdb_away_does_nothing_beyond_its_role(
    stack: Stack, database_url: str, function: str, event: str
) -> None:
    add_device(database_url)
    away = {"url": "http://127.0.0.1:9", "token": TOKEN, "org": "none", "bucket": "none"}
    stack.account.put_secret("InfluxDbSecretArn", away)
    nobody = at(SNMPD_HOST, 9) if event.startswith("collector") else None
    outcome = stack.invoke(function, event_of(event, nobody))
    assert outcome.error is None, outcome.log
    assert len(stack.bodies("SpoolQueue")) == (1 if event.startswith("collector") else 0)
    assert len(outcome.payload.get("batchItemFailures", [])) == (1 if event.startswith("replay") else 0)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_without_its_settings_says_which(host_build: Path, function: str) -> None:
    given = function_from(host_build, function)
    nothing = dict.fromkeys(given.environment, "")
    with Sandbox(function_from(host_build, function, {}, nothing)) as sandbox:
        outcome = sandbox.invoke(json.dumps(event_of("fanout-status") | {"Records": []}).encode())
    assert outcome.error is not None
    assert outcome.error["errorType"] == "ConfigurationError", outcome.error


def layers(build: Path) -> list[Path]:
    return [build / "DependenciesLayer", build / "NetvitalsLayer"]


def files(folder: Path, pattern: str = "*") -> list[Path]:
    return [path for path in folder.rglob(pattern) if path.is_file()]


def test_every_binary_is_for_the_processor_of_the_build(any_build: tuple[str, Path]) -> None:
    architecture, build = any_build
    binaries = {path: path.read_bytes()[:20] for path in files(build, "*.so*")}
    assert len(binaries) > 20
    wrong = [
        str(path)
        for path, head in binaries.items()
        if head[:4] != b"\x7fELF" or struct.unpack_from("<H", head, 18)[0] != MACHINES[architecture]
    ]
    assert wrong == []
    named = build / "DependenciesLayer" / "python" / "netvitals_processor.py"
    assert named.read_text() == f'BUILT_FOR = "{architecture}"\n'


def test_everything_is_compiled_for_a_place_that_is_read_only(any_build: tuple[str, Path]) -> None:
    """Unchecked hash (PEP 552): valid whatever date the upload gives to the source."""
    for layer in layers(any_build[1]):
        sources = files(layer, "*.py")
        assert sources
        for source in sources:
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            content = compiled.read_bytes()
            assert struct.unpack_from("<I", content, 4)[0] == 0b01, compiled
            code = marshal.loads(content[16:])  # noqa: S302, the build's own
            assert isinstance(code, CodeType)
            assert code.co_filename == f"/opt/{source.relative_to(layer)}"


def test_the_package_is_within_lambdas_limits_and_our_own_part_is_small(any_build: tuple[str, Path]) -> None:
    _, build = any_build
    dependencies, netvitals = (sum(path.stat().st_size for path in files(layer)) for layer in layers(build))
    functions = sum(path.stat().st_size for name in FUNCTIONS for path in files(build / name))
    assert dependencies + netvitals + functions < 250 * MEGABYTE / 2
    # Four fifths code; a profile adds 0.7 KB, and a poll reads two files of them. More is a mistake.
    assert netvitals < 4 * MEGABYTE
    assert functions < MEGABYTE / 10


def test_each_layer_holds_what_it_is_for(any_build: tuple[str, Path]) -> None:
    dependencies, netvitals = (layer / "python" for layer in layers(any_build[1]))
    assert [path.name for path in netvitals.iterdir()] == ["netvitals"]
    assert not (dependencies / "netvitals").exists()
    assert not any((netvitals / "netvitals" / part).exists() for part in ("cli", "ui", "reading"))
    assert files(netvitals, "*.yaml") == []
    profiles = files(netvitals / "netvitals" / "profiles" / "index" / "profiles", "*.json")
    assert len(profiles) > 500
    assert [path.stem for path in profiles if b'"example":' in path.read_bytes()] == []


def test_the_layer_knows_every_service_that_a_role_lets_a_function_call(host_build: Path) -> None:
    deployed = Deployed(EVERYTHING)
    roles = {function.properties["Role"].rsplit(":", 1)[1] for function in deployed.all("Lambda::Function")}
    called = {action.split(":")[0] for role in roles for action, _ in granted(deployed[role])} - {"logs"}
    models = host_build / "DependenciesLayer" / "python" / "botocore" / "data"
    assert called - {folder.name for folder in models.iterdir()} == set()


def test_a_build_is_the_same_every_time(host_build: Path, tmp_path: Path) -> None:
    """So that a deployment uploads only what has changed."""
    name = "NetvitalsLayer"
    one, other = host_build / name, built(HOST, tmp_path, name) / name
    contents = {path.relative_to(one): path.read_bytes() for path in files(one)}
    assert contents == {path.relative_to(other): path.read_bytes() for path in files(other)}
