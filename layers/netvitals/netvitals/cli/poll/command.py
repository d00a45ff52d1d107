"""Implement `netvitals poll`: ask devices as the collector does, and show their answers."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import click

from netvitals.cli.poll.device_options import device_options
from netvitals.cli.poll.inputs import Inputs, PollOptions, inputs_from, options_from
from netvitals.cli.poll.output import output_for
from netvitals.cli.poll.rates import with_rates
from netvitals.cli.stderr_log import show_tracebacks
from netvitals.collectors.reach.prober import HostProber
from netvitals.collectors.reach.resolve import Resolver
from netvitals.collectors.registry import collector_for
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.observation import PollResult, is_answered
from netvitals.usecases.poll_device import PollDevice
from netvitals.usecases.slots import Slots, endpoint

EXIT_INCOMPLETE = 1
EXIT_STOPPED = 130

AT_ONCE = 200
"""Devices polled at the same time, unless --concurrency says otherwise."""
_EPILOG = """\b
Examples:
  netvitals poll 192.168.1.1                asks for the community
  NETVITALS_COMMUNITY=s3cret netvitals poll 192.168.1.1 --port 1161
  netvitals poll rtr.example.net --v3 monitor --auth SHA256 --priv AES128
  netvitals poll srv.example.net --type linux --user me --key ~/.ssh/id_rsa
  netvitals poll dc-1.example.net --type windows --user 'LAB\\me'
  netvitals poll 192.168.1.1 --credentials credentials.json --credential core
  netvitals poll 192.168.1.1 --rate 10      traffic in bits per second
  netvitals poll --inventory devices.csv --credentials credentials.json
  netvitals poll --inventory devices.csv --credentials credentials.json \\
    --kind status --format jsonl > polled.jsonl

Secrets: a community or password may be given with --community and --password, where others on this machine
see it in the list of processes; NETVITALS_COMMUNITY, NETVITALS_AUTH_KEY, NETVITALS_PRIV_KEY,
NETVITALS_PASSWORD and NETVITALS_KEY_PASSPHRASE are better, and on a terminal what is missing is asked for.

\b
Exit status:
  0  every device was read; with --kind status, every device answered
  1  a device was not read, or a row of the inventory can't be used
  2  nothing was polled: wrong usage, or a file that can't be read
  130  stopped by Ctrl-C; what was polled by then is shown"""


@click.command(epilog=_EPILOG, short_help="Poll a device or an inventory; nothing is written.")
@click.argument("address", required=False)
@click.option("--inventory", type=click.Path(path_type=Path), help="Devices to poll: CSV or JSON lines.")
@click.option("--credentials", type=click.Path(path_type=Path),
              help="The credential map, a JSON file. Unless given: NETVITALS_CREDENTIALS_FILE.")  # fmt: skip
@click.option("--device", "device_ids", multiple=True, metavar="ID", help="Only this device. Repeatable.")
@click.option("--kind", type=click.Choice(["metrics", "status"]), default="metrics", show_default=True,
              help="Read everything, or only whether devices are up.")  # fmt: skip
@click.option("--allow", multiple=True, metavar="CIDR",
              help="A network that may be polled, in place of the configured ones (by default the private "
                   "ones). Loopback too: 127.0.0.0/8. Repeatable. An ADDRESS is allowed by naming it, unless "
                   "this is given.")  # fmt: skip
@click.option("--concurrency", type=click.IntRange(1, 10_000), metavar="N", help="Devices polled at once.")
@click.option("--timeout", type=click.FloatRange(0, 900, min_open=True), metavar="SECONDS",
              help="Time limit for each device.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(1, 900), metavar="SECONDS",
              help="Poll twice, so many seconds apart, and show counters as rates per second.")  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), envvar="NETVITALS_CONFIG_FILE",
              show_envvar=True,
              help="The configuration document, YAML or JSON.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(["table", "jsonl", "lines"]), default="table",
              show_default=True, help="For people; one JSON object per device as it finishes; or line "
              "protocol as InfluxDB takes it.")  # fmt: skip
@device_options
@click.option("--verbose", is_flag=True, help="Show where faults of netvitals itself happened.")
def poll(**options: Any) -> None:
    """Poll one ADDRESS, or all devices of an inventory, and write nothing anywhere.

    It polls in the same way as the collector on Lambda: with the same limits and the same points, and for an
    inventory with the same check of addresses.
    """
    chosen = options_from(options)
    show_tracebacks(wanted=chosen.verbose)
    inputs = inputs_from(chosen)
    for problem in inputs.problems:
        click.echo(f"netvitals: {problem}", err=True)
    _tell_shared_addresses(inputs.jobs)
    results: list[PollResult] = []
    try:
        asyncio.run(_run(inputs, chosen, results))
    except KeyboardInterrupt:
        click.echo(f"netvitals: stopped: {len(results)} of {len(inputs.jobs)} polled", err=True)
        sys.exit(EXIT_STOPPED)
    if inputs.problems or not all(map(is_answered, results)):
        sys.exit(EXIT_INCOMPLETE)


def _tell_shared_addresses(jobs: Sequence[Job]) -> None:
    """Print on standard error that devices with one address and port are polled one after another."""
    endpoints = Counter(endpoint(job.address, job.settings) for job in jobs)
    if shared := sum(count for count in endpoints.values() if count > 1):
        click.echo(
            f"netvitals: {shared:,} devices share their address and port with another: such are polled one "
            "after another",
            err=True,
        )


async def _run(inputs: Inputs, options: PollOptions, results: list[PollResult]) -> None:
    """Poll, and append each result as soon as it is there, so that an interrupt keeps those."""
    with output_for(options, inputs.jobs) as output:
        earlier = await _earlier(inputs, options) if options.rate else {}
        async for polled in _polled(inputs, options):
            result = with_rates(earlier.get(polled.job.key), polled) if options.rate else polled
            output.add(result)
            results.append(result)


async def _earlier(inputs: Inputs, options: PollOptions) -> dict[str, PollResult]:
    """Return the results of a first round of polls, `rate` seconds after it began."""
    began = time.monotonic()
    found = {result.job.key: result async for result in _polled(inputs, options)}
    await asyncio.sleep(max(0.0, (options.rate or 0) - (time.monotonic() - began)))
    return found


async def _polled(inputs: Inputs, options: PollOptions) -> AsyncIterator[PollResult]:
    """Yield the results as the devices finish."""
    device = PollDevice(
        Resolver(inputs.guard).resolve,
        inputs.credentials,
        HostProber(),
        collector_for,
    )
    per_site = inputs.configuration.collector.max_concurrent_per_site
    slots = Slots(options.concurrency or AT_ONCE, options.concurrency or per_site)

    async def one(job: Job) -> PollResult:
        async with slots.taken(job):
            return await device.poll(job)

    for finished in asyncio.as_completed([one(job) for job in inputs.jobs]):
        yield await finished
