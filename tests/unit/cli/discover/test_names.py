"""Devices that say no name of themselves are named by DNS, where that can be believed and comes in time."""

import socket
import threading
import time
from typing import Any

import pytest

from netvitals.cli.discover.names import confirmed_name, name_by_dns
from netvitals.domain.discovery.found import Found
from netvitals.domain.discovery.merge import Discovered
from netvitals.domain.discovery.proposals import proposals


def device(address: str, name: str = "", note: str = "") -> Discovered:
    return Discovered(
        found=Found(address=address, credential="core", name=name), addresses=[address], note=note
    )


def test_a_device_without_a_name_gets_the_one_of_its_address_and_one_with_a_name_keeps_it() -> None:
    devices = [device("10.0.0.1"), device("10.0.0.2", "sw-2"), device("10.0.0.3", note="no parent")]
    names = {"10.0.0.1": "sw-1.example.net", "10.0.0.2": "other.example.net", "10.0.0.3": "sw-3.example.net"}
    name_by_dns(devices, names.__getitem__)
    assert [each.found.name for each in devices] == ["sw-1.example.net", "sw-2", "sw-3.example.net"]
    assert [each.note for each in devices] == ["named by DNS", "", "no parent; named by DNS"]
    rows = [proposal.device for proposal in proposals(devices)]
    assert (rows[0].id, rows[0].hostname) == ("sw-1.example.net", "sw-1.example.net")


def test_a_name_server_that_does_not_answer_holds_nothing_up() -> None:
    devices = [device("10.0.0.1"), device("10.0.0.2")]
    stuck = threading.Event()

    def name_of(address: str) -> str:
        if address == "10.0.0.1":
            stuck.wait(60)
        return "sw.example.net"

    began = time.monotonic()
    name_by_dns(devices, name_of, seconds=1)
    assert time.monotonic() - began < 30
    stuck.set()
    assert [each.found.name for each in devices] == ["", "sw.example.net"]


@pytest.mark.parametrize(
    ("says", "leads_to", "named"),
    [
        ("sw-1.example.net", ["10.0.0.1", "10.0.0.9"], "sw-1.example.net"),
        ("sw-1.example.net.", ["10.0.0.1"], "sw-1.example.net"),
        ("core.bank.example", ["10.9.9.9"], ""),
        ("<script>alert(1)</script>", ["10.0.0.1"], ""),
        ("10.0.0.1", ["10.0.0.1"], ""),
        ("gone.example.net", OSError("no such name"), ""),
        (OSError("no PTR record"), [], ""),
    ],
)
def test_a_name_counts_only_where_it_leads_back_to_the_address(
    monkeypatch: pytest.MonkeyPatch, says: str | OSError, leads_to: list[str] | OSError, named: str
) -> None:
    def by_address(_: str) -> tuple[str, list[str], list[str]]:
        if isinstance(says, OSError):
            raise says
        return says, [], []

    def by_name(*_: Any, **__: Any) -> list[Any]:
        if isinstance(leads_to, OSError):
            raise leads_to
        return [(0, 0, 0, "", (address, 0)) for address in leads_to]

    monkeypatch.setattr(socket, "gethostbyaddr", by_address)
    monkeypatch.setattr(socket, "getaddrinfo", by_name)
    assert confirmed_name("10.0.0.1") == named
