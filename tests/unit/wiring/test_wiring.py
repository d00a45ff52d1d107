"""What the parts of a process come from, and that they are made once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from netvitals.adapters.files.credential_map import CredentialMap
from netvitals.adapters.refused_lines_log import NoSpool, RejectLog
from netvitals.collectors.snmp.protocol import SNMP
from netvitals.domain.errors import AddressDenied, ConfigurationError, Unavailable
from netvitals.store.ports import SpoolMessage
from netvitals.wiring.collect import collect, credentials
from netvitals.wiring.fan_out import fan_out
from netvitals.wiring.parts import Parts
from netvitals.wiring.points import access, rejects, sink, spool
from netvitals.wiring.replay import replay
from netvitals.wiring.update_status import update_status

CANARY = "canary-8f3a"
REGION = "eu-west-1"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/netvitals"
INFLUX = {"url": "https://influx", "token": CANARY, "org": "secret-org", "bucket": "secret-bucket"}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


def secret(name: str, value: Any) -> str:
    client = boto3.client("secretsmanager", region_name=REGION)
    arn: str = client.create_secret(Name=name, SecretString=json.dumps(value))["ARN"]
    return arn


def deployed() -> dict[str, str]:
    """An environment as the template makes it."""
    return {
        "NETVITALS_DATABASE_SECRET_ARN": secret("db", {"host": "db", "username": "u", "password": CANARY}),
        "NETVITALS_INFLUXDB_SECRET_ARN": secret("influx", INFLUX),
        "NETVITALS_CREDENTIALS_SECRET_ARN": secret("credentials", {"lab": {"snmp": {"community": CANARY}}}),
        **{f"NETVITALS_{name}_QUEUE_URL": QUEUE for name in ("STATUS", "METRICS", "SPOOL", "REJECT")},
        "NETVITALS_EVENT_BUS_NAME": "netvitals",
        "NETVITALS_DIGEST_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:digest",
        "NETVITALS_LOG_LEVEL": "INFO",
    }


@pytest.mark.parametrize("use_case", [fan_out, collect, update_status, replay])
def test_each_use_case_is_made_from_what_a_deployment_sets_and_made_once(use_case: Any) -> None:
    parts = Parts(deployed())
    assert parts.use(use_case) is parts.use(use_case)


@pytest.mark.parametrize("use_case", [fan_out, collect, replay, update_status])
def test_a_use_case_without_its_environment_names_the_variable_that_is_missing(use_case: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"NETVITALS_\w+"):
        Parts({}).use(use_case)


def test_a_collector_that_cannot_read_its_credentials_says_so_before_it_polls() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:lost-AbCdEf"
    with pytest.raises(Unavailable, match=r"secret .*lost-AbCdEf can't be read"):
        Parts({**deployed(), "NETVITALS_CREDENTIALS_SECRET_ARN": arn}).use(collect)


def test_secrets_that_have_grown_old_are_read_at_an_invocations_end(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = deployed()
    parts = Parts(environ)
    store = parts.use(credentials)
    arn = environ["NETVITALS_CREDENTIALS_SECRET_ARN"]
    rotated = json.dumps({"lab": {"snmp": {"community": "rotated"}}})
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(SecretId=arn, SecretString=rotated)
    parts.renew(time.monotonic() + 60)
    assert "rotated" not in str(revealed(store))
    monkeypatch.setattr("netvitals.adapters.aws.secrets_manager.MAX_AGE_SECONDS", -1)
    parts.renew(time.monotonic() + 60)
    assert revealed(store) == "rotated"


def revealed(store: CredentialMap) -> str:
    snmp = SNMP.part_of(store.get("lab"))
    assert snmp
    assert snmp.community
    return snmp.community.reveal()


def test_a_part_that_could_not_be_made_is_tried_again() -> None:
    arn = secret("later", "")
    parts = Parts({"NETVITALS_CONFIG_PARAMETER": "later", "NETVITALS_CREDENTIALS_SECRET_ARN": arn})
    with pytest.raises(Unavailable, match="SSM parameter later can't be read"):
        _ = parts.configuration
    client = boto3.client("ssm", region_name=REGION)
    client.put_parameter(Name="later", Value='{"log_level": "ERROR"}', Type="String")
    assert parts.configuration.log_level == "ERROR"


def test_influxdb_is_what_the_secret_says_where_the_environment_says_nothing_else() -> None:
    environ = {"NETVITALS_INFLUXDB_SECRET_ARN": secret("influx", INFLUX)}
    given = access(Parts(environ))
    assert (given.url, given.org, given.bucket) == ("https://influx", "secret-org", "secret-bucket")
    over = access(Parts({**environ, "INFLUXDB_ORG": "other", "INFLUXDB_BUCKET": "elsewhere"}))
    assert (over.url, over.org, over.bucket) == ("https://influx", "other", "elsewhere")
    assert over.token.reveal() == CANARY


def test_the_documents_bucket_beats_the_secrets(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("influxdb: {bucket: documented}")
    environ = {
        "NETVITALS_INFLUXDB_SECRET_ARN": secret("influx", INFLUX),
        "NETVITALS_CONFIG_FILE": str(tmp_path / "config.yaml"),
    }
    assert access(Parts(environ)).bucket == "documented"
    assert access(Parts({**environ, "INFLUXDB_BUCKET": "elsewhere"})).bucket == "elsewhere"


def test_a_local_run_needs_no_secrets_manager(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text('{"lab": {"snmp": {"community": "c"}}}')
    parts = Parts(
        {
            "INFLUXDB_URL": "http://127.0.0.1:8086",
            "INFLUXDB_TOKEN": CANARY,
            "INFLUXDB_ORG": "o",
            "DATABASE_URL": f"postgresql://u:{CANARY}@127.0.0.1/d",
            "NETVITALS_CREDENTIALS_FILE": str(tmp_path / "credentials.json"),
        }
    )
    assert access(parts).bucket == "network_metrics"
    assert SNMP.part_of(parts.use(credentials).get("lab"))
    parts.use(collect)


def test_a_rotated_influxdb_token_is_used_after_the_old_one_was_refused() -> None:
    arn = secret("influx", INFLUX)
    parts = Parts({"NETVITALS_INFLUXDB_SECRET_ARN": arn})
    assert access(parts).token.reveal() == CANARY
    rotated = json.dumps({**INFLUX, "token": "rotated"})
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(SecretId=arn, SecretString=rotated)
    assert access(parts).token.reveal() == CANARY
    assert parts.use(sink)._refresh()
    assert access(parts).token.reveal() == "rotated"


def test_loopback_is_dialled_by_a_local_run_only() -> None:
    with pytest.raises(AddressDenied):
        Parts({"NETVITALS_ALLOWED_NETWORKS": "127.0.0.0/8"}).guard.check("127.0.0.1")
    assert Parts({"NETVITALS_ALLOW_LOCAL": "on"}).guard.check("127.0.0.1") == "127.0.0.1"


def test_without_a_spool_what_cannot_be_written_is_no_success() -> None:
    kept = Parts({}).use(spool)
    assert isinstance(kept, NoSpool)
    with pytest.raises(Unavailable, match=r"1 lines can't be kept: away; .* NETVITALS_SPOOL_QUEUE_URL"):
        kept.put("lines", ["m v=1 1"], "away")
    kept.postpone(SpoolMessage(id="", body="", receipt=""), 1)


def test_without_a_reject_queue_refused_lines_are_shown(caplog: pytest.LogCaptureFixture) -> None:
    log = Parts({}).use(rejects)
    assert isinstance(log, RejectLog)
    log.put("refusals", [f"line {n}" for n in range(30)], "bad timestamp")
    assert "30 refusals set aside for good: bad timestamp" in caplog.text
    assert caplog.text.count("set aside: line") == 20


def test_the_event_loop_is_one_for_all_invocations() -> None:
    import asyncio  # noqa: PLC0415, for this test alone

    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    parts = Parts({})
    assert parts.run(loop()) is parts.run(loop())


def test_no_part_prints_a_secret() -> None:
    parts = Parts(deployed())
    for make in (collect, sink, credentials, access):
        made = parts.use(make)
        assert CANARY not in f"{made} {made!r} {vars(made) if hasattr(made, '__dict__') else ''}"
