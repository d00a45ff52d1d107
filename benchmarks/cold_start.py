"""What a cold start of each function imports and costs.

Run `make build-host`, then `python benchmarks/cold_start.py`.

Measures the built layers under the plain interpreter, as Lambda runs them: once with the compiled files of
the layer, once without them, in turn. The collector is also measured until it is ready for its first SNMP
job. Ends with an error if that imports what only other protocols need.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from sizes import QUICK

sys.path.insert(0, str(Path(__file__).parents[1]))

from local.invoke import BUILD_DIR, function_from

FUNCTIONS = ("FanoutFunction", "StatusCollectorFunction", "StatusFunction", "ReplayFunction")
HEAVY = (
    *("boto3", "psycopg", "influxdb_client", "aws_lambda_powertools", "aws_xray_sdk", "cryptography"),
    *("paramiko", "winrm", "pysnmp", "icmplib", "requests", "yaml", "click", "rich"),
)
OTHER_PROTOCOLS = {"paramiko", "winrm", "pysnmp", "requests"}
"""What an SNMP job, and a status job, does without (pysnmp comes with the first v3 device)."""
SNMP_JOB = "from netvitals.collectors.registry import collector_for; collector_for('snmp')"
PROBE = """
import json, sys, time
started = time.perf_counter()
import app
{more}
took = (time.perf_counter() - started) * 1000
print(json.dumps([took, len(sys.modules), [name for name in {heavy} if name in sys.modules]]))
"""


def run(name: str, build: Path, more: str, *, compiled: bool) -> tuple[float, int, list[str]]:
    """Milliseconds, how many modules, and which heavy ones."""
    function = function_from(build, name)
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            [sys._base_executable, "-c", PROBE.format(more=more, heavy=HEAVY)],  # type: ignore[attr-defined]  # noqa: SLF001, the one without this environment's packages
            cwd=function.code,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(map(str, function.path)),
                "PYTHONDONTWRITEBYTECODE": "1",
                # Looked for there alone, and nothing is there.
                **({} if compiled else {"PYTHONPYCACHEPREFIX": empty}),
                **function.environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{name} can't be imported:\n{done.stderr}")
    took, modules, heavy = json.loads(done.stdout.splitlines()[-1])
    return took, modules, heavy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=Path, default=BUILD_DIR)
    parser.add_argument("--runs", type=int, default=1 if QUICK else 5)
    parser.add_argument("--quick", action="store_true", help="one run")
    given = parser.parse_args()
    needless: set[str] = set()
    caption = f"milliseconds, median of {given.runs}"
    print(f"{caption:34}{'.pyc':>6}{'none':>7}{'ratio':>7}{'modules':>9}  heavy ones")
    for name, more in [(name, "") for name in FUNCTIONS] + [("StatusCollectorFunction", SNMP_JOB)]:
        runs = [
            (
                run(name, given.build_dir, more, compiled=True),
                run(name, given.build_dir, more, compiled=False),
            )
            for _ in range(given.runs)
        ]
        compiled = statistics.median(one[0] for one, _ in runs)
        bare = statistics.median(other[0] for _, other in runs)
        _, modules, heavy = runs[0][0]
        title = name + (", SNMP job" if more else "")
        print(f"{title:34}{compiled:6.0f}{bare:7.0f}{bare / compiled:7.1f}{modules:9}  {', '.join(heavy)}")
        needless |= OTHER_PROTOCOLS & set(heavy)
    if needless:
        raise SystemExit(f"imported, and only other protocols need it: {', '.join(sorted(needless))}")


if __name__ == "__main__":
    main()
