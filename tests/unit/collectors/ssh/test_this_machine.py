"""The demo's host over SSH, polled as the product polls."""

import time
from collections.abc import Iterator
from functools import partial

import pytest

from local.demo.expectations import ANY
from local.demo.hosts import this_machine
from local.demo.simulated import SimulatedHost
from local.devices import ssh_server
from local.devices.ssh_server import Key, SshServer, new_key, this_user
from netvitals.collectors.ssh.collector import SshCollector
from netvitals.collectors.ssh.protocol import SSH, SshCredential, SshSettings
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.ports import target_of
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.settings.secret import Secret

ADDRESS = "127.20.1.1"
LOGIN, HOST_KEY = new_key(), new_key()


@pytest.fixture
def host() -> Iterator[SshServer]:
    with ssh_server.this_machine(ADDRESS, login=LOGIN, host_key=HOST_KEY) as host:
        yield host


async def poll(port: int, login: Key = LOGIN, host_key: Key = HOST_KEY) -> Reading:
    now = int(time.time())
    ssh = SshSettings(port=port, host_keys=(host_key.public,))
    job = Job(
        kind="metrics",
        device_id="d",
        address=ADDRESS,
        due_at=now,
        expires_at=now + 60,
        settings=PollSettings(ssh=ssh),
    )
    credential = SshCredential(user=this_user(), private_key=Secret(login.private))
    target = target_of(SSH, job, address=ADDRESS, credential=credential, deadline=time.monotonic() + 30)
    reading = Reading()
    await SshCollector().collect(target, reading)
    return reading


async def test_it_gives_this_machines_values_and_no_others(host: SshServer) -> None:
    reading = await poll(host.port)
    assert (reading.reason, reading.detail) == (Reason.OK, "")
    expected = this_machine()
    found = {(point.metric_name, point.instance): point.value for point in reading.points}
    assert found.keys() >= {series for series in expected if series[1] != ANY}
    assert ("cpu_percent", "") in found
    for (metric, instance), value in found.items():
        if metric != "uptime_seconds":
            expectation = expected.get((metric, instance)) or expected[metric, ANY]
            assert expectation.holds(value), (metric, instance, value)


async def test_it_lets_nobody_in_with_another_key_and_shows_its_own(host: SshServer) -> None:
    assert (await poll(host.port, login=new_key())).reason == Reason.AUTH
    assert (await poll(host.port, host_key=new_key())).reason == Reason.HOST_KEY


async def test_unplugged_nobody_listens_and_plugged_in_again_it_is_at_its_port() -> None:
    simulated = SimulatedHost("ssh", partial(ssh_server.this_machine, login=LOGIN, host_key=HOST_KEY), {})
    port = simulated.start(ADDRESS)["ssh"]["port"]
    simulated.plug(in_=False)
    assert (await poll(port)).reason == Reason.REFUSED
    simulated.plug(in_=True)
    simulated.plug(in_=True)
    assert (await poll(port)).reason == Reason.OK
    simulated.stop()
    simulated.stop()
