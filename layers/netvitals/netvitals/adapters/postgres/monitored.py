"""Read the devices of a group with what is known of their polls and status."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from psycopg import sql

from netvitals.adapters.postgres.inventory import enabled, field
from netvitals.domain.decision.status import Cause, Monitored, Parent, Polls, Status, StatusRecord
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.maintenance import Maintenance
from netvitals.domain.inventory.row import FIELDS, device_from

_POLLS = ("last_seen_at", "last_attempt_at", "streak_since", "failures", "successes", "reason")


def note_monitored(types: dict[str, str]) -> sql.Composed:
    """Return the statement that dates devices which were enabled, and marks those which are not enabled.

    It skips locked rows, which a poll is writing; the next run will update them.
    """
    return sql.SQL(
        "UPDATE device_state AS s"
        " SET monitored_since = CASE WHEN other.is_enabled THEN to_timestamp(%(now)s) ELSE 'infinity' END"
        " FROM ("
        "  SELECT t.device_id, d.id IS NOT NULL AS is_enabled"
        "  FROM device_state AS t LEFT JOIN devices AS d ON d.id::text = t.device_id AND {enabled}"
        "  WHERE (d.id IS NULL) <> (t.monitored_since IS NOT DISTINCT FROM 'infinity')"
        "  FOR UPDATE OF t SKIP LOCKED"
        " ) AS other WHERE other.device_id = s.device_id"
    ).format(enabled=enabled("d", types))


def parents_of_failing(types: dict[str, str]) -> sql.Composed:
    """Return the query of each failing device's id and its parent's."""
    return sql.SQL(
        "SELECT d.id::text, {parent_id} FROM devices AS d JOIN device_state AS s ON s.device_id = d.id::text"
        " WHERE s.failures > 0 AND d.parent_id IS NOT NULL AND {enabled}"
    ).format(parent_id=field("d", "parent_id", types), enabled=enabled("d", types))


def monitored_devices(types: dict[str, str], in_this_group: sql.Composable) -> sql.Composed:
    """Return the query of a group's enabled devices with their state, and that of their enabled parents."""
    parent = sql.SQL(
        "LEFT JOIN devices AS p ON p.id::text = d.parent_id::text AND {}"
        " LEFT JOIN device_state AS q ON q.device_id = p.id::text"
    ).format(enabled("p", types))
    no_parent = sql.SQL("LEFT JOIN devices AS p ON false LEFT JOIN device_state AS q ON false")
    return sql.SQL(
        "SELECT {fields}, {polls}, s.status, s.cause, {since}, s.announced, s.flap_score, {flap_at},"
        " s.flapping, {monitored_since}, p.id::text, {parent_polls},"
        " CASE WHEN q.cause = {not_polled} THEN {not_polled_since} END"
        " FROM devices AS d LEFT JOIN device_state AS s ON s.device_id = d.id::text {parent}"
        " WHERE d.id IS NOT NULL AND {enabled} AND {in_group} ORDER BY {site}, d.id"
    ).format(
        fields=sql.SQL(", ").join(field("d", name, types) for name in FIELDS),
        polls=_polls("s"),
        since=_epoch("s", "status_since"),
        flap_at=_epoch("s", "flap_updated_at"),
        monitored_since=_epoch("s", "monitored_since"),
        parent_polls=_polls("q"),
        not_polled=sql.Literal(Cause.NOT_POLLED.value),
        not_polled_since=_epoch("q", "status_since"),
        parent=parent if "parent_id" in types else no_parent,
        enabled=enabled("d", types),
        in_group=in_this_group,
        site=field("d", "site", types),
    )


def _polls(table: str) -> sql.Composed:
    return sql.SQL(", ").join(
        _epoch(table, name) if name.endswith(("_at", "_since")) else sql.Identifier(table, name)
        for name in _POLLS
    )


def _epoch(table: str, column: str) -> sql.Composed:
    return sql.SQL("extract(epoch FROM {})::float8").format(sql.Identifier(table, column))


def monitored_from(row: Sequence[Any], maintenance: Maintenance) -> Monitored | None:
    """Return the device of a row of `monitored_devices`; None where the inventory has no valid one."""
    fields = dict(zip(FIELDS, row, strict=False))
    settings = fields.pop("settings")
    device = device_from(fields, "")
    if not isinstance(device, Device):
        return None
    state = iter(row[len(FIELDS) :])
    polls, record = _polls_from([*islice(state, 6)]), _record_from([*islice(state, 7)])
    monitored_since, parent_id, *parent_polls, not_polled_since = state
    return Monitored(
        id=device.id,
        polls=polls,
        record=record,
        hostname=device.hostname,
        device_type=device.device_type,
        site=device.site,
        maintenance_until=maintenance.until(
            device.id, device.site, device.device_type, device.maintenance_until
        ),
        monitored_since=monitored_since,
        parent=None if parent_id is None else Parent(parent_id, _polls_from(parent_polls), not_polled_since),
        settings=settings or "",
    )


def _polls_from(values: Sequence[Any]) -> Polls:
    return Polls(*values) if values[3] is not None else Polls()


def _record_from(values: Sequence[Any]) -> StatusRecord:
    status, cause, since, announced, flap_score, flap_at, flapping = values
    if status is None:
        return StatusRecord()
    return StatusRecord(
        _status(status),
        _cause(cause),
        since,
        _status(announced or status),
        flap_score,
        flap_at or 0.0,
        flapping,
    )


def _status(text: str | None) -> Status:
    """Map an unknown word (another version's, or written by hand) to UNKNOWN."""
    return Status(text) if text is not None and text in Status else Status.UNKNOWN


def _cause(text: str) -> Cause:
    return Cause(text) if text in Cause else Cause.NONE
