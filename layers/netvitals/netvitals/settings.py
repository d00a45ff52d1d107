"""Read the typed settings of each function from its environment and the configuration document.

The environment beats the document, the document beats the package's defaults. An empty variable is one
that is not set: CloudFormation has no other way to leave one out.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from itertools import product
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta

from netvitals.domain.errors import ConfigurationError
from netvitals.domain.inventory.check import GROUP_PATTERN
from netvitals.domain.settings.configuration import (
    Configuration,
    configuration_from,
    key_faults,
    merged,
    network_faults,
)
from netvitals.domain.settings.policy import Policy
from netvitals.domain.settings.secret import Secret, decode_secret
from netvitals.domain.settings.validation import allowed, bare_seconds, fields, shown, worded

Environ = Mapping[str, str]
Arn = Annotated[
    str,
    Meta(pattern=r"^arn:aws[a-z-]*:[a-z]+:", extra_json_schema={"takes": "an ARN, such as arn:aws:…"}),
]
QueueUrl = Annotated[
    str, Meta(pattern=r"^https?://[^\s]+$", extra_json_schema={"takes": "the URL of an SQS queue"})
]


class Variables(msgspec.Struct, frozen=True, kw_only=True):
    """A group of environment variables, each under its own name."""


def _variable(name: str) -> Any:
    return msgspec.field(name=name, default=None)


class DocumentVariables(Variables, frozen=True):
    """Variables that say where the configuration document is; none is needed."""

    file: str | None = _variable("NETVITALS_CONFIG_FILE")
    """Path of a YAML or JSON file."""
    parameter: str | None = _variable("NETVITALS_CONFIG_PARAMETER")
    """Name of an SSM parameter that holds YAML or JSON."""

    def __post_init__(self) -> None:
        if self.file and self.parameter:
            raise ValueError("set NETVITALS_CONFIG_FILE or NETVITALS_CONFIG_PARAMETER, not both")


class DatabaseVariables(Variables, frozen=True):
    """Variables that say where the inventory's database is."""

    url: Secret | None = _variable("DATABASE_URL")
    """URL as `postgresql://user:password@host:5432/database`; for local runs."""
    secret_arn: Arn | None = _variable("NETVITALS_DATABASE_SECRET_ARN")
    """ARN of a secret with `{"url"}`, or as RDS writes it."""

    def __post_init__(self) -> None:
        if not self.url and not self.secret_arn:
            raise ValueError("set NETVITALS_DATABASE_SECRET_ARN, or DATABASE_URL for a local run")


class InfluxVariables(Variables, frozen=True):
    """Variables that say where points are written; the first three beat the secret's keys."""

    url: str | None = _variable("INFLUXDB_URL")
    """URL as `https://…`; beats the secret's `url`."""
    token: Secret | None = _variable("INFLUXDB_TOKEN")
    """Token that may write the bucket; beats the secret's `token`; for local runs."""
    org: str | None = _variable("INFLUXDB_ORG")
    """The organisation; beats the secret's `org`."""
    secret_arn: Arn | None = _variable("NETVITALS_INFLUXDB_SECRET_ARN")
    """ARN of a secret with `{"url", "token", "org", "bucket"}`."""

    def __post_init__(self) -> None:
        missing = [name for name in ("url", "token", "org") if not getattr(self, name)]
        if missing and not self.secret_arn:
            names = ", ".join(f"INFLUXDB_{name.upper()}" for name in missing)
            raise ValueError(f"set NETVITALS_INFLUXDB_SECRET_ARN, or {names} for a local run")


class CredentialVariables(Variables, frozen=True):
    """Variables that say where the devices' credentials are."""

    file: str | None = _variable("NETVITALS_CREDENTIALS_FILE")
    """Path of a JSON file, readable by its owner alone; for local runs."""
    secret_arn: Arn | None = _variable("NETVITALS_CREDENTIALS_SECRET_ARN")
    """ARN of a secret with the map of credentials."""

    def __post_init__(self) -> None:
        if not self.file and not self.secret_arn:
            raise ValueError(
                "set NETVITALS_CREDENTIALS_SECRET_ARN, or NETVITALS_CREDENTIALS_FILE for a local run"
            )


class WorkQueueVariables(Variables, frozen=True):
    """Variables that say where fan-out sends jobs."""

    status: QueueUrl = msgspec.field(name="NETVITALS_STATUS_QUEUE_URL")
    """URL of the queue for jobs that ask whether devices are up."""
    metrics: QueueUrl = msgspec.field(name="NETVITALS_METRICS_QUEUE_URL")
    """URL of the queue for jobs that ask devices for everything."""


class LambdaVariables(Variables, frozen=True):
    """Variables that Lambda sets."""

    memory_mb: int | None = _variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    """Memory of the function in MB, which decides its share of a processor; set by Lambda itself."""


class JobQueueVariables(Variables, frozen=True):
    """Variables that name the queue of a collector's jobs."""

    url: QueueUrl | None = _variable("NETVITALS_JOB_QUEUE_URL")
    """URL of the queue that delivers unfinished jobs again within seconds; without it, when their visibility
    timeout ends."""


class SnapshotVariables(Variables, frozen=True):
    """Variables that say where fan-out keeps a copy of the inventory."""

    bucket: str | None = _variable("NETVITALS_SNAPSHOT_BUCKET")
    """Name of the bucket for the copy with which polling goes on while the database is away; without it,
    polling stops."""


class GroupVariables(Variables, frozen=True):
    """Variables that say which devices of the inventory are this deployment's."""

    collector: (
        Annotated[
            str,
            Meta(
                pattern=GROUP_PATTERN,
                extra_json_schema={"takes": "a name of letters, digits, dots, dashes and underscores"},
            ),
        ]
        | None
    ) = _variable("NETVITALS_COLLECTOR_GROUP")
    """Name of the collector group whose devices are polled and decided on; without it, those that are of
    none."""


class PauseVariables(Variables, frozen=True):
    """Variables that say where fan-out sees that polling is paused."""

    parameter: str | None = _variable("NETVITALS_PAUSE_PARAMETER")
    """Name of an SSM parameter that pauses polling while it exists: `netvitals pause` makes it."""


class SpoolVariables(Variables, frozen=True):
    """Variables that say where points go that InfluxDB does not take."""

    spool: QueueUrl | None = _variable("NETVITALS_SPOOL_QUEUE_URL")
    """URL of the queue for points that could not be written; without it the jobs' messages go back to their
    queue."""
    reject: QueueUrl | None = _variable("NETVITALS_REJECT_QUEUE_URL")
    """URL of the queue for lines that were refused for their content; without it they are logged and
    counted."""


class DialVariables(Variables, frozen=True):
    """Variables that say what the address guard lets pass beside the allowed networks."""

    allow_local: bool = msgspec.field(name="NETVITALS_ALLOW_LOCAL", default=False)
    """True allows loopback addresses to be polled: only for a run on one machine."""


class NoticeVariables(Variables, frozen=True):
    """Variables that say where changes of status are published."""

    event_bus: str | None = _variable("NETVITALS_EVENT_BUS_NAME")
    """Name of the EventBridge bus that takes one event for each transition."""
    digest_topic: Arn | None = _variable("NETVITALS_DIGEST_TOPIC_ARN")
    """ARN of the SNS topic that takes one message for each run in which something changed."""


class TracingVariables(Variables, frozen=True):
    """Variables that switch tracing on."""

    enabled: bool = msgspec.field(name="NETVITALS_TRACING", default=False)
    """True sends a subsegment for each use case to X-Ray, where Lambda's active tracing is on as well."""


FUNCTIONS: dict[str, tuple[type[Variables], ...]] = {
    "fanout": (
        DocumentVariables,
        DatabaseVariables,
        GroupVariables,
        WorkQueueVariables,
        SnapshotVariables,
        PauseVariables,
        DialVariables,
    ),
    "collector": (
        DocumentVariables,
        DatabaseVariables,
        InfluxVariables,
        CredentialVariables,
        JobQueueVariables,
        LambdaVariables,
        SpoolVariables,
        DialVariables,
    ),
    "status": (DocumentVariables, DatabaseVariables, GroupVariables, InfluxVariables, NoticeVariables),
    "replay": (DocumentVariables, DatabaseVariables, InfluxVariables, SpoolVariables),
}
"""The groups of variables that each function reads; every one reads `TracingVariables` and `OVERRIDES`."""

OVERRIDES: dict[str, tuple[str, ...]] = {
    "NETVITALS_LOG_LEVEL": ("log_level",),
    "NETVITALS_STATUS_INTERVAL_SECONDS": ("defaults", "status_interval_seconds"),
    "NETVITALS_METRICS_INTERVAL_SECONDS": ("defaults", "metrics_interval_seconds"),
    "NETVITALS_ALLOWED_NETWORKS": ("allowed_networks",),
    "INFLUXDB_BUCKET": ("influxdb", "bucket"),
}
"""Variables that stand for a key of the configuration document: networks narrow it, others replace it."""
_NETWORKS = ("allowed_networks",)


def groups() -> list[type[Variables]]:
    """Return all groups of variables, each once."""
    used = (group for function in FUNCTIONS.values() for group in function)
    return [*dict.fromkeys(used), TracingVariables]


_SPOKEN = {"on": "true", "yes": "true", "off": "false", "no": "false"}


def variables[V: Variables](wanted: type[V], environ: Environ) -> V:
    """Decode a group of variables.

    Raises:
        ConfigurationError: one line for each variable at fault, with what it takes; never a secret.
    """
    given = {name: _spoken(hint, environ[name]) for name, hint in fields(wanted).items() if environ.get(name)}
    found = list(_faults(fields(wanted), given))
    if not found:
        try:
            return msgspec.convert(given, wanted, strict=False, dec_hook=decode_secret)
        except msgspec.ValidationError as error:
            found = [worded(error)]
    raise _error(found)


def configuration(document: Any, name: str, environ: Environ) -> Configuration:
    """Return the configuration that a decoded document and the environment describe together.

    Raises:
        ConfigurationError: one line for each fault, naming the variable, or the document and the key.
    """
    given = {variable: environ[variable] for variable in OVERRIDES if environ.get(variable)}
    found = list(_override_faults(given))
    if found:
        raise _error(found)
    document = {} if document is None else document
    if isinstance(document, Mapping) and not key_faults(document):
        for variable, text in given.items():
            value, path = _override(variable, text), OVERRIDES[variable]
            if path == _NETWORKS and path[0] in document:
                value = _narrowed(document[path[0]], value, name)
            document = merged(document, _nested(path, value))
    return configuration_from(document, name)


def overridden(document: Any, environ: Environ) -> Iterator[str]:
    """Yield a line for each key of the document that a variable overrides with another value."""
    for variable, path in OVERRIDES.items():
        found: Any = document
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        if found is None or not environ.get(variable):
            continue
        value = _override(variable, environ[variable])
        if path == _NETWORKS and set(value) != set(found):
            yield f"allowed_networks {shown(found)} and {variable} {shown(list(value))}: only what is in both"
        elif path != _NETWORKS and value != found:
            used = f"{'.'.join(path)}: {shown(value)} of {variable} is used"
            yield f"{used}, and not the document's {shown(found)}"


def _narrowed(ours: Sequence[str], theirs: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the networks that are in both lists: a guard can only be narrowed.

    Raises:
        ConfigurationError: none is.
    """
    both = [
        min(pair, key=lambda network: -network.prefixlen)
        for pair in product(map(ip_network, ours), map(ip_network, theirs))
        if pair[0].version == pair[1].version and pair[0].overlaps(pair[1])
    ]
    if not both:
        raise ConfigurationError(
            f"in {name}, allowed_networks: none of them is in NETVITALS_ALLOWED_NETWORKS (the parameter "
            "AllowedNetworks): nothing may be polled; correct one, or leave the parameter empty"
        )
    return tuple(dict.fromkeys(map(str, both)))


def type_at(path: Sequence[str]) -> Any:
    """Return the type of the value that a path into the configuration document leads to."""
    wanted: Any = Configuration
    for key in path:
        wanted = Policy if key == "defaults" else fields(wanted)[key]
    return wanted


def _override_faults(given: Mapping[str, str]) -> Iterator[str]:
    for variable, text in given.items():
        try:
            value = _override(variable, text)
        except (msgspec.ValidationError, UnicodeError):
            unit = "seconds" if variable.endswith("_SECONDS") else ""
            remedy = bare_seconds(text) if unit else ""
            expected = _allowed(type_at(OVERRIDES[variable]), unit)
            yield f"{variable}: expected {expected}, got {shown(text)}{remedy}"
        else:
            if isinstance(value, tuple):
                yield from network_faults(value, variable)


def _override(variable: str, text: str) -> Any:
    wanted = type_at(OVERRIDES[variable])
    value = [part.strip() for part in text.split(",")] if wanted == tuple[str, ...] else text
    return msgspec.convert(value, wanted, strict=False)


def _nested(path: Sequence[str], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _faults(known: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[str]:
    for name, hint in known.items():
        if name not in given:
            if not _optional(hint):
                yield f"{name}: not set; expected {_allowed(hint)}"
            continue
        try:
            msgspec.convert(given[name], hint, strict=False, dec_hook=decode_secret)
        except (msgspec.ValidationError, UnicodeError):
            got = "a text not shown" if "SECRET" in name else shown(given[name])
            yield f"{name}: expected {_allowed(hint)}, got {got}"


def _allowed(hint: Any, unit: str = "") -> str:
    """Describe what a variable takes; one that may be left out is left out, and not set to null."""
    return allowed(hint, unit).removesuffix(" or null")


def _optional(hint: Any) -> bool:
    return hint is bool or type(None) in get_args(hint)


def _spoken(hint: Any, text: str) -> str:
    return _SPOKEN.get(text.lower(), text) if hint is bool else text


def _error(found: Sequence[str]) -> ConfigurationError:
    return ConfigurationError("\n".join(f"in the environment, {fault}" for fault in found))
