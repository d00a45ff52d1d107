"""Write the texts about a change for people, in a form that EventBridge can insert into JSON.

An input transformer of EventBridge puts values into a text of JSON as they are: a quotation mark in a name
would break it. So the texts here hold nothing that JSON or Slack escapes, and no markup that Slack or Teams
would obey. See docs/notifications.md.
"""

import re
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

import msgspec

from netvitals.domain.decision.status import Status
from netvitals.domain.text import printable

Severity = Literal["critical", "warning", "info"]
MAX_TITLE = 120
MAX_TEXT = 500
_MAX_KEY = 200
"""PagerDuty takes keys of up to 255 characters."""
_KEY = re.compile(r"[A-Za-z0-9._:/@-]+")
_NAMESPACE = uuid5(NAMESPACE_URL, "netvitals:notice")
_PLAIN = str.maketrans(
    '"\\<>', "'/\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
)
_SLACK = str.maketrans({"&": "&amp;"})
_SEVERITIES: dict[str, Severity] = {
    Status.OFFLINE: "critical",
    "lost": "critical",
    "silent": "critical",
    Status.UNREACHABLE: "warning",
    Status.UNKNOWN: "warning",
}
"""Severities in PagerDuty's words, by the new status of a device, site or fleet; of any other it is
`info`."""


class Notice(msgspec.Struct, frozen=True):
    """Texts on one line, fit for a JSON string without escaping."""

    title: str
    """Text that says what has changed, in at most 120 characters."""
    text: str
    """Text that says why, in at most 500 characters."""
    slack: str
    """Title and text together, `&` escaped as Slack wants it."""
    severity: Severity
    """Severity, which follows from the new status of the device, the site or the fleet."""
    key: str
    """Key for deduplication, the same for an outage and its end; at most 207 characters."""


def notice(scope: str, subject: str, name: str, after: str, detail: str) -> Notice:
    """Return what to say: `name` is what a person calls the device, the site or the fleet."""
    title = plain(f"{name} is {after}", MAX_TITLE)
    text = plain(detail, MAX_TEXT)
    return Notice(
        title=title,
        text=text,
        slack=f"{title}: {text}".translate(_SLACK),
        severity=_SEVERITIES.get(after, "info"),
        key=_key(scope, subject),
    )


def plain(text: str, limit: int) -> str:
    """Return a text on one line without what JSON escapes or Slack takes for markup."""
    return printable(text, limit).translate(_PLAIN)


def _key(scope: str, subject: str) -> str:
    if not subject:
        return scope
    if len(subject) > _MAX_KEY or not _KEY.fullmatch(subject):
        subject = str(uuid5(_NAMESPACE, subject))
    return f"{scope}/{subject}"
