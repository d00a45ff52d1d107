"""The configuration document: what it gives a device, and what it says when it is wrong."""

from typing import Any

import pytest

from netvitals.collectors.snmp.protocol import SNMP
from netvitals.collectors.ssh.protocol import SSH
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.settings.configuration import Configuration, configuration_from, retired_keys
from netvitals.domain.settings.policy import Policy


def error_of(document: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        configuration_from(document, "config.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (
            {"device_types": {"linux": {"snmp": {"timeout_seconds": "fast"}}}},
            (
                "in config.yaml, device_types.linux.snmp.timeout_seconds: "
                "expected a number of seconds > 0 and ≤ 900, got 'fast'"
            ),
        ),
        (
            {"defaults": {"status_interval_seconds": "5 min"}},
            (
                "in config.yaml, defaults.status_interval_seconds: expected a whole number of seconds "
                "≥ 10 and ≤ 86400, got '5 min'; the unit is seconds: write 300"
            ),
        ),
        (
            {"influxdb": {"timeout_seconds": "500ms"}},
            (
                "in config.yaml, influxdb.timeout_seconds: expected a number of seconds > 0 and ≤ 900, "
                "got '500ms'; the unit is seconds: write 0.5"
            ),
        ),
        (
            {"status": {"heartbeat_seconds": "30s"}},
            (
                "in config.yaml, status.heartbeat_seconds: expected a whole number of seconds "
                "≥ 30 and ≤ 86400, got '30s'; the unit is seconds: write 30"
            ),
        ),
        (
            {"device_types": {"network": {"snmp": {"version": 3}}}},
            (
                "in config.yaml, device_types.network.snmp.version: expected one of 1, 2c, 3 or null, got 3; "
                "put it in quotes: '3'"
            ),
        ),
        (
            {"log_level": "loud"},
            "in config.yaml, log_level: expected one of DEBUG, ERROR, INFO, WARNING, got 'loud'",
        ),
        (
            {"device_types": {"linux": {"ping": {"enabled": "yes"}}}},
            "in config.yaml, device_types.linux.ping.enabled: expected true or false, got 'yes'",
        ),
        (
            {"device_types": {"linux": {"ping": {"tcp_ports": [22, 70000]}}}},
            (
                "in config.yaml, device_types.linux.ping.tcp_ports: "
                "expected a list, each a whole number ≥ 1 and ≤ 65535, got [22, 70000]"
            ),
        ),
        (
            {"device_types": {"linux": 5}},
            "in config.yaml, device_types.linux: expected a section of keys, got 5",
        ),
        ({"influxdb": None}, "in config.yaml, influxdb: expected a section of keys, got None"),
        ([1, 2], "in config.yaml, the document: expected a section of keys, got [1, 2]"),
        (
            {"allowed_networks": ["10.0.0.0/8", "10.0.0.1/8"]},
            (
                "in config.yaml, allowed_networks[1]: expected a network such as '10.0.0.0/8': "
                "10.0.0.1/8 has host bits set"
            ),
        ),
        (
            {"device_types": {"ups": {"extends": "nwork"}}},
            (
                "in config.yaml, device_types.ups.extends: device type 'nwork' is not known; "
                "did you mean 'network'? known: linux, network, ups, windows"
            ),
        ),
        (
            {"device_types": {"ups": {"extends": ["network"]}}},
            "in config.yaml, device_types.ups.extends: expected the name of a device type",
        ),
        (
            {"device_types": {"a": {"extends": "b"}, "b": {"extends": "a"}}},
            "in config.yaml, device_types.a.extends: a circle: a → b → a",
        ),
        (
            {"device_types": {f"t{n}": {"extends": f"t{n + 1}"} for n in range(1500)} | {"t1500": {}}},
            "in config.yaml, device_types: they extend one another more than 32 times in a row",
        ),
        (
            {"device_types": {"Big UPS": {}}},
            "in config.yaml, device_types.Big UPS: a type's name is made of a-z, 0-9, '-' and '_'",
        ),
        (
            {"device_types": {"linux": {"status_interval_seconds": 100, "offline_timeout_seconds": 50}}},
            (
                "in config.yaml, device_types.linux: offline_timeout_seconds (50) is shorter than "
                "status_interval_seconds (100): every device would be offline between two polls"
            ),
        ),
        (
            {"influxdb": {"backoff_initial_seconds": 9}},
            "in config.yaml, influxdb: backoff_initial_seconds (9) exceeds backoff_maximum_seconds (5)",
        ),
        (
            {"device_types": {"network": {"snmp": {"interfaces": {"include_names": "eth["}}}}},
            (
                "in config.yaml, device_types.network.snmp.interfaces: "
                "include_names: 'eth[' is no regular expression: missing ]: ["
            ),
        ),
    ],
)
def test_an_error_names_the_document_the_key_what_is_allowed_and_what_was_given(
    document: Any, text: str
) -> None:
    assert error_of(document) == text


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        (
            {"log_levl": "INFO"},
            "in config.yaml, log_levl: unknown key; did you mean 'log_level'? allowed here: ",
        ),
        ({"device_types": {"linux": {"timeout": 3}}}, "unknown key; did you mean 'device_timeout_seconds'? "),
        ({"device_types": {"linux": {"snmp": {"timeout_ms": 3}}}}, "did you mean 'timeout_seconds'? "),
        ({"influxdb": {"zzz": 3}}, "in config.yaml, influxdb.zzz: unknown key; allowed here: bucket, "),
        ({None: 1}, "in config.yaml, None: unknown key; "),
    ],
)
def test_an_unknown_key_is_named_with_the_one_that_was_meant(document: Any, hint: str) -> None:
    assert hint in error_of(document)


def test_a_secret_in_the_document_is_sent_to_its_place_and_not_shown() -> None:
    text = error_of(
        {"influxdb": {"token": "canary"}, "device_types": {"linux": {"snmp": {"Community": "canary"}}}}
    )
    assert text.count("no secret stands here; keep it in Secrets Manager") == 2
    assert "canary" not in text


def test_values_below_a_wrong_key_are_not_shown() -> None:
    assert "canary" not in error_of({"acces": {"token": "canary"}, "allowed_networks": {"x": "canary"}})


def test_all_faults_are_told_at_once_each_on_its_line() -> None:
    text = error_of({"log_level": 1, "influxdb": {"retries": -1}, "device_types": {"linux": {"nope": 1}}})
    assert [line.split(": ")[0] for line in text.splitlines()] == [
        "in config.yaml, log_level",
        "in config.yaml, influxdb.retries",
        "in config.yaml, device_types.linux.nope",
    ]


def test_no_document_is_the_packages_defaults() -> None:
    assert configuration_from(None, "none") == Configuration()
    assert Configuration().policy("network", {}) == Policy()


@pytest.mark.parametrize(
    ("device_type", "protocols"),
    [("network", ("snmp",)), ("linux", ("ssh", "snmp")), ("windows", ("winrm", "snmp"))],
)
def test_built_in_types_speak_the_protocols_of_their_kind(
    device_type: str, protocols: tuple[str, ...]
) -> None:
    assert Configuration().policy(device_type, {}).protocols == protocols


def test_a_device_beats_its_type_which_beats_the_documents_defaults_which_beat_the_packages() -> None:
    configuration = configuration_from(
        {
            "defaults": {
                "status_interval_seconds": 60,
                "metrics_interval_seconds": 600,
                "snmp": {"retries": 5},
            },
            "device_types": {"network": {"metrics_interval_seconds": 900, "snmp": {"port": 1161}}},
        },
        "config.yaml",
    )
    policy = configuration.policy("network", {"snmp": {"port": 2161}})
    assert policy.status_interval_seconds == 60
    assert policy.metrics_interval_seconds == 900
    snmp = SNMP.settings_of(policy)
    assert (snmp.port, snmp.retries, snmp.timeout_seconds) == (2161, 5, 2.0)


def test_a_built_in_type_keeps_its_protocols_when_the_defaults_name_others() -> None:
    configuration = configuration_from({"defaults": {"protocols": ["snmp"]}}, "config.yaml")
    assert configuration.policy("linux", {}).protocols == ("ssh", "snmp")


def test_a_new_type_extends_another_and_changes_what_it_names() -> None:
    configuration = configuration_from(
        {
            "device_types": {
                "server": {"extends": "linux", "metrics_interval_seconds": 60},
                "big-server": {"extends": "server", "ssh": {"port": 2222}},
            }
        },
        "config.yaml",
    )
    policy = configuration.policy("big-server", {})
    assert (policy.protocols, policy.metrics_interval_seconds) == (("ssh", "snmp"), 60)
    assert SSH.settings_of(policy).port == 2222


def test_time_outs_follow_a_long_status_interval_where_none_are_set() -> None:
    configuration = configuration_from({"device_types": {"ups": {"status_interval_seconds": 300}}}, "c")
    policy = configuration.policy("ups", {})
    assert (policy.offline_timeout_seconds, policy.missing_timeout_seconds) == (900, 900)
    assert configuration.policy("ups", {"offline_timeout_seconds": 400}).offline_timeout_seconds == 400
    assert (
        configuration.policy("network", {"status_interval_seconds": 86400}).missing_timeout_seconds == 86400
    )


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"snmp": {"prt": 161}}, "settings.snmp.prt: unknown key; did you mean 'port'? "),
        ({"snmp": {"port": "161"}}, "settings.snmp.port: expected a whole number ≥ 1 and ≤ 65535, got '161'"),
        ({"ssh": {"jump": "10.0.0.1:99999"}}, "settings.ssh: jump: its port is not between 1 and 65535"),
        ({"ssh": {"jump": "[2001:db8::1]:0"}}, "settings.ssh: jump: its port is not between 1 and 65535"),
        ({"snmp": None}, "settings.snmp: expected a section of keys, got None"),
        ({"offline_timeout_seconds": 20}, "settings: offline_timeout_seconds (20) is shorter than "),
        ([1], "settings: expected a section of keys, got [1]"),
        ({"snmp": {"community": "canary"}}, "settings.snmp.community: no secret stands here"),
    ],
)
def test_a_devices_override_that_cannot_be_used_is_named(overrides: Any, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Configuration().policy("network", overrides)
    assert str(caught.value).startswith(text)
    assert "canary" not in str(caught.value)


def test_an_unknown_device_type_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean 'linux'. known: linux, network, windows"):
        Configuration().policy("linx", {})


def test_deeply_nested_overrides_are_an_error_like_any_other() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"snmp": deep}
    with pytest.raises(ConfigurationError, match=r"settings\.snmp\.snmp: unknown key"):
        Configuration().policy("network", deep)


def test_the_policy_of_a_type_without_overrides_is_made_once() -> None:
    configuration = Configuration()
    assert configuration.policy("linux", {}) is configuration.policy("linux", {})


def test_every_type_that_stands_on_nothing_is_named_and_a_circle_once() -> None:
    types = {
        "a": {"extends": "b"}, "b": {"extends": "a"}, "on-it": {"extends": "b"},
        "ups": {"extends": "nwork"},
        "linux": {"snmp": {"interfaces": {"include_names": "eth["}}},
    }  # fmt: skip
    with pytest.raises(ConfigurationError) as raised:
        configuration_from({"device_types": types}, "config.yaml")
    named = [line.split("device_types.")[1].split(":")[0] for line in str(raised.value).splitlines()]
    assert sorted(named) == ["a.extends", "linux.snmp.interfaces", "ups.extends"]


def test_keys_that_have_no_effect_any_more_are_accepted_and_named() -> None:
    document = {
        "fanout": {"jobs_per_message": 10},
        "collector": {"max_concurrent_devices": 5, "flush_reserve_seconds": 20, "max_concurrent_per_site": 7},
    }
    assert configuration_from(document, "config.yaml").collector.max_concurrent_per_site == 7
    assert retired_keys(document) == [
        "fanout.jobs_per_message",
        "collector.max_concurrent_devices",
        "collector.flush_reserve_seconds",
    ]


def test_a_key_that_never_was_is_refused_beside_one_that_has_no_effect_any_more() -> None:
    with pytest.raises(ConfigurationError, match=r"fanout"):
        configuration_from({"fanout": {"jobs_per_message": 10, "x": 1}}, "config.yaml")


@pytest.mark.parametrize(
    "document",
    [{"log_level": "\ud800"}, {"defaults": {"protocols": ["\ud800"]}}, {"\ud800": 1}],
)
def test_half_of_a_character_is_a_fault_like_any_other(document: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"^in the document, "):
        configuration_from(document, "the document")
