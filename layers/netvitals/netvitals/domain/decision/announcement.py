"""Write the events for programs and the digest for people that announce a change.

The detail of an event is versioned. Version 1 has `version`, `id` (the same however often the event is
delivered), `scope` (`device`, `site` or `fleet`), `device` (`id`, `hostname`, `type`; null unless the scope
is device), `site`, `before`, `after`, `cause`, `detail` (for a person), and the times `since` and
`decided_at`; `flapping`, true, in the one event that says that a device flaps; and `notice`, texts for people
(`title`, `text`, `slack`, `severity`, `key`) that need no escaping on their way. A device's `before` is
what was announced last, which is not the status before where
maintenance, flapping or an outage around it kept changes back.
"""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

import msgspec

from netvitals.domain.decision.event import FLEET_STATES, SITE_STATES, EventDevice, StatusEvent
from netvitals.domain.decision.notice import notice
from netvitals.domain.decision.status import Cause, Change, OutboxMessage, SiteState

VERSION: Literal[1] = 1
EXAMPLES = 25
"""Most devices that a digest names for each status; further ones are counted."""
_SUBJECT_CHARACTERS = 99
_NAMESPACE = uuid5(NAMESPACE_URL, "netvitals:status")


def device_event(change: Change, now: float) -> OutboxMessage:
    """Return the event of a device whose status is announced."""
    device, after = change.device, change.after
    name, where = device.hostname or device.id, f" at {device.site}" if device.site else ""
    return _event(
        message_id("device", device.id, after.status, now),
        scope="device",
        device=EventDevice(device.id, device.hostname, device.device_type),
        site=device.site,
        before=device.record.announced,
        after=after.status,
        cause=after.cause,
        detail=change.detail,
        since=_iso(after.since or now),
        decided_at=_iso(now),
        flapping=change.says_flapping,
        notice=notice("device", device.id, f"{name}{where}", after.status, change.detail),
    )


def site_event(site: SiteState, now: float) -> OutboxMessage:
    """Return the event of a site whose path was lost or is there again, or of the fleet."""
    scope, words, cause, detail = (
        (
            "site",
            SITE_STATES,
            Cause.PATH_LOST,
            f"nearly all devices of site {site.name} failed together",
        )
        if site.name
        else ("fleet", FLEET_STATES, Cause.COLLECTOR_SILENT, "no device is being polled")
    )
    before, after = words if site.lost else words[::-1]
    return _event(
        message_id(scope, site.name, after, now),
        scope=scope,
        device=None,
        site=site.name,
        before=before,
        after=after,
        cause=cause if site.lost else Cause.ANSWERED,
        detail=detail if site.lost else "over",
        since=_iso(site.since),
        decided_at=_iso(now),
        notice=notice(
            scope,
            site.name,
            f"site {site.name}" if site.name else "the fleet",
            after,
            detail if site.lost else "over",
        ),
    )


def _event(identity: str, **detail: Any) -> OutboxMessage:
    body = msgspec.json.encode(StatusEvent(version=VERSION, id=identity, **detail)).decode()
    return OutboxMessage(identity, "event", body)


class Digest:
    """Collects all that a run announces into one message for people."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._named: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, change: Change) -> None:
        device, status = change.device, change.after.status.value
        name = f"{device.id} ({device.hostname})" if device.hostname else device.id
        where = f" at {device.site}" if device.site else ""
        self._add(status, f"{name}{where}: {change.detail}, was {device.record.announced.value}")

    def add_site(self, site: SiteState) -> None:
        if not site.name:
            self._add("polling stopped" if site.lost else "polling resumed", "the whole fleet")
        else:
            self._add("site lost" if site.lost else "site back", site.name)

    def _add(self, group: str, text: str) -> None:
        self._counts[group] += 1
        if len(self._named[group]) < EXAMPLES:
            self._named[group].append(text)

    def message(self, now: float) -> OutboxMessage | None:
        """Return the message, or None where nothing was announced."""
        if not self._counts:
            return None
        subject = "netvitals: " + ", ".join(f"{count} {group}" for group, count in self._counts.items())
        body = {"subject": subject[:_SUBJECT_CHARACTERS], "message": "\n".join(self._lines(now))}
        return OutboxMessage(message_id("digest", "", "", now), "digest", msgspec.json.encode(body).decode())

    def _lines(self, now: float) -> list[str]:
        lines = [f"Changes of {_iso(now)}"]
        for group, texts in self._named.items():
            lines += ["", f"{group} ({self._counts[group]})", *(f"  {text}" for text in texts)]
            if self._counts[group] > len(texts):
                lines.append(f"  … and {self._counts[group] - len(texts)} more")
        return lines


def message_id(scope: str, subject: str, after: str, now: float) -> str:
    """Return the id of a message: the same for the same change, however often it is written."""
    return str(uuid5(_NAMESPACE, f"{scope}\n{subject}\n{after}\n{int(now * 1000)}"))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
