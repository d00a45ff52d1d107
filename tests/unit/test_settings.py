"""Settings from the environment, and what beats what."""

from typing import Any

import pytest

from netvitals import settings
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.settings.configuration import Configuration

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:netvitals-AbCdEf"


def error_of(group: type[settings.Variables], environ: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings.variables(group, environ)
    return str(caught.value)


@pytest.mark.parametrize(
    ("group", "environ", "text"),
    [
        (
            settings.DatabaseVariables,
            {"DATABASE_URL": ""},
            "set NETVITALS_DATABASE_SECRET_ARN, or DATABASE_URL for a local run",
        ),
        (
            settings.DatabaseVariables,
            {"NETVITALS_DATABASE_SECRET_ARN": "netvitals"},
            "NETVITALS_DATABASE_SECRET_ARN: expected an ARN, such as arn:aws:sns:…, got 'netvitals'",
        ),
        (
            settings.InfluxVariables,
            {"INFLUXDB_URL": "https://example.org", "INFLUXDB_TOKEN": "canary"},
            "set NETVITALS_INFLUXDB_SECRET_ARN, or INFLUXDB_ORG for a local run",
        ),
        (
            settings.CredentialVariables,
            {},
            "set NETVITALS_CREDENTIALS_SECRET_ARN, or NETVITALS_CREDENTIALS_FILE for a local run",
        ),
        (
            settings.DocumentVariables,
            {"NETVITALS_CONFIG_FILE": "a", "NETVITALS_CONFIG_PARAMETER": "b"},
            "set NETVITALS_CONFIG_FILE or NETVITALS_CONFIG_PARAMETER, not both",
        ),
        (
            settings.WorkQueueVariables,
            {"NETVITALS_METRICS_QUEUE_URL": "https://sqs/q"},
            "NETVITALS_STATUS_QUEUE_URL: not set; expected the URL of an SQS queue",
        ),
        (
            settings.SpoolVariables,
            {"NETVITALS_SPOOL_QUEUE_URL": "spool"},
            "NETVITALS_SPOOL_QUEUE_URL: expected the URL of an SQS queue, got 'spool'",
        ),
        (
            settings.DialVariables,
            {"NETVITALS_ALLOW_LOCAL": "maybe"},
            "NETVITALS_ALLOW_LOCAL: expected true or false, got 'maybe'",
        ),
    ],
)
def test_an_error_names_the_variable_and_what_it_takes(
    group: type[settings.Variables], environ: dict[str, str], text: str
) -> None:
    assert error_of(group, environ) == f"in the environment, {text}"


def test_all_variables_at_fault_are_told_at_once() -> None:
    assert len(error_of(settings.WorkQueueVariables, {}).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "value"), [("on", True), ("1", True), ("true", True), ("off", False), ("", False)]
)
def test_a_switch_takes_the_words_that_people_use(text: str, value: bool) -> None:  # noqa: FBT001, a table
    assert settings.variables(settings.TracingVariables, {"NETVITALS_TRACING": text}).enabled is value


def test_secrets_from_the_environment_do_not_print() -> None:
    database = settings.variables(settings.DatabaseVariables, {"DATABASE_URL": "canary"})
    assert database.url is not None
    assert database.url.reveal() == "canary"
    assert "canary" not in f"{database!r} {database}"


def test_no_error_shows_a_secrets_value() -> None:
    assert "canary" not in error_of(settings.InfluxVariables, {"INFLUXDB_TOKEN": "canary"})


@pytest.mark.parametrize(
    ("environ", "path", "value"),
    [
        ({"NETVITALS_LOG_LEVEL": "ERROR"}, "log_level", "ERROR"),
        ({"INFLUXDB_BUCKET": "elsewhere"}, "influxdb.bucket", "elsewhere"),
        (
            {"NETVITALS_ALLOWED_NETWORKS": "10.1.0.0/16, fd00::/8"},
            "allowed_networks",
            ("10.1.0.0/16", "fd00::/8"),
        ),
    ],
)
def test_the_environment_beats_the_document_beats_the_default(
    environ: dict[str, str], path: str, value: Any
) -> None:
    document: dict[str, Any] = {
        "log_level": "DEBUG",
        "collector": {"max_concurrent_per_site": 3},
        "influxdb": {"bucket": "documented"},
        "allowed_networks": ["172.16.0.0/12"],
    }
    default, documented, overridden = (
        at(path, settings.configuration(given, "config.yaml", variables))
        for given, variables in (({}, {}), (document, {}), (document, environ))
    )
    assert default != documented != overridden == value


def at(path: str, configuration: Configuration) -> Any:
    value: Any = configuration
    for key in path.split("."):
        value = getattr(value, key)
    return value


def test_an_interval_in_the_environment_is_the_default_of_all_types_and_yields_to_a_types_own() -> None:
    document = {
        "defaults": {"status_interval_seconds": 20, "metrics_interval_seconds": 600},
        "device_types": {"ups": {"metrics_interval_seconds": 900}},
    }
    environ = {"NETVITALS_STATUS_INTERVAL_SECONDS": "60", "NETVITALS_METRICS_INTERVAL_SECONDS": "120"}
    configuration = settings.configuration(document, "config.yaml", environ)
    network, ups = configuration.policy("network", {}), configuration.policy("ups", {})
    assert (network.status_interval_seconds, network.metrics_interval_seconds) == (60, 120)
    assert (ups.status_interval_seconds, ups.metrics_interval_seconds) == (60, 900)


@pytest.mark.parametrize(
    ("environ", "text"),
    [
        (
            {"NETVITALS_METRICS_INTERVAL_SECONDS": "5 min"},
            (
                "NETVITALS_METRICS_INTERVAL_SECONDS: expected a whole number of seconds ≥ 10 and ≤ 86400, "
                "got '5 min'; the unit is seconds: write 300"
            ),
        ),
        (
            {"NETVITALS_LOG_LEVEL": "loud"},
            "NETVITALS_LOG_LEVEL: expected one of DEBUG, ERROR, INFO, WARNING, got 'loud'",
        ),
        (
            {"NETVITALS_ALLOWED_NETWORKS": "10.0.0.0/8,everything"},
            (
                "NETVITALS_ALLOWED_NETWORKS[1]: expected a network such as '10.0.0.0/8': "
                "'everything' does not appear to be an IPv4 or IPv6 network"
            ),
        ),
        (
            {"NETVITALS_STATUS_INTERVAL_SECONDS": "0"},
            "NETVITALS_STATUS_INTERVAL_SECONDS: expected a whole number of seconds ≥ 10 and ≤ 86400, got '0'",
        ),
    ],
)
def test_a_variable_that_stands_for_a_key_is_checked_as_the_key_is(
    environ: dict[str, str], text: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings.configuration({}, "config.yaml", environ)
    assert str(caught.value) == f"in the environment, {text}"


def test_the_environment_does_not_hide_a_fault_of_the_document() -> None:
    with pytest.raises(
        ConfigurationError, match=r"in config\.yaml, defaults: expected a section of keys, got 3"
    ):
        settings.configuration({"defaults": 3}, "config.yaml", {"NETVITALS_STATUS_INTERVAL_SECONDS": "60"})


def test_every_path_that_a_variable_stands_for_exists() -> None:
    for path in settings.OVERRIDES.values():
        settings.type_at(path)
