"""Check a deployed stack: its queues, schedules, alarms, code and quota."""

from collections.abc import Iterator, Mapping

from netvitals.adapters.aws import deployment
from netvitals.adapters.aws.deployment import Resources
from netvitals.adapters.aws.pause import PauseParameter, parameter_of
from netvitals.adapters.aws.stack import Stack, read_stack
from netvitals.cli.doctor.poll import poll_check
from netvitals.cli.doctor.report import Check, Finding
from netvitals.cli.doctor.stores import store_checks
from netvitals.domain.errors import ConfigurationError
from netvitals.wiring.parts import Parts

CONSUMERS = {
    "StatusQueue": "StatusCollectorFunction",
    "MetricsQueue": "MetricsCollectorFunction",
    "SpoolQueue": "ReplayFunction",
}
"""The function that consumes each queue."""
DEAD_LETTERS = {
    "StatusQueue": "StatusDeadLetters",
    "MetricsQueue": "MetricsDeadLetters",
    "SpoolQueue": "SpoolDeadLetters",
}
_EMPTY = (*DEAD_LETTERS.values(), "ScheduleDeadLetters", "NotificationDeadLetters", "RejectQueue")
"""Queues that are empty unless something went wrong."""
QUOTA_SHARE = 0.8
_DEPLOY = "deploy the template again: docs/deploying.md#deploy"
_ALARMS = "docs/operating.md#alarms"
_MOST_SHOWN = 5


def stack_checks(name: str, device_id: str | None) -> list[Check]:
    """Return the checks of a stack; those of what its functions depend on come first.

    Raises:
        ConfigurationError: there is no such stack, or it is none of netvitals.
        Unavailable: CloudFormation or Lambda can't be asked.
    """
    stack = read_stack(name)
    if not stack.environ:
        raise ConfigurationError(f"stack {name} has no function with variables: is it one of netvitals?")
    resources = deployment.resources_of(name)
    parts = Parts(stack.environ)
    in_vpc = bool(stack.parameters.get("VpcSubnetIds"))
    return [
        *store_checks(parts, lambda: in_vpc),
        Check("queues", lambda: queues(resources), remedy=_DEPLOY),
        Check("dead letters", lambda: dead_letters(resources)),
        Check("schedules", lambda: schedules(resources, stack), remedy=_DEPLOY),
        Check("alarms", lambda: alarms(resources), remedy=_DEPLOY),
        Check("versions", lambda: versions(resources), remedy=_DEPLOY),
        Check("concurrency", quota, remedy="docs/operating.md#concurrency"),
        poll_check(parts, resources, device_id),
    ]


def queues(resources: Resources) -> Finding:
    """Check each queue: visibility timeout, an enabled event source mapping, a dead-letter queue."""
    known = resources.get("AWS::SQS::Queue", {})
    functions = resources.get("AWS::Lambda::Function", {})
    faults = [
        f"{queue}: {fault}"
        for queue, function in CONSUMERS.items()
        for fault in _queue_faults(queue, function, known, functions)
    ]
    if faults:
        return Finding("fail", "; ".join(faults), _DEPLOY)
    depths = ", ".join(f"{queue} {deployment.queue_state(known[queue]).waiting}" for queue in CONSUMERS)
    return Finding("ok", f"read by their functions, with sufficient visibility timeouts; waiting: {depths}")


def _queue_faults(
    queue: str, function: str, known: Mapping[str, str], functions: Mapping[str, str]
) -> Iterator[str]:
    missing = [name for name, there in ((queue, known), (function, functions)) if name not in there]
    if missing:
        yield f"{', '.join(missing)} is not in the stack"
        return
    state, consumer = deployment.queue_state(known[queue]), deployment.function_state(functions[function])
    if state.visibility_seconds < consumer.timeout_seconds:
        yield (
            f"a message is hidden for {state.visibility_seconds} s and {function} may take "
            f"{consumer.timeout_seconds} s, so it is delivered twice"
        )
    if not state.dead_letters_arn:
        yield "it has no redrive policy: a message that fails is delivered for ever"
    elif state.dead_letters_arn.rpartition(":")[2] != known.get(DEAD_LETTERS[queue], "").rpartition("/")[2]:
        yield f"its dead letters go to {state.dead_letters_arn}, not to {DEAD_LETTERS[queue]}"
    source = consumer.sources.get(state.arn)
    if source not in {"Enabled", "Enabling", "Creating", "Updating"}:
        yield f"{function} does not read it ({source or 'no event source mapping'})"


def dead_letters(resources: Resources) -> Finding:
    known = resources.get("AWS::SQS::Queue", {})
    found = {
        name: waiting
        for name in _EMPTY
        if name in known and (waiting := deployment.queue_state(known[name]).waiting)
    }
    if not found:
        return Finding("ok", "none, and no refused lines")
    said = ", ".join(f"{number} in {name}" for name, number in found.items())
    return Finding("fail", said, "; ".join(_command(name, known[name]) for name in found))


def _command(name: str, url: str) -> str:
    if name == "RejectQueue":
        return f"netvitals spool rejects --rejects {url}"
    action = "redrive" if name in DEAD_LETTERS.values() else "discard"
    return f"netvitals spool {action} {url}"


def schedules(resources: Resources, stack: Stack) -> Finding:
    """Check that polling is scheduled; a deliberate pause, or a parameter that stops it, is a warning."""
    names = resources.get("AWS::Scheduler::Schedule", {})
    states = deployment.schedule_states(names.values())
    off = [logical for logical, name in names.items() if states[name] != "ENABLED"]
    if not names:
        return Finding("fail", "the stack has no schedule", _DEPLOY)
    if off:
        wanted = stack.parameters.get("ScheduleState") == "DISABLED"
        return Finding(
            "warn" if wanted else "fail",
            f"disabled: {', '.join(off)}" + (", as the parameter ScheduleState says" if wanted else ""),
            'ScheduleState = "ENABLED" in samconfig.toml, and a deployment' if wanted else _DEPLOY,
        )
    since = PauseParameter(deployment.clients("ssm"), parameter_of(stack.name)).read()
    if since:
        return Finding("warn", f"polling is paused {since}", f"netvitals resume --stack {stack.name}")
    return Finding("ok", f"{len(names)} enabled; polling is not paused")


def alarms(resources: Resources) -> Finding:
    names = list(resources.get("AWS::CloudWatch::Alarm", {}).values())
    found = deployment.alarms(names)
    gone = set(names) - {each.name for each in found}
    firing = [each for each in found if each.state == "ALARM"]
    if firing:
        return Finding(
            "fail", "; ".join(f"{each.name}: {each.reason}" for each in firing[:_MOST_SHOWN]), _ALARMS
        )
    if gone or not found:
        return Finding("fail", f"deleted: {', '.join(sorted(gone)) or 'all'}", _DEPLOY)
    mute = sum(not each.has_actions for each in found)
    if mute:
        return Finding(
            "warn",
            f"no alarm fires, but {mute} of {len(found)} would notify nobody",
            "set AlarmEmail or AlarmTopicArn",
        )
    return Finding("ok", f"none of {len(found)} fires")


def versions(resources: Resources) -> Finding:
    """Check that every function has the stack's current layers, and that its last update has succeeded."""
    layers = frozenset(resources.get("AWS::Lambda::LayerVersion", {}).values())
    faults = []
    functions = resources.get("AWS::Lambda::Function", {})
    for logical, name in functions.items():
        state = deployment.function_state(name)
        if state.layers != layers:
            other = ", ".join(sorted(state.layers - layers)) or "none"
            faults.append(f"{logical} runs with other layers than the stack's: {other}")
        if state.update == "Failed":
            faults.append(f"the last update of {logical} failed")
    if faults:
        return Finding("fail", "; ".join(faults), _DEPLOY)
    numbers = ", ".join(sorted(":".join(arn.split(":")[-2:]) for arn in layers))
    return Finding("ok", f"{len(functions)} functions run with {numbers}")


def quota() -> Finding:
    """Compare the region's quota of concurrent invocations with the maximum of the last day."""
    found = deployment.concurrency()
    said = f"{found.used} of {found.limit} concurrent invocations of this region were in use at most in a day"
    if found.used >= QUOTA_SHARE * found.limit:
        return Finding("warn", said, "ask Service Quotas for more: docs/operating.md#concurrency")
    return Finding("ok", said)
