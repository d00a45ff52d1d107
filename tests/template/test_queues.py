"""Relations between queues and their functions that AWS asks for and nobody checks."""

import random
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from local.aws.cloudformation import TEMPLATE, Deployed
from local.aws.template import load
from netvitals.usecases.replay import backoff_seconds
from netvitals.usecases.store_results import StoreResults

TEMPLATE_TEXT = load(TEMPLATE)
PARAMETERS = TEMPLATE_TEXT["Parameters"]
FOURTEEN_DAYS = 14 * 24 * 3600


class Work(NamedTuple):
    """A queue, the function that works it off, and the parameters that rule them."""

    queue: str
    timeout: str
    concurrency: str


WORK = (
    Work("StatusQueue", "StatusCollectorTimeoutSeconds", "StatusConcurrency"),
    Work("MetricsQueue", "MetricsCollectorTimeoutSeconds", "MetricsConcurrency"),
    Work("SpoolQueue", "ReplayTimeoutSeconds", "ReplayConcurrency"),
)


def deployments(work: Work) -> Iterator[tuple[int, Deployed]]:
    for timeout in PARAMETERS[work.timeout]["AllowedValues"]:
        yield timeout, Deployed({work.timeout: str(timeout)})


def source(deployed: Deployed, queue: str) -> Mapping[str, Any]:
    (found,) = (
        each.properties
        for each in deployed.all("Lambda::EventSourceMapping")
        if each.properties["EventSourceArn"].endswith(f":{queue}")
    )
    return found


@pytest.mark.parametrize("work", WORK)
def test_a_message_stays_invisible_until_its_invocation_has_ended(work: Work) -> None:
    for timeout, deployed in deployments(work):
        function = deployed[source(deployed, work.queue)["FunctionName"]]
        assert function["Timeout"] == str(timeout)
        assert deployed[work.queue]["VisibilityTimeout"] >= timeout + 30


@pytest.mark.parametrize("work", WORK[:2])
def test_a_job_is_kept_longer_than_all_its_attempts_take(work: Work) -> None:
    for _, deployed in deployments(work):
        queue = deployed[work.queue]
        attempts = queue["RedrivePolicy"]["maxReceiveCount"]
        assert attempts >= 5
        assert queue["MessageRetentionPeriod"] > attempts * queue["VisibilityTimeout"]


@pytest.mark.parametrize("work", WORK)
def test_an_event_source_works_in_batches_within_limits(work: Work) -> None:
    deployed = Deployed()
    properties = source(deployed, work.queue)
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert int(properties["ScalingConfig"]["MaximumConcurrency"]) >= 2
    assert PARAMETERS[work.concurrency]["MaxValue"] <= 1000
    assert "MaximumBatchingWindowInSeconds" not in properties or work.queue == "SpoolQueue"


@pytest.mark.parametrize("work", WORK[:2])
def test_without_a_ceiling_lambda_may_ask_a_queue_less_often(work: Work) -> None:
    """With one it keeps five pollers, without it as few as two; one is none that AWS takes."""
    assert "ScalingConfig" not in source(Deployed({work.concurrency: "0"}), work.queue)
    (rule,) = (text for text in TEMPLATE_TEXT["Rules"].values() if work.concurrency in str(text))
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": work.concurrency}, 1]}]}


def test_only_the_replay_may_send_to_the_queue_that_it_comes_from() -> None:
    functions = Deployed().all("Lambda::Function")
    allowed = {each.name for each in functions if each.properties.get("RecursiveLoop") == "Allow"}
    assert allowed == {"ReplayFunction"}


@pytest.mark.parametrize("work", WORK[:2])
def test_a_bundle_is_the_work_of_one_invocation(work: Work) -> None:
    assert int(source(Deployed(), work.queue)["BatchSize"]) == 1


def test_what_is_given_up_is_kept_for_fourteen_days_in_a_queue_of_its_own() -> None:
    deployed = Deployed()
    targets = [deployed[work.queue]["RedrivePolicy"]["deadLetterTargetArn"].split(":")[-1] for work in WORK]
    assert len(set(targets)) == len(WORK)
    for name in [*targets, "ScheduleDeadLetters", "SpoolQueue", "RejectQueue"]:
        assert deployed[name]["MessageRetentionPeriod"] == FOURTEEN_DAYS


def shortest_life(attempts: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """What so many attempts of the replay take where chance makes every pause the shortest."""
    with monkeypatch.context() as patch:
        patch.setattr(random, "uniform", lambda low, _high: low)
        return sum(backoff_seconds(attempt) for attempt in range(1, attempts + 1))


def test_a_batch_that_is_refused_at_each_attempt_is_tried_for_as_long_as_it_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = Deployed()["SpoolQueue"]
    attempts = queue["RedrivePolicy"]["maxReceiveCount"]
    assert attempts <= 1000, "SQS allows no more"
    assert shortest_life(attempts, monkeypatch) >= queue["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_a_batch_whose_replay_cannot_even_start_is_tried_for_as_long_as_it_is_kept() -> None:
    for _, deployed in deployments(WORK[2]):  # nothing puts it off then but the queue itself
        queue = deployed["SpoolQueue"]
        attempts = queue["RedrivePolicy"]["maxReceiveCount"]
        assert attempts * queue["VisibilityTimeout"] >= queue["MessageRetentionPeriod"]


def test_status_and_metrics_jobs_run_the_same_code_under_limits_of_their_own() -> None:
    functions = {
        name: resource["Properties"]
        for name, resource in TEMPLATE_TEXT["Resources"].items()
        if resource["Properties"].get("CodeUri") == "functions/collector/"
    }
    assert set(functions) == {"StatusCollectorFunction", "MetricsCollectorFunction"}
    one, other = functions.values()
    for limit in ("Timeout", "MemorySize", "Role"):
        assert one[limit] != other[limit]


@pytest.mark.parametrize(("work", "longest"), [(WORK[0], 6.0), (WORK[1], 45.0)])
def test_storing_leaves_time_for_the_longest_poll_under_the_default_timeout(
    work: Work, longest: float
) -> None:
    assert PARAMETERS[work.timeout]["Default"] - StoreResults.reserve_seconds > longest
