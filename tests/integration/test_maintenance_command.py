"""`netvitals maintenance` against a real PostgreSQL, and what the status function then holds back."""

import json
import time
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.status import PostgresStatusStore
from netvitals.cli.main import cli
from netvitals.domain.ports import StatusRun

pytestmark = pytest.mark.integration

type Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, database: Database) -> Run:
    database.run(
        lambda cursor: cursor.execute(
            "INSERT INTO devices (id, site, device_type) VALUES"
            " ('a', 'zurich', 'network'), ('b', 'zurich', 'linux'), ('c', 'bern', 'linux')"
        )
    )

    def invoke(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["maintenance", *arguments], env={"DATABASE_URL": database_url})
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


def under_maintenance(database: Database, now: float) -> set[str]:
    def held(run: StatusRun) -> set[str]:
        run.note_monitored(now)
        devices = [device for chunk in run.devices() for device in chunk]
        return {each.id for each in devices if (each.maintenance_until or 0) > now}

    return PostgresStatusStore(database).run(held) or set()


def test_a_site_is_under_maintenance_from_and_until_when_it_was_said(run: Run, database: Database) -> None:
    now = time.time()
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 3600))
    run("add", "--site", "zurich", "--from", start, "--for", "2h", "--reason", "new core")
    assert under_maintenance(database, now) == set()
    assert under_maintenance(database, now + 2 * 3600) == {"a", "b"}
    assert under_maintenance(database, now + 4 * 3600) == set()
    [listed] = map(json.loads, run("list", "--format", "jsonl").output.splitlines())
    assert (listed["scope"], listed["name"], listed["starts_at"]) == ("site", "zurich", start)
    assert "new core" in run("list").output


def test_what_is_ended_holds_nothing_back_and_is_still_listed_with_all(run: Run, database: Database) -> None:
    run("add", "--device", "c", "--type", "network", "--for", "1d12h")
    now = time.time() + 5
    assert under_maintenance(database, now) == {"a", "c"}
    first, second = (json.loads(line)["id"] for line in run("list", "--format", "jsonl").output.splitlines())
    assert "has ended" in run("end", str(first)).output
    assert len(under_maintenance(database, time.time() + 5)) == 1
    run("end", str(second))
    assert "no maintenance is under way" in run("list").output
    assert run("list", "--all").output.count("over") == 2
    assert "netvitals maintenance list" in run("end", str(first), code=2).output


def test_columns_that_an_owner_s_table_does_not_have_count_as_empty(run: Run, database: Database) -> None:
    database.run(
        lambda cursor: cursor.execute("ALTER TABLE devices DROP COLUMN site, DROP COLUMN device_type")
    )
    refused = run("add", "--site", "zurich", "--for", "2h", code=2)
    assert "no device has the site 'zurich'" in refused.stderr
    run("add", "--type", "network", "--for", "2h")
    assert under_maintenance(database, time.time() + 5) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--for", "2h"], "--device ID, --site NAME or --type TYPE"),
        (["--site", "zurich"], "--for 2h"),
        (["--site", "zurich", "--for", "2h", "--until", "2030-01-01"], "--for 2h"),
        (["--site", "geneva", "--for", "2h"], "no device has the site 'geneva'"),
        (["--device", "x", "--for", "2h"], "no device has the id 'x'"),
        (["--site", "zurich", "--for", "2 hours"], "no span of time: write 90s"),
        (["--site", "zurich", "--for", "9" * 400 + "h"], "no span of time: write 90s"),
        (["--site", "zurich", "--for", "400d"], "longer than 366 days"),
        (["--site", "zurich", "--from", "9999-06-01T00:00Z", "--for", "2d"], "after the year 9998"),
        (["--site", "zurich", "--until", "9999-12-31T23:59-10:00"], "no time such as"),
        (["--site", "zurich", "--from", "9999-12-31T12:00Z", "--for", "2d"], "no time such as"),
        (["--site", "zurich", "--until", "0001-01-01T00:30Z"], "no time such as"),
        (["--site", "zurich", "--from", "0001-01-01T00:30Z", "--for", "2h"], "no time such as"),
        (["--site", "zurich", "--until", "2020-01-01T00:00Z"], "over already"),
        (["--site", "zurich", "--until", "tomorrow"], "no time such as"),
    ],
)
def test_what_can_not_be_meant_is_refused_with_a_remedy(
    run: Run, arguments: list[str], complaint: str
) -> None:
    result = run("add", *arguments, code=2)
    assert complaint in " ".join(result.output.split())
    assert "no maintenance" in run("list").output
