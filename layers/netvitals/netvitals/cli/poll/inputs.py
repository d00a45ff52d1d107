"""Make jobs, credentials and a guard of the options, files and environment of `netvitals poll`."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from time import time
from typing import Any, Literal

import click
import msgspec

from netvitals.adapters.files.credential_map import CredentialMap, JsonObject
from netvitals.adapters.files.credentials import JsonFile
from netvitals.adapters.files.inventory import read_devices
from netvitals.cli.effective import effective_configuration
from netvitals.cli.poll.contradictions import refuse_ineffective
from netvitals.cli.poll.given_credential import given_credential
from netvitals.collectors.registry import command_lines
from netvitals.domain.errors import ConfigurationError, InvalidRow
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import Guard, is_name, names_loopback
from netvitals.domain.polling.job import Job, Kind, job_of
from netvitals.domain.settings.configuration import Configuration

_GIVEN = "given"
_ANYWHERE = ("0.0.0.0/0", "::/0")
_PATIENCE_SECONDS = 3600


class PollOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `netvitals poll`, under the names that click gives them."""

    address: str | None = None
    inventory: Path | None = None
    credentials: Path | None = None
    device_ids: tuple[str, ...] = ()
    kind: Kind = "metrics"
    allow: tuple[str, ...] = ()
    concurrency: int | None = None
    timeout: float | None = None
    rate: float | None = None
    """Seconds between two polls, from which rates of counters are computed."""
    config: Path | None = None
    format_: Literal["table", "jsonl", "lines"] = "table"
    device_type: str = "network"
    port: int | None
    credential: str | None
    verbose: bool = False
    device: Mapping[str, Any] = {}
    """The options of the device's protocols, by `collectors.command_line.Option.name`."""


def options_from(given: Mapping[str, Any]) -> PollOptions:
    """Return the options that click has read; those of protocols go into `device`."""
    own = {name: value for name, value in given.items() if name in PollOptions.__struct_fields__}
    return PollOptions(**own, device={name: value for name, value in given.items() if name not in own})


class Inputs(msgspec.Struct, kw_only=True):
    """Jobs to poll, what they need, and what can't be polled."""

    jobs: list[Job]
    problems: list[str]
    credentials: CredentialMap
    guard: Guard
    configuration: Configuration


class _Given:
    """Implements `adapters.files.credential_map.JsonObject` on a credential map that options gave."""

    where = "the command line"

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._entries = entries

    def read(self) -> Mapping[str, Any]:
        return self._entries

    def refresh(self) -> bool:
        return False


def inputs_from(options: PollOptions) -> Inputs:
    """Return all inputs of a run.

    Raises:
        click.UsageError: the options do not go together.
        NetvitalsError: a file can't be read or used.
    """
    if (options.address is None) == (options.inventory is None):
        raise click.UsageError("give either an ADDRESS or --inventory FILE")
    if options.rate and (options.format_ == "lines" or options.kind == "status"):
        raise click.UsageError("--rate is for metrics, in a table or as jsonl: InfluxDB holds counters")
    refuse_ineffective(of_inventory=options.inventory is not None, by_name=options.credential is not None)
    for line in command_lines().values():
        if line.prepared:
            click.get_current_context().with_resource(line.prepared(options.device))
    settled = effective_configuration(options.config)
    return _from_address(options, settled) if options.address else _from_inventory(options, settled)


def _from_inventory(options: PollOptions, settled: Configuration) -> Inputs:
    assert options.inventory is not None  # noqa: S101, inputs_from has looked
    devices, bad_rows = read_devices(options.inventory)
    inputs = Inputs(
        jobs=[],
        problems=[str(bad_row) for bad_row in bad_rows],
        credentials=CredentialMap(_file_of(options)),
        guard=_guard(options.allow or settled.allowed_networks),
        configuration=settled,
    )
    for device in _selected(devices, options.device_ids, inputs):
        try:
            inputs.jobs.append(_job(device, options, settled))
        except (ConfigurationError, InvalidRow) as error:
            inputs.problems.append(f"device {device.id!r}: {error}")
    if not inputs.jobs and not inputs.problems:
        raise click.UsageError(f"{options.inventory} names no enabled device")
    return inputs


def _from_address(options: PollOptions, settled: Configuration) -> Inputs:
    """Return the inputs for a device named on the command line; naming it allows it, loopback included."""
    address = str(options.address)
    if not is_name(address):
        _check_address(address)
    named = options.credential is not None
    protocols = settled.policy(options.device_type, {}).protocols
    entry = {} if named else given_credential(options.device, protocols)
    device = Device(
        id=address,
        ip_address=None if is_name(address) else address,
        hostname=address if is_name(address) else "",
        device_type=options.device_type,
        credential=options.credential or _GIVEN,
        settings=_settings(options, settled, tuple(entry)),
    )
    return Inputs(
        jobs=[_job(device, options, settled)],
        problems=[],
        credentials=CredentialMap(_file_of(options) if named else _Given({_GIVEN: entry})),
        guard=_guard(options.allow) if options.allow else Guard(_ANYWHERE, allow_local=True),
        configuration=settled,
    )


def _check_address(text: str) -> None:
    """Raise a usage error for a text that is no address, with a suggestion where there is one."""
    try:
        ip_address(text)
    except ValueError:
        pass
    else:
        return
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and ":" not in host:
        raise click.UsageError(f"{text[:80]!r}: give the port as --port {port}")
    if "/" in text:
        raise click.UsageError(
            f"{text[:80]!r} is a network: poll takes one device, `netvitals discover` a network"
        )
    raise click.UsageError(
        f"{text[:80]!r} is neither a host name nor an IP address: "
        "write four numbers up to 255 without leading zeros, or IPv6"
    )


def _guard(allowed: tuple[str, ...]) -> Guard:
    return Guard(allowed, allow_local=names_loopback(allowed))


def _selected(devices: list[Device], wanted: tuple[str, ...], inputs: Inputs) -> Iterator[Device]:
    missing = set(wanted) - {device.id for device in devices}
    inputs.problems += [f"device {device_id!r}: not in the inventory" for device_id in sorted(missing)]
    seen: set[str] = set()
    for device in devices:
        if device.id in seen:
            inputs.problems.append(f"device {device.id!r}: is in the inventory twice, polled once")
        elif device.id in wanted or (device.enabled and not wanted):
            yield device
        seen.add(device.id)


def _job(device: Device, options: PollOptions, settled: Configuration) -> Job:
    settings = settled.policy(device.device_type, device.settings).poll_settings()
    if options.timeout:
        settings = msgspec.structs.replace(settings, device_timeout_seconds=options.timeout)
    now = int(time())
    return job_of(device, options.kind, settings, due_at=now, expires_at=now + _PATIENCE_SECONDS)


def _settings(options: PollOptions, settled: Configuration, protocols: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings that the device's row in an inventory would have.

    `protocols` are those that the command line holds a credential for; none where the credential is named.
    """
    settings: defaultdict[str, Any] = defaultdict(dict)
    if protocols:
        settings["protocols"] = protocols
    polled_over = protocols or settled.policy(options.device_type, {}).protocols
    if options.port and polled_over:
        settings[polled_over[0]]["port"] = options.port
    for name, line in command_lines().items():
        for option in line.options:
            given = options.device.get(option.name)
            if option.sets and given:
                settings[name][option.sets] = option.value if option.is_flag else given
    return dict(settings)


def _file_of(options: PollOptions) -> JsonObject:
    path = options.credentials or os.environ.get("NETVITALS_CREDENTIALS_FILE")
    if path:
        file = JsonFile(path)
        file.read()  # so that one that can't be read is told at once
        return file
    if options.credential:
        raise click.UsageError("--credential needs --credentials FILE, the map that holds it")
    return _Given({})
