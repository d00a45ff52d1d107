"""Describe another system's inventory, and map its names to ours."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

Row = dict[str, Any]
"""A row of our inventory, keyed by `domain.inventory.row.FIELDS`."""

_LINUX = ("linux", "debian", "ubuntu", "centos", "rhel", "red-hat", "rocky", "alma", "suse")


class SourceRows(msgspec.Struct, kw_only=True):
    """Rows of all devices of another system."""

    rows: list[tuple[str, Row]] = []
    """Rows with their names in errors, such as `device 12 of NetBox`."""
    columns: frozenset[str]
    """Columns that the system has values for."""
    notes: list[str] = []
    """Texts for a person: devices that were left out, credentials that are needed."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """Mapping of the other system's names, as options give it."""

    types: Mapping[str, str] = {}
    """Device types by the other system's role, platform, operating system or template."""
    known_types: Collection[str] = ("linux", "network", "windows")
    credential: str | None = None
    """The credential of all devices; None: one for each that the other system distinguishes."""


class Types:
    """Chooses device types, and records the names that have none."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._unknown: Counter[str] = Counter()

    def of(self, role: str, *platforms: str) -> str:
        """Return the device type for a role and platform; `network` where neither is known."""
        for name in (role, *platforms):
            if name in self._wishes.types:
                return self._wishes.types[name]
        if role in self._wishes.known_types:
            return role
        for name in map(str.lower, platforms):
            if "windows" in name:
                return "windows"
            if any(linux in name for linux in _LINUX):
                return "linux"
        self._unknown[role] += bool(role)
        return "network"

    def notes(self) -> list[str]:
        told = [f"{name} ({count:,})" for name, count in self._unknown.most_common(10) if count]
        return [f"taken as network: {', '.join(told)}; --type NAME=TYPE says otherwise"] if told else []


class CredentialNames:
    """Names credentials of another system by version and user, never by a secret.

    Several communities of one version are numbered in their order of appearance; they are compared, and
    stored nowhere.
    """

    def __init__(self, system: str, wishes: Wishes) -> None:
        self._system = system
        self._wanted = wishes.credential
        self._names: dict[tuple[str, ...], str] = {}
        self._counts: Counter[str] = Counter()

    def of(self, version: str, user: str, *secrets: str) -> str:
        """Return the name of the credential with these secrets."""
        if self._wanted is not None:
            return self._wanted
        key = (version, user, *secrets)
        if key not in self._names:
            base = "-".join(filter(None, (self._system, version, user)))
            same = sum(1 for known in self._names if known[:2] == key[:2])
            self._names[key] = base if not same else f"{base}-{same + 1}"
        name = self._names[key]
        self._counts[name] += 1
        return name

    def notes(self) -> list[str]:
        """Return, for each credential, the entry that the credential map needs."""
        return [
            f"credential {name}: {count:,} devices; write it into the credential map; no secret is copied"
            for name, count in self._counts.items()
        ]


def left_out(count: int, why: str) -> list[str]:
    return [f"{count:,} left out: {why}"] if count else []
