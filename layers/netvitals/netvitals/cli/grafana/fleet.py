"""Make the dashboard of the fleet: status of all devices, changes, and the worst values."""

from netvitals.cli.grafana import inventory_sql as sql
from netvitals.cli.grafana.dashboard import FLEET, SITE, dashboard, sites, types
from netvitals.cli.grafana.panels import STATUS_COLORS as COLORS
from netvitals.cli.grafana.panels import Json, column, link, postgres, stat, status_column, table
from netvitals.cli.grafana.worst import TO_DEVICE, busiest, faultiest, filling, worst

TO_SITE = link("Site", SITE, "site", "site")
DEVICE_COLUMNS = {
    "hostname": "Device",
    "status": "Status",
    "since": "Since",
    "reason": "Reason",
    "detail": "Detail",
    "site": "Site",
    "type": "Type",
    "address": "Address",
    "last_seen": "Last seen",
    "device_id": "Id",
}


def fleet() -> Json:
    return dashboard(
        FLEET,
        "Fleet",
        "The status of all devices, what changed, and the worst of everything.",
        [sites(several=True), types()],
        [
            ("", [statuses(sql.EVERYWHERE)]),
            (
                "Now",
                [
                    devices(
                        "Not online",
                        f"{sql.EVERYWHERE} AND status NOT IN ('online', 'disabled')",
                        "All devices are online",
                    )
                ],
            ),
            ("What changed", [changes(sql.EVERYWHERE)]),
            (
                "Worst",
                [
                    worst("cpu_percent", "", sql.EVERYWHERE),
                    worst("memory_percent", "", sql.EVERYWHERE),
                    worst("temperature_celsius", "Sensor", sql.EVERYWHERE),
                    worst("disk_percent", "Disk", sql.EVERYWHERE),
                    worst("fan_state", "Fan", sql.EVERYWHERE, size=(12, 9)),
                    worst("power_supply_state", "Power supply", sql.EVERYWHERE, size=(12, 9)),
                ],
            ),
            ("Interfaces", [busiest(way, sql.EVERYWHERE) for way in ("in", "out")]),
            ("", [faultiest(sql.EVERYWHERE), filling(sql.EVERYWHERE)]),
            ("Sites", [_sites()]),
            ("All devices", [devices("Devices", sql.EVERYWHERE, "No device matches", height=14)]),
        ],
    )


def statuses(condition: str) -> Json:
    """Return the panel with the number of devices by status."""
    colors = [
        column(status, color={"mode": "fixed", "fixedColor": color}, displayName=status)
        for status, color in COLORS.items()
    ]
    return stat(
        "Devices", [postgres(sql.status_counts(condition))], (24, 4), overrides=colors, empty="No inventory"
    )


def devices(title: str, condition: str, empty: str, *, height: int = 9) -> Json:
    return table(
        title,
        [postgres(sql.devices(condition))],
        (24, height),
        [status_column("status"), column("hostname", links=[TO_DEVICE]), column("site", links=[TO_SITE])],
        names=DEVICE_COLUMNS,
        empty=empty,
    )


def changes(condition: str, size: tuple[int, int] = (24, 9)) -> Json:
    """Return the table of changes of status in the time shown."""
    return table(
        "Changes of status",
        [postgres(sql.changes(condition))],
        size,
        [
            status_column("before"),
            status_column("after"),
            column("hostname", links=[TO_DEVICE]),
            column("site", links=[TO_SITE]),
        ],
        names={
            "time": "Time ",
            "hostname": "Device",
            "site": "Site",
            "before": "Before",
            "after": "After",
            "cause": "Cause",
            "detail": "Detail",
            "device_id": "Id",
        },
        empty="Nothing changed in the time shown",
    )


def _sites() -> Json:
    cell = {"custom__cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}}
    share = column(
        "online_percent", unit="percent", min=0, max=100, color={"mode": "continuous-RdYlGr"}, **cell
    )
    lost = [{"type": "value", "options": {"true": {"text": "lost", "color": "red"}, "false": {"text": ""}}}]
    return table(
        "Sites",
        [postgres(sql.sites(sql.EVERYWHERE))],
        (24, 9),
        [column("site", links=[TO_SITE]), share, column("path_lost", mappings=lost)],
        names={
            "site": "Site",
            "devices": "Devices",
            "online": "Online",
            "offline": "Offline",
            "unreachable": "Unreachable",
            "unknown": "Unknown",
            "online_percent": "Online of enabled",
            "path_lost": "Path",
        },
        empty="No device has a site",
    )
