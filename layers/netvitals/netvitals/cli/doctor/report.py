"""Run checks in order, each with a time limit; a check that depends on a failed one is skipped."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from netvitals.domain.errors import NetvitalsError
from netvitals.domain.text import printable

Level = Literal["ok", "warn", "fail", "skip"]
CHECK_SECONDS = 20.0
_LONGEST_TEXT = 1000


class Finding(NamedTuple):
    """Result of a check, for a person; no secret is in it."""

    level: Level
    text: str
    remedy: str = ""
    """A command, or a page and heading of the documentation."""


class Check(NamedTuple):
    name: str
    run: Callable[[], Finding]
    """May raise NetvitalsError, which fails the check with its text."""
    needs: tuple[str, ...] = ()
    """Names of the earlier checks that this one depends on."""
    remedy: str = ""
    """The remedy if `run` raises."""
    seconds: float = CHECK_SECONDS


class Result(NamedTuple):
    check: str
    level: Level
    text: str
    remedy: str
    seconds: float


def results(checks: Iterable[Check]) -> Iterator[Result]:
    """Yield the result of each check as soon as it has ended."""
    unusable: set[str] = set()
    for check in checks:
        began = time.monotonic()
        blocked = next((name for name in check.needs if name in unusable), None)
        if blocked is None:
            found = _within_its_time(check)
        else:
            found = Finding("skip", f"needs {blocked}, which is not ok")
        if found.level in {"fail", "skip"}:
            unusable.add(check.name)
        yield Result(
            check.name,
            found.level,
            printable(found.text, _LONGEST_TEXT),
            printable(found.remedy, _LONGEST_TEXT),
            round(time.monotonic() - began, 3),
        )


def _within_its_time(check: Check) -> Finding:
    """Return what the check found; a check that hangs is abandoned on its thread."""
    found: list[Finding] = []
    thread = threading.Thread(target=lambda: found.append(_found(check)), name=check.name, daemon=True)
    thread.start()
    thread.join(check.seconds)
    return found[0] if found else Finding("fail", f"no result within {check.seconds:g} s", check.remedy)


def _found(check: Check) -> Finding:
    try:
        return check.run()
    except NetvitalsError as error:
        return Finding("fail", str(error), check.remedy)
    except Exception as error:  # noqa: BLE001, one check's fault is not the others', and its text may hold a secret
        return Finding("fail", f"the check itself failed ({type(error).__name__})", check.remedy)
