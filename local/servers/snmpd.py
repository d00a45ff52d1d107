"""Debian's snmpd on a loopback port."""

import os
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path

from local.servers.process import free_port, running

SNMPD = shutil.which("snmpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
HOST = "127.0.0.1"


class Snmpd:
    """One agent; `folder` keeps its engine id, boots and users from one start to the next."""

    def __init__(self, folder: Path, configuration: str) -> None:
        self.port = free_port(socket.SOCK_DGRAM)
        self._folder = folder
        self._running = ExitStack()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "snmpd.conf").write_text(configuration)

    def start(self) -> None:
        assert SNMPD  # noqa: S101, whoever makes an agent has looked
        log = self._folder / "log"
        log.unlink(missing_ok=True)
        environment = {
            "MIBS": "",
            "SNMPCONFPATH": f"{self._folder}:{self._folder / 'persistent'}",
            "SNMP_PERSISTENT_DIR": str(self._folder / "persistent"),
        }
        command = [SNMPD, "-f", "-Lo", f"udp:{HOST}:{self.port}"]
        self._running.enter_context(
            # It writes its version once it listens.
            running(
                command,
                self._folder,
                lambda: "NET-SNMP version" in log.read_text(errors="replace"),
                environment=environment,
            )
        )

    def stop(self) -> None:
        self._running.close()

    def reboot(self) -> None:
        """Stop and start: engine boots go up by one, engine time starts anew."""
        self.stop()
        self.start()

    def replace(self) -> None:
        """Become new hardware with the same configuration: another engine id."""
        self.stop()
        shutil.rmtree(self._folder / "persistent")
        self.start()
