"""Each function may do what it does, to what it does it to, and nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from local.aws.cloudformation import EVERYTHING, GIVEN, KEY, Deployed
from local.aws.template import ACCOUNT, REGION

PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/netvitals/prod/config"
DATABASE, INFLUXDB, CREDENTIALS = GIVEN.values()
SNAPSHOT = f"arn:aws:s3:{REGION}:{ACCOUNT}:SnapshotBucket/inventory.jsonl.gz"


def arn(service: str, *names: str) -> list[str]:
    return [f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}" for name in names]


def rights(grants: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    return {(action, resource) for action, resources in grants.items() for resource in resources}


def collector(name: str, queue: str) -> dict[str, list[str]]:
    return {
        "logs:CreateLogStream": arn("logs", f"{name}Logs"),
        "logs:PutLogEvents": arn("logs", f"{name}Logs"),
        "ssm:GetParameter": [PARAMETER],
        "secretsmanager:GetSecretValue": [DATABASE, INFLUXDB, CREDENTIALS],
        "sqs:ReceiveMessage": arn("sqs", queue),
        "sqs:DeleteMessage": arn("sqs", queue),
        "sqs:GetQueueAttributes": arn("sqs", queue),
        "sqs:ChangeMessageVisibility": arn("sqs", queue),
        "sqs:SendMessage": arn("sqs", "SpoolQueue", "RejectQueue"),
    }


EXPECTED: dict[str, dict[str, list[str]]] = {
    "FanoutRole": {
        "logs:CreateLogStream": arn("logs", "FanoutLogs"),
        "logs:PutLogEvents": arn("logs", "FanoutLogs"),
        "ssm:GetParameter": [PARAMETER, *arn("ssm", "parameter/netvitals/netvitals-local/paused")],
        "secretsmanager:GetSecretValue": [DATABASE],
        "sqs:SendMessage": arn("sqs", "StatusQueue", "MetricsQueue", "ScheduleDeadLetters"),
        "s3:GetObject": [SNAPSHOT],
        "s3:PutObject": [SNAPSHOT],
        "s3:ListBucket": arn("s3", "SnapshotBucket"),
    },
    "StatusCollectorRole": collector("StatusCollector", "StatusQueue"),
    "MetricsCollectorRole": collector("MetricsCollector", "MetricsQueue"),
    "StatusRole": {
        "logs:CreateLogStream": arn("logs", "StatusLogs"),
        "logs:PutLogEvents": arn("logs", "StatusLogs"),
        "ssm:GetParameter": [PARAMETER],
        "secretsmanager:GetSecretValue": [DATABASE, INFLUXDB],
        "sqs:SendMessage": arn("sqs", "ScheduleDeadLetters"),
        "events:PutEvents": arn("events", "StatusEvents"),
        "sns:Publish": ["DigestTopic"],
    },
    "ReplayRole": {
        "logs:CreateLogStream": arn("logs", "ReplayLogs"),
        "logs:PutLogEvents": arn("logs", "ReplayLogs"),
        "ssm:GetParameter": [PARAMETER],
        "secretsmanager:GetSecretValue": [DATABASE, INFLUXDB],
        "sqs:ReceiveMessage": arn("sqs", "SpoolQueue"),
        "sqs:DeleteMessage": arn("sqs", "SpoolQueue"),
        "sqs:GetQueueAttributes": arn("sqs", "SpoolQueue"),
        "sqs:ChangeMessageVisibility": arn("sqs", "SpoolQueue"),
        "sqs:SendMessage": arn("sqs", "SpoolQueue", "RejectQueue"),
    },
    "ScheduleRole": {
        "lambda:InvokeFunction": arn("lambda", "FanoutFunction", "StatusFunction"),
        "sqs:SendMessage": arn("sqs", "ScheduleDeadLetters"),
    },
    "NotificationRole": {
        "events:InvokeApiDestination": arn(
            "events", "SlackDestination", "TeamsDestination", "PagerDutyDestination", "WebhookDestination"
        ),
    },
}
SHARED: dict[str, dict[str, list[str]]] = {
    "NetworkPolicy": {
        f"ec2:{action}": ["*"]
        for action in (
            "CreateNetworkInterface",
            "DescribeNetworkInterfaces",
            "DescribeSubnets",
            "DeleteNetworkInterface",
            "AssignPrivateIpAddresses",
            "UnassignPrivateIpAddresses",
        )
    },
    "TracingPolicy": {"xray:PutTraceSegments": ["*"], "xray:PutTelemetryRecords": ["*"]},
    "KeyPolicy": {"kms:Decrypt": [KEY], "kms:GenerateDataKey": [KEY]},
    "SecretsKeyPolicy": {"kms:Decrypt": [KEY], "kms:GenerateDataKey": [KEY]},
}
"""Policies that functions share where a parameter asks for them; the only ones that name `*`."""

RESOURCE_POLICIES = ("SQS::QueuePolicy", "SNS::TopicPolicy", "S3::BucketPolicy")


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def statements(properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    for document in documents or [properties["PolicyDocument"]]:
        yield from document["Statement"]


def granted(properties: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in statements(properties)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


@pytest.mark.parametrize("role", EXPECTED)
def test_a_role_has_the_rights_that_its_work_takes_and_no_other(role: str) -> None:
    assert granted(Deployed(EVERYTHING)[role]) == rights(EXPECTED[role])


@pytest.mark.parametrize("policy", SHARED)
def test_a_shared_policy_has_its_rights_and_no_other(policy: str) -> None:
    assert granted(Deployed(EVERYTHING)[policy]) == rights(SHARED[policy])


def test_there_are_no_other_roles_and_policies() -> None:
    deployed = Deployed(EVERYTHING)
    assert {role.name for role in deployed.all("IAM::Role")} == set(EXPECTED)
    assert {policy.name for policy in deployed.all("IAM::ManagedPolicy")} == set(SHARED)
    ours = [role for role in deployed.all("IAM::Role") if role.name != "NotificationRole"]
    assert all(role.properties["ManagedPolicyArns"] for role in ours)
    attached = {arn for role in ours for arn in role.properties["ManagedPolicyArns"]}
    assert attached == set(SHARED)


def test_without_options_no_role_has_a_shared_policy_or_a_right_to_anything() -> None:
    deployed = Deployed()
    assert deployed.all("IAM::ManagedPolicy") == []
    for role in deployed.all("IAM::Role"):
        assert role.properties["ManagedPolicyArns"] == []
        assert [right for right in granted(role.properties) if "*" in right[1]] == []


def test_every_function_has_a_role_of_its_own() -> None:
    functions = Deployed().all("Lambda::Function")
    assert len({function.properties["Role"] for function in functions}) == len(functions)


def test_only_the_services_that_use_a_role_may_assume_it() -> None:
    for role in Deployed().all("IAM::Role"):
        (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        service = "scheduler" if role.name == "ScheduleRole" else "lambda"
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
    (statement,) = Deployed()["ScheduleRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_code_in_a_function_can_not_use_the_rights_that_attach_it_to_the_vpc() -> None:
    allow, deny = statements(Deployed(EVERYTHING)["NetworkPolicy"])
    assert (deny["Effect"], deny["Action"]) == ("Deny", allow["Action"])
    assert list(deny["Condition"]["ArnLike"]) == ["lambda:SourceFunctionArn"]


def test_every_queue_topic_and_bucket_refuses_what_does_not_come_over_tls() -> None:
    deployed = Deployed(EVERYTHING)
    guarded: list[str] = []
    for policy in [policy for kind in RESOURCE_POLICIES for policy in deployed.all(kind)]:
        denials = [each for each in statements(policy.properties) if each["Effect"] == "Deny"]
        assert [each["Condition"] for each in denials] == [{"Bool": {"aws:SecureTransport": "false"}}]
        assert denials[0]["Principal"] == "*"
        guarded += policy.properties.get("Queues", []) + policy.properties.get("Topics", [])
        guarded += listed(policy.properties.get("Bucket", []))
    made = [*deployed.all("SQS::Queue"), *deployed.all("SNS::Topic"), *deployed.all("S3::Bucket")]
    assert sorted(guarded) == sorted(each.name for each in made)


def test_nothing_is_public() -> None:
    deployed = Deployed(EVERYTHING)
    for kind in RESOURCE_POLICIES:
        for policy in deployed.all(kind):
            for statement in statements(policy.properties):
                if statement["Effect"] == "Allow":
                    service = statement["Principal"]["Service"]
                    assert service in ("cloudwatch.amazonaws.com", "events.amazonaws.com")
                    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    for bucket in deployed.all("S3::Bucket"):
        assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert deployed.all("Lambda::Permission") == []
    assert deployed.all("Lambda::Url") == []
    assert deployed.all("Lambda::LayerVersionPermission") == []


def test_queues_are_encrypted_with_a_key_of_the_operators_where_one_is_given() -> None:
    for queue in Deployed().all("SQS::Queue"):
        assert queue.properties["SqsManagedSseEnabled"] is True
    deployed = Deployed(EVERYTHING)
    for each in [*deployed.all("SQS::Queue"), *deployed.all("SNS::Topic")]:
        assert each.properties["KmsMasterKeyId"] == KEY
        assert "SqsManagedSseEnabled" not in each.properties
    assert {group.properties["KmsKeyId"] for group in deployed.all("Logs::LogGroup")} == {KEY}


def test_several_keys_of_others_are_used_through_the_services_that_need_them_only() -> None:
    other = KEY.replace("0d5f7f1a", "1d5f7f1a")
    policy = Deployed(EVERYTHING | {"SecretsKmsKeyArn": f"{KEY},{other}"})["SecretsKeyPolicy"]
    decrypt, generate = statements(policy)
    assert decrypt["Resource"] == generate["Resource"] == [KEY, other]
    services = listed(decrypt["Condition"]["StringEquals"]["kms:ViaService"])
    assert [name.split(".")[0] for name in services] == ["secretsmanager", "ssm", "sns"]
    assert generate["Condition"]["StringEquals"]["kms:ViaService"].startswith("sns.")
