"""Define the pages: fleet, sites, events, and a device (`device_page`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from nicegui import ui
from starlette.requests import Request

from netvitals.reading.readers import Readers
from netvitals.ui import device_page
from netvitals.ui.data import DAY_SECONDS

_NAVIGATION = {"/": "Fleet", "/sites": "Sites", "/events": "Events"}
_HEAD = (
    '<meta name="nv-refresh" content="{refresh}"><link rel="stylesheet" href="/static/page.css">'
    '<script src="/static/page.js"></script>'
)
_THEMES = {"dark": True, "light": False}
_SPANS = {3600: "1 hour", 86_400: "1 day", 7 * 86_400: "7 days", 30 * 86_400: "30 days"}

_READING_SECONDS = 180.0
"""Time that a device's page may take: it waits for PostgreSQL and several queries of InfluxDB in turn."""

_FLEET_TOOLS = """
<h1 class="nv-hidden">Fleet</h1>
<div class="nv-tools">
  <div id="nv-counts" class="nv-chips" role="group" aria-label="Filter by status"></div>
  <input id="nv-search" class="nv-search" type="search" autocomplete="off" spellcheck="false"
    placeholder="Search name, address, site, type …" aria-label="Search devices" aria-keyshortcuts="/">
</div>"""
_EVENT_TOOLS = """
<h1 class="nv-hidden">Events</h1>
<div class="nv-tools">
  <div class="nv-chips" role="group" aria-label="How far back">{spans}</div>
  <input id="nv-search" class="nv-search" type="search" autocomplete="off" spellcheck="false"
    placeholder="Search device, site, cause …" aria-label="Search events" aria-keyshortcuts="/">
</div>"""
_SITE_TOOLS = '<h1 class="nv-hidden">Sites</h1>'


def define(readers: Readers, *, refresh_seconds: float) -> None:
    """Register the pages with NiceGUI, for the life of the process."""
    head = _HEAD.format(refresh=int(1000 * refresh_seconds))

    @ui.page("/")
    def fleet(request: Request, site: str | None = None) -> None:  # noqa: ARG001, read in the browser
        with frame(request, "/", head):
            _html(_FLEET_TOOLS)
            table("fleet", "Devices")

    @ui.page("/sites", title="Sites · netvitals")
    def sites(request: Request) -> None:
        with frame(request, "/sites", head):
            _html(_SITE_TOOLS)
            table("sites", "Sites")

    @ui.page("/events", title="Events · netvitals")
    def events(request: Request) -> None:
        with frame(request, "/events", head):
            _html(_EVENT_TOOLS.format(spans="".join(_span(*each) for each in _SPANS.items())))
            table("events", "Changes of status")

    @ui.page("/device", response_timeout=_READING_SECONDS)
    async def device(request: Request, id: str = "", seconds: int = 0) -> None:  # noqa: A002, in the URL
        ui.page_title(f"{id} · netvitals")
        with frame(request, "/device", head):
            await device_page.build(readers, id, seconds, table)


@contextmanager
def frame(request: Request, path: str, head: str) -> Iterator[None]:
    """Build a page: the navigation, then its content."""
    ui.add_head_html(head)
    ui.dark_mode(_THEMES.get(request.cookies.get("netvitals-theme", "")))
    links = "".join(
        f'<a href="{quote(where)}"{" aria-current=page" if where == path else ""}>{name}</a>'
        for where, name in _NAVIGATION.items()
    )
    _html(
        '<a class="nv-skip" href="#nv-main">Skip to the content</a>'
        '<header class="nv-header"><a class="nv-brand" href="/">netvitals</a>'
        f'<nav aria-label="Pages">{links}</nav>'
        '<span id="nv-live" class="nv-live"></span>'
        '<button id="nv-theme" class="nv-theme" onclick="netvitals.switchTheme()">Theme</button></header>'
        '<div id="nv-notice" class="nv-notice" role="status" hidden></div>'
        '<div id="nv-said" class="nv-hidden" aria-live="polite"></div>'
    )
    with ui.element("main").props('id="nv-main" tabindex="-1"').classes("nv-main"):
        yield


def table(kind: str, label: str, argument: str = "{}") -> None:
    """Add a table that fetches its rows; columns and behaviour are in ui/static/page.js."""
    with ui.element("section").classes(f"nv-table nv-table-{kind}").props(f'aria-label="{label}"'):
        # A key that begins with a colon is run by the browser: nothing of a device may become a part of it.
        options = {
            ":columnDefs": "[]",
            "enableBrowserTooltips": True,
            ":getRowId": f"p => netvitals.rowId('{kind}', p.data)",
            ":onGridReady": f"p => netvitals.start('{kind}', p.api, {argument})",
        }
        ui.aggrid(options, auto_size_columns=False).classes("nv-grid")


def _span(seconds: int, words: str) -> str:
    pressed = "true" if seconds == DAY_SECONDS else "false"
    return f'<button class="nv-chip" data-seconds="{seconds}" aria-pressed="{pressed}">{words}</button>'


def _html(content: str) -> None:
    ui.html(content, sanitize=False).classes("nv-block")
