"""`make demo`, as a person starts it who has only what local/requirements.txt installs."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from fixtures.influxdb import TOKEN, Influx
from local.demo.environment import _schema_in
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.polling.schedule import phase

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def start(environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local.demo", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(demo: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Its exit status and its lines; everything it started has gone with it."""
    output, errors = demo.communicate(timeout=800)
    assert errors == ""
    return demo.returncode, output.splitlines()


def left_behind(environment: Mapping[str, str]) -> list[str]:
    """Files in its temporary folder, and processes that were started with it."""
    files = [str(path) for path in Path(environment["TMPDIR"]).iterdir()]
    mark = environment["TMPDIR"].encode()
    processes = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                processes.append((path.parent / "cmdline").read_text())
        except OSError:
            continue
    return files + processes


def schemas_in(url: str) -> int:
    """How many of the demo's there are."""
    with psycopg.connect(url) as connection:
        counted = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'netvitals%'")
        (number,) = counted.fetchone() or (0,)
    return int(number)


def test_without_a_terminal_it_ends_by_itself_with_every_device_and_point_as_it_must_be(
    bare: dict[str, str],
) -> None:
    code, lines = ended(start(bare))
    output = "\n".join(lines)
    assert code == 0, output
    assert re.fullmatch(r"demo: 13 devices, [1-9]\d{3,} points, 2 offline, ok", lines[-1])
    assert "\x1b" not in output
    for scene in (
        "InfluxDB is away",
        "what InfluxDB does not take goes to the spool",
        "the spool is empty: what it held has been replayed",
        "lobby-sw: online → offline: ",
        "kiosk-sw: unknown → offline: ",
        "kiosk-sw: offline → online",
    ):
        assert scene in output
    (core,) = [line for line in lines if line.strip().startswith("core-sw")]
    assert re.search(r"cisco +online +snmp +\d+ % +\d+ % +\d+ °C +- +[\d.]+ Gb/s +[\d.]+ [GM]b/s", core)
    assert left_behind(bare) == []


def test_a_watched_demo_goes_on_until_it_is_interrupted_and_leaves_nothing_in_the_servers_it_was_given(
    bare: dict[str, str], influx: Influx, empty_database_url: str
) -> None:
    given = {**influx.variables, "DATABASE_URL": empty_database_url}
    demo = start({**bare, **given}, "--watch")
    assert demo.stdout
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if "unknown → online" in line:
            break
    demo.send_signal(signal.SIGINT)
    code, lines = ended(demo)
    output = "".join(seen) + "\n".join(lines)
    assert code == 0, output
    found = re.fullmatch(r"demo: 13 devices, ([1-9]\d*) points, \d offline, ok", lines[-1])
    assert found
    stored = influx.query("SELECT count(value) FROM device_metrics")
    assert stored[0]["count"] == int(found[1])
    assert TOKEN not in output
    assert empty_database_url not in output
    assert schemas_in(empty_database_url) == 0
    assert left_behind(bare) == []


def test_a_watched_demo_ends_when_its_terminal_has_gone_though_no_signal_says_so(
    bare: dict[str, str],
) -> None:
    ours, its = pty.openpty()
    environment = {**bare, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    demo = subprocess.Popen(
        [sys.executable, "-m", "local.demo", "--watch"],
        cwd=ROOT, env=environment, stdin=its, stdout=its, stderr=its,
    )  # fmt: skip
    os.close(its)
    seen = b""
    while b"core-sw" not in seen:
        seen += os.read(ours, 65536)
    os.close(ours)
    assert demo.wait(300) == 0
    assert left_behind(bare) == []


def test_an_influxdb_that_cannot_be_read_is_explained(bare: dict[str, str], memory_influx: Influx) -> None:
    wrong = {**memory_influx.variables, "INFLUXDB_TOKEN": "wrong-canary"}
    code, lines = ended(start({**bare, **wrong}))
    assert code == 1
    assert lines[-1].startswith("demo: 0 devices, 0 points, 0 offline, FAILED: ")
    assert "401" in lines[-1]
    assert "check the token" in lines[-1]
    assert "canary" not in lines[-1]
    code, lines = ended(start({**bare, "INFLUXDB_URL": memory_influx.url}))
    assert code == 1
    assert lines[-1].endswith("INFLUXDB_URL is set, so INFLUXDB_TOKEN, INFLUXDB_ORG must be as well")


def test_a_database_that_cannot_be_reached_is_told_without_its_password(bare: dict[str, str]) -> None:
    url = "postgresql://demo:canary@127.0.0.1:1/inventory"
    code, lines = ended(start({**bare, "DATABASE_URL": url}))
    assert code == 1
    assert "FAILED: database 127.0.0.1:1/inventory: " in lines[-1]
    assert "check the URL's host" in lines[-1]
    assert "canary" not in "\n".join(lines)
    assert left_behind(bare) == []


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ("{url}?options=-cwork_mem%3D1MB", "leave them out"),
        ("dbname=canary options=-cwork_mem=1MB", "no postgresql:// address"),
        ("{url}?pgbouncer=canary", "can't be read"),
    ],
)
def test_a_database_url_that_the_demo_cannot_use_is_refused_before_anything_is_created(
    empty_database_url: str, form: str, complaint: str
) -> None:
    with (
        pytest.raises(ConfigurationError, match=complaint) as refused,
        _schema_in(form.format(url=empty_database_url)),
    ):
        pass
    assert "canary" not in str(refused.value)
    assert schemas_in(empty_database_url) == 0


def test_the_demos_schema_is_the_search_path_of_the_url_that_was_given_and_goes_at_the_end(
    empty_database_url: str,
) -> None:
    with _schema_in(f"{empty_database_url}?application_name=mine") as url:
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT current_schema(), current_setting('application_name')")
            schema, name = found.fetchone() or ("", "")
        assert (schema[:14], name) == ("netvitals_demo", "mine")
        assert schemas_in(empty_database_url) == 1
    assert schemas_in(empty_database_url) == 0


def test_a_device_behind_another_is_polled_long_enough_after_it_for_the_cause_to_be_known() -> None:
    """Both are cut off at once; the one behind must not seem to be offline before the other is found out."""
    apart = (phase("demo-lobby-phone", "status", 10) - phase("demo-lobby-sw", "status", 10)) % 10
    assert 3 <= apart <= 7
