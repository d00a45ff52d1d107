"""Of a folder of recorded devices, how many does netvitals read right?  Fails where a figure has fallen.

    python benchmarks/corpus.py FOLDER

FOLDER holds `score.py`, which serves the recordings, runs a poll command over them, and prints a line per
metric: `cpu  271/285  95.1 %  …`. The floors in corpus.json are what was reached before; `--raise` writes
better ones.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

FLOORS = Path(__file__).with_name("corpus.json")
POLL = (
    f"{Path(sys.executable).with_name('netvitals')} poll --inventory $INVENTORY --credentials $CREDENTIALS "
    "--allow 127.0.0.0/8 --format jsonl"
)
_FIGURE = re.compile(r"^(\w+)\s+(\d+)/(\d+)\s", re.MULTILINE)
_DOWN = re.compile(r"; (\d+) of the expected ones not reachable")


def main(folder: Path, *, better: bool) -> int:
    command = [sys.executable, str(folder / "score.py"), "--", "sh", "-c", POLL]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout, end="")
    right = {name: int(hits) for name, hits, _ in _FIGURE.findall(done.stdout)}
    floors: dict[str, int] = json.loads(FLOORS.read_text())
    if better:
        best = {name: max(hits, floors.get(name, 0)) for name, hits in right.items()}
        FLOORS.write_text(json.dumps(best, indent=2) + "\n")
        return 0
    fallen = [f"{name}: {right.get(name, 0)} right, {floor} before" for name, floor in floors.items()
              if right.get(name, 0) < floor]  # fmt: skip
    down = _DOWN.search(done.stdout)
    if down is None or int(down[1]):
        fallen.append("devices were reported down")
    for line in fallen:
        print(f"corpus: {line}", file=sys.stderr)
    return bool(fallen)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), better="--raise" in sys.argv))
