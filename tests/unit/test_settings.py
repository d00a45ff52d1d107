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
            "NETVITALS_DATABASE_SECRET_ARN: expected an ARN, such as arn:aws:…, got a text not shown",
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
    ],
)
def test_the_environment_beats_the_document_beats_the_default(
    environ: dict[str, str], path: str, value: Any
) -> None:
    document: dict[str, Any] = {
        "log_level": "DEBUG",
        "collector": {"max_concurrent_per_site": 3},
        "influxdb": {"bucket": "documented"},
    }
    default, documented, overridden = (
        at(path, settings.configuration(given, "config.yaml", variables))
        for given, variables in (({}, {}), (document, {}), (document, environ))
    )
    assert default != documented != overridden == value


@pytest.mark.parametrize(
    ("document", "parameter", "both"),
    [
        (["10.20.0.0/16"], "10.0.0.0/8,172.16.0.0/12", ("10.20.0.0/16",)),
        (["10.0.0.0/8", "fd00::/8"], "10.20.0.0/16,fd12::/16", ("10.20.0.0/16", "fd12::/16")),
        (["10.0.0.0/8"], "10.0.0.0/8", ("10.0.0.0/8",)),
    ],
)
def test_networks_of_document_and_environment_can_only_narrow_each_other(
    document: list[str], parameter: str, both: tuple[str, ...]
) -> None:
    environ = {"NETVITALS_ALLOWED_NETWORKS": parameter}
    configuration = settings.configuration({"allowed_networks": document}, "config.yaml", environ)
    assert configuration.allowed_networks == both


def test_networks_that_have_nothing_in_common_are_an_error_and_not_an_open_door() -> None:
    with pytest.raises(ConfigurationError, match="nothing may be polled"):
        settings.configuration(
            {"allowed_networks": ["10.0.0.0/8"]}, "c.yaml", {"NETVITALS_ALLOWED_NETWORKS": "192.168.0.0/16"}
        )


def test_an_override_is_told_with_both_values_and_one_that_changes_nothing_is_not() -> None:
    document = {
        "log_level": "DEBUG",
        "defaults": {"status_interval_seconds": 60},
        "allowed_networks": ["::/0"],
    }
    environ = {
        "NETVITALS_LOG_LEVEL": "DEBUG",
        "NETVITALS_STATUS_INTERVAL_SECONDS": "30",
        "NETVITALS_METRICS_INTERVAL_SECONDS": "600",
        "NETVITALS_ALLOWED_NETWORKS": "fd00::/8",
    }
    told = list(settings.overridden(document, environ))
    assert len(told) == 2
    assert "status_interval_seconds: 30 of NETVITALS_STATUS_INTERVAL_SECONDS is used" in told[0]
    assert "60" in told[0]
    assert "only what is in both" in told[1]


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
