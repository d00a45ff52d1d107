"""Debian's snmpd on a loopback port, with a configuration of the test's own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SNMPD = shutil.which("snmpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
HOST = "127.0.0.1"
_STARTS_WITHIN_SECONDS = 15


class Snmpd:
    """One agent; `folder` keeps its engine id, boots and users from one start to the next."""

    def __init__(self, folder: Path, configuration: str, port: int) -> None:
        self.port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "snmpd.conf").write_text(configuration)

    def start(self) -> None:
        assert SNMPD
        log = self._folder / "log"
        log.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [SNMPD, "-f", "-Lf", log, f"udp:{HOST}:{self.port}"],
            env={
                **os.environ,
                "MIBS": "",
                "SNMPCONFPATH": f"{self._folder}:{self._folder / 'persistent'}",
                "SNMP_PERSISTENT_DIR": str(self._folder / "persistent"),
            },
        )
        self._wait_for(log)

    def _wait_for(self, log: Path) -> None:
        """snmpd writes its version once it listens."""
        end = time.monotonic() + _STARTS_WITHIN_SECONDS
        while time.monotonic() < end and self._process and self._process.poll() is None:
            if log.exists() and "NET-SNMP version" in log.read_text(errors="replace"):
                return
            time.sleep(0.02)
        pytest.fail(f"snmpd did not start:\n{log.read_text(errors='replace') if log.exists() else ''}")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def reboot(self) -> None:
        """Engine boots go up by one, engine time starts anew."""
        self.stop()
        self.start()

    def replace(self) -> None:
        """As if by new hardware with the same configuration: another engine id."""
        self.stop()
        shutil.rmtree(self._folder / "persistent")
        self.start()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


type StartSnmpd = Callable[[str], Snmpd]


@pytest.fixture(scope="module")
def start_snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartSnmpd]:
    """Start an snmpd of this configuration; it is stopped with the module."""
    if SNMPD is None:
        pytest.skip("needs snmpd: apt-get install snmpd")
    started: list[Snmpd] = []

    def start(configuration: str) -> Snmpd:
        agent = Snmpd(tmp_path_factory.mktemp("snmpd"), configuration, free_port())
        started.append(agent)
        agent.start()
        return agent

    yield start
    for agent in started:
        agent.stop()
