"""A discovery from its first address to its last, with agents that do as told."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from netvitals.adapters.files.discovery_journal import DiscoveryJournal, DiscoveryRequest, NoJournal
from netvitals.domain.discovery.found import Found, Neighbour, RefusedAddress
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.guard import Guard
from netvitals.usecases.discover import Discovery, DiscoveryOutcome, Entry, Follow, Journal

GUARD = Guard(("10.0.0.0/8",))
NETWORK = [f"10.0.0.{n}" for n in range(1, 21)]


class FakeAgents:
    """Implements `Agents`: addresses answer in one way each; those without a name refuse it there."""

    def __init__(
        self, answering: dict[str, str], ways: Sequence[str] = ("core",), last_ways: Sequence[str] = ()
    ) -> None:
        self.answering = answering
        self.ways = ways
        self.last_ways = last_ways
        self.refusing: set[str] = set()
        self.neighbours: dict[str, tuple[str, ...]] = {}
        self.asked: list[tuple[str, str]] = []
        self.identified: list[str] = []
        self.at: Callable[[str], None] = lambda _: None

    async def sweep(self, way: str, addresses: Iterable[str], answered: Callable[[str], None]) -> None:
        for address in addresses:
            self.at(address)
            self.asked.append((way, address))
            if way in self.answering.get(address, "").split():
                answered(address)
            await asyncio.sleep(0)

    async def identify(self, address: str, way: str) -> Found | RefusedAddress:
        await asyncio.sleep(0)
        self.identified.append(address)
        if f"{way} {address}" in self.refusing:
            return RefusedAddress(address, "no user fits")
        told = Neighbour(protocol="lldp", addresses=self.neighbours.get(address, ()))
        return Found(address=address, credential=way, neighbours=(told,), arp=("10.0.9.9",))


def discovery(agents: FakeAgents, journal: Journal | None = None, follow: Follow | None = None) -> Discovery:
    return Discovery(agents, GUARD, journal or NoJournal(), follow=follow or Follow())


def run(
    agents: FakeAgents, addresses: Sequence[str] = NETWORK, follow: Follow | None = None
) -> DiscoveryOutcome:
    return asyncio.run(_run(agents, addresses, follow))


async def _run(agents: FakeAgents, addresses: Sequence[str], follow: Follow | None) -> DiscoveryOutcome:
    return await discovery(agents, follow=follow).run(addresses)


def test_what_answers_is_identified_once_and_asked_no_more() -> None:
    agents = FakeAgents({"10.0.0.3": "core", "10.0.0.7": "edge"}, ("core", "edge"))
    outcome = run(agents)
    assert {each: found.credential for each, found in outcome.found.items()} == {
        "10.0.0.3": "core",
        "10.0.0.7": "edge",
    }
    assert outcome.complete
    assert sorted(agents.identified) == ["10.0.0.3", "10.0.0.7"]
    assert agents.asked.count(("core", "10.0.0.3")) == 1
    assert agents.asked.count(("edge", "10.0.0.3")) == 0
    assert [agents.asked.count((way, "10.0.0.9")) for way in ("core", "edge")] == [2, 2]


def test_logins_come_last_and_once_where_all_else_met_silence() -> None:
    agents = FakeAgents({"10.0.0.3": "core ssh", "10.0.0.4": "ssh"}, last_ways=("ssh",))
    outcome = run(agents)
    assert {each: found.credential for each, found in outcome.found.items()} == {
        "10.0.0.3": "core",
        "10.0.0.4": "ssh",
    }
    assert [way for way, address in agents.asked if address == "10.0.0.9"] == ["core", "core", "ssh"]


def test_a_device_that_refuses_one_way_is_asked_in_the_others_and_not_in_that_one_again() -> None:
    agents = FakeAgents({"10.0.0.3": "v3 edge", "10.0.0.4": "v3"}, ("v3", "edge"))
    agents.refusing = {"v3 10.0.0.3", "v3 10.0.0.4"}
    outcome = run(agents)
    assert outcome.found["10.0.0.3"].credential == "edge"
    assert outcome.refused == {"10.0.0.4": RefusedAddress("10.0.0.4", "no user fits")}
    assert agents.asked.count(("v3", "10.0.0.4")) == 1


def test_neighbours_are_followed_only_where_told_and_inside_the_allowed_networks() -> None:
    agents = FakeAgents(dict.fromkeys(("10.0.0.1", "10.1.0.1", "10.2.0.1", "8.8.8.8"), "core"))
    agents.neighbours = {
        "10.0.0.1": ("10.1.0.1", "8.8.8.8", "127.0.0.1"),
        "10.1.0.1": ("10.0.0.1", "10.2.0.1"),
    }
    assert {*run(agents, ["10.0.0.1"]).found} == {"10.0.0.1"}
    agents.asked.clear()
    outcome = run(agents, ["10.0.0.1"], Follow(neighbours=True))
    assert {*outcome.found} == {"10.0.0.1", "10.1.0.1", "10.2.0.1"}
    assert {address for _, address in agents.asked} == {"10.0.0.1", "10.1.0.1", "10.2.0.1"}


def test_arp_tables_are_followed_where_told_and_no_more_addresses_than_wanted() -> None:
    agents = FakeAgents({"10.0.0.1": "core"})
    assert "10.0.9.9" in run(agents, ["10.0.0.1"], Follow(arp=True)).asked
    assert "10.0.9.9" not in run(agents, ["10.0.0.1"], Follow(arp=True, most=1)).asked


def test_a_discovery_that_is_stopped_keeps_what_it_has_and_goes_on_where_it_was(tmp_path: Path) -> None:
    agents = FakeAgents(dict.fromkeys(("10.0.0.2", "10.0.0.9", "10.0.0.15"), "core"))
    first, before = journaled(agents, tmp_path / "journal", stop_at="10.0.0.10")
    assert before == []
    assert {*first.found} == {"10.0.0.2", "10.0.0.9"}
    assert not first.complete
    agents.asked.clear()
    agents.identified.clear()
    second, _ = journaled(agents, tmp_path / "journal")
    assert {*second.found} == {"10.0.0.2", "10.0.0.9", "10.0.0.15"}
    assert second.complete
    assert agents.identified == ["10.0.0.15"]
    assert agents.asked[0] == ("core", "10.0.0.11")
    assert not {address for _, address in agents.asked} & {"10.0.0.2", "10.0.0.9"}


def test_a_stopped_walk_along_neighbours_goes_on_with_those_it_had_come_to(tmp_path: Path) -> None:
    agents = FakeAgents(dict.fromkeys(("10.0.0.1", "10.1.0.1", "10.1.0.2"), "core"))
    agents.neighbours = {"10.0.0.1": ("10.1.0.1", "10.1.0.2")}
    journaled(agents, tmp_path / "journal", ["10.0.0.1"], stop_at="10.1.0.1", neighbours=True)
    agents.asked.clear()
    outcome, _ = journaled(agents, tmp_path / "journal", ["10.0.0.1"], neighbours=True)
    assert {*outcome.found} == {"10.0.0.1", "10.1.0.1", "10.1.0.2"}
    assert {address for _, address in agents.asked} == {"10.1.0.2"}


def test_a_line_that_was_cut_when_the_machine_died_costs_only_itself(tmp_path: Path) -> None:
    agents = FakeAgents({"10.0.0.2": "core"})
    path = tmp_path / "journal"
    journaled(agents, path, stop_at="10.0.0.10")
    path.write_bytes(path.read_bytes()[:-9])
    assert {*journaled(agents, path)[0].found} == {"10.0.0.2"}


def test_another_discovery_does_not_go_on_with_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with DiscoveryJournal(path, asked()):
        pass
    with pytest.raises(Unavailable, match=r"other tries \(2, now 3\)"):
        DiscoveryJournal(path, asked(tries=3)).before()
    path.write_text("id,hostname\n")
    with pytest.raises(Unavailable, match="is no file that"):
        DiscoveryJournal(path, asked()).before()


def test_a_journal_that_can_not_be_written_ends_the_discovery_with_the_cause() -> None:
    class Full(NoJournal):
        def note(self, entry: Entry) -> None:
            if type(entry).__name__ == "Identified":
                raise Unavailable("no space left on device")

    async def to_be_run() -> None:
        await discovery(FakeAgents({"10.0.0.2": "core"}), Full()).run(NETWORK)

    with pytest.raises(Unavailable, match="no space"):
        asyncio.run(to_be_run())


def asked(tries: int = 2) -> DiscoveryRequest:
    return DiscoveryRequest(("10.0.0.0/24",), ("core",), tries, 161)


def journaled(
    agents: FakeAgents,
    path: Path,
    addresses: Sequence[str] = NETWORK,
    *,
    stop_at: str = "",
    neighbours: bool = False,
) -> tuple[DiscoveryOutcome, list[Entry]]:
    async def to_be_run() -> tuple[DiscoveryOutcome, list[Entry]]:
        journal = DiscoveryJournal(path, asked())
        before = journal.before()
        with journal:
            one = discovery(agents, journal, Follow(neighbours=neighbours))
            agents.at = lambda address: one.stop() if address == stop_at else None
            return await one.run(addresses, before), before

    return asyncio.run(to_be_run())
