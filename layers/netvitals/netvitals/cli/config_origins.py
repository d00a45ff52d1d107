"""List the effective settings, each with where it comes from."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from netvitals import settings
from netvitals.cli.config_reference import document_keys, policy_keys, used_by, written
from netvitals.domain.settings.configuration import BUILT_IN_TYPES, Configuration
from netvitals.domain.settings.validation import fields

_ALWAYS_SHOWN = {
    "protocols",
    "status_interval_seconds",
    "metrics_interval_seconds",
    "offline_timeout_seconds",
}
DEFAULT = "default"


class Setting(NamedTuple):
    name: str
    value: str
    origin: str


def document_rows(
    configuration: Configuration, document: Any, name: str, environ: Mapping[str, str]
) -> list[Setting]:
    """Yield all keys of the document but those of device types."""
    return [
        Setting(
            entry.name,
            written(_at(configuration, entry.name)),
            _variable(tuple(entry.name.split(".")), environ)
            or (name if _has(document, entry.name) else DEFAULT),
        )
        for entry in document_keys()
    ]


def type_rows(
    configuration: Configuration,
    device_type: str,
    document: Any,
    environ: Mapping[str, str],
    *,
    everything: bool,
) -> list[Setting]:
    """Yield what a device type sets, and what matters most of the rest."""
    policy = configuration.policy(device_type, {})
    rows = [
        Setting(
            entry.name,
            written(_at(policy, entry.name)),
            _type_origin(entry.name, device_type, document, environ),
        )
        for entry in policy_keys()
    ]
    return [row for row in rows if everything or row.origin != DEFAULT or row.name in _ALWAYS_SHOWN]


def variable_rows(environ: Mapping[str, str], function: str | None) -> list[Setting]:
    """Yield the variables that are set or that the function reads; of a secret only that it is set."""
    rows = []
    for group in settings.groups():
        for name, hint in fields(group).items():
            users = used_by(name)
            if environ.get(name) or (function and (not users or function in users)):
                shown = "set" if "Secret" in str(hint) else environ.get(name, "")
                rows.append(
                    Setting(
                        name,
                        shown if environ.get(name) else "not set",
                        f"read by {', '.join(users) or 'all'}",
                    )
                )
    return rows


def _type_origin(path: str, device_type: str, document: Any, environ: Mapping[str, str]) -> str:
    """Return where a type's key is set, looked for in the order in which `Configuration` merges."""
    for name, built_in in _lineage(device_type, document):
        if _has(document, f"device_types.{name}.{path}"):
            return f"device_types.{name}"
        if built_in and _has(BUILT_IN_TYPES[name], path):
            return f"built-in type {name}"
    if _has(document, f"defaults.{path}") or _variable(("defaults", path), environ):
        return _variable(("defaults", path), environ) or "defaults"
    return DEFAULT


def _lineage(device_type: str, document: Any) -> Iterator[tuple[str, bool]]:
    """Return the type and those it extends; only one that extends none has what its built-in type says."""
    name: str | None = device_type
    while name is not None:
        parent = ((document or {}).get("device_types") or {}).get(name, {}).get("extends")
        yield name, parent is None and name in BUILT_IN_TYPES
        name = parent


def _variable(path: tuple[str, ...], environ: Mapping[str, str]) -> str:
    return next(
        (name for name, stands_for in settings.OVERRIDES.items() if stands_for == path and environ.get(name)),
        "",
    )


def _has(tree: Any, path: str) -> bool:
    for key in path.split("."):
        if not isinstance(tree, Mapping) or key not in tree:
            return False
        tree = tree[key]
    return True


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = getattr(value, key)
    return value
