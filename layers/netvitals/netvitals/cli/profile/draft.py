"""Write proposals as the YAML of a profile."""

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import msgspec
import yaml

from netvitals.cli.profile.proposals import SourceProposal
from netvitals.collectors.snmp.explain import Explanation
from netvitals.collectors.snmp.profiles.index import STANDARD, is_agents_own
from netvitals.collectors.snmp.profiles.schema import Profile, Source
from netvitals.domain.polling.metrics import VITALS

_DESCRIPTION_CHARACTERS = 60
_VALUES_SHOWN = 3


def draft_of(found: Explanation, proposals: Sequence[SourceProposal], width: int = 100) -> str:
    """Return the YAML of a profile for this device: `match`, and proposed sources with reasons as comments.

    Comments are as wide as the terminal; lines of YAML are never broken.
    """
    parts = [_dumped({"description": _description(found), "match": [_match(found)]})]
    if found.profile.name != STANDARD:
        parts.append(_dumped({"extends": [found.profile.name]}))
    for section in VITALS:
        proposed = [each for each in proposals if each.section == section]
        if proposed:
            parts.append(_section(section, proposed, found.profile, width))
    return "".join(parts)


def _description(found: Explanation) -> str:
    return found.identity.sysdescr[:_DESCRIPTION_CHARACTERS].strip() or "A device without sysDescr"


def _match(found: Explanation) -> dict[str, Any]:
    """Return a match of the sysObjectID; of sysDescr as well where that is missing or unspecific."""
    sysobjectid, sysdescr = found.identity.sysobjectid, found.identity.sysdescr
    selects: dict[str, Any] = {"sysobjectid": [sysobjectid]} if sysobjectid else {}
    if not sysobjectid or is_agents_own(sysobjectid):
        words = re.escape(sysdescr[:_DESCRIPTION_CHARACTERS].strip()).replace(r"\ ", " ")
        selects["sysdescr"] = f"^{words}"
    return selects


def _section(section: str, proposed: Sequence[SourceProposal], profile: Profile, width: int) -> str:
    """Return a section: the profile's own sources first, because the draft's section replaces it."""
    lines = [f"{section}:"]
    own = profile.section(section).sources if profile.name != STANDARD and proposed[0].is_read else ()
    if own:
        lines.append(f"  # As {profile.name} has it.")
        lines += [line for source in own for line in _source(source)]
    for each in proposed:
        lines += _comment(f"{_values(each)} now; {each.why}.", width)
        lines += _source(each.source)
    return "\n".join(lines) + "\n"


def _values(proposal: SourceProposal) -> str:
    shown = ", ".join(f"{row.value:.1f}" for row in proposal.rows[:_VALUES_SHOWN])
    more = len(proposal.rows) - _VALUES_SHOWN
    unit = VITALS[proposal.section].unit
    return f"{shown}{f' and {more} more' if more > 0 else ''} {unit}"


def _comment(text: str, width: int) -> list[str]:
    printable = " ".join(text.split())
    return wrap(printable, max(width, 40), initial_indent="  # ", subsequent_indent="  # ")


def _source(source: Source) -> list[str]:
    return [f"  {line}" for line in _dumped([msgspec.to_builtins(source)]).splitlines()]


def _dumped(data: Any) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=10_000)
