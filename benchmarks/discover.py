"""How long does the discovery of a /16 take in which 1,000 devices answer and all other addresses are silent?

    python benchmarks/discover.py [--quick]

The devices are simulated switches of 24 ports on loopback, in a process of their own; they take 20 ms to
answer. The command runs as a user starts it, at `--rate 1000`, which asks each silent address twice.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agents import switches

NETVITALS = Path(sys.executable).with_name("netvitals")
DELAY_SECONDS = 0.02
LIMIT_SECONDS = 180


def main(*, quick: bool) -> int:
    count, network, ports = (20, "127.11.0.0/26", 2) if quick else (1000, "127.11.0.0/16", 24)
    with (
        tempfile.TemporaryDirectory() as folder,
        switches(ports, count, DELAY_SECONDS, "127.11") as (known, port),
    ):
        credentials = Path(folder, "credentials.json")
        credentials.write_text(json.dumps({"lab": {"snmp": {"version": "2c", "community": "public"}}}))
        credentials.chmod(0o600)
        command = [
            str(NETVITALS), "discover", network, "--credentials", str(credentials), "--port", str(port),
            "--allow", "127.0.0.0/8", "--rate", "1000", "--format", "jsonl",
        ]  # fmt: skip
        began = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    answered = {address for row in rows for address in row["addresses"]}
    print(f"{network}: {len(answered & {*known})} of {count} devices in {seconds:.1f} s, "
          f"{used.ru_utime + used.ru_stime:.1f} s of them processor time (both processes), "
          f"{os.cpu_count()} cores")  # fmt: skip
    return int(answered != {*known} or seconds > LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main(quick="--quick" in sys.argv))
