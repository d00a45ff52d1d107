"""`netvitals doctor --stack`: each fault that a stack can have is told, and a stack without one is ok."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner
from moto import mock_aws

from netvitals.adapters.aws import deployment
from netvitals.adapters.aws.pause import PauseParameter, parameter_of
from netvitals.adapters.aws.stack import Stack
from netvitals.cli.doctor import stack as doctor_stack
from netvitals.cli.main import cli
from netvitals.domain.errors import Unavailable

CANARY = "canary-77c0"
LIVES = ("StatusQueue", "MetricsQueue", "SpoolQueue")
OTHERS = ("RejectQueue", "ScheduleDeadLetters")


def _template() -> str:
    """The queues and functions of template.yaml, in small."""
    resources: dict[str, Any] = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        }
    }
    for name in (*doctor_stack.DEAD_LETTERS.values(), *OTHERS):
        resources[name] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"lab-{name}"}}
    for queue, function in doctor_stack.CONSUMERS.items():
        given_up = {"Fn::GetAtt": [doctor_stack.DEAD_LETTERS[queue], "Arn"]}
        resources[queue] = {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": f"lab-{queue}",
                "VisibilityTimeout": 60,
                "RedrivePolicy": {"deadLetterTargetArn": given_up, "maxReceiveCount": 5},
            },
        }
        resources[function] = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "app.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Timeout": 30,
                "Code": {"ZipFile": "def handler(*_): pass"},
                "Environment": {
                    "Variables": {"DATABASE_URL": f"postgresql://u:{CANARY}@127.0.0.1:1/d"},
                },
            },
        }
        resources[f"{function}Jobs"] = {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": [queue, "Arn"]},
                "FunctionName": {"Ref": function},
                "Enabled": True,
                "BatchSize": 1,
            },
        }
    return json.dumps(
        {"Parameters": {"VpcSubnetIds": {"Type": "String", "Default": ""}}, "Resources": resources}
    )


class Lab:
    """A stack whose schedules, alarms and layers were made beside CloudFormation: moto's can't."""

    def __init__(self) -> None:
        self.sqs, self.functions = deployment.clients("sqs"), deployment.clients("lambda")
        self.scheduler, self.cloudwatch = deployment.clients("scheduler"), deployment.clients("cloudwatch")
        deployment.clients("cloudformation").create_stack(StackName="lab", TemplateBody=_template())
        self.resources = deployment.resources_of("lab")
        self.queues = self.resources["AWS::SQS::Queue"]
        self.of = self.resources["AWS::Lambda::Function"]
        self.stack = Stack("lab", {"ScheduleState": "ENABLED"}, {}, {})
        self.resources["AWS::Scheduler::Schedule"] = {"StatusTick": self.schedule("ENABLED")}
        self.resources["AWS::CloudWatch::Alarm"] = {"NothingPolled": self.alarm()}
        layer = self.layer()
        self.resources["AWS::Lambda::LayerVersion"] = {"NetvitalsLayer": layer}
        for name in self.of.values():
            self.functions.update_function_configuration(FunctionName=name, Layers=[layer])

    def schedule(self, state: Any) -> str:
        target: Any = {"Arn": "arn:aws:lambda:eu-west-1:1:function:f", "RoleArn": "arn:aws:iam::1:role/r"}
        self.scheduler.create_schedule(
            Name=f"lab-{state}",
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=target,
            State=state,
        )
        return f"lab-{state}"

    def alarm(self, **more: Any) -> str:
        given: dict[str, Any] = {
            "AlarmName": "lab-NothingPolled",
            "Namespace": "netvitals",
            "MetricName": "DevicesPolled",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "LessThanThreshold",
            "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:noc"],
        }
        self.cloudwatch.put_metric_alarm(**given | more)
        return "lab-NothingPolled"

    def layer(self) -> str:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("python/netvitals.py", "")
        made = self.functions.publish_layer_version(
            LayerName="lab-netvitals", Content={"ZipFile": file.getvalue()}
        )
        return str(made["LayerVersionArn"])

    def set(self, queue: str, **attributes: str) -> None:
        given: Any = attributes
        self.sqs.set_queue_attributes(QueueUrl=self.queues[queue], Attributes=given)


@pytest.fixture(scope="module", autouse=True)
def _clients_of_no_other_module() -> Iterator[None]:
    deployment.clients.cache_clear()
    yield
    deployment.clients.cache_clear()


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        yield Lab()


def test_a_stack_without_a_fault_is_ok_and_says_what_was_measured(lab: Lab) -> None:
    found = {
        "queues": doctor_stack.queues(lab.resources),
        "dead letters": doctor_stack.dead_letters(lab.resources),
        "schedules": doctor_stack.schedules(lab.resources, lab.stack),
        "alarms": doctor_stack.alarms(lab.resources),
        "versions": doctor_stack.versions(lab.resources),
    }
    assert {each.level for each in found.values()} == {"ok"}, found
    assert found["queues"].text.endswith("waiting: StatusQueue 0, MetricsQueue 0, SpoolQueue 0")
    assert found["versions"].text == "3 functions run with lab-netvitals:1"


def test_a_message_that_is_hidden_for_less_than_its_function_runs_is_told(lab: Lab) -> None:
    lab.set("MetricsQueue", VisibilityTimeout="20")
    found = doctor_stack.queues(lab.resources)
    assert found.level == "fail"
    assert found.text == (
        "MetricsQueue: a message is hidden for 20 s and MetricsCollectorFunction may take 30 s, "
        "so it is delivered twice"
    )


def test_a_queue_that_gives_nothing_up_or_to_another_queue_is_told(lab: Lab) -> None:
    lab.set("StatusQueue", RedrivePolicy="")
    elsewhere = {
        "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:lab-RejectQueue",
        "maxReceiveCount": 5,
    }
    lab.set("SpoolQueue", RedrivePolicy=json.dumps(elsewhere))
    text = doctor_stack.queues(lab.resources).text
    assert "StatusQueue: it has no redrive policy" in text
    assert (
        "SpoolQueue: its dead letters go to arn:aws:sqs:eu-west-1:123456789012:lab-RejectQueue, not to"
        in text
    )


def test_a_queue_that_its_function_does_not_read_is_told(lab: Lab) -> None:
    (first, *_) = lab.functions.list_event_source_mappings(FunctionName=lab.of["ReplayFunction"])[
        "EventSourceMappings"
    ]
    lab.functions.delete_event_source_mapping(UUID=first["UUID"])
    text = doctor_stack.queues(lab.resources).text
    assert text == "SpoolQueue: ReplayFunction does not read it (no event source mapping)"


def test_a_queue_that_was_deleted_is_told(lab: Lab) -> None:
    lab.sqs.delete_queue(QueueUrl=lab.queues["StatusQueue"])
    with pytest.raises(Unavailable, match="lab-StatusQueue can't be read"):
        doctor_stack.queues(lab.resources)


def test_dead_letters_and_refused_lines_are_counted_with_the_command_that_shows_them(lab: Lab) -> None:
    for name in ("MetricsDeadLetters", "MetricsDeadLetters", "ScheduleDeadLetters", "RejectQueue"):
        lab.sqs.send_message(QueueUrl=lab.queues[name], MessageBody=CANARY)
    found = doctor_stack.dead_letters(lab.resources)
    assert found.text == "2 in MetricsDeadLetters, 1 in ScheduleDeadLetters, 1 in RejectQueue"
    assert found.remedy.split("; ") == [
        f"netvitals spool redrive {lab.queues['MetricsDeadLetters']}",
        f"netvitals spool discard {lab.queues['ScheduleDeadLetters']}",
        f"netvitals spool rejects --rejects {lab.queues['RejectQueue']}",
    ]


def test_a_schedule_that_somebody_disabled_fails_and_a_pause_is_a_warning(lab: Lab) -> None:
    PauseParameter(deployment.clients("ssm"), parameter_of("lab")).pause("moving", 0.0)
    paused = doctor_stack.schedules(lab.resources, lab.stack)
    assert (paused.level, paused.remedy) == ("warn", "netvitals resume --stack lab")
    assert paused.text == "polling is paused since 1970-01-01 00:00:00 UTC: moving"
    lab.resources["AWS::Scheduler::Schedule"]["MetricsTick"] = lab.schedule("DISABLED")
    assert doctor_stack.schedules(lab.resources, lab.stack)[:2] == ("fail", "disabled: MetricsTick")
    on_purpose = lab.stack._replace(parameters={"ScheduleState": "DISABLED"})
    assert doctor_stack.schedules(lab.resources, on_purpose).level == "warn"


def test_an_alarm_that_rings_is_told_with_its_reason(lab: Lab) -> None:
    lab.cloudwatch.set_alarm_state(
        AlarmName="lab-NothingPolled", StateValue="ALARM", StateReason="no datapoint for 15 minutes"
    )
    found = doctor_stack.alarms(lab.resources)
    assert (found.level, found.text) == ("fail", "lab-NothingPolled: no datapoint for 15 minutes")


def test_alarms_that_tell_nobody_or_are_gone_are_told(lab: Lab) -> None:
    lab.alarm(AlarmActions=[])
    assert doctor_stack.alarms(lab.resources)[:2] == (
        "warn",
        "no alarm fires, but 1 of 1 would notify nobody",
    )
    lab.cloudwatch.delete_alarms(AlarmNames=["lab-NothingPolled"])
    assert doctor_stack.alarms(lab.resources)[:2] == ("fail", "deleted: lab-NothingPolled")


def test_a_function_with_another_layer_than_the_stacks_is_told(lab: Lab) -> None:
    newer = lab.layer()
    lab.functions.update_function_configuration(FunctionName=lab.of["ReplayFunction"], Layers=[newer])
    found = doctor_stack.versions(lab.resources)
    assert found.level == "fail"
    assert found.text == f"ReplayFunction runs with other layers than the stack's: {newer}"


@pytest.mark.parametrize(("used", "level"), [(799, "ok"), (800, "warn")])
def test_four_fifths_of_the_quota_are_a_warning(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, used: int, level: str
) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    lab.cloudwatch.put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[{"MetricName": "ConcurrentExecutions", "Timestamp": an_hour_ago, "Value": used}],
    )
    functions = boto3.client("lambda")
    with Stubber(functions) as stub:
        stub.add_response("get_account_settings", {"AccountLimit": {"ConcurrentExecutions": 1000}})
        clients = {"lambda": functions, "cloudwatch": lab.cloudwatch}
        monkeypatch.setattr(deployment, "clients", clients.__getitem__)
        found = doctor_stack.quota()
    assert found.level == level
    assert found.text.startswith(f"{used} of 1000 concurrent invocations")


def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
    done = CliRunner().invoke(cli, ["doctor", *arguments, "--format", "jsonl"])
    found = {line["check"]: line for line in map(json.loads, done.stdout.splitlines())}
    return done.exit_code, found, done.output


@pytest.mark.usefixtures("lab")
def test_the_command_checks_all_of_a_stack_in_order_and_shows_no_secret() -> None:
    code, found, output = run("--stack", "lab")
    assert code == 1
    assert list(found)[8:] == [
        "queues", "dead letters", "schedules", "alarms", "versions", "concurrency", "poll",
    ]  # fmt: skip
    assert (found["queues"]["level"], found["dead letters"]["level"]) == ("ok", "ok")
    assert found["database"]["level"] == "fail"
    assert found["schedules"]["detail"] == "the stack has no schedule"
    assert found["poll"]["level"] == "skip"
    assert CANARY not in output


@pytest.mark.usefixtures("lab")
def test_what_only_a_vpc_reaches_is_not_taken_for_a_fault() -> None:
    deployment.clients("cloudformation").update_stack(
        StackName="lab",
        TemplateBody=_template(),
        Parameters=[{"ParameterKey": "VpcSubnetIds", "ParameterValue": "subnet-01234567"}],
    )
    _, found, _ = run("--stack", "lab")
    assert found["database"]["level"] == "skip"
    assert "not checked from this machine" in found["database"]["detail"]


@pytest.mark.usefixtures("lab")
def test_what_can_not_be_checked_at_all_exits_with_2() -> None:
    assert run("--stack", "labb")[0] == 2
    assert run()[0] == 2
    assert run("--device", "core")[0] == 2
