"""A stack in LocalStack, two simulated switches that it polls, and a web server that it notifies."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from werkzeug import Request, Response

from local.aws.server import serving
from local.demo.scheduler import STATUS_SECONDS, Ledger, Loop
from local.demo.simulated import SimulatedSnmp
from local.demo.snmp_devices import switch
from local.devices.snmp_agent import Agent
from local.lambda_.stores import COMMUNITY, Stores, stores
from local.localstack.cloud import Cloud, localstack

PORTS = {"sw-1": 24, "sw-2": 4}
NETWORK = "127.20.1.0/24"
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


class Post(NamedTuple):
    """What was posted to the web server that stands for Slack, Teams, PagerDuty and a webhook."""

    path: str
    """With its query."""
    authorization: str | None
    body: Any


@dataclass
class World:
    cloud: Cloud
    stores: Stores
    switches: dict[str, SimulatedSnmp]
    receiver: str
    """URL of the web server that keeps `posts`."""
    posts: list[Post]
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.decisions = Loop(partial(self.cloud.fire, "StatusFunction", 0), STATUS_SECONDS, self.ledger)
        """About status: each a few seconds after the one before; their schedule says a minute."""

    def statuses(self) -> dict[str, str]:
        """Return the status of each device that has one, as PostgreSQL holds it."""
        with psycopg.connect(self.stores.database_url) as connection:
            return dict(connection.execute("SELECT device_id, status FROM device_state").fetchall())

    def wait(self, what: str, is_so: Callable[[], object], seconds: float) -> float:
        """Return after how many seconds it was so.

        Raises:
            Failed: it was not in time.
        """
        began = time.monotonic()
        while not is_so():
            if time.monotonic() - began > seconds:
                faults = "".join(f"\n  {fault}" for fault in sorted(set(self.ledger.faults)))
                raise Failed(f"{what}: not within {seconds:g} s{faults}")
            time.sleep(0.5)
        return time.monotonic() - began

    def parameters(self) -> dict[str, str]:
        """Make the secrets and the configuration document; return what the stack is deployed with."""
        secrets: dict[str, Any] = {
            "DatabaseSecretArn": self.stores.secrets["database"],
            "InfluxDbSecretArn": self.stores.secrets["influxdb"],
            "CredentialsSecretArn": self.stores.secrets["credentials"],
            "SlackSecretArn": {"url": f"{self.receiver}/slack"},
            "TeamsSecretArn": {"url": f"{self.receiver}/teams?api-version=1", "sig": SIGNATURE},
            "PagerDutySecretArn": {"routing_key": ROUTING_KEY},
            "WebhookSecretArn": {
                "url": f"{self.receiver}/webhook",
                "header": "Authorization",
                "value": BEARER,
            },
        }
        manager = self.cloud.client("secretsmanager")
        arns = {
            name: manager.create_secret(Name=name, SecretString=json.dumps(content))["ARN"]
            for name, content in secrets.items()
        }
        self.cloud.client("ssm").put_parameter(Name=CONFIG, Type="String", Value=json.dumps(DOCUMENT))
        return {
            **arns,
            "ConfigParameterName": CONFIG,
            "Dashboard": "off",  # LocalStack can't resolve its escaped references
            "AllowedNetworks": NETWORK,
            "StatusIntervalSeconds": "10",
            "MetricsIntervalSeconds": "30",
        }


@contextmanager
def world() -> Iterator[World]:
    """Start everything but the stack; end and remove it all, the stack's functions included.

    Raises:
        RuntimeError: something does not start here; says what is missing.
    """
    with ExitStack() as stack:
        own = stack.enter_context(stores())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="localstack-")))
        cloud = stack.enter_context(localstack(folder))
        posts: list[Post] = []
        receiver = stack.enter_context(serving(_keeping(posts)))
        switches = {
            name: SimulatedSnmp(Agent(switch(name, ports, 1e8).objects, community=COMMUNITY))
            for name, ports in PORTS.items()
        }
        for number, (name, device) in enumerate(switches.items(), 1):
            address = f"127.20.1.{number}"
            stack.callback(device.stop)
            own.add_device(name, address, device.start(address), f"site of {name}")
        yield World(cloud, own, switches, receiver, posts)


def _keeping(posts: list[Post]) -> Any:
    """Return a web application that adds to `posts` what it is sent."""

    @Request.application
    def application(request: Request) -> Response:
        sent = request.environ["REQUEST_URI"], request.headers.get("Authorization"), request.get_json()
        posts.append(Post(*sent))
        return Response()

    return application
