"""Answer the requests of the page's tables with JSON; the page inserts every text as text, never as HTML."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Query, Response

from netvitals.domain.errors import NetvitalsError
from netvitals.reading.device import DeviceView, Interface
from netvitals.reading.devices import Event, StoredDevice
from netvitals.reading.fleet import FLEET_METRICS, MAX_DETAILED, Detail, Fleet
from netvitals.reading.influxql import stored_tag
from netvitals.reading.rates import Rate, Samples
from netvitals.reading.readers import Readers

DAY_SECONDS = 86_400
LONGEST_SECONDS = 400 * DAY_SECONDS
TREND_PARTS = 40
"""Number of points of a sparkline."""

Id = Annotated[str, Query(min_length=1, max_length=256)]
Seconds = Annotated[int, Query(ge=60, le=LONGEST_SECONDS)]

DEVICE_COLUMNS = (
    "id", "name", "address", "site", "type", "status", "since", "seen", "why", *FLEET_METRICS, "maintenance",
)  # fmt: skip


def routes(readers: Readers) -> APIRouter:
    """Return the paths below `/data`."""
    router = APIRouter(prefix="/data")

    @router.get("/fleet")
    def fleet() -> Response:
        return _answer(lambda: _fleet(readers.fleet.fleet()))

    @router.post("/details")
    def details(ids: Annotated[list[str], Body(max_length=MAX_DETAILED)]) -> Response:
        return _answer(lambda: {id_: _detail(found) for id_, found in readers.fleet.details(ids).items()})

    @router.get("/sites")
    def sites() -> Response:
        return _answer(lambda: _sites(readers.fleet.fleet()))

    @router.get("/events")
    def events(seconds: Seconds = DAY_SECONDS) -> Response:
        return _answer(lambda: _events(readers.devices.events(since=time.time() - seconds)))

    @router.get("/interfaces")
    def interfaces(id: Id) -> Response:  # noqa: A002, the name in the URL
        return _answer(lambda: _interfaces(readers.device.view(id, 60)))

    return router


def _answer(make: Callable[[], Any]) -> Response:
    try:
        return Response(msgspec.json.encode(make()), media_type="application/json")
    except NetvitalsError as error:
        return Response(msgspec.json.encode({"error": str(error)}), 503, media_type="application/json")


def _fleet(fleet: Fleet) -> dict[str, Any]:
    rows = [
        _row(device, fleet.vitals.get(stored_tag(device.id), {}), fleet.read_at) for device in fleet.devices
    ]
    more = {"lost": [site.name for site in fleet.lost], "pending": fleet.is_pending}
    return _table(DEVICE_COLUMNS, rows, fleet.notice) | more


def _row(device: StoredDevice, vitals: Mapping[str, float], now: float) -> list[Any]:
    return [
        device.id, device.name, device.ip_address, device.site, device.device_type,
        device.shown_status, device.status_since, device.last_seen_at, why(device),
        *(_short(vitals.get(name)) for name in FLEET_METRICS), device.in_maintenance(now),
    ]  # fmt: skip


def why(device: StoredDevice) -> str:
    """Return in a few words why a device is not well; empty where it is."""
    if not device.enabled:
        return ""
    cause = device.cause.replace("_", " ")
    if device.status != "online" and device.cause in (
        "parent_down",
        "path_lost",
        "not_polled",
        "collector_silent",
    ):
        return f"{cause}: {device.parent_id}" if device.cause == "parent_down" and device.parent_id else cause
    if device.reason in ("", "ok"):
        return "" if device.status == "online" else cause
    return device.detail.removeprefix(f"{device.ip_address}: ") or device.reason


def _detail(detail: Detail) -> dict[str, Any]:
    bits = {name: _short(8 * value) for name, value in detail.bytes_per_second.items()}
    return {"trend": thinned(detail.trend), "in": bits.get("net_bytes_in"), "out": bits.get("net_bytes_out")}


def thinned(samples: Samples, parts: int = TREND_PARTS) -> list[float | None]:
    """Return the highest value of each of so many equal parts of the time that the samples span."""
    if len(samples) <= parts:
        return [_short(value) for _, value in samples]
    first, span = samples[0][0], samples[-1][0] - samples[0][0] or 1
    highest: list[float | None] = [None] * parts
    for at, value in samples:
        part = min(parts - 1, (at - first) * parts // span)
        before = highest[part]
        highest[part] = value if before is None else max(value, before)
    return [_short(value) for value in highest]


def _sites(fleet: Fleet) -> dict[str, Any]:
    lost = {site.name for site in fleet.lost}
    counts: dict[str, dict[str, int]] = {}
    for device in fleet.devices:
        of_site = counts.setdefault(device.site, {})
        of_site[device.shown_status] = of_site.get(device.shown_status, 0) + 1
    names = ("online", "offline", "unreachable", "unknown", "disabled")
    rows = [
        [site, "lost" if site in lost else "", sum(found.values()), *(found.get(name, 0) for name in names)]
        for site, found in sorted(counts.items())
    ]
    return _table(("site", "path", "devices", *names), rows, fleet.notice)


def _events(events: Sequence[Event]) -> dict[str, Any]:
    rows = [
        [
            e.number,
            e.at,
            e.device_id,
            e.hostname or e.device_id,
            e.site,
            e.before,
            e.after,
            e.cause.replace("_", " "),
            e.detail,
        ]
        for e in events
    ]
    return _table(("number", "at", "id", "name", "site", "before", "after", "cause", "detail"), rows, "")


def _interfaces(view: DeviceView) -> dict[str, Any]:
    columns = (
        "name",
        "description",
        "type",
        "index",
        "oper",
        "speed",
        "in",
        "out",
        "used",
        "faults",
        "trend",
    )
    return _table(columns, [_interface(each) for each in view.interfaces], view.notice)


def _interface(each: Interface) -> list[Any]:
    bits_in, bits_out = each.bits("net_bytes_in"), each.bits("net_bytes_out")
    return [
        each.name, each.description, each.type, each.if_index, each.oper_status, each.speed_bps,
        _short(bits_in), _short(bits_out), _short(each.utilisation), _short(each.faults_per_second),
        steps(each.trend),
    ]  # fmt: skip


def steps(rates: Sequence[Rate]) -> list[float | None]:
    """Return rates at equal distances of time, for a sparkline."""
    if not rates:
        return []
    first, last = rates[0].start_ns, rates[-1].end_ns
    found, place = [], 0
    for part in range(TREND_PARTS):
        at = first + (last - first) * (2 * part + 1) // (2 * TREND_PARTS)
        while rates[place].end_ns < at:
            place += 1
        rate = rates[place].per_second
        found.append(_short(None if rate is None else 8 * rate))
    return found


def _table(columns: Sequence[str], rows: list[list[Any]], notice: str) -> dict[str, Any]:
    return {"columns": columns, "rows": rows, "notice": notice}


def _short(value: float | None) -> float | None:
    """Return the value with four significant digits."""
    return None if value is None else float(f"{value:.4g}")
