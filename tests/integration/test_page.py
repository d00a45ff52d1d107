"""`netvitals ui` in Debian's Chromium: what devices sent is seen, and hostile text stays text."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from fixtures.influxdb import TOKEN, Influx
from fixtures.page import (
    HOSTILE,
    add_device,
    cell,
    change_status,
    execute,
    opened,
    traffic,
    vital_signs,
    write,
)
from fixtures.postgres import create_database, database_name, drop_database
from local.chromium import Browser, Page, chromium, installed_chromium
from local.influx.http import InfluxServer
from local.influx.store import MemoryStore
from local.servers.page import page_served
from netvitals.domain.polling.changes import InterfaceInfo
from netvitals.domain.polling.point import Point

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

RESULTS = Path(__file__).parents[2] / ".ci" / "results"
_DRAWN = "[...document.querySelectorAll('.ag-center-cols-container .ag-row')]"
ROWS = f"{_DRAWN}.filter((row) => row.textContent).length"
"""Rows that are drawn; a row is there before its cells are."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not installed_chromium():
        pytest.skip("needs Chromium: apt-get install chromium")
    with chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.page() as tab:
        tab.show_as(1400, 900)
        yield tab


@pytest.fixture(scope="module")
def memory_influx() -> Iterator[Influx]:
    with InfluxServer(MemoryStore(), TOKEN) as server:
        yield Influx(server, "network_metrics")


@pytest.fixture(scope="module")
def fleet_url(postgres_url: str, template_url: str) -> Iterator[str]:
    """The database of `served`."""
    url = create_database(postgres_url, template=database_name(template_url))
    yield url
    drop_database(postgres_url, url)


@pytest.fixture(scope="module")
def served(fleet_url: str, memory_influx: Influx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Six devices: a switch with two ports, a silent one, one behind it, a hostile one, two plain ones."""
    hostile = HOSTILE
    add_device(fleet_url, "core-sw", site="berne")
    add_device(fleet_url, "lobby-sw", "offline", reason="timeout", detail="no answer on UDP port 161")
    add_device(fleet_url, "lobby-phone", "unreachable", parent_id="lobby-sw", reason="timeout")
    add_device(fleet_url, hostile, hostname=hostile, site=hostile, reason="partial", detail=hostile)
    add_device(fleet_url, "plain-sw", site="")
    add_device(fleet_url, "edge-sw")
    write(
        memory_influx,
        "core-sw",
        vital_signs(42, 61, 38) + traffic("Gi1/0/1", 400_000_000, 80_000_000) + traffic("Gi1/0/2", 8_000, 0),
        [InterfaceInfo("Gi1/0/1", "uplink to berne", "ethernetCsmacd", 1)],
    )
    write(
        memory_influx,
        hostile,
        vital_signs(7, 20, 30) + traffic(HOSTILE[:100], 1_000_000, 0),
        [InterfaceInfo(HOSTILE[:100], HOSTILE, HOSTILE, 1)],
    )
    variables = {"DATABASE_URL": fleet_url, **memory_influx.variables}
    with page_served(variables, tmp_path_factory.mktemp("page") / "served", "--every", "1") as url:
        yield url


def texts(selector: str) -> str:
    return f"[...document.querySelectorAll('{selector}')].map((each) => each.textContent)"


def test_the_fleet_shows_what_the_devices_sent_the_worst_first_and_a_change_before_ones_eyes(
    page: Page, served: str, fleet_url: str, memory_influx: Influx
) -> None:
    opened(page, served, f"{ROWS} === 6")
    page.until(
        "[...document.querySelectorAll('.ag-row')].sort((a, b) => a.rowIndex - b.rowIndex)"
        ".map((row) => row.getAttribute('row-id'))",
        ready=lambda names: names[:2] == ["lobby-sw", "lobby-phone"],
    )
    cell(page, "core-sw", "status", "online")
    cell(page, "core-sw", "cpu_percent", "42 %")
    cell(page, "core-sw", "memory_percent", "61 %")
    cell(page, "core-sw", "temperature_celsius", "38 °C")  # the hottest of two sensors
    cell(page, "core-sw", "in", "400 Mb/s")
    cell(page, "core-sw", "out", "80 Mb/s")
    page.until("document.querySelector('[row-id=\"core-sw\"] .nv-spark path')?.getAttribute('d').length > 50")
    cell(page, "lobby-sw", "why", "no answer on UDP port 161")
    cell(page, "lobby-phone", "status", "unreachable")
    page.until(
        texts("#nv-counts button"), ready=["6 devices", "4 online", "1 offline", "1 unreachable"].__eq__
    )
    page.screenshot(RESULTS / "fleet-light.png")
    change_status(fleet_url, "edge-sw", "offline", "no_answer", "no answer within 3 s")
    cell(page, "edge-sw", "status", "offline")
    cell(page, "edge-sw", "why", "no answer within 3 s")
    page.until("document.getElementById('nv-said').textContent", ready="edge-sw is offline".__eq__)
    memory_influx.server.away = True
    page.until(
        "document.getElementById('nv-notice').textContent",
        ready=lambda notice: "InfluxDB" in notice and "503" in notice,
    )
    memory_influx.server.away = False
    cell(page, "edge-sw", "status", "offline")
    assert page.complaints == []


def test_search_and_status_filter_the_table_by_keyboard_and_enter_opens_the_device(
    page: Page, served: str
) -> None:
    opened(page, served, f"{ROWS} === 6")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="/", text="/")
    assert page.run("document.activeElement.id") == "nv-search"
    page.call("Input.insertText", text="lobby")
    page.until(f"{ROWS} === 2")
    page.until("document.querySelector('[data-status=unreachable]') !== null")
    page.run("document.querySelector('[data-status=unreachable]').click()")
    page.until(f"{ROWS} === 1")
    page.run("document.querySelector('[row-id=\"lobby-phone\"] [col-id=status]').focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13)
    page.until("document.querySelector('.nv-title')?.textContent === 'lobby-phone'")
    page.until("new URL(location).searchParams.get('id')", ready="lobby-phone".__eq__)


def test_a_device_has_its_curves_interfaces_with_descriptions_and_what_is_missing(
    page: Page, served: str
) -> None:
    opened(page, f"{served}/device?id=core-sw", f"{ROWS} === 2")
    page.until("document.querySelectorAll('.nv-chart svg path').length > 3")
    page.until(
        texts(".nv-card figcaption"), ready=["CPU and memory", "Temperature", "Round-trip time"].__eq__
    )
    missing = "No disk: the last poll was complete, so the device does not tell (profile cisco)."
    page.until("document.getElementById('nv-main').textContent", ready=lambda text: missing in text)
    cell(page, "Gi1/0/1", "description", "uplink to berne")
    cell(page, "Gi1/0/1", "oper", "up")
    cell(page, "Gi1/0/1", "in", "400 Mb/s")
    cell(page, "Gi1/0/1", "out", "80 Mb/s")
    cell(page, "Gi1/0/1", "used", "40 %")
    page.run("document.querySelector('[row-id=\"Gi1/0/1\"] [col-id=name]').click()")
    page.until(
        "[...document.querySelectorAll('figcaption')].some((each) => each.textContent === 'Gi1/0/1: traffic')"
    )
    page.show_as(390, 844, dark=True, phone=True)
    page.until("document.body.scrollWidth <= 390")
    page.screenshot(RESULTS / "device-phone-dark.png", whole=True)
    assert page.complaints == []


def test_a_chart_says_what_it_leaves_out_and_a_page_that_there_is_no_such_device(
    page: Page, served: str, memory_influx: Influx
) -> None:
    now = time.time_ns()
    write(
        memory_influx,
        "plain-sw",
        [Point("temperature_celsius", 20.0 + sensor, now, f"sensor {sensor}") for sensor in range(14)],
    )
    opened(page, f"{served}/device?id=plain-sw", "document.querySelector('.nv-card figcaption') !== null")
    page.until(texts(".nv-card figcaption"), ready=["Temperature: the 12 highest of 14"].__eq__)
    opened(page, f"{served}/device?id=nowhere", "document.querySelector('.nv-title') !== null")
    page.until(texts(".nv-title"), ready=["No such device"].__eq__)


class SlowStore(MemoryStore):
    """Takes longer over a query than NiceGUI waits for a page by default."""

    def query(self, bucket: str, statement: str) -> dict[str, Any]:
        if "uptime_seconds" in statement:
            time.sleep(3.5)
        return super().query(bucket, statement)


class ForgetfulStore(MemoryStore):
    """Has nothing any more once it is told so."""

    empty = False

    def query(self, bucket: str, statement: str) -> dict[str, Any]:
        return MemoryStore().query(bucket, statement) if self.empty else super().query(bucket, statement)


def test_an_ended_curve_goes_and_a_device_that_cant_be_read_is_told_as_that(
    page: Page, database_url: str, tmp_path: Path
) -> None:
    add_device(database_url, "core-sw")
    store = ForgetfulStore()
    with InfluxServer(store, TOKEN) as server:
        influx = Influx(server, "network_metrics")
        write(influx, "core-sw", vital_signs(42, 61, 38))
        variables = {"DATABASE_URL": database_url, **influx.variables}
        with page_served(variables, tmp_path / "served") as url:
            curves = "document.querySelectorAll('.nv-chart svg path[stroke-width=\"1.6\"]').length"
            opened(page, f"{url}/device?id=core-sw", f"{curves} > 0")
            store.empty = True
            page.until(curves, ready=lambda drawn: drawn == 0)
            execute(database_url, "ALTER TABLE device_state RENAME TO elsewhere")
            opened(page, f"{url}/device?id=core-sw", "document.querySelector('.nv-title') !== null")
            page.until(texts(".nv-title"), ready=["The device can't be shown"].__eq__)


@pytest.mark.usefixtures("served")
def test_a_device_is_shown_where_influxdb_takes_seconds(fleet_url: str, tmp_path: Path) -> None:
    with InfluxServer(SlowStore(), TOKEN) as server:
        variables = {"DATABASE_URL": fleet_url, **Influx(server, "network_metrics").variables}
        with page_served(variables, tmp_path / "served") as url:
            answer = urllib3.request("GET", f"{url}/device?id=plain-sw", timeout=280)
    assert answer.status == 200
    assert b"Changes of status" in answer.data


def test_a_hostile_text_stays_text_everywhere_and_nothing_is_fetched_from_elsewhere(
    page: Page, served: str, fleet_url: str
) -> None:
    change_status(fleet_url, HOSTILE, "offline", "no_answer", HOSTILE)
    page.show_as(1700, 900, dark=True)
    opened(page, served, f"{ROWS} === 6")
    links = texts(".ag-cell a")
    page.until(links, ready=lambda found: HOSTILE in found)
    page.screenshot(RESULTS / "fleet-dark.png")
    opened(page, f"{served}/events", f"{ROWS} >= 1")
    page.until(links, ready=lambda found: HOSTILE in found)
    page.show_as(390, 844, phone=True)
    opened(page, f"{served}/events", f"{ROWS} >= 1")
    page.until(texts(".ag-header-cell-text"), ready=["When", "Device", "Is"].__eq__)
    page.until("document.querySelector('.ag-cell[col-id=after]')?.getBoundingClientRect().right <= 390")
    page.screenshot(RESULTS / "events-phone.png")
    page.show_as(1700, 900, dark=True)
    opened(page, f"{served}/sites", f"{ROWS} === 3")
    page.until(links, ready=lambda found: HOSTILE in found)
    address = page.run(f"'{served}/device?id=' + encodeURIComponent({HOSTILE!r})")
    opened(page, address, f"{ROWS} === 1")
    page.until("document.querySelector('.nv-title').textContent", ready=HOSTILE.__eq__)
    page.run("document.querySelector('.ag-row [col-id=name]').click()")
    page.until(
        "[...document.querySelectorAll('figcaption')].some((each) => each.textContent.endsWith(': traffic'))"
    )
    page.until("document.title", ready=f"{HOSTILE} · netvitals".__eq__)
    assert page.run("document.querySelectorAll('img[src=x]').length") == 0
    page.screenshot(RESULTS / "device-hostile.png")
    port = served.rpartition(":")[2]
    assert [
        each for each in page.requests if f"127.0.0.1:{port}/" not in each and not each.startswith("data:")
    ] == []
    assert page.complaints == []


def test_only_who_asks_by_the_pages_own_address_is_answered(served: str) -> None:
    def status(**headers: str) -> int:
        return urllib3.request("GET", f"{served}/data/fleet", headers=headers, timeout=60).status

    port = served.rpartition(":")[2]
    assert status() == 200
    assert status(Host=f"localhost:{port}") == 200
    assert status(Host="rebound.example") == 403
    assert status(Origin="http://elsewhere.example") == 403
    assert status(Origin=f"http://127.0.0.1:{port}") == 200
    answer = urllib3.request("GET", served, timeout=60)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", int(port))) != 0
