"""One metric has one meaning: over SNMP and over SSH this host says the same of itself."""

from typing import Any

import pytest

from fixtures.snmpd import StartSnmpd
from fixtures.sshd import PASSWORD, StartSshd, Users
from fixtures.whole_poll import job_for, poll_alone
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reason

pytestmark = pytest.mark.integration

COMMUNITY = "two-ways"
AGREE = 0.02
ATTEMPTS = 10
"""The host works on between two polls, and snmpd keeps what it has read for some seconds."""
SAME = (
    "uptime_seconds",
    "memory_used_bytes",
    "memory_total_bytes",
    "disk_used_bytes /",
    "disk_total_bytes /",
)


async def vital_signs(credential: dict[str, Any], job: Job) -> dict[str, float]:
    result = await poll_alone(credential, job)
    assert result.reason is Reason.OK, result.detail
    return {f"{point.metric_name} {point.instance}".strip(): point.value for point in result.points}


async def test_a_linux_host_says_the_same_of_itself_over_snmp_and_over_ssh(
    start_snmpd: StartSnmpd, start_sshd: StartSshd, users: Users
) -> None:
    agent, server = start_snmpd(f"rocommunity {COMMUNITY}\n"), start_sshd()
    over_ssh = job_for("host", "127.0.0.1", "ssh", port=server.port, host_keys=[server.host_key])
    over_snmp = job_for("host", "127.0.0.1", "snmp", port=agent.port)
    login: dict[str, Any] = {"ssh": {"user": users.name("dash"), "password": PASSWORD}}
    apart: dict[str, tuple[float, float]] = {}
    for _ in range(ATTEMPTS):
        snmp = await vital_signs({"snmp": {"community": COMMUNITY}}, over_snmp)
        ssh = await vital_signs(login, over_ssh)
        apart = {
            name: (snmp[name], ssh[name])
            for name in SAME
            if snmp[name] != pytest.approx(ssh[name], rel=AGREE)
        }
        if not apart:
            break
    assert not apart
    assert "agent_uptime_seconds" in snmp, "snmpd was started long after the host"
