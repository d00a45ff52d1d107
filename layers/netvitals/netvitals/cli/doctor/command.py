"""Implement `netvitals doctor`: check what a deployment depends on, with a remedy for each fault."""

import json
import os
from collections.abc import Iterator

import click

from netvitals import settings
from netvitals.cli.doctor.report import Check, Result, results
from netvitals.cli.doctor.stores import store_checks
from netvitals.cli.formats import format_option
from netvitals.domain.errors import ConfigurationError
from netvitals.wiring.parts import Parts

EXIT_WRONG = 1
_NAME_WIDTH = 18

_EPILOG = """\b
Examples:
  netvitals doctor                          what this environment names
  netvitals doctor --stack netvitals        a deployed stack
  netvitals doctor --stack netvitals --device core-sw
                      and one device, polled by the stack's collector

\b
Exit status:
  0  no check failed; there may be warnings
  1  a check failed; its line names the remedy
  2  nothing could be checked: no such stack, nothing configured"""


@click.command(epilog=_EPILOG, short_help="Check all that polling depends on.")
@click.option("--stack", metavar="NAME", help="Check a deployed stack.")
@click.option(
    "--device", "device_id", metavar="ID", help="With --stack: have its collector poll this device."
)
@format_option
@click.pass_context
def doctor(context: click.Context, stack: str | None, device_id: str | None, format_: str) -> None:
    """Check secrets, database, InfluxDB and a deployed stack, and name the remedy of each fault.

    Without --stack it checks what DATABASE_URL, INFLUXDB_URL, INFLUXDB_TOKEN, INFLUXDB_ORG and
    NETVITALS_CREDENTIALS_FILE name, or the secrets that the functions read. It changes nothing, except that
    it writes one point of the measurement netvitals_doctor, and that --device has the device polled and the
    results stored.
    """
    if device_id and not stack:
        raise click.UsageError("--device is polled by a stack's collector: name it with --stack")
    worst = False
    for result in results(_checks(stack, device_id)):
        worst = worst or result.level == "fail"
        for line in _lines(result, format_):
            click.echo(line)
    if worst:
        context.exit(EXIT_WRONG)


def _checks(stack: str | None, device_id: str | None) -> list[Check]:
    if stack is None:
        parts = Parts(os.environ)
        if not any(map(parts.is_configured, _STORES)):
            raise ConfigurationError(
                "nothing is configured: set DATABASE_URL and INFLUXDB_URL, INFLUXDB_TOKEN, INFLUXDB_ORG, "
                "or name a stack with --stack"
            )
        return store_checks(parts, lambda: False)
    from netvitals.cli.doctor.stack import stack_checks  # noqa: PLC0415, boto3 is slow to import

    return stack_checks(stack, device_id)


_STORES: tuple[type[settings.Variables], ...] = (
    settings.DatabaseVariables,
    settings.InfluxVariables,
    settings.CredentialVariables,
)


def _lines(result: Result, format_: str) -> Iterator[str]:
    if format_ == "jsonl":
        yield json.dumps(_document(result), ensure_ascii=False)
        return
    level = result.level.upper() if result.level == "fail" else result.level
    yield f"{level:<5} {result.check:<{_NAME_WIDTH}} {result.text}"
    if result.remedy and result.level != "ok":
        yield f"{'':<5} {'':<{_NAME_WIDTH}} -> {result.remedy}"


def _document(result: Result) -> dict[str, object]:
    """Return the line for programs; `ok` is false for the checks that make the exit status 1."""
    return {
        "check": result.check,
        "ok": result.level != "fail",
        "level": result.level,
        "detail": result.text,
        "remedy": result.remedy,
        "seconds": result.seconds,
    }
