"""Who is trusted over TLS, and what a login is bound to."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.certificate import Certified, certified
from fixtures.windows import PASSWORD, USER, Device, windows
from local.devices.winrm_host import Behaviour, WinrmHost
from local.devices.winrm_soap import Service
from netvitals.collectors.winrm import answer
from netvitals.collectors.winrm.protocol import WinrmCredential
from netvitals.collectors.winrm.tls import context_for
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.secret import Secret


@pytest.fixture
def own(tmp_path: Path) -> Certified:
    return certified(tmp_path, "dc-1.example.net", "127.0.0.1")


@contextmanager
def https(own: Certified, client_ca: Path | None = None, **behaviour: bool) -> Iterator[WinrmHost]:
    with WinrmHost(
        Service(windows()),
        users={USER: PASSWORD},
        tls=(own.certificate, own.key),
        client_ca=client_ca,
        behaviour=Behaviour(**behaviour),  # type: ignore[arg-type]  # all of these are bools
    ) as host:
        yield host


@pytest.mark.parametrize("transport", ["basic", "ntlm"])
async def test_a_certificate_that_nobody_vouches_for_gets_no_login(own: Certified, transport: str) -> None:
    with https(own, basic=True) as host:
        device = Device(host)
        device.credential["transport"] = transport
        reading = await device.poll()
        assert (reading.reason, reading.alive, host.requests) == (Reason.HOST_KEY, True, 0)
    assert "certificate_sha256" in reading.detail


@pytest.mark.parametrize("transport", ["basic", "ntlm"])
@pytest.mark.parametrize("trust", ["ca", "certificate_sha256"])
async def test_a_ca_or_a_pin_of_the_credential_is_trusted(own: Certified, transport: str, trust: str) -> None:
    with https(own, basic=True, ntlm=transport == "ntlm") as host:
        device = Device(host)
        device.credential |= {"transport": transport, trust: own.pem if trust == "ca" else own.sha256}
        reading = await device.poll()
    assert (reading.reason, reading.detail) == (Reason.OK, "")


async def test_a_host_that_offers_no_basic_has_refused_no_login(own: Certified) -> None:
    with https(own, basic=False) as host:
        device = Device(host)
        device.credential |= {"transport": "basic", "ca": own.pem}
        reading = await device.poll()
        assert reading.reason is Reason.AUTH
        assert "offers no Basic login, which transport basic needs, only Negotiate" in reading.detail
        assert "winrm_refused" not in device.memory
        host.behaviour.basic = True
        device.credential["password"] = "wrong"
        assert "refuses the login" in (await device.poll()).detail
        assert device.memory["winrm_refused"]["times"] == 1


async def test_a_pin_is_read_as_windows_and_openssl_print_it(own: Certified) -> None:
    with https(own) as host:
        device = Device(host)
        digits = own.sha256.upper()
        device.credential["certificate_sha256"] = ":".join(
            digits[place : place + 2] for place in range(0, 64, 2)
        )
        assert (await device.poll()).reason is Reason.OK


async def test_another_pin_is_not_trusted(own: Certified) -> None:
    with https(own) as host:
        device = Device(host)
        device.credential["certificate_sha256"] = "ab" * 32
        reading = await device.poll()
        assert (reading.reason, host.requests) == (Reason.HOST_KEY, 0)


async def test_with_a_ca_the_certificate_must_be_for_the_devices_name(own: Certified) -> None:
    with https(own) as host:
        device = Device(host)
        device.credential["ca"] = own.pem
        device.hostname = "dc-1.example.net"
        assert (await device.poll()).reason is Reason.OK
        device.hostname = "dc-2.example.net"
        reading = await device.poll()
    assert reading.reason is Reason.HOST_KEY
    assert "dc-2.example.net" in reading.detail


async def test_a_ca_and_a_pin_must_both_be_right(own: Certified, tmp_path: Path) -> None:
    other = certified(tmp_path, "other")
    with https(own) as host:
        device = Device(host)
        device.credential |= {"ca": other.pem, "certificate_sha256": own.sha256}
        assert (await device.poll()).reason is Reason.HOST_KEY
        device.credential |= {"ca": own.pem}
        assert (await device.poll()).reason is Reason.OK


async def test_verification_can_be_switched_off(own: Certified) -> None:
    with https(own) as host:
        assert (await Device(host, verify=False).poll()).reason is Reason.OK


async def test_ntlm_is_bound_to_the_connection(own: Certified) -> None:
    with https(own, require_cbt=True) as host:
        assert (await Device(host, verify=False).poll()).reason is Reason.OK
        assert host.logins == 1


async def test_a_client_certificate_logs_in(own: Certified, tmp_path: Path) -> None:
    client = certified(tmp_path, "monitor")
    with https(own, client_ca=client.certificate, ntlm=False) as host:
        device = Device(host)
        device.credential = {
            "user": "monitor",
            "transport": "certificate",
            "certificate": client.pem,
            "private_key": client.key.read_text(),
            "certificate_sha256": own.sha256,
        }
        assert (await device.poll()).reason is Reason.OK
        assert host.refused == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"ca": "no certificate"},
        {"certificate_sha256": "12:34"},
        {"transport": "certificate", "certificate": "x", "private_key": "-----BEGIN"},
    ],
)
async def test_a_credential_that_is_none_is_told_without_its_content(
    own: Certified, broken: dict[str, str]
) -> None:
    with https(own) as host:
        device = Device(host)
        device.credential |= broken
        reading = await device.poll()
        assert (reading.reason, host.requests) == (Reason.BAD_CREDENTIAL, 0)
    assert "correct it in the credential map" in reading.detail
    assert PASSWORD not in reading.detail


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_one_version_of_tls_is_enough(own: Certified, version: ssl.TLSVersion) -> None:
    with https(own) as host:
        assert host.context is not None
        host.context.minimum_version = host.context.maximum_version = version
        device = Device(host)
        device.credential["ca"] = own.pem
        assert (await device.poll("status")).reason is Reason.OK
        assert (await device.poll()).reason is Reason.OK


async def test_a_server_can_not_make_us_calculate_with_numbers_of_its_own_size() -> None:
    credential = WinrmCredential(user="u", password=Secret("p"))
    for context in (answer.anonymous_context(), context_for(credential, verify=True)):
        assert not [each["name"] for each in context.get_ciphers() if each["name"].startswith("DHE")]


async def test_a_status_poll_over_tls_needs_no_trust_because_it_sends_nothing(own: Certified) -> None:
    with https(own) as host:
        reading = await Device(host).poll("status")
        assert (reading.reason, host.requests, host.refused) == (Reason.OK, 1, 0)


@pytest.mark.parametrize("kind", ["status", "metrics"])
async def test_a_port_without_tls_is_told(kind: str) -> None:
    with WinrmHost(Service(windows()), users={USER: PASSWORD}) as host:
        reading = await Device(host, tls=True, operation_timeout_seconds=1).poll(kind)
    assert (reading.alive, reading.reason) == (True, Reason.PROTOCOL)
    assert "winrm.tls" in reading.detail
