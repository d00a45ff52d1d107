"""A stack in LocalStack, two simulated switches that it polls, and a web server that it notifies."""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from local.demo.snmp_devices import switch
from local.devices.snmp_agent import Agent
from local.devices.snmp_host import AgentThread
from local.lambda_.surroundings import COMMUNITY, Surroundings, surroundings
from local.localstack.cloud import ROOT, STACK, Cloud, localstack
from local.localstack.receiver import Receiver
from local.localstack.scheduler import Scheduler

PORTS = {"sw-1": 24, "sw-2": 4}
CONFIG = "/netvitals/local/config"
DOCUMENT = {
    "defaults": {
        "offline_timeout_seconds": 10,
        "ping": {"timeout_seconds": 0.5},
        "snmp": {"timeout_seconds": 1, "retries": 1},
    }
}
ROUTING_KEY, SIGNATURE, BEARER = "routing", "signature", "Bearer token"


class Failed(Exception):
    """Something is not as it should be; says what."""


@dataclass
class World:
    around: Surroundings
    cloud: Cloud
    receiver: Receiver
    scheduler: Scheduler
    parameters: dict[str, str]
    """What the stack is deployed with."""

    @property
    def address(self) -> str:
        """Of sw-2, which can go away."""
        return self.around.bridge.last

    def statuses(self) -> dict[str, str]:
        """Return the status of each device that has one, as PostgreSQL holds it."""
        with psycopg.connect(self.around.database_url) as connection:
            return dict(connection.execute("SELECT device_id, status FROM device_state").fetchall())

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `netvitals … --stack` as a person does."""
        return subprocess.run(
            [str(ROOT / ".venv/bin/netvitals"), *words, "--stack", STACK],
            env=self.cloud.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def wait(self, what: str, is_so: Callable[[], object], seconds: float) -> float:
        """Return after how many seconds it was so.

        Raises:
            Failed: it was not in time.
        """
        began = time.monotonic()
        while not is_so():
            if time.monotonic() - began > seconds:
                faults = "".join(f"\n  {fault}" for fault in sorted(set(self.scheduler.faults)))
                raise Failed(f"{what}: not within {seconds:g} s{faults}")
            time.sleep(0.5)
        return time.monotonic() - began

    def plug(self, *, out: bool) -> None:
        """Take sw-2 from the network, or put it back."""
        action = "del" if out else "add"
        address, interface = f"{self.address}/32", self.around.bridge.interface
        subprocess.run(["ip", "address", action, address, "dev", interface], check=True, capture_output=True)


@contextmanager
def world() -> Iterator[World]:
    """Start everything but the stack; end and remove it all, the stack's containers included.

    Raises:
        RuntimeError: something does not start here; says what is missing.
    """
    with ExitStack() as stack:
        around = stack.enter_context(surroundings())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="localstack-")))
        cloud = stack.enter_context(localstack(around, folder))
        receiver = stack.enter_context(Receiver(around.gateway))
        made = World(around, cloud, receiver, Scheduler(cloud, STACK), {})
        made.plug(out=False)
        stack.callback(made.scheduler.stop)
        stack.callback(_unplug_for_good, made)
        addresses = {"sw-1": around.gateway, "sw-2": made.address}
        agents = {
            addresses[name]: Agent(switch(name, ports, 1e8).objects, community=COMMUNITY)
            for name, ports in PORTS.items()
        }
        port = stack.enter_context(AgentThread(agents)).port
        for name, address in addresses.items():
            around.add_device(name, address, port, site=f"site of {name}")
        made.parameters = _parameters(cloud, around, receiver.url)
        yield made


def _unplug_for_good(made: World) -> None:
    try:
        made.plug(out=True)
    except subprocess.CalledProcessError:  # it is out already
        return


def _parameters(cloud: Cloud, around: Surroundings, receiver: str) -> dict[str, str]:
    """Make the secrets and the configuration document; return the stack's parameters."""
    secrets: dict[str, Any] = {
        "DatabaseSecretArn": around.secrets["database"],
        "InfluxDbSecretArn": around.secrets["influxdb"],
        "CredentialsSecretArn": around.secrets["credentials"],
        "SlackSecretArn": {"url": f"{receiver}/slack"},
        "TeamsSecretArn": {"url": f"{receiver}/teams?api-version=1", "sig": SIGNATURE},
        "PagerDutySecretArn": {"routing_key": ROUTING_KEY},
        "WebhookSecretArn": {"url": f"{receiver}/webhook", "header": "Authorization", "value": BEARER},
    }
    manager = cloud.client("secretsmanager")
    arns = {
        name: manager.create_secret(Name=name, SecretString=json.dumps(content))["ARN"]
        for name, content in secrets.items()
    }
    ssm = cloud.client("ssm")
    ssm.put_parameter(Name=CONFIG, Type="String", Value=json.dumps(DOCUMENT), Overwrite=True)
    return {
        **arns,
        "ConfigParameterName": CONFIG,
        "Dashboard": "off",  # LocalStack can't resolve its escaped references
        "AllowedNetworks": f"{around.gateway}/32,{around.bridge.last}/32",
        "StatusIntervalSeconds": "10",
        "MetricsIntervalSeconds": "30",
    }
