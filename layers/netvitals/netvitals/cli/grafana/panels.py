"""Make panels in Grafana's classic JSON, which versions 10 to 13 import and provision."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from netvitals.cli.grafana.shown import PanelMetric

type Json = dict[str, Any]

INFLUXDB = {"type": "influxdb", "uid": "${influxdb}"}
POSTGRESQL = {"type": "grafana-postgresql-datasource", "uid": "${postgresql}"}
MIXED = {"type": "datasource", "uid": "-- Mixed --"}
COLUMNS = 24
"""Columns of Grafana's grid."""
GAP_MS = 25 * 60_000
"""Points of one series that are further apart are not joined by a line, so an outage shows as a gap."""
HELD_GAP_MS = 75 * 60_000
"""The same for series that are written when they change, and every 50 minutes."""
GREEN, YELLOW, RED, BLUE, GREY = "green", "orange", "red", "blue", "#808080"
STATUS_COLORS = {
    "online": GREEN,
    "offline": RED,
    "unreachable": "purple",
    "unknown": YELLOW,
    "disabled": GREY,
}


def influx(query: str, *, ref: str = "A", alias: str = "", table: bool = False) -> Json:
    """Return a target: a query of InfluxDB."""
    target = {
        "refId": ref,
        "datasource": INFLUXDB,
        "query": query,
        "rawQuery": True,
        "resultFormat": "table" if table else "time_series",
    }
    return target | ({"alias": alias} if alias else {})


def postgres(query: str, *, ref: str = "A") -> Json:
    """Return a target: a query of PostgreSQL that gives a table."""
    return {
        "refId": ref,
        "datasource": POSTGRESQL,
        "rawSql": query,
        "rawQuery": True,
        "editorMode": "code",
        "format": "table",
    }


def panel(
    kind: str,
    title: str,
    targets: Sequence[Json],
    size: tuple[int, int],
    *,
    defaults: Json,
    options: Json,
    overrides: Iterable[Json] = (),
    description: str = "",
    empty: str = "Nothing to show",
    transformations: Sequence[Json] = (),
    interval: str = "",
) -> Json:
    """Return a panel of `size` columns and rows; the dashboard adds its position and id."""
    sources = {target["datasource"]["uid"] for target in targets}
    made: Json = {
        "type": kind,
        "title": title,
        "datasource": targets[0]["datasource"] if len(sources) == 1 else MIXED,
        "targets": list(targets),
        "gridPos": {"h": size[1], "w": size[0], "x": 0, "y": 0},
        "fieldConfig": {"defaults": {"noValue": empty, **defaults}, "overrides": list(overrides)},
        "options": options,
    }
    given = {"description": description, "transformations": list(transformations), "interval": interval}
    return made | {key: value for key, value in given.items() if value}


def thresholds(shape: PanelMetric) -> Json:
    """Return the thresholds that colour a metric's values."""
    steps: list[Json] = [{"color": GREEN, "value": None}]
    if shape.warning is not None:
        steps.append({"color": YELLOW, "value": shape.warning})
    if shape.critical is not None:
        steps.append({"color": RED, "value": shape.critical})
    return {"mode": "absolute", "steps": steps}


def value_of(shape: PanelMetric) -> Json:
    """Return the field options of a metric's values: unit, minimum, maximum, words for states."""
    limits = {"min": shape.minimum, "max": shape.maximum}
    found = {"unit": shape.unit, **{key: limit for key, limit in limits.items() if limit is not None}}
    return found | {"mappings": state_mappings(shape.states)} if shape.states else found


def graph(
    title: str,
    targets: Sequence[Json],
    size: tuple[int, int],
    shape: PanelMetric,
    *,
    gap_ms: int = GAP_MS,
    mirrored: str = "",
    **more: Any,
) -> Json:
    """Return a chart over time; the series of the query `mirrored` are drawn below zero.

    A rate holds for the time before its point, so it is drawn as a step that ends there.
    """
    steps = shape.kind == "counter"
    lines = {
        "drawStyle": "line",
        "lineInterpolation": "stepBefore" if steps else "linear",
        "lineWidth": 1,
        "fillOpacity": 10,
        "showPoints": "auto",
        "spanNulls": gap_ms,
        "insertNulls": gap_ms,
        "thresholdsStyle": {"mode": "dashed" if shape.critical is not None and not steps else "off"},
    }
    defaults = {**value_of(shape), "custom": lines, "thresholds": thresholds(shape)}
    overrides: list[Json] = []
    if mirrored:
        defaults.pop("min", None)
        mirror = {"id": "custom.transform", "value": "negative-Y"}
        overrides = [{"matcher": {"id": "byFrameRefID", "options": mirrored}, "properties": [mirror]}]
    options = {
        "legend": {
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
            "calcs": ["lastNotNull", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel(
        "timeseries", title, targets, size, defaults=defaults, options=options, overrides=overrides, **more
    )


def stat(
    title: str,
    targets: Sequence[Json],
    size: tuple[int, int],
    shape: PanelMetric | None = None,
    *,
    color: str = "background",
    fields: str = "",
    overrides: Iterable[Json] = (),
    mappings: Sequence[Json] = (),
    **more: Any,
) -> Json:
    """Return a panel of large numbers, one for each series or column; `fields` selects columns by name."""
    defaults: Json = {"color": {"mode": "thresholds"}, "mappings": list(mappings)}
    if shape is not None:
        defaults |= {**value_of(shape), "thresholds": thresholds(shape)}
    options = {
        "colorMode": color,
        "graphMode": "none",
        "justifyMode": "auto",
        "textMode": "auto",
        "orientation": "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": fields, "values": False},
    }
    return panel(
        "stat", title, targets, size, defaults=defaults, options=options, overrides=overrides, **more
    )


def state_timeline(
    title: str, target: Json, size: tuple[int, int], mappings: Sequence[Json], *, gap_ms: int, empty: str
) -> Json:
    """Return the states of one series over time; a state ends where no point follows for `gap_ms`."""
    options = {
        "showValue": "auto",
        "mergeValues": True,
        "rowHeight": 0.6,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    states = {"fillOpacity": 70, "lineWidth": 0, "insertNulls": gap_ms}
    defaults = {"mappings": list(mappings), "custom": states}
    return panel("state-timeline", title, [target], size, defaults=defaults, options=options, empty=empty)


def column(name: str, **properties: Any) -> Json:
    """Return the override of a table's column: title, unit, thresholds, links and so on."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def bar(name: str, shape: PanelMetric, **more: Any) -> Json:
    """Return the override of a column whose values are bars in the colours of a metric."""
    cell = {"custom__cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}}
    limits = {key: value for key, value in value_of(shape).items() if key != "unit"}
    return column(name, unit=shape.unit, thresholds=thresholds(shape), **limits, **cell, **more)


def status_column(name: str) -> Json:
    """Return the override of a column of statuses in their colours."""
    return column(name, mappings=status_mappings(), custom__cellOptions={"type": "color-text"})


def state_mappings(states: Mapping[int, str]) -> list[Json]:
    """Return the value mappings from a state's numbers to words."""
    options = {str(number): {"text": word, "index": number} for number, word in states.items()}
    return [{"type": "value", "options": options}] if options else []


def status_mappings() -> list[Json]:
    colors = {
        status: {"color": color, "index": index, "text": status}
        for index, (status, color) in enumerate(STATUS_COLORS.items())
    }
    return [{"type": "value", "options": colors}]


def table(
    title: str,
    targets: Sequence[Json],
    size: tuple[int, int],
    columns: Iterable[Json],
    *,
    hidden: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    join: str = "",
    unmatched: bool = False,
    sort: str = "",
    **more: Any,
) -> Json:
    """Return a table; `names` maps columns to their titles, in their order.

    With `join`, rows of several queries that agree in this column become one; those of one query alone are
    shown where `unmatched` says so.
    """
    hidden = ("Time", *(f"Time {number}" for number in range(1, 6)), *hidden)
    titles = dict(names or {})
    organized = {
        "excludeByName": dict.fromkeys(hidden, True),
        "indexByName": {name: index for index, name in enumerate(titles)},
        "renameByName": {name: title for name, title in titles.items() if title},
    }
    transformations: list[Json] = [{"id": "organize", "options": organized}]
    if join:
        joining = {
            "id": "joinByField",
            "options": {"byField": join, "mode": "outer" if unmatched else "inner"},
        }
        transformations.insert(0, joining)
    options: Json = {"frameIndex": 0, "showHeader": True, "cellHeight": "sm"}
    if sort:
        options["sortBy"] = [{"displayName": titles.get(sort) or sort, "desc": True}]
    cell = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}
    defaults = {"custom": cell}
    shown = [_titled(each, titles) for each in columns]
    return panel(
        "table",
        title,
        targets,
        size,
        defaults=defaults,
        options=options,
        overrides=shown,
        transformations=transformations,
        **more,
    )


def _titled(override: Json, titles: Mapping[str, str]) -> Json:
    """Return the override by the column's title: Grafana matches after it has renamed columns."""
    name = override["matcher"]["options"]
    return {**override, "matcher": {"id": "byName", "options": titles.get(name) or name}}


def text(title: str, content: str, size: tuple[int, int]) -> Json:
    return {
        "type": "text",
        "title": title,
        "gridPos": {"h": size[1], "w": size[0], "x": 0, "y": 0},
        "options": {"mode": "markdown", "content": content},
    }


def link(title: str, dashboard: str, variable: str, field: str, **more: str) -> Json:
    """Return a link from a cell to another dashboard, whose variables are set from the row's columns."""
    given = {variable: field, **more}
    variables = "&".join(
        f"var-{name}=${{__data.fields.{field}:percentencode}}" for name, field in given.items()
    )
    kept = "${__url_time_range}&${influxdb:queryparam}&${postgresql:queryparam}"
    url = f"/d/{dashboard}?{variables}&{kept}"
    return {"title": title, "url": url, "targetBlank": False}
