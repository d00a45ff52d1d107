"""Whatever PostgreSQL does: polling goes on, what polls found out arrives, no status changes because of us.

The real PostgreSQL stands behind a proxy that misbehaves; its user has a password that nobody may see.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Literal, LiteralString, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

import boto3
import psycopg
import pytest
from psycopg import sql

from fixtures.fleet import Fleet
from fixtures.influxdb import TOKEN
from fixtures.pipeline import COMMUNITY, REGION, SILENT_PORT, Pipeline
from fixtures.postgres import PASSWORD
from fixtures.storage import ScriptedSink
from local.devices.snmp_agent import Agent
from local.devices.snmp_devices import system
from local.devices.snmp_host import AgentThread
from local.lambda_.handlers import Context, handler_of, sqs_event
from local.proxy import TcpFault, TcpProxy
from netvitals.adapters.postgres import database as postgres
from netvitals.adapters.postgres import inventory as inventory_postgres
from netvitals.adapters.postgres import state as state_postgres
from netvitals.adapters.postgres import status as status_postgres
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.job import decode_jobs
from netvitals.store.outcome import WriteOutcome
from netvitals.usecases import retrying_inventory
from netvitals.wiring.parts import forget, process

pytestmark = pytest.mark.integration

ADDRESS = "127.0.12.1"
BUCKET = "netvitals-snapshots"
ROLE = f"netvitals_faulty_{os.getpid()}"
"""Roles belong to a whole server, which other tests may use at the same time."""
READ, RECORD, DECIDE = b"FROM (SELECT * FROM devices", b"INSERT INTO device_state", b"FROM status_watch"
Duration = Literal["short", "long"]
Said = Callable[[], str]


class Case(NamedTuple):
    inflict: Callable[["Server", bytes, int], None]
    """Is given what the client says at the stage, and how often that goes wrong."""
    can_be_short: bool = False
    """It can hit one statement and spare the next."""
    hangs: bool = False
    """It is met by waiting, so that the functions have less time than when deployed."""
    stops_reading: bool = True


class Server:
    """A database behind a proxy, and what can be wrong with it."""

    def __init__(self, direct_url: str, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch) -> None:
        self.direct_url, self.proxy, self._monkeypatch = direct_url, proxy, monkeypatch
        parts = urlsplit(direct_url)
        self.name = parts.path.removeprefix("/")
        netloc = f"{ROLE}:{quote(PASSWORD, safe='')}@127.0.0.1:{proxy.port}"
        self.url = urlunsplit(parts._replace(netloc=netloc))

    def execute(self, statement: LiteralString, *values: object, **names: sql.Composable) -> list[Any]:
        query = sql.SQL(statement).format(**names) if names else statement
        with psycopg.connect(self.direct_url, autocommit=True) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def inflict(self, case: Case, words: bytes, times: int) -> None:
        self._monkeypatch.setattr(retrying_inventory, "PATIENCE_SECONDS", 1)
        if case.hangs:
            # The second try of a fault that is met once must not fail where the machine is busy.
            self._hurry(3 if times == 1 else 1)
        case.inflict(self, words, times)

    def _hurry(self, seconds: int) -> None:
        for limit in (
            (inventory_postgres, "CHUNK_SECONDS"),
            (state_postgres, "RECORD_SECONDS"),
            (status_postgres, "RUN_SECONDS"),
        ):
            self._monkeypatch.setattr(*limit, seconds)
        self._monkeypatch.setattr(postgres, "PATIENCE_SECONDS", 0.2)
        self._monkeypatch.setitem(postgres._CONNECTION_DEFAULTS, "connect_timeout", 2)  # libpq's least

    def set_read_only(self, value: str) -> None:
        """What a connection sees that is opened after it."""
        names = {"role": sql.Identifier(ROLE), "name": sql.Identifier(self.name), "value": sql.Literal(value)}
        self.execute(
            "ALTER ROLE {role} IN DATABASE {name} SET default_transaction_read_only = {value}", **names
        )

    def heal(self) -> None:
        self._monkeypatch.undo()
        self.proxy.heal()
        self.set_read_only("off")
        self.execute("ALTER ROLE {role} CONNECTION LIMIT -1", role=sql.Identifier(ROLE))
        self.proxy.drop()


def away(server: Server, _words: bytes, _times: int) -> None:
    server.proxy.refuse()


def silent_when_dialled(server: Server, _words: bytes, _times: int) -> None:
    server.proxy.drop()
    server.proxy.inflict("stall before")


def broken(fault: TcpFault) -> Callable[[Server, bytes, int], None]:
    return lambda server, words, times: server.proxy.inflict(fault, words, times)


def read_only(server: Server, _words: bytes, _times: int) -> None:
    server.set_read_only("on")
    server.proxy.drop()


def out_of_connections(server: Server, _words: bytes, _times: int) -> None:
    server.execute("ALTER ROLE {role} CONNECTION LIMIT 0", role=sql.Identifier(ROLE))
    server.proxy.drop()


CASES = {
    "away": Case(away),
    "hangs when dialled": Case(silent_when_dialled, hangs=True),
    "hangs before the statement": Case(broken("stall before"), can_be_short=True, hangs=True),
    "hangs after the statement": Case(broken("stall after"), can_be_short=True, hangs=True),
    "drops before the statement": Case(broken("cut before"), can_be_short=True),
    "drops after the statement": Case(broken("cut after"), can_be_short=True),
    "read-only": Case(read_only, stops_reading=False),
    "out of connections": Case(out_of_connections),
}
MATRIX = [
    pytest.param((case, duration), id=f"{name}, {duration}")
    for name, case in CASES.items()
    for duration in ("short", "long")
    if case.can_be_short or duration == "long"
]


@pytest.fixture
def server(password_url: str) -> Iterator[Server]:
    with (
        TcpProxy(urlsplit(password_url).port or 5432) as proxy,
        pytest.MonkeyPatch.context() as hurried,
    ):
        server = Server(password_url, proxy, hurried)
        role, password = sql.Identifier(ROLE), sql.Literal(PASSWORD)
        server.execute("CREATE ROLE {role} LOGIN PASSWORD {password}", role=role, password=password)
        server.execute("GRANT pg_read_all_data, pg_write_all_data TO {role}", role=role)
        yield server
        proxy.refuse()
        server.execute("DROP ROLE {role}", role=role)


@pytest.fixture
def scene(pipeline: Pipeline, server: Server, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """The functions, whose secret names the way through the proxy."""
    pipeline.put_secret("database", {"url": server.url})
    place: Any = {"LocationConstraint": REGION}
    boto3.client("s3", region_name=REGION).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    monkeypatch.setenv("NETVITALS_SNAPSHOT_BUCKET", BUCKET)
    monkeypatch.setenv("NETVITALS_LOG_LEVEL", "DEBUG")
    return pipeline


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Said:
    """All that was printed and logged since the last time; no credential is in it."""
    secrets = (PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), "wörd", "w\\u00f6rd", COMMUNITY, TOKEN)

    def everything() -> str:
        printed = capsys.readouterr()
        text = printed.out + printed.err + caplog.text
        caplog.clear()
        for secret in secrets:
            assert secret not in text
        return text

    return everything


@pytest.mark.parametrize("process", ["warm", "fresh"])
@pytest.mark.parametrize("fault", MATRIX)
def test_fan_out_goes_on_with_the_snapshot_and_says_so(
    scene: Pipeline,
    server: Server,
    fault: tuple[Case, Duration],
    process: str,
    said: Said,
) -> None:
    case, duration = fault
    for number in range(2):
        scene.add_device(f"sw-{number}", 161)
    assert scene.tick("metrics")["jobs"] == 2
    said()
    if process == "fresh":
        forget()
    server.inflict(case, READ, 1 if duration == "short" else 1000)
    report = scene.tick("metrics")
    text = said()
    assert (report["devices"], report["jobs"]) == (2, 2)
    needed = duration == "long" and case.stops_reading
    assert ("polling goes on with the inventory of 0 minutes ago" in text) == needed
    jobs = [job for message in scene.received("metrics") for job in decode_jobs(message["Body"]).jobs]
    assert len({job.key for job in jobs}) <= len(jobs) == 4

    server.heal()
    assert scene.tick("metrics")["jobs"] == 2
    assert "polling goes on" not in said()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.stops_reading])
def test_without_a_snapshot_fan_out_gives_up_loudly(
    scene: Pipeline, server: Server, name: str, said: Said
) -> None:
    scene.add_device("sw-1", 161)
    server.inflict(CASES[name], READ, 1000)
    with pytest.raises(Unavailable, match=r"and no snapshot stands in: .* there is none yet"):
        scene.tick("metrics")
    text = said()
    assert '"Failures":[1.0]' in text
    assert "database 127.0.0.1:" in text


@pytest.mark.parametrize("fault", MATRIX)
def test_observations_are_spooled_and_replayed_and_a_late_one_overwrites_no_newer_one(
    scene: Pipeline,
    server: Server,
    fault: tuple[Case, Duration],
    said: Said,
) -> None:
    case, duration = fault
    scene.add_device("sw-1", SILENT_PORT, ip_address=ADDRESS)
    scene.add_device("sw-2", SILENT_PORT, ip_address=ADDRESS)
    scene.tick("metrics")
    polls = sqs_event(scene.received("metrics"), "metrics")
    process().database.close()
    server.inflict(case, RECORD, 1 if duration == "short" else 1000)
    assert handler_of("collector")(polls, Context()) == {"batchItemFailures": []}  # nobody answers the first
    said()
    if duration == "short":
        assert states(server) == {"sw-1": (1, "timeout"), "sw-2": (1, "timeout")}
        assert scene.receive("spool") == []
        return
    spooled = sqs_event(scene.received("spool"), "spool")
    replay = handler_of("replay")
    kept = {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in spooled["Records"]]}
    assert replay(spooled, Context()) == kept
    assert "messages stay in the spool" in said()

    server.heal()
    with AgentThread({ADDRESS: Agent(system("device"), community=COMMUNITY)}) as host:
        server.execute(
            "UPDATE devices SET settings = jsonb_set(settings::jsonb, '{snmp}', %s::jsonb) WHERE id = 'sw-1'",
            json.dumps({"port": host.port, "timeout_seconds": 3}),
        )
        server.execute("UPDATE devices SET enabled = false WHERE id = 'sw-2'")
        scene.tick("metrics")
        again = sqs_event(scene.received("metrics"), "metrics")
        assert handler_of("collector")(again, Context()) == {"batchItemFailures": []}
    newer = states(server)["sw-1"]
    assert newer[0] == 0
    for _ in range(2):
        assert replay(spooled, Context()) == {"batchItemFailures": []}
    assert states(server) == {"sw-1": newer, "sw-2": (1, "timeout")}
    said()
    pings = scene.influx.query(
        "SELECT value FROM device_metrics WHERE metric_name = 'ping_status' GROUP BY *"
    )
    assert sorted((row["device_id"], row["value"]) for row in pings) == [
        ("sw-1", 0),
        ("sw-1", 1),
        ("sw-2", 0),
    ]


def test_an_observation_whose_commit_was_done_and_not_confirmed_counts_once(
    scene: Pipeline, server: Server
) -> None:
    scene.add_device("sw-1", SILENT_PORT, ip_address=ADDRESS)
    scene.tick("metrics")
    polls = sqs_event(scene.received("metrics"), "metrics")
    server.proxy.inflict("cut after", b"COMMIT", times=1, once_said=RECORD)
    assert handler_of("collector")(polls, Context()) == {"batchItemFailures": []}
    assert server.proxy.met.is_set()
    assert states(server) == {"sw-1": (1, "timeout")}


def states(server: Server) -> dict[str, tuple[int, str]]:
    return {
        device_id: (failures, reason)
        for device_id, failures, reason in server.execute(
            "SELECT device_id, failures, reason FROM device_state"
        )
    }


@pytest.fixture
def fleet(server: Server) -> Iterator[Fleet]:
    sink = ScriptedSink(lambda lines: WriteOutcome(accepted=len(lines)))
    fleet = Fleet(server.url, server.direct_url, sink)
    fleet.minutes(3)
    yield fleet
    fleet.close()


@pytest.mark.parametrize("minutes", [1, 20], ids=["short", "long"])
@pytest.mark.parametrize("name", CASES)
def test_no_device_changes_its_status_because_the_database_was_away(
    fleet: Fleet, server: Server, name: str, minutes: int
) -> None:
    online = [(device_id, "unknown", "online") for device_id in Fleet.IDS]
    assert fleet.history() == online
    server.inflict(CASES[name], b"INSERT INTO device_state" if minutes == 1 else b"BEGIN", 1000)
    fleet.poll()
    assert fleet.spool.records
    with suppress(Unavailable):  # whom one statement is spared does his work
        fleet.status.run(fleet.now)
    fleet.now += 60 * minutes
    server.heal()
    fleet.status.run(fleet.now)
    assert fleet.history() == online
    fleet.replay_everything()
    fleet.status.run(fleet.now + 1)
    fleet.minutes(2)
    assert fleet.history() == online

    fleet.dead.add("b")
    fleet.minutes(3)
    assert fleet.history() == [*online, ("b", "online", "offline")]


@pytest.mark.parametrize("name", CASES)
def test_a_status_run_that_fails_leaves_nothing_and_the_next_decides(
    fleet: Fleet, server: Server, name: str, said: Said
) -> None:
    fleet.dead.add("b")
    for _ in range(6):
        fleet.poll()
    before = fleet.history()
    server.inflict(CASES[name], DECIDE, 1000)
    with pytest.raises(Unavailable) as raised:
        fleet.status.run(fleet.now)
    assert "wörd" not in str(raised.value)
    said()
    server.heal()
    assert fleet.history() == before
    fleet.status.run(fleet.now)
    assert fleet.history() == [*before, ("b", "online", "offline")]
