"""Define the configuration document: its sections, and the policy of a device that follows from it."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from ipaddress import ip_network
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from netvitals.domain.errors import ConfigurationError
from netvitals.domain.settings.interfaces import TRANSIENT_HOST_INTERFACES
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.section import Seconds, Section
from netvitals.domain.settings.status import StatusSettings
from netvitals.domain.settings.validation import faults, unknown, worded

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Tree = Mapping[str, Any]

BUILT_IN_TYPES: dict[str, Tree] = {
    "network": {"protocols": ("snmp",)},
    "linux": {
        "protocols": ("ssh", "snmp"),
        "snmp": {"interfaces": {"exclude_names": TRANSIENT_HOST_INTERFACES}},
    },
    "windows": {"protocols": ("winrm", "snmp"), "ping": {"tcp_ports": (5986, 5985, 445, 3389, 135)}},
}
PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
MISSED_POLLS = 3
"""Status intervals that the offline and missing timeouts last where none are set and the default is
shorter."""
TYPE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class InfluxSettings(Section, frozen=True):
    """Limits and retries of writing to InfluxDB; its URL and token are a secret."""

    bucket: str | None = None
    """Bucket to write. Unless set: the secret's bucket, or `network_metrics` where that names none."""
    timeout_seconds: Seconds = 10.0
    """Time limit of one write request."""
    retries: Annotated[int, Meta(ge=0, le=10)] = 3
    """Number of times that a write is repeated while InfluxDB struggles; after that, points go to the spool
    queue."""
    backoff_initial_seconds: Seconds = 0.1
    """The pause before the first retry; it doubles with each, and is jittered."""
    backoff_maximum_seconds: Seconds = 5.0
    """The longest pause between retries."""

    def __post_init__(self) -> None:
        if self.backoff_initial_seconds > self.backoff_maximum_seconds:
            raise ValueError(
                f"backoff_initial_seconds ({self.backoff_initial_seconds:g}) exceeds "
                f"backoff_maximum_seconds ({self.backoff_maximum_seconds:g})"
            )


class CollectorSettings(Section, frozen=True):
    """Limits of one invocation of the collector."""

    max_concurrent_per_site: Annotated[int, Meta(ge=1, le=2000)] = 50
    """Devices of one site polled at the same time, so that a slow link to it is not flooded."""
    store: Literal["changes", "everything"] = "changes"
    """Points to write: `changes` writes unchanged ones every 50 minutes only, `everything` with each poll."""


MAX_EXTENDED = 32
"""Most device types that extend one another in a row."""


class Configuration(Section, frozen=True, dict=True):
    """A configuration document, complete with the package's defaults; `Configuration()` is the defaults."""

    log_level: LogLevel = "INFO"
    """Lowest level that is logged."""
    allowed_networks: tuple[str, ...] = PRIVATE_NETWORKS
    """CIDRs in which devices may be polled; nothing outside is."""
    defaults: dict[str, Any] = msgspec.field(default_factory=dict)
    """Settings that every device type starts from: keys of `Policy`."""
    device_types: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    """Changes to built-in types, and further types: keys of `Policy`, and `extends`."""
    influxdb: InfluxSettings = InfluxSettings()
    collector: CollectorSettings = CollectorSettings()
    status: StatusSettings = StatusSettings()

    def policy(self, device_type: str, overrides: Tree) -> Policy:
        """Return the policy of a device: its type's settings with the device's own on top.

        Raises:
            ConfigurationError: the type is not known, or an override can't be used; names the key
                (as `settings.snmp.port`), what was given and what is allowed.
        """
        policy = self._policies.get(device_type)
        if policy is None:
            raise ConfigurationError(unknown("device type", device_type, self._types))
        if not overrides:
            return policy
        try:
            return _policy(merged(self._types[device_type], overrides))
        except (msgspec.ValidationError, UnicodeError, AttributeError, RecursionError) as error:
            found = "; ".join(faults(Policy, overrides, "settings"))
            raise ConfigurationError(found or worded(error, "settings")) from None

    @property
    def known_types(self) -> tuple[str, ...]:
        return tuple(sorted(self._types))

    @cached_property
    def _given_types(self) -> dict[str, Tree]:
        """Return the types as they are written, without those that they extend."""
        return {**BUILT_IN_TYPES, **self.device_types}

    @cached_property
    def _types(self) -> dict[str, Tree]:
        return {name: self._resolved(name, ()) for name in self._given_types}

    @cached_property
    def _policies(self) -> dict[str, Policy]:
        return {name: _policy(tree) for name, tree in self._types.items()}

    def combination_faults(self) -> Iterator[str]:
        """Yield faults that only show once a type is merged with the types and defaults it extends."""
        for name in self._given_types:
            try:
                _policy(self._resolved(name, ()))
            except ConfigurationError as error:
                yield str(error)
            except msgspec.ValidationError as error:
                yield worded(error, f"device_types.{name}")

    def _resolved(self, name: str, below: tuple[str, ...]) -> Tree:
        """Return a type's settings over those of the type it extends, down to the document's `defaults`."""
        if name in below:
            circle = below[below.index(name) :]
            first = circle.index(min(circle))  # so that it is one fault, whichever of its types is looked at
            way = (*circle[first:], *circle[: first + 1])
            raise ConfigurationError(f"device_types.{way[0]}.extends: a circle: {' → '.join(way)}")
        if len(below) > MAX_EXTENDED:
            raise ConfigurationError(
                f"device_types: they extend one another more than {MAX_EXTENDED} times in a row"
            )
        if name not in self._given_types:
            raise ConfigurationError(
                f"device_types.{below[-1]}.extends: {unknown('device type', name, self._given_types)}"
            )
        own = dict(self.device_types.get(name, {}))
        parent = own.pop("extends", None)
        if parent is None:
            return merged(merged(self.defaults, BUILT_IN_TYPES.get(name, {})), own)
        return merged(self._resolved(parent, (*below, name)), own)


def merged(base: Tree, over: Tree) -> dict[str, Any]:
    """Return both trees merged, `over` winning; sections are merged, lists and values replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = (
            merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        )
    return result


RETIRED = (
    ("fanout", "jobs_per_message"),
    ("collector", "max_concurrent_devices"),
    ("collector", "flush_reserve_seconds"),
)
"""Keys of version 0.1 for values that netvitals works out itself now: accepted, without effect."""


def retired_keys(document: Any) -> list[str]:
    """Return the keys of a document that have no effect any more."""
    sections = document if isinstance(document, Mapping) else {}
    return [
        f"{section}.{key}"
        for section, key in RETIRED
        if isinstance(sections.get(section), Mapping) and key in sections[section]
    ]


def _without_retired(document: Any) -> Any:
    retired = {name.partition(".")[0] for name in retired_keys(document)}
    if not retired:
        return document
    kept = {
        section: {key: value for key, value in keys.items() if (section, key) not in RETIRED}
        if section in retired
        else keys
        for section, keys in document.items()
    }
    return {section: keys for section, keys in kept.items() if section != "fanout" or keys}


def configuration_from(document: Any, name: str) -> Configuration:
    """Return the configuration that a decoded document describes; errors call the document `name`.

    Raises:
        ConfigurationError: one line for each fault: the document, the key, what is allowed, what was given.
    """
    document = _without_retired({} if document is None else document)
    found = key_faults(document)
    if not found:
        try:
            configuration: Configuration = msgspec.convert(document, Configuration)
            found = list(dict.fromkeys(configuration.combination_faults()))
        except msgspec.ValidationError as error:
            found = [worded(error)]
    if found:
        raise ConfigurationError("\n".join(f"in {name}, {fault}" for fault in found))
    return configuration


def key_faults(document: Any) -> list[str]:
    """Return a line for each key and value of a document that is wrong by itself."""
    return list(_key_faults(document))


def _key_faults(document: Any) -> Iterator[str]:
    if not isinstance(document, Mapping):
        yield from faults(Configuration, document)
        return
    trees = {
        key: document[key] for key in ("defaults", "device_types") if isinstance(document.get(key), Mapping)
    }
    yield from faults(Configuration, {key: value for key, value in document.items() if key not in trees})
    yield from faults(Policy, trees.get("defaults", {}), "defaults")
    for name, section in trees.get("device_types", {}).items():
        yield from _type_faults(name, section)
    yield from network_faults(document.get("allowed_networks", ()))


def _type_faults(name: Any, section: Any) -> Iterator[str]:
    path = f"device_types.{name}"
    if not isinstance(name, str) or TYPE_NAME.fullmatch(name) is None:
        yield f"{path}: a type's name is made of a-z, 0-9, '-' and '_'"
    if isinstance(section, Mapping):
        if not isinstance(section.get("extends", ""), str):
            yield f"{path}.extends: expected the name of a device type"
        section = {key: value for key, value in section.items() if key != "extends"}
    yield from faults(Policy, section, path)


def network_faults(networks: Any, path: str = "allowed_networks") -> Iterator[str]:
    """Yield a line for each text in a list that is no network."""
    for index, network in enumerate(networks if isinstance(networks, list | tuple) else ()):
        try:
            ip_network(network)
        except ValueError as error:
            yield f"{path}[{index}]: expected a network such as '10.0.0.0/8': {error}"


def _policy(tree: Tree) -> Policy:
    """Return the policy, with timeouts that follow from a long status interval where none are set."""
    interval = tree.get("status_interval_seconds")
    if isinstance(interval, int) and interval > Policy().status_interval_seconds:
        tree = {**_time_outs(interval), **tree}
    policy: Policy = msgspec.convert(tree, Policy)
    return policy


def _time_outs(interval: int) -> Tree:
    standard = Policy()
    patience = MISSED_POLLS * interval
    return {
        "offline_timeout_seconds": min(max(standard.offline_timeout_seconds, patience), 86400),
        "missing_timeout_seconds": min(max(standard.missing_timeout_seconds, patience), 86400),
    }
