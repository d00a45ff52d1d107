"""Logins of a discovery: no account is locked, on one host or on many."""

import asyncio
from collections.abc import Callable

import pytest

from netvitals.cli.discover.logins import MAX_REFUSALS, MAX_USERS, LoginAgents
from netvitals.collectors.snmp.discovery.rate_limit import RateLimit
from netvitals.collectors.ssh.protocol import SshCredential
from netvitals.domain.discovery.found import Found, RefusedAddress
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult, Reason
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.credential import Credential
from netvitals.domain.settings.secret import Secret

HOSTS = [f"10.0.0.{number}" for number in range(1, 11)]


def user(name: str) -> Credential:
    return Credential(ssh=SshCredential(user=name, password=Secret("x")))


class Hosts:
    """Hosts that are logged in to; `takes` says what becomes of a login."""

    def __init__(self, takes: Callable[[Job], Reason]) -> None:
        self.takes = takes
        self.logins: list[tuple[str, str]] = []

    async def poll(self, job: Job) -> PollResult:
        self.logins.append((job.address, job.credential))
        await asyncio.sleep(0)
        reason = self.takes(job)
        return PollResult(
            job=job, reachable=True, method="ssh", reason=reason, attempted_at_ns=1, duration_ms=1, points=[]
        )

    def tried(self, name: str) -> list[str]:
        return [address for address, credential in self.logins if credential == name]


def identified(hosts: Hosts, **credentials: Credential) -> list[Found | RefusedAddress]:
    """What all hosts are, asked at once."""

    async def run() -> list[Found | RefusedAddress]:
        agents = LoginAgents(
            ["ssh"], credentials, Configuration(), hosts.poll, RateLimit(1000), listen_seconds=1
        )
        return await asyncio.gather(*(agents.identify(address, "ssh") for address in HOSTS))

    return asyncio.run(run())


def test_a_password_that_is_wrong_everywhere_is_tried_at_two_hosts_of_many() -> None:
    hosts = Hosts(lambda _: Reason.AUTH)
    found = identified(hosts, servers=user("me"))
    assert len(hosts.logins) == MAX_REFUSALS
    refused = [each for each in found if isinstance(each, RefusedAddress)]
    assert len(refused) == len(HOSTS)
    assert refused[-1].cause == "listens for ssh, but servers: not tried, so that no account is locked"


def test_a_password_that_a_host_took_is_tried_at_all_others() -> None:
    hosts = Hosts(lambda job: Reason.OK if job.address == HOSTS[0] else Reason.AUTH)
    found = identified(hosts, servers=user("me"))
    assert found[0] == Found(address=HOSTS[0], credential="servers", protocol="ssh")
    assert hosts.tried("servers") == HOSTS


def test_no_host_is_sent_two_passwords_of_one_user_or_those_of_many() -> None:
    hosts = Hosts(lambda job: Reason.OK if job.address == HOSTS[0] else Reason.AUTH)
    identified(hosts, a=user("me"), b=user("me"), c=user("you"), d=user("they"))
    per_host = [[name for address, name in hosts.logins if address == host] for host in HOSTS]
    assert per_host[0] == ["a"]
    assert max(map(len, per_host)) == MAX_USERS
    assert hosts.tried("b") == []
    assert len(hosts.tried("c")) == len(hosts.tried("d")) == MAX_REFUSALS


@pytest.mark.parametrize("reason", [Reason.HOST_KEY, Reason.TIMEOUT, Reason.UNSUPPORTED])
def test_a_host_that_can_not_be_logged_in_to_is_asked_once_and_that_is_no_refusal(reason: Reason) -> None:
    hosts = Hosts(lambda _: reason)
    identified(hosts, a=user("me"), b=user("you"))
    assert hosts.tried("a") == HOSTS
    assert hosts.tried("b") == []
