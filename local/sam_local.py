"""Proves docs/deploying.md's `sam local invoke`: every function with every event, and what becomes of it.

Real are SAM, Docker and the built functions; AWS is moto, the devices are simulated, and the image is made of
this machine (see local/lambda_/docker.py). Ends with 1 where something is not as it should be, and with 2
where Docker can't run.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from local.aws import server as aws
from local.aws.account import Account
from local.aws.clients import KEYS
from local.aws.template import REGION
from local.demo.snmp_devices import switch
from local.devices.snmp_agent import Agent
from local.devices.snmp_host import AgentThread
from local.event import HOST, NAMES, commands, event_of, function_of
from local.lambda_ import docker
from local.lambda_.stores import COMMUNITY, Stores, stores
from local.proxy import TcpProxy

IMAGE = f"netvitals-local/python:3.13-{HOST}"
ROOT = Path(__file__).parents[1]


class World(NamedTuple):
    """What the functions work with."""

    docker: docker.Docker
    stores: Stores
    account: Account
    port: int
    """At which the simulated switch listens, on the gateway."""


@contextmanager
def world() -> Iterator[World]:
    """Start all that the functions reach, on the address that containers see this machine by."""
    with ExitStack() as stack:
        containers = stack.enter_context(docker.daemon())
        gateway = containers.gateway

        def relay(url: str) -> str:
            """Let containers reach a server of 127.0.0.1; return its URL for them."""
            port = int(url.rpartition(":")[2].partition("/")[0])
            proxy = stack.enter_context(TcpProxy(port, gateway))
            return url.replace(f"127.0.0.1:{port}", f"{gateway}:{proxy.port}")

        own = stack.enter_context(stores(relay))
        services = stack.enter_context(aws.running())
        agent = Agent(switch("sw-1", 24, 1e8).objects, community=COMMUNITY)
        port = stack.enter_context(AgentThread({gateway: agent})).port
        own.add_device("sw-1", gateway, {"snmp": {"port": port}}, "here")
        account = Account(services.client, own.secrets)
        services.client("events").create_event_bus(Name="netvitals")
        url = relay(services.url)
        docker.make_image(containers, IMAGE, {"AWS_ENDPOINT_URL": url})
        docker.check(containers, IMAGE, url)
        yield World(containers, own, account, port)


def environment(account: Account, gateway: str) -> dict[str, dict[str, str]]:
    """Return events/env.json with what stands for the stack here."""
    own = account.environment() | {
        "NETVITALS_ALLOWED_NETWORKS": f"{gateway}/32",
        "NETVITALS_EVENT_BUS_NAME": "netvitals",
    }
    given: dict[str, dict[str, str]] = json.loads((ROOT / "events" / "env.json").read_text())
    found = {
        function: {name: own.get(name, value) for name, value in variables.items()}
        for function, variables in given.items()
    }
    for queue in ("status", "metrics"):
        jobs = own[f"NETVITALS_{queue.upper()}_QUEUE_URL"]
        found[f"{queue.title()}CollectorFunction"]["NETVITALS_JOB_QUEUE_URL"] = jobs
    return found


def _nothing_returned(answer: Any) -> bool:
    return bool(answer == {"batchItemFailures": []})


CHECKS: dict[str, Callable[[World, Any], bool]] = {
    "fanout-status": lambda world, answer: answer["messages"] == world.account.depth("status") > 0,
    "fanout-metrics": lambda world, answer: answer["messages"] == world.account.depth("metrics") > 0,
    "fanout-bad-tick": lambda _, answer: answer["errorType"] == "ConfigurationError",
    "collector-status": lambda world, answer: (
        _nothing_returned(answer) and len(up := world.stores.values("ping_status")) >= 2 and set(up) == {1}
    ),
    "collector-metrics": lambda world, answer: (
        _nothing_returned(answer)
        and len(world.stores.values("net_bytes_in")) == 24
        and len(world.stores.values("temperature_celsius")) == 1
    ),
    "collector-malformed-and-expired": lambda _, answer: len(answer["batchItemFailures"]) == 2,
    "status-tick": lambda _, answer: answer["devices"] == 1,
    "replay-lines": lambda world, answer: (
        _nothing_returned(answer) and 12.5 in world.stores.values("cpu_percent")
    ),
    "replay-malformed": lambda world, answer: _nothing_returned(answer) and world.account.depth("reject") > 0,
}
"""By event: what the answer must be, and what must have come of it."""


def invoke(world: World, name: str, folder: Path) -> tuple[Any, str]:
    """Run the command that `local.event` prints; return the answer, and what was said besides."""
    job = {"address": world.docker.gateway, "settings": {"snmp": {"port": world.port}}}
    (folder / "event.json").write_text(json.dumps(event_of(name, job, time.time())))
    event, env = str(folder / "event.json"), str(folder / "env.json")
    by_sam, _ = commands(function_of(name), event, env)
    image = ["--skip-pull-image", "--invoke-image", IMAGE]
    done = subprocess.run(
        [str(ROOT / ".venv-sam/bin/sam"), *by_sam[1:], *image],
        cwd=ROOT,
        env={
            **os.environ,
            **KEYS,
            **world.docker.variables,
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_TELEMETRY": "0",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    try:
        return json.loads(done.stdout.strip().splitlines()[-1]), done.stderr
    except (IndexError, ValueError):
        return None, done.stderr + done.stdout


def main(events: Sequence[str] = NAMES) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    failed = []
    with ExitStack() as stack:
        try:
            reached = stack.enter_context(world())
        except RuntimeError as error:
            print(f"not run: {error}", file=sys.stderr)
            return 2
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sam-local-")))
        (folder / "env.json").write_text(json.dumps(environment(reached.account, reached.docker.gateway)))
        for name in events:
            began = time.monotonic()
            answer, said = invoke(reached, name, folder)
            try:
                good = CHECKS[name](reached, answer)
            except (KeyError, TypeError):  # an error in the place of what was expected, or nothing
                good = False
            took = time.monotonic() - began
            print(f"{'ok    ' if good else 'FAILED'} {took:5.1f} s  {function_of(name)} {name}", flush=True)
            if not good:
                failed.append(name)
                print(json.dumps(answer), said, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or NAMES))
