"""Full bundles with the processor that Lambda gives: `python benchmarks/lambda_share.py [memory in MB …]`.

The collector's handler takes bundles of 300 status jobs, and of 100 metrics jobs, for switches of 24 ports,
50 ms away, in a fresh process with memory/1769 of a processor from its start on: Lambda gives more until the
handler is imported. Prints how long it takes from the start of the process to the end of the first bundle, a
later bundle, and one of silent devices; the processor time of a later one; the peak of memory, which has to
stay below what the function has; and the polls of devices that answer which failed: none may. Needs root.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from contextlib import ExitStack
from statistics import median

import psycopg
from collector_handler import SIZES, Runner, deployed, world
from cpu_share import limited_group
from fleets import peak_mib
from sizes import QUICK, given

from local.lambda_.handlers import handler_of
from netvitals.domain.polling.job import Kind

MEMORY_MB = given((192, 256, 384, 512, 1024), 1024)
ROUNDS = 1 if QUICK else 5
COLUMNS = ("   kind", "memory MB", "first s", "later s", "CPU s", "silent s", "peak MB", "failed")


def bundles(kind: Kind, port: int, started_at: float, size: int, silent_size: int) -> dict[str, float]:
    """Run bundles of so many devices in this process, which was started then."""
    runner = Runner(handler_of("collector"), kind, port)
    runner.run(size)
    first = time.time() - started_at
    cpu, walls = time.process_time(), list[float]()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        runner.run(size)
        walls.append(time.perf_counter() - began)
    cpu = (time.process_time() - cpu) / ROUNDS
    began = time.perf_counter()
    if silent_size:
        runner.run(silent_size, silent=True)
    silent = time.perf_counter() - began
    return {"first": first, "later": median(walls), "cpu": cpu, "silent": silent, "peak": peak_mib()}


def limited(kind: Kind, memory_mb: int, port: int, size: int, silent_size: int) -> dict[str, float]:
    """Do the same in a fresh process that has no more than its share."""
    with ExitStack() as limits:
        try:
            group = limits.enter_context(limited_group(memory_mb))
            enter = f"echo $$ > {shlex.quote(str(group / 'cgroup.procs'))} && "
        except OSError as error:
            if not QUICK:
                raise SystemExit(f"no control group can be made here: {error}") from None
            enter = ""  # it shows that the rest runs
        arguments = map(str, (kind, port, time.time(), size, silent_size))
        measure = [sys.executable, __file__, "--measure", *arguments]
        done = subprocess.run(
            ["/bin/sh", "-c", f"{enter}exec {shlex.join(measure)}{' --quick' if QUICK else ''}"],
            env=os.environ | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb)},
            stdout=subprocess.PIPE,
            check=True,
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def failed_polls(url: str) -> int:
    """Return how many devices that answer have failed polls, and forget all devices."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM device_state"
            " WHERE device_id LIKE 'access%' AND (failures > 0 OR reason <> 'ok')"
        ).fetchone()
        connection.execute("TRUNCATE device_state, device_samples")
    assert row
    return int(row[0])


def main() -> None:
    print(f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    for row in (COLUMNS, ["-" * len(column) for column in COLUMNS]):
        print("| " + " | ".join(row) + " |")
    with world() as (where, _), deployed(where):
        for kind, size in SIZES.items():
            for memory_mb in MEMORY_MB:
                found = limited(kind, memory_mb, where["snmp"], size, size)
                figures = (
                    kind, str(memory_mb), f"{found['first']:.1f}", f"{found['later']:.2f}",
                    f"{found['cpu']:.2f}", f"{found['silent']:.2f}", f"{found['peak']:.0f}",
                    str(failed_polls(where["postgres"])),
                )  # fmt: skip
                cells = (figure.rjust(len(name)) for figure, name in zip(figures, COLUMNS, strict=True))
                print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        kind: Kind = "status" if sys.argv[2] == "status" else "metrics"
        print(json.dumps(bundles(kind, int(sys.argv[3]), float(sys.argv[4]), *map(int, sys.argv[5:7]))))
    else:
        main()
