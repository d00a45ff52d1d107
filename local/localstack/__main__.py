"""Deploys the built template into LocalStack, and looks at a minute of its work, an update and its removal.

Real are SAM, CloudFormation's resources as LocalStack makes them, the functions in containers, their queues
and event source mappings, and what comes of it in InfluxDB, PostgreSQL and at webhooks. Played by programs of
ours: EventBridge Scheduler, which LocalStack does not run, and the devices. Ends with 1 where something is
not as it should be, and with 2 where it can't run at all.
"""

import json
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from local.localstack.cloud import STACK
from local.localstack.receiver import Post
from local.localstack.world import BEARER, PORTS, ROUTING_KEY, SIGNATURE, Failed, World, world

NOT_HERE = {
    "alarms": "LocalStack makes no metrics of what functions log, so the alarms for silence ring",
}
"""By check of `netvitals doctor`, why it can't be ok here."""
_ONLINE, _OFFLINE = {"sw-1": "online", "sw-2": "online"}, {"sw-1": "online", "sw-2": "offline"}


def expect(*, so: bool, what: str) -> None:
    if not so:
        raise Failed(what)


def deploy(made: World) -> str:
    made.cloud.deploy(made.parameters)
    # The template names PagerDuty's address, and nobody is to be called here.
    made.cloud.client("events").update_api_destination(
        Name=f"{STACK}-PagerDutyDestination",
        InvocationEndpoint=f"{made.receiver.url}/pagerduty",
        HttpMethod="POST",
    )
    made.scheduler.start()
    return f"{made.cloud.count()} resources by sam deploy"


def poll(made: World) -> str:
    """Fire both schedules of polls once: what is due in the minute that begins now."""
    sent = {kind: made.scheduler.fire(f"FanoutFunction{kind}Tic") for kind in ("Status", "Metrics")}
    jobs = {kind: report["jobs"] for kind, report in sent.items()}
    expect(so=jobs == {"Status": 12, "Metrics": 4}, what=f"fan-out handed out {sent}")
    made.wait("polls of both devices", lambda: made.around.stored("ping_status").count(1.0) >= 4, 90)
    ports = sum(PORTS.values())
    made.wait("metrics of both", lambda: len(made.around.stored("net_bytes_in")) >= ports, 60)
    expect(so=len(made.around.stored("temperature_celsius")) >= 2, what="no temperature was stored")
    made.wait("both online in PostgreSQL", lambda: made.statuses() == _ONLINE, 30)
    points = made.around.influx.query("SELECT metric_name, value FROM device_metrics")
    return f"{jobs['Status']} status and {jobs['Metrics']} metrics jobs; {len(points)} points; both online"


def doctor(made: World, *allowed: str) -> str:
    """Have every check of `netvitals doctor` be ok, but for those that can't be here."""
    done = made.command("doctor", "--format", "jsonl", "--device", "sw-1")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    bad = [each for each in found if each["level"] != "ok" and each["check"] not in {*NOT_HERE, *allowed}]
    expect(so=bool(found) and not bad, what=f"netvitals doctor: {bad or done.stderr}")
    said = [f"{len(found) - len(NOT_HERE)} of {len(found)} ok"]
    said += [f"not {each['check']}: {NOT_HERE[each['check']]}" for each in found if each["check"] in NOT_HERE]
    said += [each["text"] for each in found if each["check"] == "poll"]
    return "; ".join(said)


def config(made: World) -> str:
    done = made.command("config", "check")
    expect(so=done.returncode == 0, what=f"netvitals config check: {done.stderr}")
    line = next((line for line in done.stdout.splitlines() if "allowed_networks" in line), "")
    expect(so=made.around.gateway in line, what=f"allowed_networks is not the deployment's: {line}")
    return "exit status 0"


def outage(made: World) -> str:
    """Take a device away, and have its outage and its return told to all four."""
    made.receiver.posts.clear()
    made.plug(out=True)
    took = made.wait("sw-2 offline", lambda: made.statuses() == _OFFLINE, 60)
    told = {name: _told(made, is_it) for name, is_it in _OUTAGE.items()}
    made.receiver.posts.clear()
    made.plug(out=False)
    made.scheduler.fire("FanoutFunctionStatusTic")
    back = made.wait("sw-2 online again", lambda: made.statuses() == _ONLINE, 60)
    for name, is_it in _RETURN.items():
        told[name] = _told(made, is_it)
    return f"offline after {took:.0f} s, back after {back:.0f} s; {', '.join(sorted(told))} were told of both"


def _told(made: World, is_it: Callable[[Post], bool]) -> Post:
    found = made.receiver.wait(is_it, 20)
    if found is None:
        raise Failed(f"a notification is missing among {made.receiver.posts}")
    return found


def _teams_text(body: Any) -> str:
    return str(body["attachments"][0]["content"]["body"][0]["inlines"][0]["text"])


def _pagerduty(action: str) -> Callable[[Post], bool]:
    def is_it(post: Post) -> bool:
        wanted = {"event_action": action, "dedup_key": "netvitals/device/sw-2", "routing_key": ROUTING_KEY}
        return post.path == "/pagerduty" and wanted.items() <= post.body.items()

    return is_it


def _webhook(status: str) -> Callable[[Post], bool]:
    def is_it(post: Post) -> bool:
        return (
            (post.path, post.headers.get("authorization")) == ("/webhook", BEARER)
            and (post.body["device"]["id"], post.body["after"]) == ("sw-2", status)
        )  # fmt: skip

    return is_it


def _slack(status: str) -> Callable[[Post], bool]:
    return lambda post: post.path == "/slack" and f"sw-2 at site of sw-2 is {status}" in post.body["text"]


def _teams(status: str) -> Callable[[Post], bool]:
    path = f"/teams?api-version=1&sig={SIGNATURE}"
    return lambda post: post.path == path and f"sw-2 at site of sw-2 is {status}" in _teams_text(post.body)


_OUTAGE: dict[str, Callable[[Post], bool]] = {
    "Slack": _slack("offline"),
    "Teams": _teams("offline"),
    "PagerDuty": _pagerduty("trigger"),
    "webhook": _webhook("offline"),
}
_RETURN: dict[str, Callable[[Post], bool]] = {
    "Slack": _slack("online"),
    "Teams": _teams("online"),
    "PagerDuty": _pagerduty("resolve"),
    "webhook": _webhook("online"),
}


def update(made: World) -> str:
    """Change a schedule while polling is paused: the schedule and its input follow, the pause stays."""
    made.command("pause", "--reason", "an update").check_returncode()
    before = {each.name: each for each in made.scheduler.schedules()}
    made.cloud.deploy({"StatusSchedule": "rate(2 minutes)"})
    after = {each.name: each for each in made.scheduler.schedules()}
    changed = [name for name in before if before[name] != after.get(name)]
    expect(so=changed == ["FanoutFunctionStatusTick"], what=f"changed: {changed}")
    now = after["FanoutFunctionStatusTick"]
    follows = now.expression == "rate(2 minutes)" and json.loads(now.input)["schedule"] == now.expression
    expect(so=follows, what=f"the schedule is {now}")
    report = made.scheduler.fire("FanoutFunctionStatusTic")
    expect(so=report["paused"] == 1 and report["messages"] == 0, what=f"the pause is gone: {report}")
    said = doctor(made, "schedules")
    made.command("resume").check_returncode()
    report = made.scheduler.fire("FanoutFunctionStatusTic")
    expect(so=report["paused"] == 0 and report["jobs"] == 24, what=f"polling does not go on: {report}")
    return f"every 2 minutes, the others as before; paused through it, then {report['jobs']} jobs; {said}"


def remove(made: World) -> str:
    made.scheduler.stop()
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
