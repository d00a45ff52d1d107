"""What `netvitals ui` takes for a large fleet, in Chromium: until rows stand there, while they scroll, sort,
are filtered and refreshed. Against a real PostgreSQL and, where it is installed, a real InfluxDB 1.

    python benchmarks/page.py [devices …]
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import batched
from pathlib import Path
from typing import Self

import psycopg
from fleets import database_server
from sizes import QUICK, given

from local.chromium import Page, chromium, installed_chromium
from local.influx.http import InfluxServer
from local.influx.real import RealInflux
from local.influx.store import MemoryStore
from local.servers.influxd import influxd, is_installed
from local.servers.process import accepts, free_port, running
from netvitals.adapters.postgres.database import Database
from netvitals.adapters.postgres.schema import migrate
from netvitals.domain.settings.secret import Secret

SIZES = given((10_000,), 50)
BUCKET, TOKEN = "network_metrics", "token"
TREND_POINTS = 12
"""Of each device's CPU; one of everything else."""
FILL = """
INSERT INTO devices (id, hostname, ip_address, site)
    SELECT 'device-' || n, 'sw-' || n, '10.0.0.0'::inet + n, 'site-' || n % 200
    FROM generate_series(1, COUNT) n;
INSERT INTO device_state (device_id, status, status_since, last_seen_at, last_attempt_at, metrics_attempt_at,
    reason, method, successes)
    SELECT 'device-' || n, CASE WHEN n % 500 = 0 THEN 'offline' ELSE 'online' END, now() - interval '1 day',
        now(), now(), now(), 'ok', 'snmp', 1
    FROM generate_series(1, COUNT) n;
ANALYZE devices; ANALYZE device_state;
"""
CELLS = "[...document.querySelectorAll('.ag-center-cols-container .ag-row [col-id=cpu_percent]')]"
ROWS = f"{CELLS}.length > 5"
VALUES = f"{CELLS}.filter((cell) => cell.textContent.endsWith('%')).length > 5"
FRAMES = 120
SCROLL = """(async () => {
  const view = document.querySelector('.ag-body-viewport'), gaps = [];
  let before = performance.now();
  for (let step = 0; step < 120; step++) {
    view.scrollTop += 300;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - before);
    before = now;
  }
  gaps.sort((a, b) => a - b);
  return [gaps[60], gaps[113], gaps[119], view.scrollTop];
})()"""
TIMED = """(async () => {
  const began = performance.now();
  (() => { %s })();
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
})()"""
LONGEST = """(async () => {
  let longest = 0;
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(
    (entry) => { longest = Math.max(longest, entry.duration); }));
  observer.observe({ type: 'longtask' });
  await new Promise((done) => setTimeout(done, %d));
  observer.disconnect();
  return longest;
})()"""


def lines(devices: int) -> Iterator[str]:
    now = time.time_ns() - 10 * 10**9
    for n in range(1, devices + 1):
        tag = f"device_metrics,device_id=device-{n}"
        for back in range(TREND_POINTS):
            yield f"{tag},metric_name=cpu_percent value={(n + 7 * back) % 90} {now - back * 300 * 10**9}"
        yield f"{tag},metric_name=memory_percent value={n % 80} {now}"
        yield f"{tag},instance=inlet,metric_name=temperature_celsius value={20 + n % 30} {now}"
        yield f"{tag},metric_name=ping_rtt_ms value={n % 40} {now}"
        for counter in ("net_bytes_in", "net_bytes_out"):
            yield f"{tag},instance=1,metric_name={counter} value={n}000 {now - 300 * 10**9}"
            yield f"{tag},instance=1,metric_name={counter} value={n}900 {now}"


@contextmanager
def influx(folder: Path) -> Iterator[InfluxServer]:
    with ExitStack() as stack:
        store: RealInflux | MemoryStore = MemoryStore([BUCKET])
        if is_installed():
            store = RealInflux(stack.enter_context(influxd(folder)))
            store.create(BUCKET)
        yield stack.enter_context(InfluxServer(store, TOKEN))


@contextmanager
def page_of(devices: int, folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the URL of the page over so many devices, and the id of its process."""
    (folder / "influx").mkdir()
    (folder / "ui").mkdir()
    with influx(folder / "influx") as server, database_server() as url:
        database = Database(lambda: Secret(url))
        migrate(database)
        database.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FILL.replace("COUNT", str(devices)).encode())
        for batch in batched(lines(devices), 20_000, strict=False):
            server.store.write(BUCKET, "\n".join(batch).encode(), "ns")
        port = free_port()
        variables = {
            "DATABASE_URL": url, "INFLUXDB_URL": server.url, "INFLUXDB_TOKEN": TOKEN,
            "INFLUXDB_ORG": server.org, "INFLUXDB_BUCKET": BUCKET,
        }  # fmt: skip
        command = [sys.executable, "-m", "netvitals", "ui", "--port", str(port)]
        with running(command, folder / "ui", lambda: accepts(port), environment=variables) as process:
            yield f"http://127.0.0.1:{port}", process.pid


class Meter:
    """Wall-clock seconds, and processor seconds of the tab and of the server, while it is entered."""

    def __init__(self, page: Page, pid: int) -> None:
        self._page, self._pid = page, pid

    def __enter__(self) -> Self:
        self._before = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        pairs = zip(self._now(), self._before, strict=True)
        # A page that was opened meanwhile counts from 0.
        self.wall, self.tab, self.server = (
            after - before if after >= before else after for after, before in pairs
        )

    def __str__(self) -> str:
        return f"{self.wall:.2f} s (processor: tab {self.tab:.2f} s, server {self.server:.2f} s)"

    def _now(self) -> tuple[float, float, float]:
        metrics = self._page.call("Performance.getMetrics")["metrics"]
        tab = next(each["value"] for each in metrics if each["name"] == "TaskDuration")
        ticks = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return time.perf_counter(), tab, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def measured(page: Page, url: str, pid: int) -> Iterator[tuple[str, str]]:
    page.call("Performance.enable", timeDomain="threadTicks")  # processor time, not the wall's
    page.show_as(1600, 1000)
    for name, wanted in (("first load: rows", ROWS), ("then: their values", VALUES), ("load again", VALUES)):
        with Meter(page, pid) as meter:
            if not name.startswith("then"):
                page.open(url)
            page.until(wanted, 60)
        yield name, str(meter)
    with Meter(page, pid) as meter:
        median, late, longest, reached = page.run(SCROLL)
    yield "scrolling, frame: median, 95 %, longest", f"{median:.0f}, {late:.0f}, {longest:.0f} ms"
    yield f"  processor a frame, to {reached:,.0f} pixels", f"{1000 * meter.tab / FRAMES:.0f} ms"
    grid = "getElement(document.querySelector('.nv-grid').id.slice(1)).api"
    for name, script in (
        ("sort by CPU", "applyColumnState({ state: [{ colId: 'cpu_percent', sort: 'desc' }] })"),
        ("search", "setGridOption('quickFilterText', 'sw-99')"),
    ):
        with Meter(page, pid) as meter:
            wall = page.run(TIMED % f"{grid}.{script}")
        yield name, f"{wall:.0f} ms (processor {1000 * meter.tab:.0f} ms)"
    yield "refresh, longest task in the tab", f"{page.run(LONGEST % (1000 if QUICK else 12_000)):.0f} ms"
    heap = page.run("performance.memory.usedJSHeapSize") / 1e6
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    yield "memory: tab's heap, server", f"{heap:.0f}, {resident:.0f} MB"
    if page.complaints:
        raise SystemExit(f"the page complains: {page.complaints}")


def main() -> None:
    if not installed_chromium():
        raise SystemExit("needs Chromium: apt-get install chromium")
    for devices in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "chromium").mkdir()
            print(f"{devices:,} devices, InfluxDB {'1 (influxd)' if is_installed() else 'in memory'}")
            with (
                page_of(devices, folder) as (url, pid),
                chromium(folder / "chromium") as browser,
                browser.page() as page,
            ):
                for what, value in measured(page, url, pid):
                    print(f"  {what:40} {value}")


if __name__ == "__main__":
    main()
