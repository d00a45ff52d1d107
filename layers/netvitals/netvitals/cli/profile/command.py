"""Implement `netvitals profile`: explain a device's profile, check profiles, draft missing ones."""

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from netvitals.cli.console import console
from netvitals.cli.figures import counted, figure
from netvitals.cli.formats import format_option
from netvitals.cli.poll.device_options import protocol_options
from netvitals.cli.poll.inputs import Inputs, inputs_from, options_from
from netvitals.cli.profile.draft import draft_of
from netvitals.cli.profile.examples import faults_of
from netvitals.cli.profile.proposals import SECONDS, Proposals, proposals_for
from netvitals.cli.written import written
from netvitals.collectors.reach.resolve import Resolver
from netvitals.collectors.snmp.explain import Explanation, SourceReport, explain
from netvitals.collectors.snmp.profiles.build_index import candidates_of, write_index
from netvitals.collectors.snmp.profiles.evaluate import VitalRow
from netvitals.collectors.snmp.profiles.files import read_file, read_folder
from netvitals.collectors.snmp.profiles.index import ProfileBook
from netvitals.collectors.snmp.profiles.packaged import PACKAGED, packaged_profiles
from netvitals.collectors.snmp.profiles.schema import SECTIONS, Match, Profile
from netvitals.collectors.snmp.protocol import SNMP
from netvitals.collectors.snmp.vendor_interfaces import Counted
from netvitals.collectors.snmp.wire.faults import SnmpFault
from netvitals.collectors.snmp.wire.sessions import open_session
from netvitals.domain.errors import NetvitalsError
from netvitals.domain.polling.job import Job
from netvitals.domain.polling.metrics import VITALS
from netvitals.domain.ports import target_of
from netvitals.domain.settings.credential import part_of

_ROWS_SHOWN = 12
_EPILOG = """\b
Examples:
  netvitals profile explain 192.168.1.1     asks for the community
  netvitals profile explain 192.168.1.1 --profiles my-profiles
  netvitals profile check my-profiles/acme/acme-switch.yaml
  netvitals profile list fortigate
  netvitals profile list --format jsonl | jq -r 'select(.reads == []).profile'

\b
Exit status:
  0  done
  1  a profile has faults, or the device can't be read
  2  wrong usage, or a file can't be read"""


@click.group(epilog=_EPILOG, short_help="Explain, check and list device profiles.")
def profile() -> None:
    """Explain, check and list device profiles.

    A profile says where one kind of SNMP device keeps its vital signs. It is a YAML file in its vendor's
    folder of the package's folder `profiles`; docs/profiles.md explains how to write one.
    """


@profile.command("list")
@click.argument("filter_text", metavar="[TEXT]", default="")
@format_option
def list_profiles(filter_text: str, format_: str) -> None:
    """List the profiles whose name or description contains TEXT."""
    every = {name: found for name, found in sorted(_folder(PACKAGED).items()) if not name.startswith("_")}
    shown = [
        found for name, found in every.items() if filter_text.lower() in f"{name} {found.description}".lower()
    ]
    if format_ == "jsonl":
        for found in shown:
            click.echo(msgspec.json.encode(_document(found)))
        return
    table = Table("profile", "reads", "selected by", box=None, header_style="bold")
    for found in shown:
        selected_by = "; ".join(_selected_by(match) for match in found.match)
        table.add_row(found.name, _reads(found), escape(selected_by))
    screen = console()
    screen.print(table)
    screen.print(
        f"{len(shown)} of {len(every)} profiles; a device that none fits is read by the standard MIBs alone"
    )


def _document(found: Profile) -> dict[str, Any]:
    """Return the line of a profile for programs."""
    return {
        "profile": found.name,
        "description": found.description,
        "reads": _sections(found),
        "lacks": found.lacks,
        "source": found.source,
        "match": found.match,
    }


def _sections(found: Profile) -> list[str]:
    names = [name for name in SECTIONS if found.section(name).sources]
    return [*names, *(["interfaces"] if found.interfaces else [])]


def _reads(found: Profile) -> str:
    reads = " ".join(_sections(found)) or "standard MIBs"
    return f"{reads}; {_lacks(found)}" if found.lacks else reads


def _lacks(found: Profile) -> str:
    return f"has no {', '.join(found.lacks)} ({found.source})"


def _selected_by(match: Match) -> str:
    parts = [" ".join(prefix for prefix in match.sysobjectid if prefix)]
    parts += [f"sysDescr ~ {match.sysdescr}"] if match.sysdescr else []
    parts += [f"sysDescr !~ {match.not_sysdescr}"] if match.not_sysdescr else []
    parts += [f"has {match.probe.partition(' ')[2]}"] if match.probe else []
    return " ".join(part for part in parts if part)


@profile.command(short_help="Check profile files or folders, and their examples.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def check(paths: tuple[Path, ...]) -> None:
    """Check profile files or folders, the package's own where none is named, and their examples.

    Prints FILE:LINE: KEY: what is wrong, and exits 1 where anything is.
    """
    problems = 0
    for path in paths or (PACKAGED,):
        try:
            found = read_folder(path) if path.is_dir() else read_file(path, PACKAGED)
            wrong = example_faults(found)
        except NetvitalsError as error:
            wrong = str(error).splitlines()
        for line in wrong:
            click.echo(line, err=True)
        if not wrong:
            examples = sum(len(read.example) for read in found.values())
            click.echo(f"{path}: {counted(len(found), 'profile')}, {counted(examples, 'example')}, ok")
        problems += len(wrong)
    if problems:
        raise click.ClickException(counted(problems, "fault"))


def example_faults(found: Mapping[str, Profile]) -> list[str]:
    """Return the faults of the profiles' examples, read beside the package's own profiles."""
    with tempfile.TemporaryDirectory() as folder:
        write_index({**read_folder(PACKAGED), **found}, Path(folder) / "index")
        return asyncio.run(_example_faults(ProfileBook(Path(folder) / "index"), found))


async def _example_faults(book: ProfileBook, found: Mapping[str, Profile]) -> list[str]:
    return [
        f"{name}.yaml: {fault}"
        for name, read in found.items()
        for fault in await faults_of(book, name, read.example)
    ]


@profile.command(short_help="Build the index that a collector reads.")
@click.option(
    "--profiles",
    default=PACKAGED,
    type=click.Path(exists=True, path_type=Path),
    show_default=False,
    help="The folder of profiles; unless given, the package's own.",
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder to write.")
def build(profiles: Path, output: Path) -> None:
    """Build the index that a deployed collector reads instead of YAML."""
    found = _folder(profiles)
    with written(output):
        write_index(found, output)
    click.echo(f"{len(found)} profiles, {sum(1 for _ in candidates_of(found))} matches")


def _folder(path: Path) -> dict[str, Profile]:
    try:
        return read_folder(path)
    except NetvitalsError as error:
        raise click.ClickException(str(error)) from None


@profile.command("explain", short_help="Show a device's profile, its answers and values.")
@click.argument("address")
@click.option("--credentials", type=click.Path(path_type=Path),
              help="The credential map, a JSON file. Unless given: NETVITALS_CREDENTIALS_FILE.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Also show weak proposals.")
@protocol_options(SNMP.name)
def explain_device(*, everything: bool, **options: Any) -> None:
    """Show which profile the device at ADDRESS gets, its answers, and the resulting values.

    Reads all objects of the profile and of the standard MIBs, searches the vendor's objects for vital signs
    that the profile does not read, and prints a draft of a profile that does. Writes nothing. Credentials
    are given as to `netvitals poll`.
    """
    inputs = inputs_from(options_from(options))
    [job] = inputs.jobs
    try:
        found, proposals = asyncio.run(_explained(inputs, job))
    except SnmpFault as fault:
        raise click.ClickException(str(fault)) from None
    screen = console()
    print_explanation(found, screen)
    print_proposals(found, proposals, screen, everything=everything)


async def _explained(inputs: Inputs, job: Job) -> tuple[Explanation, Proposals]:
    target = target_of(
        SNMP,
        job,
        address=await Resolver(inputs.guard).resolve(job.address),
        credential=part_of(inputs.credentials.get(job.credential), SNMP, job.credential),
        deadline=time.monotonic() + job.settings.device_timeout_seconds,
    )
    book = packaged_profiles()
    found = await explain(open_session(target).session, book, target.settings.profile)
    longer = msgspec.structs.replace(target, deadline=time.monotonic() + SECONDS)
    return found, await proposals_for(open_session(longer).session, found, book)


def print_proposals(found: Explanation, proposals: Proposals, console: Console, *, everything: bool) -> None:
    """Print a draft of a profile with the proposed sources, and the number of further ones."""
    shown = proposals.shown(everything=everything)
    left = len(proposals.every) - len(shown)
    more = f"; {left} that say less are shown with --all" if left else ""
    console.print()
    if proposals.unread:
        console.print(
            f"[yellow]not looked through to the end:[/] {escape(proposals.unread)}", highlight=False
        )
    if not shown:
        console.print(f"no other object suggests a vital sign that is missing{more}", highlight=False)
        return
    console.print(
        f"[bold]{len(shown)} {'source is' if len(shown) == 1 else 'sources are'} proposed[/]{more}; "
        "compare them with the vendor's MIB, then put what is right into a profile (docs/profiles.md):",
        highlight=False,
    )
    console.print()
    click.echo(draft_of(found, shown, console.width), nl=False, file=console.file)


def print_explanation(found: Explanation, console: Console) -> None:
    """Print identity, how the profile was chosen, and each source with the answers to it."""
    console.print(f"[bold]sysObjectID[/] {found.identity.sysobjectid or '(none)'}")
    console.print(
        f"[bold]sysDescr[/]    {escape(found.identity.sysdescr) or '(none)'}", highlight=False, soft_wrap=True
    )
    others = [c.profile for c in found.candidates if c.profile != found.profile.name]
    also = f" (would fit as well: {', '.join(dict.fromkeys(others))})" if others else ""
    console.print(f"[bold]profile[/]     {found.profile.name}{also}")
    if found.profile.lacks:
        console.print(f"            {escape(_lacks(found.profile))}", highlight=False, soft_wrap=True)
    console.print()
    for report in found.sources:
        if not _is_silent(report):
            _print_source(report, console)
    for section, reports in groupby(filter(_is_silent, found.sources), key=lambda report: report.section):
        _print_silent(section, list(reports), console)
    for fault in found.faults:
        console.print(f"[red]not everything was read:[/] {escape(fault)}")


def _is_silent(report: SourceReport) -> bool:
    return not any(asked.values for asked in report.asked)


def _print_silent(section: str, reports: Sequence[SourceReport], console: Console) -> None:
    """Print the objects of a section that the device does not have, without companion columns."""
    names = dict.fromkeys(report.asked[0].name for report in reports)
    console.print(f"[dim]{section}: no answer to {', '.join(names)}[/]", highlight=False)


def _print_source(report: SourceReport, console: Console) -> None:
    rows = [_row(report, row) for row in report.rows] or list(map(_counted, report.counted))
    mark = "[green]used[/]" if report.used else "[yellow]not used[/]" if rows else "[dim]nothing[/]"
    console.print(f"[bold]{report.section}[/] source {report.number} of {report.profile}: {mark}")
    for asked in report.asked:
        count = (
            f"{asked.values:>4} {'value ' if asked.values == 1 else 'values'}  {escape(asked.sample)}"
            if asked.values
            else "   - no answer"
        )
        console.print(f"  {asked.name:<32} {asked.oid:<38} {count}", highlight=False, soft_wrap=True)
    for row in rows[:_ROWS_SHOWN]:
        console.print(f"    → {row}", highlight=False, soft_wrap=True, markup=False)
    if len(rows) > _ROWS_SHOWN:
        console.print(f"    … and {len(rows) - _ROWS_SHOWN} more")


def _row(report: SourceReport, row: VitalRow) -> str:
    vital = VITALS[report.section]
    if vital.states:
        return f"{row.instance or '(whole device)'}: {figure(vital.metric, row.value)}"
    amount = f" of {row.total:,.0f} bytes" if row.total is not None else ""
    return f"{row.instance or '(whole device)'}: {row.value:.1f} {vital.symbol}{amount}"


def _counted(row: Counted) -> str:
    place = row.name or row.interface or f"ifIndex {row.if_index}"
    return f"{place}: {', '.join(f'{name} {number}' for name, number in row.numbers.items())}"
