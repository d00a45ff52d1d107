"""What a status poll over SSH imports: paramiko costs a cold start more than all of the package."""

import socket
import subprocess
import sys
import threading
from contextlib import suppress

from local.devices.ssh_server import HOST, sending

STATUS_POLL = """
import asyncio, sys, time
from netvitals.collectors.registry import collector_for
from netvitals.collectors.ssh.protocol import SSH, SshCredential, SshSettings
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import Reading
from netvitals.domain.settings.policy import PollSettings
from netvitals.domain.ports import target_of
from netvitals.domain.settings.secret import Secret

settings = PollSettings(ssh=SshSettings(port=int(sys.argv[1])))
job = Job(kind="status", device_id="d", address="127.0.0.1", due_at=0, expires_at=300, settings=settings)
credential = SshCredential(user="u", password=Secret("p"))
target = target_of(SSH, job, address="127.0.0.1", credential=credential, deadline=time.monotonic() + 60)
reading = Reading()
asyncio.run(collector_for("ssh").collect(target, reading))
heavy = ("paramiko", "cryptography", "winrm", "pysnmp")
print(reading.reason, *(name for name in heavy if name in sys.modules))
"""


def test_a_status_poll_imports_no_paramiko() -> None:
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                sending(b"SSH-2.0-x\r\n")(listener.accept()[0])

        threading.Thread(target=serve, daemon=True).start()
        done = subprocess.run(
            [sys.executable, "-c", STATUS_POLL, str(listener.getsockname()[1])],
            capture_output=True, text=True, check=True, timeout=280,
        )  # fmt: skip
    assert done.stdout == "ok\n"
