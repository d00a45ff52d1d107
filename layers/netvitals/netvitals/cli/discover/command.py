"""Implement `netvitals discover`: find the devices that answer in a network, as rows for the inventory."""

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from netvitals.adapters.files.credential_map import CredentialMap
from netvitals.adapters.files.credentials import JsonFile
from netvitals.adapters.files.discovery_journal import DiscoveryJournal, DiscoveryRequest, NoJournal
from netvitals.adapters.files.inventory import read_devices
from netvitals.cli.database import open_database
from netvitals.cli.discover.gateway import default_gateway
from netvitals.cli.discover.logins import AllAgents, LoginAgents
from netvitals.cli.discover.names import name_by_dns
from netvitals.cli.discover.output import print_found
from netvitals.cli.discover.progress import DiscoveryProgress
from netvitals.cli.effective import effective_configuration
from netvitals.cli.figures import counted
from netvitals.collectors.reach.prober import HostProber
from netvitals.collectors.reach.resolve import Resolver
from netvitals.collectors.registry import collector_for
from netvitals.collectors.snmp.discovery.agents import SnmpAgents
from netvitals.collectors.snmp.discovery.identify import Identifier, settings_for
from netvitals.collectors.snmp.discovery.rate_limit import RateLimit
from netvitals.collectors.snmp.discovery.sweep import Sweep
from netvitals.collectors.snmp.profiles.packaged import packaged_profiles
from netvitals.collectors.snmp.protocol import SNMP, SnmpCredential
from netvitals.domain.discovery.addresses import MAX_ADDRESSES, addresses_in, networks_of
from netvitals.domain.discovery.compare import Compared, compare
from netvitals.domain.discovery.merge import merge
from netvitals.domain.discovery.parents import propose_parents
from netvitals.domain.discovery.proposals import proposals, sites_of
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.guard import Guard, names_loopback
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.settings.credential import Credential
from netvitals.usecases.discover import Agents, Discovery, DiscoveryOutcome, Entry, Follow
from netvitals.usecases.poll_device import PollDevice

EXIT_INCOMPLETE = 1
INVENTORY = "inventory"
_REFUSED_SHOWN = 20
_CHANGES = ("new", "moved", "gone", "known")

_EPILOG = """\b
Examples:
  export NETVITALS_CREDENTIALS_FILE=credentials.json
  netvitals discover 10.1.0.0/16
  netvitals discover 10.1.0.0/16 --format csv > found.csv
  netvitals inventory import found.csv
  netvitals discover 10.1.0.1 --neighbours  one device, its neighbours, theirs
  netvitals discover 10.1.0.0/16 --against inventory

Each address is asked under each community of the credential map, in its order, and once for SNMPv3 if a
credential is for that; silent ones twice. Users of SNMPv3 are tried only where an agent speaks it, and no
device is sent two wrong keys of one user.

Ctrl-C stops it and prints what was found. With --resume FILE, the same command continues from there.

\b
Exit status:
  0  every address was asked
  1  it was stopped before, or nothing was found
  2  nothing was asked: wrong usage, or a file that can't be read"""


class DiscoverOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `netvitals discover`, under the names that click gives them."""

    networks: tuple[str, ...]
    credentials: Path
    credential: tuple[str, ...]
    port: int | None
    allow: tuple[str, ...]
    config: Path | None
    neighbours: bool
    arp: bool
    rate: float
    ssh: bool
    winrm: bool
    tries: int
    timeout: float
    max_addresses: int
    resume: Path | None
    against: str | None
    database_url: str | None
    device_type: str | None
    site: str | None
    root: str | None
    dns: bool
    format_: Literal["table", "jsonl", "csv"]


@click.command(epilog=_EPILOG, short_help="Find the devices in a network, as rows for the inventory.")
@click.argument("networks", nargs=-1, required=True, metavar="NETWORK…")
@click.option("--credentials", type=click.Path(path_type=Path), required=True,
              envvar="NETVITALS_CREDENTIALS_FILE", show_envvar=True,
              help="The credential map, a JSON file.")  # fmt: skip
@click.option("--credential", multiple=True, metavar="NAME",
              help="Try only this credential of the map. Repeatable, in the order to try them.")  # fmt: skip
@click.option("--port", type=click.IntRange(1, 65535), help="UDP port of the agents, in place of 161.")
@click.option("--allow", multiple=True, metavar="CIDR",
              help="A network that may be polled, in place of the configured ones (by default the private "
                   "ones). Loopback too: 127.0.0.0/8. Repeatable.")  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), envvar="NETVITALS_CONFIG_FILE",
              show_envvar=True,
              help="The configuration document: device types, allowed networks.")  # fmt: skip
@click.option("--neighbours", is_flag=True, help="Also ask the neighbours that LLDP and CDP report, "
              "inside the allowed networks.")  # fmt: skip
@click.option(
    "--arp", is_flag=True, help="Also ask the addresses in devices' ARP tables, inside the allowed networks."
)
@click.option("--ssh", is_flag=True, help="Also log in over SSH where SNMP gets no answer.")
@click.option("--winrm", is_flag=True, help="Also log in over WinRM where SNMP gets no answer.")
@click.option("--rate", type=click.FloatRange(1, 100_000), default=100, show_default=True, metavar="N",
              help="Requests sent in a second, at most.")  # fmt: skip
@click.option("--tries", type=click.IntRange(1, 10), default=2, show_default=True,
              help="How often a silent address is asked; a router drops the first packet to a host whose "
                   "hardware address it has yet to find.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=1.5, show_default=True, metavar="SECONDS",
              help="How long to wait for the last addresses of a round.")  # fmt: skip
@click.option("--max-addresses", type=click.IntRange(1), default=MAX_ADDRESSES, show_default=True,
              metavar="N", help="Ask no more addresses than this.")  # fmt: skip
@click.option("--resume", type=click.Path(path_type=Path), metavar="FILE",
              help="Store progress in FILE, and resume from what it contains.")  # fmt: skip
@click.option("--against", metavar="inventory|FILE",
              help="Show what is new, moved or gone since the inventory in the database (DATABASE_URL), or "
                   "in FILE, was written.")  # fmt: skip
@click.option("--database-url", envvar="DATABASE_URL", show_envvar=True, metavar="URL",
              help="With --against inventory: the database.")  # fmt: skip
@click.option("--type", "device_type", metavar="TYPE",
              help="The device type of all that answer over SNMP. Unless given: linux and windows for plain "
                   "hosts, network for others.")  # fmt: skip
@click.option("--site", metavar="NAME", help="Their site. Unless given: that of their subnet in the "
              "inventory (--against), or their sysLocation.")  # fmt: skip
@click.option("--root", metavar="ADDRESS|NAME",
              help="The device nearest to the collector: parents are proposed from there on. Unless given: "
                   "this machine's default gateway.")  # fmt: skip
@click.option("--dns/--no-dns", default=True, show_default=True,
              help="Name a device without a sysName by reverse DNS, if that name resolves back to its "
                   "address.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(["table", "jsonl", "csv"]), default="table",
              show_default=True, help="For people; or rows for `netvitals inventory import`.")  # fmt: skip
def discover(**options: Any) -> None:
    """Find the devices that answer in each NETWORK (10.1.0.0/16, or a single address), and write nothing.

    Prints the type, credential and profile of each. Several addresses are one device if two of its
    identities agree: engine id, serial number, MAC addresses, its own table of addresses.
    """
    chosen = DiscoverOptions(**options)
    settled = effective_configuration(chosen.config)
    _check_names(chosen, settled)
    inventory = _inventory(chosen)
    run = _Run(chosen, settled)
    outcome = run.outcome()
    compared = _compared(chosen, outcome, inventory)
    print_found(compared, chosen.format_, against=inventory is not None)
    _summarise(outcome, compared, chosen, against=inventory is not None)
    if not outcome.complete or not outcome.found:
        sys.exit(EXIT_INCOMPLETE)


class _Run:
    """Runs one discovery with the given options."""

    def __init__(self, options: DiscoverOptions, settled: Configuration) -> None:
        allowed = options.allow or settled.allowed_networks
        self._guard = Guard(allowed, allow_local=names_loopback(allowed))
        self._options = options
        self._addresses = addresses_in(networks_of(options.networks), self._guard, most=options.max_addresses)
        policy = settled.policy(options.device_type or "network", {})
        self._settings = settings_for(SNMP.settings_of(policy), options.port)
        self._settled = settled
        credentials = JsonFile(options.credentials)
        self._store = CredentialMap(credentials)
        names = options.credential or tuple(credentials.read())
        self._credentials = {name: self._store.get(name) for name in names}
        self._follow = Follow(neighbours=options.neighbours, arp=options.arp, most=options.max_addresses)

    def outcome(self) -> DiscoveryOutcome:
        agents = self._agents()
        with ExitStack() as stack:
            journal: DiscoveryJournal | NoJournal = NoJournal()
            before: list[Entry] = []
            if self._options.resume:
                journal = DiscoveryJournal(self._options.resume, self._asked(agents))
                before = journal.before()
                stack.enter_context(journal)
            return asyncio.run(self._discover(agents, journal, before))

    def _agents(self) -> Agents:
        rate_limit = RateLimit(self._options.rate)
        identifier = Identifier(packaged_profiles(), self._settings, rate_limit, arp=self._options.arp)
        sweep = Sweep(rate_limit, self._settings.port, listen_seconds=self._options.timeout)
        snmp = SnmpAgents(_parts(self._credentials), identifier, sweep)
        protocols = [name for name in ("ssh", "winrm") if getattr(self._options, name)]
        device = PollDevice(Resolver(self._guard).resolve, self._store, HostProber(), collector_for)
        logins = LoginAgents(
            protocols,
            self._credentials,
            self._settled,
            device.poll,
            rate_limit,
            listen_seconds=self._options.timeout,
        )
        if not (snmp.ways or any(logins.has_credentials(name) for name in protocols)):
            wanted = " or ".join(("snmp", *protocols))
            raise click.UsageError(f"no credential in {self._options.credentials} has a part for {wanted}")
        return AllAgents(snmp, logins)

    def _asked(self, agents: Agents) -> DiscoveryRequest:
        options = self._options
        follow = [name for name in ("neighbours", "arp") if getattr(options, name)]
        return DiscoveryRequest(
            options.networks,
            (*agents.ways, *agents.last_ways),
            options.tries,
            self._settings.port,
            tuple(follow),
        )

    async def _discover(
        self, agents: Agents, journal: DiscoveryJournal | NoJournal, before: Sequence[Entry]
    ) -> DiscoveryOutcome:
        discovery = Discovery(agents, self._guard, journal, follow=self._follow, tries=self._options.tries)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _stop, discovery, number)
        async with DiscoveryProgress(discovery.progress, self._options.rate):
            return await discovery.run(self._addresses, before)


def _stop(discovery: Discovery, number: int) -> None:
    """Stop a discovery; the same signal again ends the process."""
    discovery.stop()
    asyncio.get_running_loop().remove_signal_handler(number)


def _check_names(options: DiscoverOptions, settled: Configuration) -> None:
    if options.device_type and options.device_type not in settled.known_types:
        raise click.UsageError(
            f"there is no device type {options.device_type!r}; known: {', '.join(settled.known_types)}"
        )


def _parts(credentials: Mapping[str, Credential]) -> dict[str, SnmpCredential]:
    """Return the SNMP parts of the credentials that have one."""
    parts = {name: SNMP.part_of(each) for name, each in credentials.items()}
    return {name: part for name, part in parts.items() if part is not None}


def _inventory(options: DiscoverOptions) -> list[Device] | None:
    """Return the devices to compare with; None where there is nothing to compare with."""
    if options.against is None:
        return None
    if options.against != INVENTORY:
        devices, bad_rows = read_devices(Path(options.against))
        for bad_row in bad_rows:
            click.echo(f"netvitals: {bad_row}", err=True)
        return devices
    if not options.database_url:
        raise click.UsageError("--against inventory needs the database: set DATABASE_URL")
    from netvitals.adapters.postgres.inventory_writer import devices_in  # noqa: PLC0415, psycopg takes a while to import

    rows, _ = devices_in(open_database(options.database_url))
    return [device for _, device in rows]


def _compared(
    options: DiscoverOptions, outcome: DiscoveryOutcome, inventory: list[Device] | None
) -> list[Compared]:
    known = {each.ip_address: each for each in inventory or () if each.ip_address}
    devices = merge(outcome.found.values(), known)
    gateway = default_gateway()
    root = options.root or (gateway if gateway in outcome.found else "")
    if not propose_parents(devices, root) and options.root:
        click.echo(f"netvitals: no parents are proposed: {options.root!r} was not found", err=True)
    if options.dns:
        name_by_dns(devices)
    proposed = proposals(
        devices,
        device_type=options.device_type,
        site=options.site,
        sites=sites_of(inventory or ()),
        known=known,
    )
    if inventory is None:
        return [Compared(change="new", device=each.device, proposal=each) for each in proposed]
    return compare(proposed, inventory, outcome.asked if outcome.complete else ())


def _summarise(
    outcome: DiscoveryOutcome, compared: Sequence[Compared], options: DiscoverOptions, *, against: bool
) -> None:
    for refused in list(outcome.refused.values())[:_REFUSED_SHOWN]:
        click.echo(f"netvitals: {refused.address}: {refused.cause}", err=True)
    if len(outcome.refused) > _REFUSED_SHOWN:
        click.echo(f"netvitals: … and {len(outcome.refused) - _REFUSED_SHOWN} more", err=True)
    devices = sum(1 for each in compared if each.proposal)
    text = f"{counted(devices, 'device')} at {len(outcome.found):,} of {len(outcome.asked):,} addresses"
    if against:
        counts = {change: sum(1 for each in compared if each.change == change) for change in _CHANGES}
        text += ": " + ", ".join(f"{count:,} {change}" for change, count in counts.items())
    if not outcome.complete:
        text += "; stopped before all were asked"
        text += f": go on with --resume {options.resume}" if options.resume else " (--resume FILE can go on)"
    click.echo(text, err=True)
