"""Several stacks on one real PostgreSQL: each polls, judges and tells of its own collector group."""

import json
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import boto3
import psycopg
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from fixtures.status_store import status_poll
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.groups import unserved_groups
from netvitals.adapters.postgres.inventory import PostgresInventory
from netvitals.adapters.postgres.schema import migrate
from netvitals.adapters.postgres.state import PostgresObservationStore
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.cli.inventory.command import inventory
from netvitals.domain.decision.status import OutboxMessage, SiteState
from netvitals.domain.errors import Unavailable
from netvitals.domain.polling.tick import Tick
from netvitals.domain.settings.configuration import Configuration
from netvitals.store.outcome import WriteOutcome
from netvitals.usecases.status_pass import StatusReport
from netvitals.usecases.update_status import UpdateStatus
from netvitals.wiring.fan_out import fan_out
from netvitals.wiring.parts import Parts
from netvitals.wiring.update_status import update_status

pytestmark = pytest.mark.integration

START = 1_700_000_040
Execute = Callable[..., list[tuple[Any, ...]]]


class Stack:
    """The fan-out's and the status function's side of a deployment with a `CollectorGroup`."""

    def __init__(self, group: str, database: Database) -> None:
        self.group, self.database = group, database
        self.store = PostgresStatusStore(database, collector=group)
        self.told: list[tuple[str, str, str]] = []
        self.lines: list[str] = []
        self.deaf = False

    @property
    def devices(self) -> list[str]:
        chunks = PostgresInventory(self.database, 2, collector=self.group).devices(print)
        return [device.id for chunk in chunks for device in chunk]

    def judge(self, now: float) -> StatusReport:
        use_case = UpdateStatus(
            store=self.store, policy=Configuration().policy, sink=self, events=self, digests=self
        )
        return use_case.run(now)

    def send(self, messages: Sequence[OutboxMessage]) -> Collection[str]:
        if self.deaf:
            return []
        for message in messages:
            body = json.loads(message.body)
            if message.channel == "event":
                name = (body["device"] or {}).get("id", body["site"])
                self.told.append((name, body["before"], body["after"]))
            else:
                self.told.append(("digest", "", body["subject"]))
        return {message.id for message in messages}

    def write(self, lines: Sequence[str], deadline: float) -> WriteOutcome:  # noqa: ARG002, the port's
        self.lines += lines
        return WriteOutcome(accepted=len(lines))


class World:
    """Devices of three groups in one table, and a stack for each group."""

    def __init__(self, url: str, open_database: Callable[[str], Database]) -> None:
        self.execute = executing(url)
        self.now = START
        self.stacks = {group: Stack(group, open_database(url)) for group in ("", "north", "south")}
        self.dead: set[str] = set()
        self.silent: set[str] = set()
        """Groups whose collectors do nothing."""

    def add(self, group: str | None, *ids: str, site: str = "", parent: str | None = None) -> None:
        for device_id in ids:
            self.execute(
                "INSERT INTO devices (id, ip_address, site, parent_id, collector)"
                " VALUES (%s, '10.0.0.1', %s, %s, %s)",
                [device_id, site, parent, group],
            )

    def minutes(self, count: int) -> None:
        for _ in range(count):
            for _ in range(2):
                self.now += 30
                for group, stack in self.stacks.items():
                    if group not in self.silent:
                        self._poll(stack)
            for stack in self.stacks.values():
                stack.judge(self.now)

    def _poll(self, stack: Stack) -> None:
        PostgresObservationStore(stack.database).record(
            [status_poll(each, self.now, answers=each not in self.dead) for each in stack.devices]
        )

    def status(self, device_id: str) -> str:
        [(status,)] = self.execute("SELECT status FROM device_state WHERE device_id = %s", [device_id])
        return str(status)


def executing(url: str) -> Execute:
    connection = psycopg.connect(url, autocommit=True)

    def execute(query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = connection.execute(query.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    return execute


@pytest.fixture
def world(database_url: str, open_database: Callable[[str], Database]) -> World:
    return World(database_url, open_database)


def test_each_stack_polls_and_judges_the_devices_of_its_group_and_no_other(world: World) -> None:
    world.add(None, "d1", "d2", "d3")
    world.add("", "d4")
    world.add("north", "n1", "n2")
    world.add("south", "s1")
    world.minutes(1)
    assert {group: stack.devices for group, stack in world.stacks.items()} == {
        "": ["d1", "d2", "d3", "d4"],
        "north": ["n1", "n2"],
        "south": ["s1"],
    }
    assert {group: stack.judge(world.now).devices for group, stack in world.stacks.items()} == {
        "": 4,
        "north": 2,
        "south": 1,
    }


def test_an_outage_is_told_by_the_stack_of_its_group_even_at_the_same_moment(world: World) -> None:
    world.add("north", "n1", "n2")
    world.add("south", "s1", "s2")
    world.minutes(2)
    for stack in world.stacks.values():
        stack.told.clear()
    world.dead = {"n1", "s1"}
    world.minutes(4)
    for group, name in (("north", "n1"), ("south", "s1")):
        told = world.stacks[group].told
        assert (name, "online", "offline") in told
        assert ("digest", "", "netvitals: 1 offline") in told
        assert len(told) == 2
    assert world.stacks[""].told == []


def test_what_one_stack_can_not_publish_is_left_to_it(world: World) -> None:
    world.add("north", "n1")
    world.add("south", "s1")
    world.stacks["north"].deaf = True
    world.minutes(2)
    waiting = world.execute("SELECT DISTINCT collector FROM status_outbox WHERE published_at IS NULL")
    assert waiting == [("north",)]
    world.stacks["north"].deaf = False
    world.minutes(1)
    assert ("n1", "unknown", "online") in world.stacks["north"].told
    assert all(name != "n1" for name, _, _ in world.stacks["south"].told)


def test_a_group_whose_collectors_are_silent_says_nothing_about_the_others(world: World) -> None:
    world.add(None, "d1", "d2")
    world.add("north", "n1", "n2")
    world.minutes(3)
    world.silent = {"north"}
    world.minutes(8)
    reports = {group: stack.judge(world.now) for group, stack in world.stacks.items()}
    assert (reports["north"].fleet_silent, reports[""].fleet_silent) == (True, False)
    assert (world.status("d1"), world.status("n1")) == ("online", "unknown")


def test_a_site_in_two_groups_is_lost_for_the_one_that_has_lost_it(world: World) -> None:
    for group, letter in ((None, "d"), ("north", "n")):
        world.add(group, *(f"{letter}{number}" for number in range(6)), site="zurich")
    world.minutes(3)
    world.dead = {f"n{number}" for number in range(6)}
    world.minutes(5)
    assert ("zurich", "reachable", "lost") in world.stacks["north"].told
    assert all(name != "zurich" for name, _, _ in world.stacks[""].told)
    sites = [stack.store.run(lambda run: dict(run.sites)) or {} for stack in world.stacks.values()]
    assert [found.get("zurich", SiteState("")).lost for found in sites] == [False, True, False]
    world.dead = set()
    world.minutes(3)
    assert ("zurich", "lost", "reachable") in world.stacks["north"].told


def test_a_parent_of_another_group_excuses_its_children(world: World) -> None:
    world.add(None, "router")
    world.add("north", "n1", parent="router")
    world.minutes(3)
    world.dead = {"router", "n1"}
    world.minutes(5)
    assert (world.status("router"), world.status("n1")) == ("offline", "unreachable")


def test_stacks_judge_and_publish_at_the_same_time_and_two_of_one_group_do_not(
    world: World, database_url: str, open_database: Callable[[str], Database]
) -> None:
    world.add("north", "n1")
    twin = PostgresStatusStore(open_database(database_url), collector="north")

    def meanwhile(_: Any) -> list[Any]:
        others = [world.stacks[group].store for group in ("", "south")]
        with ThreadPoolExecutor(2) as pool:
            return [*pool.map(lambda store: store.run(lambda _: "ran"), others), twin.run(lambda _: "ran")]

    assert world.stacks["north"].store.run(meanwhile) == ["ran", "ran", None]


def test_a_device_that_moves_is_polled_and_judged_by_its_new_group(world: World) -> None:
    world.add(None, "d1")
    world.add("north", "n1")
    world.minutes(3)
    world.execute("UPDATE devices SET collector = 'north' WHERE id = 'd1'")
    world.minutes(3)
    assert world.stacks["north"].devices == ["d1", "n1"]
    assert world.status("d1") == "online"
    history = world.execute("SELECT before, after FROM device_status_history WHERE device_id = 'd1'")
    assert history == [("unknown", "online")]


def test_an_inventory_without_the_column_is_that_of_the_stack_without_a_group(world: World) -> None:
    world.add(None, "d1")
    world.execute("ALTER TABLE devices RENAME TO assets")
    world.execute("CREATE VIEW devices AS SELECT id, ip_address FROM assets")
    world.minutes(0)
    assert world.stacks[""].devices == ["d1"]
    assert world.stacks[""].judge(world.now).devices == 1
    for use in (lambda: world.stacks["north"].devices, lambda: world.stacks["north"].judge(world.now)):
        with pytest.raises(Unavailable, match=r"no column collector.*'north'.*CollectorGroup"):
            use()


def test_the_functions_take_the_group_from_their_environment(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(None, "d1", "d2", "d3")
    world.add("north", "n1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    tick = Tick(kind="status", schedule="rate(1 minute)", scheduled_time=datetime.now(UTC))
    with mock_aws():
        queue = boto3.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
        for group, count in (("", 3), ("north", 1)):
            parts = Parts(
                {
                    "DATABASE_URL": database_url,
                    "INFLUXDB_URL": "http://127.0.0.1:1",
                    "INFLUXDB_TOKEN": "none",
                    "INFLUXDB_ORG": "none",
                    "NETVITALS_STATUS_QUEUE_URL": queue,
                    "NETVITALS_METRICS_QUEUE_URL": queue,
                    "NETVITALS_COLLECTOR_GROUP": group,
                }
            )
            assert parts.use(fan_out).run(tick).devices == count
            assert parts.use(update_status).run(world.now).devices == count
            parts.database.close()


# --- A group that nobody serves


def command(database_url: str, *arguments: str) -> Result:
    result = CliRunner().invoke(inventory, arguments, env={"DATABASE_URL": database_url})
    assert result.exit_code == 0, result.output
    return result


def test_devices_that_no_stack_serves_are_told_once_there_is_a_stack(world: World, database_url: str) -> None:
    world.add(None, "d1")
    world.add("nroth", "n1", "n2")
    assert unserved_groups(world.stacks[""].database) == []
    world.now = int(time.time())
    world.minutes(1)
    warning = "warning: 2 devices are of the collector group 'nroth', which no stack serves: deploy one with"
    for name in ("list", "check"):
        assert f"{warning} CollectorGroup=nroth" in command(database_url, name).stderr
    assert '"collector":"nroth"' in command(database_url, "list", "--format", "jsonl").stdout
    assert "1 device\n" in command(database_url, "list", "--collector", "").stdout
    world.execute("UPDATE devices SET enabled = false WHERE collector = 'nroth'")
    assert "warning" not in command(database_url, "list").stderr


def test_a_stack_that_is_gone_for_hours_serves_nobody(world: World, database_url: str) -> None:
    world.add(None, "d1")
    world.now = int(time.time()) - 7200
    world.minutes(1)
    assert "1 device is of no collector group, which no stack serves" in command(database_url, "list").stderr


# --- Upgrade


def test_functions_of_the_version_before_work_on_the_new_tables_until_they_are_updated(world: World) -> None:
    for _ in range(2):
        world.execute(
            "INSERT INTO status_watch (watch) VALUES ('{}'::jsonb)"
            " ON CONFLICT (singleton) DO UPDATE SET watch = excluded.watch"
        )
        world.execute(
            "INSERT INTO site_state (name, lost, since) VALUES ('zurich', true, now())"
            " ON CONFLICT (name) DO UPDATE SET lost = excluded.lost"
        )
    world.execute("INSERT INTO status_outbox (id, channel, body) VALUES ('1', 'event', '{}')")
    sites = world.stacks[""].store.run(lambda run: dict(run.sites))
    assert sites is not None
    assert sites["zurich"].lost
    assert world.stacks[""].store.deliver("event", lambda _: ["1"]).published == 1
    world.add("north", "n1")
    world.minutes(1)
    assert world.execute("SELECT count(*) FROM status_watch") == [(3,)]


@pytest.mark.parametrize(("change", "times"), [("", 1), ("ADD COLUMN rack text", 0)])
def test_a_table_of_our_own_gets_the_column_and_that_of_somebody_else_stays(
    empty_database_url: str, open_database: Callable[[str], Database], change: str, times: int
) -> None:
    execute = executing(empty_database_url)
    execute((files("netvitals.adapters.postgres") / "migrations/0001_devices_and_state.sql").read_text())
    execute("DROP TABLE device_state")
    if change:
        execute(f"ALTER TABLE devices {change}")
    migrate(open_database(empty_database_url))
    columns = execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'devices'")
    assert columns.count(("collector",)) == times
