"""What a status poll over WinRM imports: pywinrm and requests cost a cold start as much as the package."""

import subprocess
import sys

from fixtures.windows import windows
from local.devices.winrm_host import WinrmHost
from local.devices.winrm_soap import Service

STATUS_POLL = """
import asyncio, sys, time
from netvitals.collectors.registry import collector_for
from netvitals.collectors.winrm.protocol import WINRM, WinrmCredential, WinrmSettings
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.ports import target_of
from netvitals.domain.settings.secret import Secret

winrm = WinrmSettings(port=int(sys.argv[1]), tls=False)
job = Job(kind="status", device_id="d", address="127.0.0.1", due_at=0, expires_at=300,
          settings=PollSettings(winrm=winrm))
credential = WinrmCredential(user="u", password=Secret("p"))
target = target_of(WINRM, job, address="127.0.0.1", credential=credential, deadline=time.monotonic() + 60)
reading = Reading()
asyncio.run(collector_for("winrm").collect(target, reading))
heavy = ("winrm", "requests", "urllib3", "xmltodict", "spnego", "cryptography", "paramiko", "pysnmp")
print(reading.reason, *(name for name in heavy if name in sys.modules))
"""


def test_a_status_poll_imports_neither_pywinrm_nor_requests() -> None:
    with WinrmHost(Service(windows()), users={}) as host:
        done = subprocess.run(
            [sys.executable, "-c", STATUS_POLL, str(host.port)],
            capture_output=True, text=True, check=True, timeout=280,
        )  # fmt: skip
    assert done.stdout == "ok\n"
