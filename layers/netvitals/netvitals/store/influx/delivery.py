"""Settle every line of a write: accepted, refused for its content, or kept for later."""

from collections.abc import Callable, Sequence

import msgspec

from netvitals.store.influx.answers import Fault, Remedy
from netvitals.store.influx.named_lines import named_in
from netvitals.store.outcome import Obstacle, Refusal, WriteOutcome

MAX_REQUESTS = 300
"""Most requests for one `write`: finding a refused line that InfluxDB does not name takes about 26."""
MAX_DOUBTED = 10
"""Lines in a row that are refused one by one, for a reason that names no line, after which something
between here and InfluxDB is taken to be at fault, not the lines."""
SMALL_LINE_BYTES = 64 * 1024
"""Size below any limit on requests: a smaller line that is called too large was not refused by InfluxDB
itself."""

_TOO_MANY = Fault(Remedy.KEEP, Obstacle.NO_TIME, f"some lines are left after {MAX_REQUESTS} requests")

type Group = Sequence[str]


class Delivery:
    """Records the outcome of the lines of one `write`; after the first obstacle no request is sent.

    A line counts as bad when InfluxDB names it, counts it, or refuses it alone and accepts others.
    """

    def __init__(self, send: Callable[[Group], Fault | None]) -> None:
        self._send = send
        self._accepted = 0
        self._witness: str | None = None
        """A line that was accepted before: if it is refused too, the refused lines are not at fault."""
        self._refused: list[Refusal] = []
        self._doubted: list[Refusal] = []
        """Lines refused one by one for a reason that names no line, with none accepted since."""
        self._unsent: list[str] = []
        self._obstacle: Fault | None = None
        self._requests = 0

    def deliver(self, lines: Group) -> None:
        """Send the lines, then halves of what was refused, breadth first.

        This order shows early whether InfluxDB accepts anything at all.
        """
        tried = [(lines, self._try(lines))]
        while tried:
            group, fault = tried.pop()
            if fault is not None:
                tried += reversed([(part, self._try(part)) for part in self._parts(group, fault)])

    def outcome(self) -> WriteOutcome:
        self._settle_doubts()
        return WriteOutcome(
            accepted=self._accepted,
            refused=self._refused,
            unsent=self._unsent,
            obstacle=self._obstacle.obstacle if self._obstacle else None,
            detail=self._obstacle.detail if self._obstacle else "",
            requests=self._requests,
        )

    def _try(self, lines: Group) -> Fault | None:
        fault = self._obstacle or self._sent(lines)
        if fault is None:
            self._accepted += len(lines)
            self._witness = lines[0]
            self._settle_doubts()
        elif fault.remedy in (Remedy.RETRY, Remedy.KEEP):
            self._stop(fault)
        return fault

    def _sent(self, lines: Group) -> Fault | None:
        if self._requests >= MAX_REQUESTS:
            return _TOO_MANY
        self._requests += 1
        return self._send(lines)

    def _parts(self, lines: Group, fault: Fault) -> list[Group]:
        """Return the parts of the lines that are to be sent separately; record the outcome of the others."""
        if fault.remedy is Remedy.ISOLATE:
            return self._isolated(lines, fault)
        if fault.remedy is not Remedy.SPLIT:
            self._unsent.extend(lines)
            return []
        if len(lines) == 1:
            self._too_large(lines[0], fault)
        return _halves(lines)

    def _isolated(self, lines: Group, fault: Fault) -> list[Group]:
        """Set the named lines aside and send the others again: some versions have written them, some not."""
        named = named_in(fault.message, lines)
        self._refused += named.refused
        if named.refused or (named.suspects and named.rest):
            return [group for group in (named.suspects, named.rest) if group]
        if len(lines) == 1:
            refusal = Refusal(lines[0], fault.detail)
            if named.suspects:
                self._refused.append(refusal)
            else:
                self._doubt(refusal, fault)
        return _halves(lines)

    def _too_large(self, line: str, fault: Fault) -> None:
        if len(line.encode()) >= SMALL_LINE_BYTES:
            self._refused.append(Refusal(line, fault.detail))
        else:
            self._stop(fault)
            self._unsent.append(line)

    def _doubt(self, refusal: Refusal, fault: Fault) -> None:
        self._doubted.append(refusal)
        if len(self._doubted) < MAX_DOUBTED:
            return
        if self._witness is None or self._sent([self._witness]) is not None:
            self._witness = None
            self._stop(fault)
        self._settle_doubts()

    def _settle_doubts(self) -> None:
        """Refuse the doubted lines if InfluxDB accepts others; keep them if it accepts none."""
        if self._witness is not None:
            self._refused += self._doubted
        elif self._doubted:
            self._unsent += [refusal.line for refusal in self._doubted]
            self._stop(Fault(Remedy.KEEP, Obstacle.SERVER, self._doubted[0].reason))
        self._doubted = []

    def _stop(self, fault: Fault) -> None:
        if self._obstacle is None:
            self._obstacle = msgspec.structs.replace(fault, remedy=Remedy.KEEP)


def _halves(lines: Group) -> list[Group]:
    middle = len(lines) // 2
    return [lines[:middle], lines[middle:]] if middle else []
