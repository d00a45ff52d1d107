"""`netvitals inventory list` of a real PostgreSQL."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.inventory_command import Run, Write
from fixtures.postgres import Execute

pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("filled")
def test_list_shows_a_table_for_people(run: Run) -> None:
    result = run("list")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["device", "address", "type", "site", "status", "last", "seen", "why"]
    assert "2 min ago" in lines[1]
    assert lines[2].split()[:5] == ["b[red]", "10.0.0.2", "linux", "y", "offline"]
    assert "disabled" in lines[3]
    assert "3 devices" in lines[4]
    assert "\x1b" not in result.stdout
    assert "1 row can't be read" in result.stderr


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ([], ["a", "b[red]", "c"]),
        (["--site", "y"], ["b[red]", "c"]),
        (["--type", "network"], ["a"]),
        (["--status", "offline"], ["b[red]"]),
        (["--status", "unknown", "--site", "y"], []),
        (["--status", "disabled", "--site", "y"], ["c"]),
    ],
)
def test_list_filters_and_writes_json_lines(run: Run, filters: list[str], ids: list[str]) -> None:
    rows = [json.loads(line) for line in run("list", "--format", "jsonl", *filters).stdout.splitlines()]
    assert [row["id"] for row in rows] == ids


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_what_list_writes_can_be_imported_again(
    run: Run, file: Write, format_: str, execute: Execute
) -> None:
    execute(
        "UPDATE devices SET ip_address = '10.0.0.3', maintenance_until = '2026-11-23 16:00Z' WHERE id = 'c'"
    )
    path = file(run("list", "--format", format_).stdout)
    result = run("import", path)
    assert result.stdout == "0 added, 0 changed, 3 unchanged\n"
    assert "'status'" in result.stderr


@pytest.mark.usefixtures("filled")
def test_a_filter_that_no_device_can_meet_is_told_with_what_was_meant(run: Run) -> None:
    assert "no device has the site 'Y'; did you mean 'y'?" in run("list", "--site", "Y", code=2).stderr
    refused = run("list", "--type", "Network", code=2)
    assert "the type 'Network'; did you mean 'network'" in refused.stderr
    assert refused.stdout == ""
    assert "'ofline' is not one of" in run("list", "--status", "ofline", code=2).stderr
    rows = run("list", "--status", "disabled", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(row)["id"] for row in rows] == ["c"]
    assert run("list", "--site", "x", "--status", "offline", "--format", "jsonl").stdout == ""


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_terminal_leaves_columns_out_and_verbose_says_why_in_full(
    run: Run, execute: Execute, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    why = "no answer to SNMP on UDP port 161 within 3 s, 3 times; check that its agent runs and lets us in"
    execute(f"UPDATE device_state SET detail = '{why}' WHERE device_id = 'a'")  # noqa: S608, our own text
    execute("UPDATE devices SET hostname = 'a.example.net' WHERE id = 'a'")
    header, first, *_, last = run("list").stdout.splitlines()
    assert max(len(header), len(first)) <= width
    assert ("10.0.0.1" in first, "a.example.net" in first) == (True, width > 100)
    assert "online" in first
    assert first.rstrip().endswith("…")
    assert last == "3 devices"
    assert f"a: {why}\n" in run("list", "--verbose").stdout


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("format_", ["table", "jsonl"])
def test_a_reader_that_has_had_enough_is_no_fault(database_url: str, format_: str) -> None:
    command = f"{sys.executable} -m netvitals.cli.main inventory list --format {format_}"
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"],
        env=os.environ | {"DATABASE_URL": database_url}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "141\n"
    assert "Traceback" not in done.stderr


def test_what_is_listed_as_csv_runs_in_no_spreadsheet_and_can_be_imported_again(
    run: Run, execute: Execute, tmp_path: Path
) -> None:
    names = ["=cmd|'/c calc'!A0", "@SUM(1)", "+1", "-2", "plain"]
    values = ", ".join(f"('d{n}', '10.0.0.{n}', $${name}$$)" for n, name in enumerate(names, 1))
    execute(f"INSERT INTO devices (id, ip_address, site) VALUES {values}")  # noqa: S608, our own values
    listed = tmp_path / "listed.csv"
    listed.write_text(run("list", "--format", "csv").stdout)
    assert [row["site"][0] for row in csv.DictReader(listed.open())] == ["'", "'", "'", "'", "p"]
    run("import", listed)
    assert execute("SELECT site FROM devices ORDER BY id") == [(name,) for name in names]
