"""Connect once to each service that is configured, as the functions do."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from netvitals import settings
from netvitals.adapters.files.credentials import JsonFile
from netvitals.adapters.postgres.inventory import device_counts
from netvitals.cli.figures import counted
from netvitals.domain.errors import CredentialMissing, NetvitalsError
from netvitals.domain.settings.credential import credential_from
from netvitals.wiring.parts import Parts
from netvitals.wiring.points import access, sink

if TYPE_CHECKING:
    from netvitals.adapters.files.credential_map import JsonObject
    from netvitals.store.ports import CheckedPointSink

_SECONDS = 15.0


class ConnectionCheck(NamedTuple):
    what: str
    found: str
    where: str
    usable: bool


class _Unusable(NetvitalsError):
    """Raised where a service that was reached can't be used."""


def connections(environ: Mapping[str, str]) -> Iterator[ConnectionCheck]:
    """Yield the result of using each service for which a variable is set."""
    parts = Parts(environ)
    for what, group, use in _USES:
        given = next((name for name in group.__struct_encode_fields__ if environ.get(name)), None)
        if given is None:
            yield ConnectionCheck(what, "not configured", "", usable=True)
            continue
        try:
            yield ConnectionCheck(what, use(parts), given, usable=True)
        except NetvitalsError as error:
            yield ConnectionCheck(what, str(error), given, usable=False)


def _database(parts: Parts) -> str:
    devices, enabled = parts.database.run(device_counts, read_only=True)
    return f"reached: {counted(devices, 'device')}, {enabled:,} enabled"


def _influxdb(parts: Parts) -> str:
    points: CheckedPointSink = parts.use(sink)
    outcome = points.check(time.monotonic() + _SECONDS)
    if outcome.obstacle is not None:
        raise _Unusable(outcome.detail)
    target = access(parts)
    return f"reached; bucket {target.bucket} of {target.org} at {target.url} takes points"


def _credentials(parts: Parts) -> str:
    own = parts.variables(settings.CredentialVariables)
    source: JsonObject = JsonFile(own.file) if own.file else parts.secret(str(own.secret_arn))
    entries = source.read()
    faults = list(malformed(entries))
    if faults:
        raise _Unusable("; ".join(faults))
    return f"{counted(len(entries), 'credential')}: {', '.join(sorted(entries))}"


def malformed(entries: Mapping[str, object]) -> Iterator[str]:
    """Yield the fault of each entry of a credential map that can't be used."""
    for name, value in entries.items():
        try:
            credential_from(name, value)
        except CredentialMissing as error:
            yield str(error)


_USES: tuple[tuple[str, type[settings.Variables], Callable[[Parts], str]], ...] = (
    ("database", settings.DatabaseVariables, _database),
    ("InfluxDB", settings.InfluxVariables, _influxdb),
    ("credentials", settings.CredentialVariables, _credentials),
)
