"""Parameters explain themselves, and refuse what can't work."""

import json
import re

import pytest

from local.aws.cloudformation import EVERYTHING, GIVEN, TEMPLATE, Deployed
from local.aws.template import load
from netvitals.domain.polling.schedule import period_seconds

TEXT = load(TEMPLATE)
PARAMETERS = TEXT["Parameters"]
INTERFACE = TEXT["Metadata"]["AWS::CloudFormation::Interface"]
ARN = GIVEN["DatabaseSecretArn"]
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0d5f7f1a-5c0f-4e3b-9a53-3d1b2d4c6e7f"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"

SECONDS = ["", "10", "30", "300", "86400", "85999"]
NOTIFIED = ("SlackSecretArn", "TeamsSecretArn", "PagerDutySecretArn", "WebhookSecretArn")
ACCEPTED: dict[str, list[str]] = {
    "StatusIntervalSeconds": SECONDS,
    "MetricsIntervalSeconds": SECONDS,
    "DatabaseSecretArn": [
        ARN,
        "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:rds!db-1-AbCdEf",
    ],
    "InfluxDbSecretArn": [ARN],
    "CredentialsSecretArn": [ARN],
    "ConfigParameterName": ["", "/netvitals", "/netvitals/prod/config.v2"],
    "CollectorGroup": ["", "zurich", "eu-central-1.vpc_2"],
    "AllowedNetworks": [
        "",
        "10.0.0.0/8",
        "10.1.2.3/32,192.168.0.0/16",
        "fd12:3456::/48",
        "10.0.0.0/8,2001:db8::/32",
        "::/0",
        "0.0.0.0/0",
    ],
    "VpcSubnetIds": ["", "subnet-0123abcd", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"],
    "VpcSecurityGroupIds": ["", "sg-0123abcd", "sg-0123456789abcdef0,sg-0123456789abcdef1"],
    "StatusSchedule": ["rate(1 minute)", "rate(2 minutes)", "rate(10 minutes)", "rate(14 minutes)"],
    "MetricsSchedule": ["rate(1 minute)", "rate(5 minutes)", "rate(14 minutes)"],
    "StatusUpdateSchedule": ["rate(1 minute)", "rate(5 minutes)"],
    "AlarmEmail": ["", "noc@example.net", "first.last+netvitals@sub.example.co"],
    "AlarmTopicArn": ["", TOPIC],
    "EventBusName": ["own", "none", "default", "partner/bus-1.x"],
    "DigestEmail": ["", "noc@example.net"],
    "DigestTopicArn": ["", TOPIC],
    **{name: ["", ARN] for name in NOTIFIED},
    "KmsKeyArn": ["", KEY],
    "SecretsKmsKeyArn": ["", KEY, f"{KEY},arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef"],
}
RATES = [
    "rate(30 seconds)",
    "rate(0 minutes)",
    "rate(1 minutes)",
    "rate(2 minute)",
    "rate(16 minutes)",
    "rate(1 hour)",
    "rate(1.5 minutes)",
    "rate( 1 minute)",
    "cron(0/5 * * * ? *)",
    "1 minute",
    "",
]
NO_SECONDS = ["0", "9", "86401", "90000", "030", "30s", "1.5", "-30"]
REFUSED: dict[str, list[str]] = {
    "StatusIntervalSeconds": NO_SECONDS,
    "MetricsIntervalSeconds": NO_SECONDS,
    "DatabaseSecretArn": [
        "",
        "netvitals/database",
        TOPIC,
        ARN + " ",
        f"{ARN},{ARN}",
        ARN.replace("-AbCdEf", "-*"),
        ARN.removesuffix("-AbCdEf"),
    ],
    "InfluxDbSecretArn": ["", "https://influx.example.net"],
    "CredentialsSecretArn": ["", "*"],
    "ConfigParameterName": ["netvitals", "/", "/netvitals/", "/net vitals", "/a*"],
    "CollectorGroup": ["a b", "-x", "a,b", "x" * 65, "zürich"],
    "AllowedNetworks": [
        "10.0.0.0",
        "10.0.0.0/33",
        "10.0.0.0/8, 192.168.0.0/16",
        "10.0.0.0/8,",
        "fd12::/129",
        "example.net/24",
        "10.0.0/8",
    ],
    "VpcSubnetIds": ["vpc-0123abcd", "subnet-0123abcd, subnet-1123abcd", "subnet-"],
    "VpcSecurityGroupIds": ["subnet-0123abcd", "sg-0123abcd,", "default"],
    "StatusSchedule": RATES,
    "MetricsSchedule": RATES,
    "StatusUpdateSchedule": RATES,
    "AlarmEmail": ["noc", "noc@localhost", "a@example.net,b@example.net"],
    "AlarmTopicArn": ["alarms", ARN, TOPIC + ":01234567-89ab-cdef"],
    "EventBusName": ["", "a bus", "bus*"],
    "DigestEmail": ["noc", "a@example.net b@example.net"],
    "DigestTopicArn": ["alarms", KEY],
    **{name: ["https://hooks.slack.com/services/x", ARN + ","] for name in NOTIFIED},
    "KmsKeyArn": ["alias/netvitals", "arn:aws:kms:us-east-1:123456789012:alias/netvitals", "*"],
    "SecretsKmsKeyArn": ["alias/aws/secretsmanager", f"{KEY}, {KEY}", f"{KEY},"],
}


def takes(name: str, value: str) -> bool:
    """CloudFormation matches a pattern against the whole value."""
    return re.fullmatch(PARAMETERS[name]["AllowedPattern"], value) is not None


def test_every_pattern_has_examples_that_it_accepts_and_refuses() -> None:
    patterned = {name for name, declared in PARAMETERS.items() if "AllowedPattern" in declared}
    assert patterned == set(ACCEPTED) == set(REFUSED)


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_pattern_accepts_what_can_work(name: str) -> None:
    assert [value for value in ACCEPTED[name] if not takes(name, value)] == []


@pytest.mark.parametrize("name", REFUSED)
def test_a_pattern_refuses_what_can_not(name: str) -> None:
    assert [value for value in REFUSED[name] if takes(name, value)] == []


def test_every_rate_that_is_accepted_is_one_that_fan_out_can_spread() -> None:
    minutes = {1: "rate(1 minute)"} | {n: f"rate({n} minutes)" for n in range(2, 100)}
    accepted = [text for text in minutes.values() if takes("StatusSchedule", text)]
    assert [period_seconds(text) for text in accepted] == [60 * n for n in range(1, 15)]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_default_is_within_its_own_limits(name: str) -> None:
    declared = PARAMETERS[name]
    if "Default" not in declared:
        assert name in GIVEN
        return
    default = declared["Default"]
    assert takes(name, default) if "AllowedPattern" in declared else True
    assert default in declared.get("AllowedValues", [default])
    assert declared.get("MinValue", default) <= default <= declared.get("MaxValue", default)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described_limited_and_used(name: str) -> None:
    declared = PARAMETERS[name]
    assert declared["Description"].endswith(".")
    assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(declared)
    assert ("ConstraintDescription" in declared) == ("AllowedPattern" in declared)
    assert ("MinValue" in declared) == ("MaxValue" in declared)
    body = json.dumps({key: TEXT[key] for key in ("Rules", "Conditions", "Globals", "Resources")})
    assert f'{{"Ref": "{name}"}}' in body or f"${{{name}}}" in body


def test_every_parameter_has_a_label_and_stands_in_one_group() -> None:
    grouped = [name for group in INTERFACE["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)
    assert sorted(INTERFACE["ParameterLabels"]) == sorted(PARAMETERS)


def test_guided_deployment_asks_in_the_order_of_the_groups() -> None:
    assert [name for group in INTERFACE["ParameterGroups"] for name in group["Parameters"]] == list(
        PARAMETERS
    )


@pytest.mark.parametrize(("ipv6", "expected"), [("on", True), ("off", None)])
def test_functions_in_a_vpc_speak_ipv6_where_it_is_asked_for(ipv6: str, expected: bool | None) -> None:  # noqa: FBT001, what CloudFormation is told
    network = {name: EVERYTHING[name] for name in ("VpcSubnetIds", "VpcSecurityGroupIds")}
    for function in Deployed({**network, "VpcIpv6": ipv6}).all("Lambda::Function"):
        assert function.properties["VpcConfig"].get("Ipv6AllowedForDualStack") is expected
    for function in Deployed({"VpcIpv6": ipv6}).all("Lambda::Function"):
        assert "VpcConfig" not in function.properties
