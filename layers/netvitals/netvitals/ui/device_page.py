"""Build the page of one device: vital signs over time, interfaces, status, why something is missing."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from nicegui import ui

from netvitals.domain.errors import NetvitalsError
from netvitals.domain.polling.metrics import VITALS, Vital
from netvitals.reading.device import DeviceView
from netvitals.reading.devices import Event, NoSuchDevice, StoredDevice
from netvitals.reading.rates import Rate, Samples
from netvitals.reading.readers import Readers
from netvitals.ui import charts
from netvitals.ui.data import why

SPANS = {900: "15 min", 3600: "1 h", 6 * 3600: "6 h", 86_400: "24 h", 7 * 86_400: "7 d", 30 * 86_400: "30 d"}
USUAL_SECONDS = 6 * 3600
REFRESH_SECONDS = 15.0
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SHARE = {"min": 0, "max": 100, "interval": 25}
FURTHER = [vital for vital in VITALS.values() if not vital.every_poll]


def _title(vital: Vital) -> str:
    """Return a chart's title, with what the numbers of a state mean."""
    words = ", ".join(f"{number} {word}" for number, word in vital.states.items())
    return f"{vital.title} ({words})" if words else vital.title


def _axis(vital: Vital) -> Mapping[str, Any]:
    return {} if vital.minimum < 0 else {"min": 0, **({"max": len(vital.states)} if vital.states else {})}


_CHARTS: Sequence[tuple[str, Mapping[str, str], str, Mapping[str, Any]]] = (
    ("CPU and memory", {"cpu_percent": "CPU", "memory_percent": "memory"}, "%", _SHARE),
    ("Disk", {"disk_percent": "disk"}, "%", _SHARE),
    ("Temperature", {"temperature_celsius": "temperature"}, "°C", {}),
    ("Round-trip time", {"ping_rtt_ms": "round trip"}, "ms", {"min": 0}),
    *((_title(each), {each.metric: each.title}, each.symbol, _axis(each)) for each in FURTHER),
)
"""Title, metrics with their labels, unit, axis."""
_FAULTS = ("errors in", "errors out", "discards in", "discards out")

type Table = Callable[[str, str, str], None]


async def build(readers: Readers, id_: str, seconds: int, table: Table) -> None:
    """Build the page, and refresh it at intervals."""
    try:
        view = await asyncio.to_thread(
            readers.device.view, id_, seconds if seconds in SPANS else USUAL_SECONDS
        )
        if seconds not in SPANS:
            seconds = telling_span(view)
            view = await asyncio.to_thread(readers.device.view, id_, seconds)
    except NetvitalsError as error:
        heading = "No such device" if isinstance(error, NoSuchDevice) else "The device can't be shown"
        ui.label(heading).classes("nv-title").props('role="heading" aria-level="1"')
        ui.label(str(error))
        ui.link("Back to the fleet", "/")
        return
    page = _DevicePage(view, seconds)
    page.draw()
    with _section("Interfaces"):
        table("interfaces", "Interfaces", _argument(view.device.id))
        traffic = _Traffic(readers, view.device.id, seconds)
    ui.on("interface", lambda event: traffic.show(str(event.args)))
    _history(view)

    async def refresh() -> None:
        try:
            page.update(await asyncio.to_thread(readers.device.view, view.device.id, seconds))
            await traffic.refresh()
        except NetvitalsError as error:
            page.say(str(error))

    ui.timer(REFRESH_SECONDS, refresh, immediate=False)


class _DevicePage:
    """Holds the elements that are refreshed."""

    def __init__(self, view: DeviceView, seconds: int) -> None:
        self._view, self._seconds = view, seconds
        self._charts: dict[str, _Card] = {}

    def draw(self) -> None:
        device = self._view.device
        with ui.element("div").classes("nv-head"):
            ui.label(device.name).classes("nv-title").props('role="heading" aria-level="1"')
            self._status = ui.label().classes("nv-status")
            self._since = ui.label().classes("nv-muted")
        self._why = ui.label().classes("nv-why")
        self._notice = ui.label().classes("nv-notice").props('role="status"')
        with ui.element("dl").classes("nv-facts"):
            self._facts = {name: _fact(name) for name in facts(self._view)}
        self._missing = ui.label().classes("nv-missing")
        with ui.element("div").classes("nv-chips").props('role="group" aria-label="Time shown"'):
            for span, text in SPANS.items():
                link = ui.link(text, "/device?" + urlencode({"id": device.id, "seconds": span})).classes(
                    "nv-chip"
                )
                if span == self._seconds:
                    link.props('aria-current="true"')
        self._timeline = ui.element("div").classes("nv-timeline").props('role="img"')
        self._grid = ui.element("div").classes("nv-charts")
        self.update(self._view)

    def say(self, notice: str) -> None:
        self._notice.set_text(notice)
        self._notice.set_visibility(bool(notice))

    def update(self, view: DeviceView) -> None:
        device, now = view.device, view.until
        self._view = view
        status = "maintenance" if device.in_maintenance(now) else device.shown_status
        self._status.set_text(status)
        self._status.classes(replace=f"nv-status nv-{device.shown_status}")
        self._since.set_text(f"for {span_of(now - device.status_since)}" if device.status_since else "")
        self._why.set_text(why(device))
        self._why.set_visibility(bool(why(device)))
        self.say(view.notice)
        for name, text in facts(view).items():
            place, label = self._facts[name]
            label.set_text(text)
            place.set_visibility(bool(text))
        self._missing.set_text(" ".join(f"No {each}." for each in view.missing))
        self._missing.set_visibility(bool(view.missing))
        self._draw_timeline(view)
        self._draw_charts(view)

    def _draw_timeline(self, view: DeviceView) -> None:
        parts = timeline(view.device, view.events, view.since, view.until)
        self._timeline.clear()
        with self._timeline:
            for status, share in parts:
                ui.element("span").classes(f"nv-part nv-{status}").style(f"flex-grow:{share:.5f}").tooltip(
                    status
                )
        told = ", ".join(f"{status} {100 * share:.1f} %" for status, share in sums(parts).items())
        self._timeline.props["aria-label"] = f"Status of the last {SPANS[self._seconds]}: {told}"

    def _draw_charts(self, view: DeviceView) -> None:
        for title, words, unit, axis in _CHARTS:
            found = _named(view, words)
            if not found and title not in self._charts:
                continue
            series = charts.highest(found, words.values())
            held = any(each.metric in words for each in FURTHER)
            options = charts.line_chart(series, unit, charts.Span(view.since, view.until), axis, held=held)
            left_out = len(found) - len(series)
            caption = f"{title}: the {len(series)} highest of {len(found)}" if left_out else title
            if title in self._charts:
                self._charts[title].redraw(caption, options)
            else:
                with self._grid:
                    self._charts[title] = _Card(caption, options)


class _Traffic:
    """Shows the charts of the interface that was selected in the table."""

    def __init__(self, readers: Readers, device_id: str, seconds: int) -> None:
        self._readers, self._device_id, self._seconds = readers, device_id, seconds
        self._name = ""
        self._place = ui.element("div").classes("nv-charts").props('aria-live="polite"')
        self._charts: dict[str, _Card] = {}

    async def show(self, name: str) -> None:
        self._name = name
        self._charts = {}
        await self.refresh()

    async def refresh(self) -> None:
        if not self._name:
            return
        found = await asyncio.to_thread(
            self._readers.device.interface_rates, self._device_id, self._name, self._seconds
        )
        options = self._options(found, time.time())
        if list(options) == list(self._charts):
            for title, card in self._charts.items():
                card.redraw(title, options[title])
            return
        self._place.clear()
        with self._place:
            self._charts = {title: _Card(title, each) for title, each in options.items()}

    def _options(self, found: Mapping[str, list[Rate]], now: float) -> dict[str, dict[str, Any]]:
        span = charts.Span(now - self._seconds, now)
        traffic = {word: found.get(f"net_bytes_{word}", []) for word in ("in", "out")}
        options = {f"{self._name}: traffic": charts.rate_chart(traffic, "b/s", span, 8)}
        faults = {word: found.get(f"net_{word.replace(' ', '_')}", []) for word in _FAULTS}
        wrong = {word: rates for word, rates in faults.items() if any(rate.per_second for rate in rates)}
        if wrong:
            title = f"{self._name}: {', '.join(wrong)}"
            options[title] = charts.rate_chart(wrong, "/s", span, 1)
        return options


def facts(view: DeviceView) -> dict[str, str]:
    """Return the facts about a device that are no measured values, by name."""
    device, now = view.device, view.until
    uptime = view.states.get("uptime_seconds")
    return {
        "Id": device.id,
        "Address": device.ip_address,
        "Type": device.device_type,
        "Site": device.site,
        "Parent": device.parent_id,
        "Profile": device.profile,
        "Credential": device.credential,
        "Last answer": _ago(device.last_seen_at, now)
        + (f" by {device.method}" if device.method and device.last_seen_at else ""),
        "Last poll": _last_poll(view),
        "Up for": span_of(uptime) if uptime is not None else "",
    }


def _last_poll(view: DeviceView) -> str:
    device = view.device
    result = (
        "" if not device.reason else "complete" if device.reason == "ok" else device.reason.replace("_", " ")
    )
    took = view.states.get("collect_duration_ms")
    return ", ".join(
        part
        for part in (
            _ago(device.last_attempt_at, view.until),
            result,
            f"took {took:,.0f} ms" if took is not None else "",
        )
        if part
    )


def timeline(
    device: StoredDevice, events: Sequence[Event], since: float, until: float
) -> list[tuple[str, float]]:
    """Return the statuses of a span of time with the share of each, oldest first."""
    changes = [(event.at, event.before, event.after) for event in reversed(events) if event.at > since]
    parts, at = [], since
    for changed, before, _ in changes:
        parts.append((before, (changed - at) / (until - since)))
        at = changed
    parts.append((changes[-1][2] if changes else device.status, (until - at) / (until - since)))
    return parts


def telling_span(view: DeviceView) -> int:
    """Return the usual span, or a shorter one where the device has not been polled for that long."""
    first_ns = min((vital.samples[0][0] for vital in view.vitals), default=0)
    return next((span for span in SPANS if span >= view.until - first_ns / 1e9), USUAL_SECONDS)


def sums(parts: Sequence[tuple[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for status, share in parts:
        total[status] = total.get(status, 0.0) + share
    return total


def span_of(seconds: float) -> str:
    """Return `42 s`, `7 min`, `3 h 20 min`, `12 d 4 h`."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def _ago(at: float | None, now: float) -> str:
    return "never" if at is None else f"{span_of(now - at)} ago"


def _named(view: DeviceView, words: Mapping[str, str]) -> dict[str, Samples]:
    """Return the curves of these metrics by name: the instance where there are several, own first."""
    found = {}
    for vital in view.vitals:
        if vital.metric in words:
            word = words[vital.metric]
            name = (
                vital.instance if vital.instance and len(words) == 1 else f"{word} {vital.instance}".strip()
            )
            found[name] = vital.samples
    return found


def _history(view: DeviceView) -> None:
    with _section("Changes of status"):
        if not view.events:
            ui.label("None in the last 30 days.").classes("nv-muted")
            return
        with ui.element("ol").classes("nv-events"):
            for event in view.events[:50]:
                with ui.element("li"):
                    at = (
                        datetime.fromtimestamp(event.at, UTC)
                        .isoformat(timespec="seconds")
                        .replace("+00:00", "Z")
                    )
                    with ui.element("time").props(f'datetime="{at}"').classes("nv-time"):
                        ui.label(at.replace("T", " ").replace("Z", " UTC"))
                    ui.label(event.after).classes(f"nv-status nv-{event.after}")
                    ui.label(
                        " · ".join(
                            part
                            for part in (f"was {event.before}", event.cause.replace("_", " "), event.detail)
                            if part
                        )
                    )


def _section(title: str) -> ui.element:
    section = ui.element("section").classes("nv-section")
    with section:
        ui.label(title).props('role="heading" aria-level="2"').classes("nv-subtitle")
    return section


class _Card:
    """Holds a chart and its caption."""

    def __init__(self, title: str, options: dict[str, Any]) -> None:
        with ui.element("figure").classes("nv-card"):
            with ui.element("figcaption"):
                self._caption = ui.label(title)
            self._chart = ui.echart(options, renderer="svg").classes("nv-chart")

    def redraw(self, title: str, options: dict[str, Any]) -> None:
        self._caption.set_text(title)
        self._chart.options.clear()
        self._chart.options.update(options)
        self._chart.update()


def _fact(name: str) -> tuple[ui.element, ui.label]:
    """Return a fact's element, which is hidden while there is no text, and its label."""
    with ui.element("div") as place:
        with ui.element("dt"):
            ui.label(name)
        with ui.element("dd"):
            return place, ui.label()


def _argument(text: str) -> str:
    """Return a text as a JavaScript literal that is safe in a page."""
    return (
        msgspec.json.encode({"id": text})
        .decode()
        .replace("<", "\\u003c")
        .replace("\u2028", " ")
        .replace("\u2029", " ")
    )
