"""Deploys the built template into LocalStack, and looks at a minute of its work, an update and its removal.

Real are SAM, CloudFormation's resources as LocalStack makes them, the deployed functions and layers under
AWS's own runtime client, their queues and event source mappings, and what comes of it in InfluxDB, PostgreSQL
and at webhooks. Played by programs of ours: EventBridge Scheduler, which LocalStack does not run, and the
devices. Ends with 1 where something is not as it should be, and with 2 where it can't run at all.
"""

import json
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from local.localstack.cloud import STACK
from local.localstack.world import BEARER, NETWORK, PORTS, ROUTING_KEY, SIGNATURE, Failed, Post, World, world

NOT_HERE = {
    "alarms": "LocalStack makes no metrics of what functions log, so the alarms for silence ring",
}
"""By check of `netvitals doctor`, why it can't be ok here."""
_ONLINE, _OFFLINE = {"sw-1": "online", "sw-2": "online"}, {"sw-1": "online", "sw-2": "offline"}


def expect(*, so: bool, what: str) -> None:
    if not so:
        raise Failed(what)


def deploy(made: World) -> str:
    made.cloud.deploy(made.parameters())
    # The template names PagerDuty's address, and nobody is to be called here.
    made.cloud.client("events").update_api_destination(
        Name=f"{STACK}-PagerDutyDestination",
        InvocationEndpoint=f"{made.receiver}/pagerduty",
        HttpMethod="POST",
    )
    made.decisions.start()
    return f"{made.cloud.count()} resources by sam deploy"


def poll(made: World) -> str:
    """Fire both schedules of polls once: what is due in the minute that begins now."""
    sent = {kind: made.cloud.fire(f"FanoutFunction{kind}Tic") for kind in ("Status", "Metrics")}
    jobs = {kind: report["jobs"] for kind, report in sent.items()}
    expect(so=jobs == {"Status": 12, "Metrics": 4}, what=f"fan-out handed out {sent}")
    made.wait("polls of both devices", lambda: made.stores.values("ping_status").count(1.0) >= 4, 90)
    ports = sum(PORTS.values())
    made.wait("metrics of both", lambda: len(made.stores.values("net_bytes_in")) >= ports, 60)
    expect(so=len(made.stores.values("temperature_celsius")) >= 2, what="no temperature was stored")
    made.wait("both online in PostgreSQL", lambda: made.statuses() == _ONLINE, 30)
    points = made.stores.influx.query("SELECT metric_name, value FROM device_metrics")
    return f"{jobs['Status']} status and {jobs['Metrics']} metrics jobs; {len(points)} points; both online"


def doctor(made: World, *allowed: str) -> str:
    """Have every check of `netvitals doctor` be ok, but for those that can't be here."""
    done = made.cloud.netvitals("doctor", "--format", "jsonl", "--device", "sw-1")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    bad = [each for each in found if each["level"] != "ok" and each["check"] not in {*NOT_HERE, *allowed}]
    expect(so=bool(found) and not bad, what=f"netvitals doctor: {bad or done.stderr}")
    said = [f"{len(found) - len(NOT_HERE)} of {len(found)} ok"]
    said += [f"not {each['check']}: {NOT_HERE[each['check']]}" for each in found if each["check"] in NOT_HERE]
    said += [each["detail"] for each in found if each["check"] == "poll"]
    return "; ".join(said)


def config(made: World) -> str:
    done = made.cloud.netvitals("config", "check")
    expect(so=done.returncode == 0, what=f"netvitals config check: {done.stderr}")
    line = next((line for line in done.stdout.splitlines() if "allowed_networks" in line), "")
    expect(so=NETWORK in line, what=f"allowed_networks is not the deployment's: {line}")
    return "exit status 0"


def outage(made: World) -> str:
    """Take a device away, and have its outage and its return told to all four."""
    made.posts.clear()
    made.switches["sw-2"].plug(in_=False)
    took = made.wait("sw-2 offline", lambda: made.statuses() == _OFFLINE, 60)
    _await_notices(made, "offline")
    made.posts.clear()
    made.switches["sw-2"].plug(in_=True)
    made.cloud.fire("FanoutFunctionStatusTic")
    back = made.wait("sw-2 online again", lambda: made.statuses() == _ONLINE, 60)
    _await_notices(made, "online")
    return f"offline after {took:.0f} s, back after {back:.0f} s; {', '.join(_NOTICES)} were told of both"


def _await_notices(made: World, status: str) -> None:
    for name, is_it in _NOTICES.items():
        found = f"{name} is told that sw-2 is {status}, among {made.posts}"
        made.wait(found, partial(_is_told, made, is_it, status), 20)


def _is_told(made: World, is_it: Callable[[Post, str], bool], status: str) -> bool:
    return any(is_it(post, status) for post in made.posts)


def _is_for_pagerduty(post: Post, status: str) -> bool:
    action = {"offline": "trigger", "online": "resolve"}[status]
    wanted = {"event_action": action, "dedup_key": "netvitals/device/sw-2", "routing_key": ROUTING_KEY}
    return post.path == "/pagerduty" and wanted.items() <= post.body.items()


def _is_for_slack(post: Post, status: str) -> bool:
    return post.path == "/slack" and _SENTENCE + status in post.body["text"]


def _is_for_teams(post: Post, status: str) -> bool:
    if post.path != f"/teams?api-version=1&sig={SIGNATURE}":
        return False
    card = post.body["attachments"][0]["content"]
    return _SENTENCE + status in card["body"][0]["inlines"][0]["text"]


def _is_for_webhook(post: Post, status: str) -> bool:
    return post[:2] == ("/webhook", BEARER) and (post.body["device"]["id"], post.body["after"]) == (
        "sw-2",
        status,
    )


_SENTENCE = "sw-2 at site of sw-2 is "
_NOTICES: dict[str, Callable[[Post, str], bool]] = {
    "PagerDuty": _is_for_pagerduty,
    "Slack": _is_for_slack,
    "Teams": _is_for_teams,
    "webhook": _is_for_webhook,
}


def update(made: World) -> str:
    """Change a schedule while polling is paused: the schedule and its input follow, the pause stays."""
    made.cloud.netvitals("pause", "--reason", "an update").check_returncode()
    before = made.cloud.schedules()
    made.cloud.deploy({"StatusSchedule": "rate(2 minutes)"})
    after = made.cloud.schedules()
    changed = [name for name in before if before[name] != after.get(name)]
    expect(so=changed == ["FanoutFunctionStatusTick"], what=f"changed: {changed}")
    now = after["FanoutFunctionStatusTick"]
    told = json.loads(now["Target"]["Input"])["schedule"]
    follows = now["ScheduleExpression"] == told == "rate(2 minutes)"
    expect(so=follows, what=f"the schedule is {now}")
    report = made.cloud.fire("FanoutFunctionStatusTic")
    expect(so=report["paused"] == 1 and report["messages"] == 0, what=f"the pause is gone: {report}")
    said = doctor(made, "schedules")
    made.cloud.netvitals("resume").check_returncode()
    report = made.cloud.fire("FanoutFunctionStatusTic")
    expect(so=report["paused"] == 0 and report["jobs"] == 24, what=f"polling does not go on: {report}")
    return f"every 2 minutes, the others as before; paused through it, then {report['jobs']} jobs; {said}"


def remove(made: World) -> str:
    made.decisions.stop()
    left = made.cloud.remove()
    expect(so=not left, what=f"left of the stack: {left}")
    return "by sam delete: no function, schedule, rule, connection, queue, alarm or log group is left"


STEPS: dict[str, Callable[[World], str]] = {
    "deploy": deploy,
    "poll": poll,
    "doctor": doctor,
    "config check": config,
    "outage": outage,
    "update": update,
    "remove": remove,
}


def take(name: str, made: World, step: Callable[[World], str]) -> None:
    """Take a step and print how it went.

    Raises:
        Failed: it did not go well, which is printed.
    """
    began = time.monotonic()
    try:
        said = step(made)
    except Exception as error:  # noqa: BLE001, whatever it was, it is told, and all that runs is ended
        print(f"FAILED {time.monotonic() - began:5.1f} s  {name}: {error}", flush=True)
        raise Failed(name) from None
    print(f"ok     {time.monotonic() - began:5.1f} s  {name}: {said}", flush=True)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began = time.monotonic()
    with ExitStack() as stack:
        try:
            made = stack.enter_context(world())
        except RuntimeError as error:
            print(f"not run: {error}", file=sys.stderr)
            return 2
        print(f"ok     {time.monotonic() - began:5.1f} s  start: {made.cloud.url}", flush=True)
        try:
            for name, step in STEPS.items():
                take(name, made, step)
        except Failed:
            return 1
    print(f"all of it, cleaned up, in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
