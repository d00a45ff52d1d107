"""Discover devices: sweep addresses, identify what answers, follow neighbours, remember how far it came."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import islice
from typing import Protocol

import msgspec

from netvitals.domain.discovery.found import Found, RefusedAddress
from netvitals.domain.errors import AddressDenied
from netvitals.domain.inventory.guard import Guard

GRACE_SECONDS = 5.0
"""Seconds after a stop for devices that are being identified."""
_CHECKPOINT_ADDRESSES = 256
"""Addresses after which the position is recorded."""


class Agents(Protocol):
    """Asks addresses over the protocols and with the credentials of this run."""

    @property
    def ways(self) -> Sequence[str]:
        """Return the names of the ways to ask an address, which differ in their packets, in their order."""
        ...

    @property
    def last_ways(self) -> Sequence[str]:
        """Return the ways that are tried once, where all others got no answer: those that log in."""
        ...

    async def sweep(self, way: str, addresses: Iterable[str], answered: Callable[[str], None]) -> None:
        """Ask the addresses at the pace of this run; `answered` is called for those that answer."""
        ...

    async def identify(self, address: str, way: str) -> Found | RefusedAddress:
        """Return the device that answered there, or why it can't be identified."""
        ...


class Journal(Protocol):
    """Records a discovery so far, so that another run can go on."""

    def note(self, entry: "Entry") -> None: ...


class Answered(msgspec.Struct, frozen=True, tag="answered", tag_field="kind"):
    """An address that answers, and the way in which it was asked."""

    address: str
    way: str


class Wave(msgspec.Struct, frozen=True, tag="wave", tag_field="kind"):
    """Addresses that are asked together: the first wave's are the networks', the next ones' neighbours."""

    addresses: tuple[str, ...]


class Position(msgspec.Struct, frozen=True, tag="position", tag_field="kind"):
    """Place in the newest wave: the turn, and the index of the next address in it."""

    turn: int
    index: int


class Identified(msgspec.Struct, frozen=True, tag="found", tag_field="kind"):
    """A device that was identified."""

    found: Found


class NotIdentified(msgspec.Struct, frozen=True, tag="refused", tag_field="kind"):
    """An address that answers, but not with the credentials of this way."""

    refused: RefusedAddress
    way: str


type Entry = Answered | Wave | Position | Identified | NotIdentified


class Progress(msgspec.Struct):
    """Progress of a discovery."""

    asked: int = 0
    to_ask: int = 0
    """Packets to send, at most: an address that answers is not asked again."""
    found: int = 0
    refused: int = 0


class DiscoveryOutcome(msgspec.Struct):
    """Findings of a discovery, by address."""

    found: dict[str, Found] = msgspec.field(default_factory=dict)
    refused: dict[str, RefusedAddress] = msgspec.field(default_factory=dict)
    asked: set[str] = msgspec.field(default_factory=set)
    """Addresses that were to be asked, all of them."""
    complete: bool = False
    """True where all addresses were asked; False where it was stopped before."""


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """Kinds of addresses told by devices that are asked as well."""

    neighbours: bool = False
    arp: bool = False
    most: int = 65_536
    """Limit of addresses in all."""


class Discovery:
    """Runs one discovery; `stop` ends it early, with what was found by then."""

    def __init__(
        self,
        agents: Agents,
        guard: Guard,
        journal: Journal,
        *,
        follow: Follow,
        tries: int = 2,
        at_once: int = 32,
    ) -> None:
        """Ask each address in `tries` turns of the agents' ways; identify so many devices at once."""
        self._agents = agents
        self._guard = guard
        self._journal = journal
        self._follow = follow
        self._turns = [*(way for _ in range(tries) for way in agents.ways), *agents.last_ways]
        self._at_once = at_once
        self._answered: dict[str, str] = {}
        """The way that an address answers, by address."""
        self._refused_ways: defaultdict[str, set[str]] = defaultdict(set)
        """Ways that an address answers, but for which no credential fits, by address."""
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self.outcome = DiscoveryOutcome()
        self.progress = Progress()

    def stop(self) -> None:
        """Ask no more addresses; what is being identified has a moment to finish."""
        self._stopping.set()

    async def run(self, addresses: Sequence[str], before: Iterable[Entry] = ()) -> DiscoveryOutcome:
        """Ask the addresses, and those that follow from them; `before` is what an earlier run noted."""
        wave, position = self._replay(addresses, before)
        async with self._identifying():
            while wave:
                self.outcome.asked.update(wave)
                await self._ask(wave, position)
                wave = () if self._stopping.is_set() else self._next_wave()
                position = Position(0, 0)
                if wave:
                    self._journal.note(Wave(wave))
        self.outcome.complete = not self._stopping.is_set()
        return self.outcome

    def _replay(self, addresses: Sequence[str], before: Iterable[Entry]) -> tuple[tuple[str, ...], Position]:
        wave, position = tuple(addresses), Position(0, 0)
        for entry in before:
            match entry:
                case Wave(addresses=following):
                    self.outcome.asked.update(wave)
                    wave, position = following, Position(0, 0)
                case Position():
                    position = entry
                case Answered(address=address, way=way):
                    self._answered[address] = way
                case Identified(found=found):
                    self._keep(found, "")
                case NotIdentified(refused=refused, way=way):
                    self._keep(refused, way)
        for address, way in self._answered.items():
            if address not in self.outcome.found:
                self._waiting.put_nowait((address, way))
        return wave, position

    async def _ask(self, wave: Sequence[str], start: Position) -> None:
        """Ask the addresses of a wave in all turns."""
        self.progress.to_ask += len(wave) * (len(self._turns) - start.turn) - start.index
        for turn, way in list(enumerate(self._turns))[start.turn :]:
            first = start.index if turn == start.turn else 0
            await self._agents.sweep(way, self._silent(wave, turn, first), partial(self._take, way))
            await self._all_identified()
            if self._stopping.is_set():
                return

    def _silent(self, wave: Sequence[str], turn: int, first: int) -> Iterator[str]:
        """Yield the addresses from the first on that have not answered yet."""
        for index in range(first, len(wave)):
            if index % _CHECKPOINT_ADDRESSES == 0 or self._stopping.is_set():
                self._journal.note(Position(turn, index))
            if self._stopping.is_set():
                return
            self.progress.asked += 1
            address = wave[index]
            if address not in self._answered and self._turns[turn] not in self._refused_ways[address]:
                yield address

    def _take(self, way: str, address: str) -> None:
        if address not in self._answered:
            self._answered[address] = way
            self._journal.note(Answered(address, way))
            self._waiting.put_nowait((address, way))

    @asynccontextmanager
    async def _identifying(self) -> AsyncIterator[None]:
        """Identify what has answered, in the background; after a stop what is under way has a moment."""
        self._workers = [asyncio.create_task(self._identify()) for _ in range(self._at_once)]
        try:
            yield
            if self._stopping.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._waiting.join(), GRACE_SECONDS)
        finally:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)

    async def _all_identified(self) -> None:
        """Wait until what has answered is identified, or this is stopped; raise what ended a worker."""
        tasks = [asyncio.create_task(self._waiting.join()), asyncio.create_task(self._stopping.wait())]
        done, _ = await asyncio.wait([*tasks, *self._workers], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for task in done:
            task.result()

    async def _identify(self) -> None:
        while True:
            address, way = await self._waiting.get()
            try:
                learnt = await self._agents.identify(address, way)
                self._journal.note(
                    Identified(learnt) if isinstance(learnt, Found) else NotIdentified(learnt, way)
                )
                self._keep(learnt, way)
            finally:
                self._waiting.task_done()

    def _keep(self, learnt: Found | RefusedAddress, way: str) -> None:
        """Keep what was learnt of an address; one that refused is asked again in the other ways."""
        address, outcome = learnt.address, self.outcome
        if isinstance(learnt, Found):
            self._answered.setdefault(address, way)
            outcome.found[address] = learnt
            outcome.refused.pop(address, None)
        else:
            self._answered.pop(address, None)
            self._refused_ways[address].add(way)
            outcome.refused[address] = learnt
        self.progress.found, self.progress.refused = len(outcome.found), len(outcome.refused)

    def _next_wave(self) -> tuple[str, ...]:
        """Return the addresses that found devices tell of and that were not asked yet."""
        room = self._follow.most - len(self.outcome.asked)
        told = dict.fromkeys(each for found in self.outcome.found.values() for each in self._told_by(found))
        return tuple(islice((each for each in told if self._may_ask(each)), max(room, 0)))

    def _told_by(self, found: Found) -> Iterator[str]:
        if self._follow.neighbours:
            for neighbour in found.neighbours:
                yield from neighbour.addresses
        if self._follow.arp:
            yield from found.arp

    def _may_ask(self, address: str) -> bool:
        if address in self.outcome.asked:
            return False
        try:
            return self._guard.check(address) == address
        except AddressDenied:
            return False
