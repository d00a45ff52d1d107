"""Check what the functions depend on: configuration, secrets, PostgreSQL, InfluxDB."""

import time
from collections.abc import Callable

from netvitals import settings
from netvitals.adapters.files.credentials import JsonFile
from netvitals.adapters.postgres import conformity
from netvitals.adapters.postgres.access import database_url
from netvitals.adapters.postgres.database import CANNOT_CONNECT
from netvitals.adapters.postgres.inventory import column_types
from netvitals.cli.config.connect import malformed
from netvitals.cli.doctor.report import Check, Finding
from netvitals.domain.errors import Unavailable
from netvitals.reading.influxql import InfluxQuery
from netvitals.store.outcome import Obstacle
from netvitals.wiring.parts import Parts
from netvitals.wiring.points import access, sink

MEASUREMENT = "netvitals_doctor"
"""Measurement of the test points that are written and read back."""
_READ_BACK_SECONDS = 8.0
_PAUSE_SECONDS = 0.25
_RIGHTS = "docs/inventory.md#rights"
_SECRETS = "docs/deploying.md#before-the-first-time"
_FROM_INSIDE = "run it where the VPC is reached, or ask from inside: --device ID"
_NO_WAY = {Obstacle.UNREACHABLE, Obstacle.TIMEOUT}


class _Unreachable(Unavailable):
    """Raised where nothing answers at an address, which may be private to a VPC."""


def store_checks(parts: Parts, functions_in_vpc: Callable[[], bool]) -> list[Check]:
    """Return the checks; where functions run in a VPC, an address not reached from here is skipped."""

    def reachable(run: Callable[[Parts], Finding]) -> Callable[[], Finding]:
        def checked() -> Finding:
            try:
                return run(parts)
            except _Unreachable as error:
                if not functions_in_vpc():
                    raise
                return Finding("skip", f"not checked from this machine: {error}", _FROM_INSIDE)

        return checked

    return [
        Check("configuration", lambda: _configuration(parts), remedy="netvitals config check"),
        Check("database secret", lambda: _database_secret(parts), remedy=_SECRETS),
        Check("InfluxDB secret", lambda: _influxdb_secret(parts), ("configuration",)),
        Check("credentials", lambda: _credentials(parts), remedy=_SECRETS),
        Check("database", reachable(_database), ("database secret",)),
        Check("schema", lambda: _schema(parts), ("database",), "netvitals inventory init"),
        Check("rights", lambda: _rights(parts), ("schema",), _RIGHTS),
        Check("InfluxDB", reachable(_influxdb), ("InfluxDB secret",), "docs/outages.md"),
    ]


def _configuration(parts: Parts) -> Finding:
    document = parts.variables(settings.DocumentVariables)
    where = document.file or (f"SSM parameter {document.parameter}" if document.parameter else "the defaults")
    return Finding("ok", f"{where}; {len(parts.configuration.known_types)} device types")


def _not_configured(parts: Parts, group: type[settings.Variables], remedy: str) -> Finding | None:
    """Return a finding where no variable of a group is set: what nobody configured is no fault."""
    if parts.is_configured(group):
        return None
    return Finding("skip", "not configured", f"to check it, set {remedy}")


def _database_secret(parts: Parts) -> Finding:
    if skipped := _not_configured(parts, settings.DatabaseVariables, "DATABASE_URL"):
        return skipped
    own = parts.variables(settings.DatabaseVariables)
    if own.url:
        database_url({"url": own.url.reveal()}, "DATABASE_URL")
        return Finding("ok", "DATABASE_URL is well-formed")
    secret = parts.secret(str(own.secret_arn))
    database_url(secret.read(), secret.where)
    return Finding("ok", f"{secret.where} is readable and well-formed")


def _influxdb_secret(parts: Parts) -> Finding:
    variables = "INFLUXDB_URL, INFLUXDB_TOKEN, INFLUXDB_ORG"
    if skipped := _not_configured(parts, settings.InfluxVariables, variables):
        return skipped
    target = access(parts)
    return Finding("ok", f"readable and well-formed: bucket {target.bucket} of {target.org} at {target.url}")


def _credentials(parts: Parts) -> Finding:
    if skipped := _not_configured(parts, settings.CredentialVariables, "NETVITALS_CREDENTIALS_FILE"):
        return skipped
    own = parts.variables(settings.CredentialVariables)
    entries = (JsonFile(own.file) if own.file else parts.secret(str(own.secret_arn))).read()
    if faults := list(malformed(entries)):
        return Finding("fail", "; ".join(faults), _SECRETS)
    if not entries:
        return Finding("fail", "readable, and holds no credential", _SECRETS)
    return Finding("ok", f"readable, {len(entries)} well-formed")


def _database(parts: Parts) -> Finding:
    began = time.monotonic()
    try:
        found = parts.database.run(conformity.server, read_only=True, timeout_seconds=10)
    except Unavailable as error:
        raise (_Unreachable if CANNOT_CONNECT in str(error) else Unavailable)(str(error)) from None
    taken = (time.monotonic() - began) * 1e3
    return Finding("ok", f"reached in {taken:.0f} ms as {found.user}; PostgreSQL {found.version}")


def _schema(parts: Parts) -> Finding:
    columns = parts.database.run(column_types, read_only=True, timeout_seconds=10)
    missing = parts.database.run(conformity.missing_migrations, read_only=True, timeout_seconds=10)
    if missing:
        return Finding("fail", f"migrations are missing: {', '.join(missing)}", "netvitals inventory init")
    newest = max(conformity.MARKS)
    return Finding("ok", f"as new as {newest}; table devices has {len(columns)} columns")


def _rights(parts: Parts) -> Finding:
    user = parts.database.run(conformity.server, read_only=True, timeout_seconds=10).user
    missing = parts.database.run(conformity.missing_rights, read_only=True, timeout_seconds=10)
    if not missing:
        return Finding("ok", f"{user} may do what the functions do, on {len(conformity.RIGHTS)} tables")
    lacking = "; ".join(f"{', '.join(rights)} on {table}" for table, rights in missing.items())
    quoted = user.replace('"', '""')
    grants = " ".join(
        f'GRANT {", ".join(rights)} ON {table} TO "{quoted}";' for table, rights in missing.items()
    )
    return Finding("fail", f"{user} may not: {lacking}", f"{grants} ({_RIGHTS})")


def _influxdb(parts: Parts) -> Finding:
    """Write one point and read it back; the functions need no right to read."""
    value = time.time_ns()
    began = time.monotonic()
    outcome = parts.use(sink).write([f"{MEASUREMENT} value={value}i {value}"], began + _READ_BACK_SECONDS)
    if outcome.obstacle is not None:
        raise (_Unreachable if outcome.obstacle in _NO_WAY else Unavailable)(outcome.detail)
    if outcome.refused:
        return Finding("fail", f"InfluxDB refuses a point: {outcome.refused[0].reason}", "docs/outages.md")
    written = f"a point of {MEASUREMENT} was written in {(time.monotonic() - began) * 1e3:.0f} ms"
    try:
        taken = _read_back(parts, value)
    except Unavailable as error:
        return Finding(
            "warn", f"{written}, not read back: {error}", "let the token read, unless only functions use it"
        )
    if taken is None:
        return Finding(
            "fail", f"{written}, and is not there {_READ_BACK_SECONDS:g} s later", "docs/outages.md"
        )
    return Finding("ok", f"{written} and read back {taken * 1e3:.0f} ms later")


def _read_back(parts: Parts, value: int) -> float | None:
    """Return after how many seconds the point could be read; None if it could not."""
    query = InfluxQuery(lambda: access(parts), seconds=_READ_BACK_SECONDS)
    began = time.monotonic()
    while (taken := time.monotonic() - began) < _READ_BACK_SECONDS:
        found = query.series(f'SELECT "value" FROM "{MEASUREMENT}" WHERE time = {value}')  # noqa: S608, a number
        if any(row[1] == value for series in found for row in series.values):
            return taken
        time.sleep(_PAUSE_SECONDS)
    return None
