"""The host probe beside the protocols of one device: when it is made, awaited, believed."""

import pytest

from fixtures.polling import (
    ALIVE,
    CANNOT_TELL,
    SILENT,
    Bench,
    FakeCredentials,
    FakeProber,
    Scripted,
    bench,
    job,
    poll,
    refused,
    silent,
    values,
)
from netvitals.domain.polling.observation import Reason
from netvitals.domain.ports import Reach
from netvitals.domain.settings.policy import PingSettings

ACCEPTED = Reach(method="tcp", alive=True, rtt_ms=3.0, sent=1, received=1, accepted=True)


def test_ping_alone_decides_where_there_is_no_protocol() -> None:
    for reach, reachable, reason in (
        (ALIVE, True, Reason.OK),
        (SILENT, False, Reason.UNREACHABLE),
        (CANNOT_TELL, False, Reason.UNSUPPORTED),
    ):
        result = poll(bench(prober=FakeProber(reach)), job(protocols=()))
        assert (result.reachable, result.reason, result.method) == (reachable, reason, reach.method)


def test_a_tcp_probe_that_no_port_answers_is_not_waited_for_once_the_protocol_has_replied() -> None:
    stage = bench(prober=FakeProber(Reach(method="tcp", alive=False, sent=1), seconds=1))
    assert poll(stage).duration_ms == pytest.approx(20)


def test_no_host_is_probed_by_tcp_whose_protocol_replies_within_a_second() -> None:
    stage = bench(prober=FakeProber(ACCEPTED))
    assert poll(stage).method == "snmp"
    assert not stage.prober.probes


def test_a_host_whose_protocol_is_silent_is_probed_by_tcp_after_a_second() -> None:
    stage = bench(silent, prober=FakeProber(ACCEPTED, seconds=0.1))
    result = poll(stage, within=1.2)
    assert (result.reachable, result.method) == (True, "tcp")
    assert len(stage.prober.probes) == 1


def test_a_host_whose_protocol_fails_at_once_is_probed_by_tcp_at_once() -> None:
    result = poll(bench(prober=FakeProber(ACCEPTED, seconds=0.1), credentials=FakeCredentials({})))
    assert result.reachable
    assert result.duration_ms == pytest.approx(100)


def test_a_protocol_that_has_replied_but_not_answered_leads_to_no_probe_by_tcp() -> None:
    stage = bench(refused, prober=FakeProber(ACCEPTED))
    assert poll(stage).reachable
    assert not stage.prober.probes


def test_a_lost_echo_is_waited_for_because_it_is_a_loss() -> None:
    result = poll(bench(prober=FakeProber(SILENT, seconds=1)))
    assert result.duration_ms == pytest.approx(1000)
    assert (values(result)["ping_status"], values(result)["ping_loss_percent"]) == (1, 100)


def test_no_host_is_probed_where_ping_is_switched_off() -> None:
    stage = bench(silent)
    poll(stage, job(ping=PingSettings(enabled=False)))
    assert not stage.prober.probes


def test_on_loopback_neither_an_echo_nor_a_refusal_proves_a_device_that_has_a_protocol() -> None:
    for reach in (ALIVE, Reach(method="tcp", alive=True, rtt_ms=0.1, sent=1, received=1)):
        stage = bench(silent, prober=FakeProber(reach))
        result = poll(stage, job(address="127.0.0.9"))
        assert (result.reachable, result.reason) == (False, Reason.TIMEOUT)
        assert [connect_only for _, _, connect_only in stage.prober.probes] == [True]


def test_on_loopback_an_accepted_connection_or_a_protocols_reply_proves_the_device() -> None:
    accepted = Reach(method="tcp", alive=True, rtt_ms=0.1, sent=1, received=1, accepted=True)
    assert poll(bench(silent, prober=FakeProber(accepted)), job(address="127.0.0.9")).reachable
    assert poll(bench(prober=FakeProber(CANNOT_TELL)), job(address="::1")).reachable


def test_on_loopback_a_device_without_protocols_is_pinged() -> None:
    stage = bench(prober=FakeProber(ALIVE))
    assert poll(stage, job(address="127.0.0.9", protocols=())).reachable
    assert stage.prober.probes[0][2] is False


def test_the_ports_of_the_devices_own_protocols_are_probed_first() -> None:
    stage = Bench(collectors={"winrm": Scripted({}, silent), "ssh": Scripted({}, silent)})
    poll(stage, job(protocols=("winrm", "ssh")))
    assert stage.prober.probes[0][1].tcp_ports == (5986, 22, 443, 80)
