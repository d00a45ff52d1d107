"""Make a dashboard of panels: variables, links to other dashboards, annotations, positions on the grid."""

from collections.abc import Iterable, Sequence

from netvitals.cli.grafana import inventory_sql as sql
from netvitals.cli.grafana.panels import COLUMNS, INFLUXDB, POSTGRESQL, RED, Json

SCHEMA_VERSION = 39
"""Dashboard schema of Grafana 10.4, the oldest supported version; newer ones migrate it when loading."""
FLEET, SITE, DEVICE, INTERFACE, POLLING = (
    f"netvitals-{name}" for name in ("fleet", "site", "device", "interface", "polling")
)
"""Ids of the dashboards, used in links between them."""
EVERYTHING = {"text": ["All"], "value": ["$__all"]}
ON_LOAD, ON_TIME_RANGE = 1, 2
"""Events at which Grafana queries the values of a variable."""
HIDDEN = 2


def dashboard(
    uid: str,
    title: str,
    description: str,
    variables: Sequence[Json],
    rows: Iterable[tuple[str, Sequence[Json]]],
    *,
    since: str = "now-6h",
    annotations: Sequence[Json] = (),
) -> Json:
    """Return a dashboard; `rows` are pairs of a title and panels, which are placed from left to right."""
    return {
        "uid": uid,
        "title": f"netvitals / {title}",
        "description": description,
        "tags": ["netvitals"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "timezone": "browser",
        "time": {"from": since, "to": "now"},
        "timepicker": {},
        "refresh": "1m",
        "weekStart": "",
        "links": [_menu()],
        "annotations": {"list": list(annotations)},
        "templating": {
            "list": [source("influxdb", "influxdb"), source("postgresql", POSTGRESQL["type"]), *variables]
        },
        "panels": _placed(rows),
    }


def _menu() -> Json:
    """Return the links to the other dashboards, which keep the time range and the data sources."""
    return {
        "type": "dashboards",
        "title": "netvitals",
        "tags": ["netvitals"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }


def _placed(rows: Iterable[tuple[str, Sequence[Json]]]) -> list[Json]:
    placed: list[Json] = []
    top = 0
    for title, panels in rows:
        if title:
            grid = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
            placed.append({"type": "row", "title": title, "collapsed": False, "gridPos": grid, "panels": []})
            top += 1
        left = height = 0
        for panel in panels:
            size = panel["gridPos"]
            if left + size["w"] > COLUMNS:
                left, top, height = 0, top + height, 0
            placed.append(panel | {"gridPos": {**size, "x": left, "y": top}})
            left, height = left + size["w"], max(height, size["h"])
        top += height
    return [panel | {"id": number} for number, panel in enumerate(placed, 1)]


def source(name: str, kind: str) -> Json:
    """Return the variable that selects a data source, so that one file serves import and provisioning."""
    return {
        "type": "datasource",
        "name": name,
        "label": {"influxdb": "InfluxDB", "postgresql": "PostgreSQL"}[name],
        "query": kind,
        "hide": 0,
        "refresh": ON_LOAD,
        "regex": "",
        "multi": False,
        "includeAll": False,
        "options": [],
        "skipUrlSync": False,
    }


def asked(
    name: str, label: str, datasource: Json, query: str, *, several: bool = False, hide: int = 0
) -> Json:
    """Return a variable whose values a query gives, with a search field."""
    made = {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": datasource,
        "query": query,
        "refresh": ON_LOAD,
        "sort": 0,
        "regex": "",
        "hide": hide,
        "multi": several,
        "includeAll": several,
        "options": [],
        "skipUrlSync": bool(hide),
    }
    return made | ({"current": EVERYTHING} if several else {})


def sites(*, several: bool) -> Json:
    return asked("site", "Site", POSTGRESQL, sql.site_values(), several=several)


def types() -> Json:
    return asked("type", "Type", POSTGRESQL, sql.type_values(), several=True)


def device() -> Json:
    return asked("device", "Device", POSTGRESQL, sql.device_values())


def interface() -> Json:
    query = (
        'SHOW TAG VALUES FROM "device_metrics" WITH KEY = "instance"'
        ' WHERE "device_id" =~ /^(${device:regex})$/ AND "metric_name" = \'net_bytes_in\''
    )
    return asked("interface", "Interface", INFLUXDB, query)


def status_changes(condition: str) -> Json:
    """Return the annotations of status changes, from the history in PostgreSQL."""
    return {
        "name": "Status",
        "enable": True,
        "hide": False,
        "iconColor": RED,
        "datasource": POSTGRESQL,
        "target": {
            "refId": "Status",
            "datasource": POSTGRESQL,
            "rawSql": sql.annotations(condition),
            "rawQuery": True,
            "editorMode": "code",
            "format": "table",
        },
    }
