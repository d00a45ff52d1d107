"""`netvitals doctor` on a real PostgreSQL and InfluxDB: a line says what was measured, or what to do."""

import json
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import boto3
import psycopg
import pytest
from click.testing import CliRunner

from fixtures.influxdb import TOKEN, Influx
from fixtures.pipeline import COMMUNITY, Pipeline
from fixtures.snmpd import StartSnmpd
from local.lambda_.handlers import Context, handler_of
from netvitals.adapters.aws import deployment
from netvitals.adapters.aws.deployment import Invocation
from netvitals.adapters.aws.snapshots import S3Snapshots
from netvitals.adapters.postgres.conformity import MARKS, RIGHTS, missing_migrations
from netvitals.adapters.postgres.database import Database
from netvitals.cli.doctor.poll import inventoried, poll
from netvitals.cli.main import cli
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.inventory.device import Device
from netvitals.domain.settings.secret import Secret
from netvitals.wiring.parts import Parts, process

pytestmark = pytest.mark.integration

CANARY = "canary-5d21"
MIGRATIONS = files("netvitals.adapters.postgres") / "migrations"
ROLE = f"netvitals_functions_{os.getpid()}"
GRANTS = "\n".join(
    line.replace("netvitals_functions", ROLE)
    for line in (Path(__file__).parents[2] / "docs/inventory.md").read_text().splitlines()
    if line.startswith("GRANT") and line.endswith("TO netvitals_functions;")
)


def doctor(**environ: str) -> dict[str, dict[str, Any]]:
    """The lines by the check's name; no line holds a secret."""
    run = CliRunner().invoke(cli, ["doctor", "--format", "jsonl"], env=environ)
    assert run.exception is None or isinstance(run.exception, SystemExit), run.exception
    assert CANARY not in run.output
    assert TOKEN not in run.output
    found = {line["check"]: line for line in map(json.loads, run.stdout.splitlines())}
    assert run.exit_code == int(any(line["level"] == "fail" for line in found.values()))
    assert all(line["ok"] == (line["level"] != "fail") for line in found.values())
    return found


@pytest.fixture
def environ(database_url: str, influx: Influx, tmp_path: Path) -> dict[str, str]:
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps({"lab": {"snmp": {"community": CANARY}}}))
    credentials.chmod(0o600)
    return {
        "DATABASE_URL": database_url,
        "INFLUXDB_URL": influx.url,
        "INFLUXDB_TOKEN": TOKEN,
        "INFLUXDB_ORG": influx.server.org,
        "INFLUXDB_BUCKET": influx.bucket,
        "NETVITALS_CREDENTIALS_FILE": str(credentials),
    }


@pytest.fixture
def functions_url(postgres_url: str, database_url: str) -> Iterator[str]:
    """The same database for a user without any right."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'change-me'".encode())
    parts = urlsplit(database_url)
    host = parts.netloc.rpartition("@")[2]
    yield urlunsplit(parts._replace(netloc=f"{ROLE}:{quote('change-me')}@{host}"))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {ROLE}".encode())
        connection.execute(f"DROP ROLE {ROLE}".encode())


def test_where_all_is_well_every_line_is_ok_and_the_point_is_in_influxdb(
    environ: dict[str, str], influx: Influx
) -> None:
    found = doctor(**environ)
    assert {line["level"] for line in found.values()} == {"ok"}, found
    assert list(found) == [
        "configuration", "database secret", "InfluxDB secret", "credentials", "database", "schema", "rights",
        "InfluxDB",
    ]  # fmt: skip
    assert "reached in " in found["database"]["detail"]
    assert found["credentials"]["detail"] == "readable, 1 well-formed"
    assert "read back" in found["InfluxDB"]["detail"]
    assert len(influx.query('SELECT value FROM "netvitals_doctor"')) == 1


def test_what_nobody_configured_is_skipped_and_no_fault(environ: dict[str, str]) -> None:
    found = doctor(DATABASE_URL=environ["DATABASE_URL"])
    assert {name for name, line in found.items() if line["level"] == "ok"} == {
        "configuration", "database secret", "database", "schema", "rights"
    }  # fmt: skip
    assert {line["level"] for line in found.values()} == {"ok", "skip"}
    assert found["InfluxDB secret"]["remedy"] == "to check it, set INFLUXDB_URL, INFLUXDB_TOKEN, INFLUXDB_ORG"
    assert found["credentials"]["remedy"] == "to check it, set NETVITALS_CREDENTIALS_FILE"


def test_the_functions_user_with_the_rights_of_the_guide_is_well(
    environ: dict[str, str], database_url: str, functions_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(GRANTS.encode())
    found = doctor(**environ | {"DATABASE_URL": functions_url})
    assert found["rights"]["detail"] == f"{ROLE} may do what the functions do, on 8 tables"


def test_a_right_that_is_missing_is_named_with_the_grant_that_gives_it(
    database_url: str, functions_url: str
) -> None:
    for table, rights in RIGHTS.items():
        granted = GRANTS + f"REVOKE {rights[-1]} ON {table} FROM {ROLE};"
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(granted.encode())
        line = doctor(DATABASE_URL=functions_url)["rights"]
        assert (line["level"], line["detail"]) == ("fail", f"{ROLE} may not: {rights[-1]} on {table}")
        statement = line["remedy"].partition(";")[0]
        assert statement == f'GRANT {rights[-1]} ON {table} TO "{ROLE}"'
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(statement.encode())
    assert doctor(DATABASE_URL=functions_url)["rights"]["level"] == "ok"


def test_each_migration_brings_what_it_is_known_by(empty_database_url: str) -> None:
    names = sorted(
        each.name.removesuffix(".sql") for each in MIGRATIONS.iterdir() if each.name.endswith(".sql")
    )
    assert sorted(MARKS) == names
    database = Database(lambda: Secret(empty_database_url))
    for number, name in enumerate(names):
        assert database.run(missing_migrations, read_only=True) == names[number:]
        with psycopg.connect(empty_database_url) as connection:
            connection.execute((MIGRATIONS / f"{name}.sql").read_bytes())
    assert database.run(missing_migrations, read_only=True) == []
    database.close()


def test_a_database_without_tables_fails_the_schema_and_skips_the_rights(
    environ: dict[str, str], empty_database_url: str
) -> None:
    found = doctor(**environ | {"DATABASE_URL": empty_database_url})
    assert (found["schema"]["level"], found["schema"]["remedy"]) == ("fail", "netvitals inventory init")
    assert (found["rights"]["level"], found["rights"]["detail"]) == ("skip", "needs schema, which is not ok")
    assert found["InfluxDB"]["level"] == "ok"


def test_a_table_of_an_older_version_is_told_by_the_migration_it_lacks(
    environ: dict[str, str], database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("DROP TABLE maintenance_windows")
    schema = doctor(**environ)["schema"]
    assert schema["detail"] == "migrations are missing: 0008_maintenance_windows"


def test_a_database_that_refuses_the_password_is_told_with_the_remedy(
    environ: dict[str, str], password_url: str
) -> None:
    parts = urlsplit(password_url)
    wrong = urlunsplit(parts._replace(netloc=f"{parts.username}:{CANARY}@{parts.netloc.rpartition('@')[2]}"))
    found = doctor(**environ | {"DATABASE_URL": wrong})
    assert found["database"]["level"] == "fail"
    assert "check the user and password" in found["database"]["detail"]
    assert found["schema"]["level"] == found["rights"]["level"] == "skip"


def test_a_secret_that_is_malformed_skips_what_needs_it_and_is_not_shown(environ: dict[str, str]) -> None:
    Path(environ["NETVITALS_CREDENTIALS_FILE"]).write_text(
        json.dumps({"lab": {"snmp": {"comunity": CANARY}}})
    )
    found = doctor(**environ | {"DATABASE_URL": f"mysql://u:{CANARY}@h/d", "INFLUXDB_URL": "h:8086"})
    assert "did you mean 'community'?" in found["credentials"]["detail"]
    assert "url is no postgresql:// address" in found["database secret"]["detail"]
    assert "url is no http:// or https:// address" in found["InfluxDB secret"]["detail"]
    assert {found[name]["level"] for name in ("database", "schema", "rights", "InfluxDB")} == {"skip"}


def test_a_token_that_influxdb_refuses_is_told(environ: dict[str, str]) -> None:
    line = doctor(**environ | {"INFLUXDB_TOKEN": f"{CANARY}-wrong"})["InfluxDB"]
    assert line["level"] == "fail"
    assert "token" in line["detail"]


def test_nothing_that_listens_fails_within_its_time(environ: dict[str, str]) -> None:
    found = doctor(
        **environ
        | {"DATABASE_URL": f"postgresql://u:{CANARY}@127.0.0.1:1/d", "INFLUXDB_URL": "http://127.0.0.1:1"}
    )
    assert found["database"]["level"] == found["InfluxDB"]["level"] == "fail"
    assert "check the URL's host, port" in found["database"]["detail"]


def test_a_device_is_polled_by_the_collector_and_its_points_are_stored(
    pipeline: Pipeline,
    start_snmpd: StartSnmpd,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = start_snmpd(f"rocommunity {COMMUNITY}\n").port
    pipeline.add_device("core", port)
    pipeline.add_device("wrong", port, credential="other")

    def invoke(name: str, event: Any) -> Invocation:
        assert name == "lab-collector"
        capsys.readouterr()
        assert handler_of("collector")(event, Context()) == {"batchItemFailures": []}
        return Invocation("", capsys.readouterr().out.encode())

    monkeypatch.setattr(deployment, "invoke", invoke)
    resources = {
        "AWS::SQS::Queue": {"MetricsQueue": pipeline.queues["metrics"]},
        "AWS::Lambda::Function": {"MetricsCollectorFunction": "lab-collector"},
    }
    found = poll(process(), resources, "core")
    assert found.level == "ok", found
    assert found.text.startswith("core answered in ")
    assert pipeline.influx.query("SELECT count(value) FROM device_metrics WHERE device_id = 'core'")
    failed = poll(process(), resources, "wrong")
    assert failed.level == "fail"
    assert "'other'" in failed.text
    with pytest.raises(ConfigurationError, match="no enabled device 'nobody'"):
        poll(process(), resources, "nobody")


def test_where_the_database_is_not_reached_the_device_is_that_of_fan_outs_copy(pipeline: Pipeline) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="copies")
    with S3Snapshots(s3, "copies").writer() as writer:
        writer.add([Device(id="core", ip_address="10.0.0.1")])
        writer.keep(0.0)
    nowhere = {"NETVITALS_DATABASE_SECRET_ARN": "", "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d"}
    parts = Parts(pipeline.environment() | nowhere | {"NETVITALS_SNAPSHOT_BUCKET": "copies"})
    assert inventoried(parts, "core").address == "10.0.0.1"
