"""List the effective settings, each with its origin: document, variable, parameter or default."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from netvitals import settings
from netvitals.cli.config.reference import document_keys, policy_keys, used_by, written
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


class Origins(NamedTuple):
    """The places that set a key: a document, and an environment, which takes precedence."""

    document: Any
    name: str
    """Name of the document."""
    environ: Mapping[str, str]
    stack: str = ""
    """Name of the stack whose environment this is, if any; variables are then shown as its parameters."""

    def variable(self, path: tuple[str, ...]) -> str:
        """Return the variable, or the parameter, that sets a key; empty where none does."""
        for name, stands_for in settings.OVERRIDES.items():
            if stands_for == path and self.environ.get(name):
                return f"parameter {_parameter_of(name)} {self.stack}" if self.stack else name
        return ""

    def of_key(self, path: str) -> str:
        """Return what sets a key outside of device types; networks may be set, and narrowed, by both."""
        variable = self.variable(tuple(path.split(".")))
        written_down = self.name if _has(self.document, path) else ""
        if variable and written_down and path == "allowed_networks":
            return f"what is in both: {written_down}, {variable}"
        return variable or written_down or DEFAULT

    def of_type_key(self, path: str, device_type: str) -> str:
        """Return where a device type's key is set, searched in the order in which `Configuration` merges."""
        for name, built_in in _lineage(device_type, self.document):
            if _has(self.document, f"device_types.{name}.{path}"):
                return f"device_types.{name}"
            if built_in and _has(BUILT_IN_TYPES[name], path):
                return f"built-in type {name}"
        return (
            self.variable(("defaults", path))
            or ("defaults" if _has(self.document, f"defaults.{path}") else "")
            or DEFAULT
        )


def parameter_rows(
    parameters: Mapping[str, str], defaults: Mapping[str, str], *, everything: bool
) -> list[Setting]:
    """Return the parameters of a stack that differ from the template's defaults, or all."""
    rows = [
        Setting(name, value, DEFAULT if defaults.get(name) == value else "deployment")
        for name, value in sorted(parameters.items())
    ]
    return [row for row in rows if everything or row.origin != DEFAULT]


def _parameter_of(variable: str) -> str:
    """Return the parameter of template.yaml that sets a variable: NETVITALS_LOG_LEVEL is LogLevel."""
    return "".join(word.title() for word in variable.removeprefix("NETVITALS_").split("_"))


def document_rows(configuration: Configuration, origins: Origins) -> list[Setting]:
    """Return all keys of the document except those of device types."""
    return [
        Setting(entry.name, written(_at(configuration, entry.name)), origins.of_key(entry.name))
        for entry in document_keys()
    ]


def type_rows(
    configuration: Configuration, device_type: str, origins: Origins, *, everything: bool
) -> list[Setting]:
    """Return the keys that a device type sets, and the most important ones of the rest."""
    policy = configuration.policy(device_type, {})
    rows = [
        Setting(entry.name, written(_at(policy, entry.name)), origins.of_type_key(entry.name, device_type))
        for entry in policy_keys()
    ]
    return [row for row in rows if everything or row.origin != DEFAULT or row.name in _ALWAYS_SHOWN]


def variable_rows(environ: Mapping[str, str], function: str | None) -> list[Setting]:
    """Return the variables that are set or that the function reads; of a secret, only that it is set."""
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


def _lineage(device_type: str, document: Any) -> Iterator[tuple[str, bool]]:
    """Return a type and those it extends; only a type that extends none has its built-in type's settings."""
    name: str | None = device_type
    while name is not None:
        parent = ((document or {}).get("device_types") or {}).get(name, {}).get("extends")
        yield name, parent is None and name in BUILT_IN_TYPES
        name = parent


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
