"""Make SQL for what PostgreSQL holds and InfluxDB does not: hostname, site, type, reasons.

`devices` belongs to its owner: columns other than `id` may be missing, and have any type. Read as JSON, a
column that is missing is null.
"""

NO_SITE = "(none)"
"""Site shown for a device that has none: a variable of a dashboard can't be empty."""

_FLEET = f"""WITH fleet AS (
  SELECT d.id::text AS device_id,
    coalesce(nullif(to_jsonb(d)->>'hostname', ''), d.id::text) AS hostname,
    coalesce(nullif(to_jsonb(d)->>'site', ''), '{NO_SITE}') AS site,
    coalesce(nullif(to_jsonb(d)->>'device_type', ''), 'network') AS type,
    split_part(coalesce(to_jsonb(d)->>'ip_address', ''), '/', 1) AS address,
    lower(coalesce(to_jsonb(d)->>'enabled', 'true')) NOT IN ('false', 'f', 'no', 'n', 'off', '0') AS enabled
  FROM devices d
), state AS (
  SELECT f.*, CASE WHEN f.enabled THEN coalesce(s.status, 'unknown') ELSE 'disabled' END AS status,
    coalesce(s.cause, '') AS cause, s.status_since AS since, s.last_seen_at AS last_seen,
    coalesce(s.reason, '') AS reason, coalesce(s.detail, '') AS detail, coalesce(s.method, '') AS method,
    coalesce(s.failures, 0) AS failures,
    s.metrics_attempt_at AS last_metrics, s.status_attempt_at AS last_status
  FROM fleet f LEFT JOIN device_state s ON s.device_id = f.device_id
)
"""
STATUSES = ("online", "offline", "unreachable", "unknown", "disabled")
EVERYWHERE = "site IN (${site:sqlstring}) AND type IN (${type:sqlstring})"
"""Condition of SQL for a dashboard with the variables `site` and `type`."""
ONE_SITE = "site = ${site:sqlstring}"
ONE_DEVICE = "device_id = ${device:sqlstring}"


def names(condition: str = "true") -> str:
    """Return the query of devices' names, sites and types, to be joined with a table from InfluxDB."""
    return f"{_FLEET}SELECT device_id, hostname, site FROM state WHERE {condition}"


def status_counts(condition: str) -> str:
    """Return the query of the number of devices by status: one row, a column for each status."""
    counts = ", ".join(f"count(*) FILTER (WHERE status = '{status}') AS {status}" for status in STATUSES)
    return f"{_FLEET}SELECT {counts} FROM state WHERE {condition}"


def devices(condition: str) -> str:
    """Return the query of devices, those that are not online first."""
    return (
        f"{_FLEET}SELECT device_id, hostname, address, site, type, status, since, last_seen,"
        " CASE WHEN reason <> 'ok' THEN reason ELSE '' END AS reason, detail"
        f" FROM state WHERE {condition}"
        " ORDER BY array_position(ARRAY['offline', 'unreachable', 'unknown', 'online', 'disabled'], status),"
        " since DESC NULLS LAST, hostname LIMIT 5000"
    )


def incomplete(condition: str) -> str:
    """Return the query of the devices whose last poll was incomplete, with the reason."""
    return (
        f"{_FLEET}SELECT device_id, hostname, site, status, reason, detail, method, failures, last_seen"
        f" FROM state WHERE {condition} AND enabled AND reason NOT IN ('', 'ok')"
        " ORDER BY reason, hostname LIMIT 1000"
    )


def reasons(condition: str) -> str:
    """Return the query of the number of devices by the reason of their last poll."""
    return (
        f"{_FLEET}SELECT coalesce(nullif(reason, ''), 'not polled') AS reason, count(*) AS devices"
        f" FROM state WHERE {condition} AND enabled GROUP BY 1 ORDER BY 2 DESC"
    )


def not_polled(condition: str, minutes: int) -> str:
    """Return the query of the enabled devices that were not polled for so many minutes."""
    return (
        f"{_FLEET}SELECT device_id, hostname, site, status, last_status, last_metrics FROM state"
        f" WHERE {condition} AND enabled AND (coalesce(greatest(last_status, last_metrics), '-infinity')"
        f" < now() - interval '{minutes} minutes') ORDER BY hostname LIMIT 1000"
    )


def sites(condition: str) -> str:
    """Return the query of the sites with their numbers of devices by status."""
    counts = ", ".join(f"count(*) FILTER (WHERE status = '{status}') AS {status}" for status in STATUSES[:4])
    return (
        f"{_FLEET}SELECT site, count(*) AS devices, {counts},"
        " round(100.0 * count(*) FILTER (WHERE status = 'online')"
        " / nullif(count(*) FILTER (WHERE enabled), 0), 1) AS online_percent,"
        " coalesce(bool_or(p.lost), false) AS path_lost"
        f" FROM state LEFT JOIN site_state p ON p.name = site WHERE {condition}"
        " GROUP BY site ORDER BY online_percent NULLS LAST, site"
    )


def changes(condition: str, rows: int = 200) -> str:
    """Return the query of the changes of status in the time shown, newest first."""
    return (
        f"{_FLEET}SELECT h.at AS time, f.device_id, f.hostname, f.site, h.before, h.after, h.cause, h.detail"
        " FROM device_status_history h JOIN fleet f ON f.device_id = h.device_id"
        " WHERE $__timeFilter(h.at)"
        f" AND h.device_id IN (SELECT device_id FROM fleet WHERE {condition})"
        f" ORDER BY h.at DESC LIMIT {rows}"
    )


def annotations(condition: str) -> str:
    """Return the query of changes of status as annotations: a time, a text, tags."""
    return (
        "SELECT at AS time, before || ' → ' || after"
        " || CASE WHEN detail = '' THEN '' ELSE ': ' || detail END AS text, cause AS tags"
        " FROM device_status_history"
        f" WHERE $__timeFilter(at) AND {condition} ORDER BY at DESC LIMIT 500"
    )


def site_values() -> str:
    """Return the query of the sites, as values of a variable."""
    return (
        f"{_FLEET}SELECT DISTINCT site FROM fleet WHERE site ILIKE '%$__searchFilter' ORDER BY 1 LIMIT 1000"
    )


def type_values() -> str:
    return f"{_FLEET}SELECT DISTINCT type FROM fleet ORDER BY 1"


def device_values(condition: str = "true") -> str:
    """Return the query of the devices, as values of a variable that shows name and id."""
    return (
        f"{_FLEET}SELECT hostname || CASE WHEN hostname = device_id THEN '' ELSE ' (' || device_id || ')' END"
        " AS __text, device_id AS __value FROM fleet"
        f" WHERE {condition} AND (hostname ILIKE '%$__searchFilter' OR device_id ILIKE '%$__searchFilter'"
        " OR address ILIKE '%$__searchFilter') ORDER BY 1 LIMIT 10000"
    )


def ids(condition: str) -> str:
    """Return the query of device ids, as values of a hidden variable that queries to InfluxDB use."""
    return f"{_FLEET}SELECT device_id FROM fleet WHERE {condition} AND enabled ORDER BY 1"
