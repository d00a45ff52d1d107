"""Debian's influxd on free ports of 127.0.0.1, with its data in a folder of its own."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{backup_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  cache-snapshot-write-cold-duration = "1h"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-body-size = 100000000
[logging]
  level = "error"
"""


def installed() -> bool:
    return shutil.which("influxd") is not None


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of a server that is ready."""
    port, backup_port = _free_port(), _free_port()
    configuration = folder / "influxdb.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, backup_port=backup_port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["influxd", "-config", configuration], stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib3.request("GET", f"{url}/ping", timeout=1, retries=False)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"influxd did not start, it ended with {process.poll()}")
