"""From a name to the one address that is dialled."""

import asyncio
from collections.abc import Sequence

import pytest

from fixtures.virtual_time import run
from netvitals.collectors.reach.resolve import Resolver
from netvitals.domain.errors import AddressDenied, NameNotResolved
from netvitals.domain.inventory.guard import Guard

GUARD = Guard(["10.0.0.0/8", "fd12::/16"])


class NameServer:
    def __init__(self, *answers: str, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self._answers, self._error = answers, error

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        if self._error:
            raise self._error
        return self._answers


async def test_an_address_is_checked_and_not_looked_up() -> None:
    names = NameServer()
    assert await Resolver(GUARD, names).resolve("fd12:0::1") == "fd12::1"
    with pytest.raises(AddressDenied):
        await Resolver(GUARD, names).resolve("127.1")
    assert names.asked == []


async def test_a_name_is_looked_up_once_and_its_first_address_is_dialled() -> None:
    names = NameServer("10.0.0.2", "fd12::2")
    assert await Resolver(GUARD, names).resolve("sw.example.net") == "10.0.0.2"
    assert names.asked == ["sw.example.net"]


@pytest.mark.parametrize("hidden", ["169.254.169.254", "127.0.0.1", "::1", "fe80::1%eth0", "8.8.8.8"])
async def test_one_bad_address_refuses_the_name(hidden: str) -> None:
    with pytest.raises(AddressDenied):
        await Resolver(GUARD, NameServer("10.0.0.2", hidden)).resolve("sw.example.net")


@pytest.mark.parametrize("error", [OSError(-2, "Name or service not known"), UnicodeError("label too long")])
async def test_a_name_that_does_not_resolve_says_so(error: Exception) -> None:
    with pytest.raises(NameNotResolved, match=r"sw\.example\.net does not resolve"):
        await Resolver(GUARD, NameServer(error=error)).resolve("sw.example.net")


async def test_a_name_without_an_address_says_so() -> None:
    with pytest.raises(NameNotResolved, match="has no address"):
        await Resolver(GUARD, NameServer()).resolve("sw.example.net")


def test_a_name_server_that_hangs_is_given_up() -> None:
    async def hang(_: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(NameNotResolved, match="no name server answered within 5 s"):
        run(Resolver(GUARD, hang).resolve("sw.example.net"))


async def test_the_systems_own_resolver_is_asked_where_no_other_is_given() -> None:
    assert await Resolver(Guard([], allow_local=True)).resolve("localhost") in {"127.0.0.1", "::1"}
