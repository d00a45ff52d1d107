"""Which addresses may be dialled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvitals.domain.errors import AddressDenied, ConfigurationError
from netvitals.domain.inventory.guard import Guard, is_name, names_loopback

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
EVERYWHERE = ("0.0.0.0/0", "::/0")


def denied(address: str, allowed: tuple[str, ...] = EVERYWHERE, *, allow_local: bool = False) -> str:
    with pytest.raises(AddressDenied) as caught:
        Guard(allowed, allow_local=allow_local).check(address)
    return str(caught.value)


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("172.31.255.1", "172.31.255.1"),
        ("fd12::0001", "fd12::1"),
        ("FD12:0:0:0:0:0:0:A", "fd12::a"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("::ffff:a01:203", "10.1.2.3"),
        ("64:ff9b::10.1.2.3", "64:ff9b::a01:203"),
    ],
)
def test_an_address_in_an_allowed_network_passes_in_its_canonical_form(address: str, canonical: str) -> None:
    assert Guard(PRIVATE).check(address) == canonical


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "100.64.0.1"],
)
def test_an_address_in_no_allowed_network_is_denied_with_the_setting_to_change(
    address: str,
) -> None:
    text = denied(address, PRIVATE)
    assert "NETVITALS_ALLOWED_NETWORKS" in text
    assert "10.0.0.0/8" in text


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.170.2",
        "169.254.1.1",
        "192.0.0.192",
        "192.88.99.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::7f00:1",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "::ffff:224.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b::255.255.255.255",
        "64:ff9b:1::10.0.0.1",
        "2002:a9fe:a9fe::1",
        "2002:0a00:0001::1",
        "2001:0:a9fe:a9fe::1",
        "100::1",
        "fd00:ec2::254",
        "fd00:ec2:0:1::23",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_no_devices_address_is_denied_whatever_is_allowed(address: str) -> None:
    for allow_local in (False, True):
        assert "no setting allows it" in denied(address, allow_local=allow_local)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1"]
)
def test_loopback_is_for_local_runs_even_where_it_is_listed(address: str) -> None:
    assert "NETVITALS_ALLOW_LOCAL" in denied(address, ("127.0.0.0/8", "::1/128", *EVERYWHERE))
    Guard(PRIVATE, allow_local=True).check(address)


def test_a_local_run_may_list_a_part_of_loopback() -> None:
    guard = Guard(["127.1.0.0/16"], allow_local=True)
    assert guard.check("127.1.0.9") == "127.1.0.9"
    with pytest.raises(AddressDenied, match=r"127\.1\.0\.0/16"):
        guard.check("127.2.0.9")


def test_loopback_is_listed_only_in_so_many_words() -> None:
    assert names_loopback(["10.0.0.0/8", "127.0.1.0/24"])
    assert names_loopback(["::1/128"])
    assert not names_loopback(EVERYWHERE)


@pytest.mark.parametrize(
    "address",
    [
        "", " ", "2130706433", "127.1", "0x7f.1", "0x7f000001", "010.0.0.1", "10.0.0.1 ", "10.0.0.1/32",
        "10.0.0", "10.0.0.256", "10.0.0.-1", "fe80::1%eth0", "fd12::1%0", "[fd12::1]", "fd12::1::2",
        "\uff11\uff10.0.0.1", "10\u30020\u30020\u30021", "10.0.0.1\n", "10.0.0.1\x00", "router.example.net",
    ],
)  # fmt: skip
def test_what_only_some_take_for_an_address_is_none(address: str) -> None:
    with pytest.raises(AddressDenied):
        Guard(EVERYWHERE, allow_local=True).check(address)


def test_where_no_network_is_allowed_nothing_passes() -> None:
    assert "(none)" in denied("10.0.0.1", ())


def test_the_broadcast_address_of_an_allowed_network_is_no_device() -> None:
    assert "broadcast" in denied("192.168.7.255", ("192.168.7.0/24",))
    assert Guard(["192.168.7.0/31"]).check("192.168.7.1") == "192.168.7.1"
    assert Guard(["192.168.7.9/32"]).check("192.168.7.9") == "192.168.7.9"
    assert Guard(["fd12::/64"]).check("fd12::ffff:ffff:ffff:ffff")


@pytest.mark.parametrize("network", ["10.0.0.1/8", "10.0.0.0/33", "ten", "", "10.0.0.0/8,172.16.0.0/12"])
def test_a_malformed_network_is_named(network: str) -> None:
    with pytest.raises(ConfigurationError, match="is no network"):
        Guard([network])


@given(st.ip_addresses().map(str))
def test_the_guard_passes_only_what_it_passes_again(address: str) -> None:
    guard = Guard(EVERYWHERE)
    try:
        passed = guard.check(address)
    except AddressDenied:
        return
    assert guard.check(passed) == passed


@given(st.text(max_size=80))
def test_no_text_makes_the_guard_fail_otherwise(text: str) -> None:
    try:
        Guard(PRIVATE).check(text)
    except AddressDenied as error:
        assert len(str(error)) < 600  # noqa: PT017, the text is bounded whatever was given


@pytest.mark.parametrize(
    "name", ["router", "sw-1.example.net", "a_b.example", "x1.example.net.", "3com.example"]
)
def test_a_host_name_is_a_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "127.1", "2130706433", "0x7f.1", "0x7f000001", "1.0x7f", "010.0.0.1", "10.0.0.1",
        "10.0.0.1.", "a..b", "-a.example", "a-.example", "a b", "a/b", "fd12::1", "a" * 64 + ".example",
        "a." * 127 + "aaa", "ex\nample", "ex\u00e4mple.net",
    ],
)  # fmt: skip
def test_what_resolvers_could_take_for_an_address_is_no_name(name: str) -> None:
    assert not is_name(name)
