"""The demo's live screen, as a terminal shows it: tmux draws what it would on one of that size."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.installed import installed

ROOT = Path(__file__).parents[2]
TRY = ". /tmp/netvitals-demo-12345678/variables.sh && netvitals show core-sw"
DRAWN = f"""
import time
from local.demo.reading import Points, View
from local.demo.ui import Screen
from netvitals.reading.devices import StoredDevice

def device(id, hostname, ip_address, profile, **more):
    nothing = dict.fromkeys(StoredDevice.__struct_fields__, "")
    more = {{"status": "online", "reason": "ok", "method": "snmp", "last_seen_at": time.time() - 9}} | more
    return StoredDevice(**(nothing | {{"id": id, "hostname": hostname, "ip_address": ip_address,
                                      "profile": profile}} | more))

values = {{"cpu_percent": 100.0, "memory_percent": 29.0, "temperature_celsius": 43.0, "disk_percent": 87.0,
          "net_bytes_in": 363e6 / 8, "net_bytes_out": 121e6 / 8}}
lost = "no answer to SNMP on UDP port 40834 within 1 s, 3 times; check that its agent runs"
devices = [device(f"d{{n}}", f"access-sw{{n:02}}", f"127.20.0.{{n}}", "cisco") for n in range(1, 13)]
devices.append(device("d13", "camera", "127.20.0.13", "", status="offline", reason="timeout", detail=lost,
                      last_seen_at=None))
screen = Screen()
screen.line("printed before")
screen.keep_in_view({TRY!r})
screen.start()
for n in range(7):
    screen.say(f"event {{n}}")
screen.show(View(devices, Points({{each.id: values for each in devices}}, 1234), 1))
try:
    time.sleep(600)
except KeyboardInterrupt:
    screen.finish()
    time.sleep(600)
"""

CLOSED = """
import sys
import time
from local.demo.reading import View
from local.demo.ui import Screen

def closes(moment):
    if moment == sys.argv[1]:
        print("now", file=sys.__stderr__, flush=True)
        sys.stdin.readline()

screen = Screen()
closes("before its first line")
screen.line("printed before")
closes("before its table")
screen.start()
screen.show(View([]))
closes("under its table")
while sys.argv[1] == "under its table" and not screen.has_gone():
    time.sleep(0.1)
closes("before its last table")
screen.finish()
closes("before its last line")
screen.line("result")
"""

pytestmark = pytest.mark.integration
type Shown = Callable[..., list[str]]


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shown]:
    """Resize the terminal where told, and return what it shows once all of that is there."""
    (tmp_path / "drawn.py").write_text(DRAWN)
    server = [installed("tmux", "tmux"), "-f", "/dev/null", "-S", str(tmp_path / "socket")]
    inherited = {
        name: text for name, text in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}
    }
    environment = {**inherited, "PYTHONPATH": str(ROOT), "TMUX": ""}
    command = f"{sys.executable} {tmp_path / 'drawn.py'}"

    def tmux(*words: str) -> str:
        done = subprocess.run([*server, *words], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    tmux("new-session", "-d", "-x", "120", "-y", "40", command)

    def show(
        *awaited: str, size: tuple[int, int] | None = None, keys: str = "", gone: str = "?"
    ) -> list[str]:
        if size:
            tmux("resize-window", "-x", str(size[0]), "-y", str(size[1]))
        if keys:
            tmux("send-keys", keys)
        deadline = time.monotonic() + 120
        while True:
            text = tmux("capture-pane", "-p")
            if all(each in text for each in awaited) and gone not in text:
                return text.splitlines()
            assert time.monotonic() < deadline, text
            time.sleep(0.1)

    yield show
    tmux("kill-server")


def test_each_size_has_the_columns_that_fit_whole_and_nothing_of_the_size_before(shown: Shown) -> None:
    wide = shown("access-sw12", "camera: no answer", "event 0", TRY)
    (head,) = [line for line in wide if line.startswith("Device")]
    assert head.split() == [
        *("Device", "Address", "Profile", "Status", "Via", "CPU"),
        *("Mem", "Temp", "Disk", "In", "Out", "Seen"),
    ]
    assert "check that its agent runs" in "".join(wide)
    at_80 = shown("access-sw12", "event 6", TRY, size=(80, 24), gone="Profile")
    (head,) = [line for line in at_80 if line.startswith("Device")]
    assert head.split()[-3:] == ["In", "Out", "Seen"]
    at_60 = shown("access-sw12", "event 6", size=(60, 24), gone="Via")
    (head,) = [line for line in at_60 if line.startswith("Device")]
    assert head.split() == ["Device", "Status", "CPU", "Mem", "Temp", "Disk", "In"]
    for lines in (wide, at_80, at_60):
        assert sum(line.startswith("Device") for line in lines) == 1
        (row,) = [line for line in lines if line.startswith("access-sw07")]
        assert "…" not in row
        assert row.split()[-1].endswith(("s", "b/s"))
        assert all(value in row for value in ("100 %", "29 %", "43 °C", "87 %", "363 Mb/s"))
        assert "1 message in the spool" in "".join(lines)


def test_a_small_terminal_shows_what_is_not_well_before_the_rest(shown: Shown) -> None:
    shown("access-sw12")
    lines = shown("camera", "1,234 points", size=(40, 12), gone="access-sw12")
    assert lines[2].split()[:2] == ["camera", "offline"]


def test_at_the_end_the_terminal_shows_what_was_before_and_the_last_state(shown: Shown) -> None:
    shown("access-sw12", gone="printed before")
    lines = shown("printed before", "access-sw12", "event 6", keys="C-c")
    assert sum(line.startswith("Device") for line in lines) == 1


@pytest.mark.parametrize(
    "moment",
    [
        *("before its first line", "before its table", "under its table"),
        *("before its last table", "before its last line"),
    ],
)
def test_a_terminal_may_be_closed_at_any_moment(moment: str) -> None:
    ours, its = pty.openpty()
    drawn = subprocess.Popen(
        [sys.executable, "-c", CLOSED, moment],
        cwd=ROOT, env={**os.environ, "TERM": "xterm"}, text=True,
        stdin=subprocess.PIPE, stdout=its, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert drawn.stderr
    assert drawn.stderr.readline() == "now\n"
    os.close(its)
    os.close(ours)
    _, errors = drawn.communicate("\n", timeout=280)
    assert (drawn.returncode, errors) == (0, "")
