"""What a firewall's answer says of the host behind it, with Linux's own firewall in between."""

from typing import Any

import pytest

from fixtures.firewall import (
    DROPPED,
    PROHIBITED,
    REJECTED,
    REJECTED_6,
    RESET,
    ROUTER,
    ROUTER_6,
    Network,
)

pytestmark = pytest.mark.integration

PROBE = """
import asyncio, json
from netvitals.collectors.host_faults import HostFault
from netvitals.collectors.reach.prober import HostProber
from netvitals.collectors.ssh.greeting import connect
from netvitals.domain.settings.policy import PingSettings

async def main():
    settings = PingSettings(timeout_seconds=1, tcp_ports=(22,))
    found = {"icmp": await HostProber().probe(ADDRESS, settings)}
    found["tcp"] = await HostProber().probe(ADDRESS, settings, connect_only=True)
    said = {name: [reach.alive, reach.detail] for name, reach in found.items()}
    try:
        await connect(ADDRESS, 22, 1)
    except HostFault as fault:
        said["ssh"] = [fault.reason, str(fault)]
    print(json.dumps(said))

asyncio.run(main())
"""


def probed(network: Network, address: str) -> dict[str, Any]:
    found: dict[str, Any] = network.run(PROBE.replace("ADDRESS", repr(address)))
    return found


def test_a_firewall_that_rejects_does_not_make_a_dead_host_alive(network: Network) -> None:
    found = probed(network, REJECTED)
    assert found["tcp"] == [False, "TCP 22: rejected by a firewall or router on the way"]
    assert found["icmp"][0] is False
    assert found["ssh"] == ["unreachable", "TCP port 22 is rejected by a firewall or router on the way"]


def test_nor_does_it_over_ipv6(network: Network) -> None:
    """Within one machine the ICMPv6 error may come before connect() is done, and is dropped then."""
    found = probed(network, REJECTED_6)
    assert found["tcp"][0] is found["icmp"][0] is False
    assert found["ssh"][0] in {"unreachable", "timeout"}


@pytest.mark.parametrize("address", [ROUTER, ROUTER_6])
def test_a_host_that_refuses_itself_is_alive(network: Network, address: str) -> None:
    found = probed(network, address)
    assert found["tcp"] == [True, "TCP 22: refused"]
    assert found["ssh"][0] == "refused"


def test_a_firewall_that_forges_the_hosts_own_refusal_can_not_be_told(network: Network) -> None:
    assert probed(network, RESET)["tcp"] == [True, "TCP 22: refused"]


@pytest.mark.parametrize(("address", "reason"), [(DROPPED, "timeout"), (PROHIBITED, "unreachable")])
def test_a_host_that_nothing_comes_back_from_is_dead(network: Network, address: str, reason: str) -> None:
    found = probed(network, address)
    assert (found["tcp"][0], found["icmp"][0], found["ssh"][0]) == (False, False, reason)
