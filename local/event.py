"""Prints a sample event as of now, for a device of your own, and the commands that invoke its function.

python -m local.event collector-metrics --address 192.168.1.1 --credential core >event.json
"""

import argparse
import hashlib
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.invoke import BUILD_DIR

EVENTS = Path(__file__).parents[1] / "events"
NAMES = sorted(path.stem for path in EVENTS.glob("*.json") if path.stem != "env")
FUNCTIONS = {
    "fanout": "FanoutFunction",
    "collector-metrics": "MetricsCollectorFunction",
    "collector": "StatusCollectorFunction",
    "status": "StatusFunction",
    "replay": "ReplayFunction",
}
"""By what the name of an event begins with."""
HOST = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
ALIVE_SECONDS = 3600


def function_of(name: str) -> str:
    """Return the logical id of the function that an event is for."""
    return next(function for start, function in FUNCTIONS.items() if name.startswith(start))


def event_of(name: str, job: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Return an event as of `now`; `job` replaces keys of its jobs, except of expired ones."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    if "Records" not in event:
        return event | {"scheduled_time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    for record in event["Records"]:
        for stamp in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
            record["attributes"][stamp] = str(int(now * 1000))
        record["body"] = body = _body_as_of(record["body"], job, now)
        record["md5OfBody"] = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
    return event


def _body_as_of(body: str, job: Mapping[str, Any], now: float) -> str:
    try:
        jobs = json.loads(body)["jobs"]
        for each in jobs:
            if each["expires_at"] > now:
                times = {"due_at": int(now), "expires_at": int(now) + ALIVE_SECONDS}
                each.update(
                    {**each, **times, **job, "settings": {**each["settings"], **job.get("settings", {})}}
                )
    except (KeyError, TypeError, ValueError):  # no jobs, or malformed on purpose
        return body
    return json.dumps({"version": 1, "jobs": jobs}, separators=(",", ":"))


def commands(function: str, event: str, env: str, architecture: str = HOST) -> list[list[str]]:
    """Return the commands that invoke a function of `make build-host`: by SAM in Docker, and without."""
    given = ["-e", event, "-n", env]
    template = ["-t", str(BUILD_DIR / "template.yaml")]
    parameters = ["--parameter-overrides", f"Architecture={architecture}"]
    return [
        ["sam", "local", "invoke", function, *template, *parameters, *given],
        [".venv/bin/python", "-m", "local.invoke", function, *given],
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.event", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=NAMES, help="a file of events/, without .json")
    parser.add_argument("--address", help="of the device that is to be polled")
    parser.add_argument("--port", type=int, help="at which its SNMP agent listens")
    parser.add_argument("--credential", help="name of its credential")
    parser.add_argument("--device", dest="device_id", help="its id")
    parser.add_argument("--architecture", choices=["arm64", "x86_64"], default=HOST)
    given = parser.parse_args(arguments)
    job = {key: getattr(given, key) for key in ("address", "credential", "device_id") if getattr(given, key)}
    if given.port:
        job["settings"] = {"snmp": {"port": given.port}}
    print(json.dumps(event_of(given.name, job, time.time()), indent=2))
    print("\nmake build-host, then one of:\n", file=sys.stderr)
    for command in commands(function_of(given.name), "event.json", "env.json", given.architecture):
        print(f"  {' '.join(command)}", file=sys.stderr)
    print("\nenv.json: netvitals config env --stack NAME, or a copy of events/env.json", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
