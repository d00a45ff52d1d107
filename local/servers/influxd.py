"""Debian's influxd (InfluxDB 1) on free ports of 127.0.0.1."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.servers.process import accepts, free_port, running

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


def is_installed() -> bool:
    return shutil.which("influxd") is not None


@contextmanager
def influxd(folder: Path) -> Iterator[str]:
    """Run a server with its data in this folder and yield its URL."""
    port, configuration = free_port(), folder / "influxdb.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, backup_port=free_port()))
    with running(["influxd", "-config", configuration], folder, lambda: accepts(port), stop=signal.SIGKILL):
        yield f"http://127.0.0.1:{port}"
