"""Polling one device: what counts as alive, what a fault costs, and what is kept."""

import asyncio

import pytest

from fixtures.polling import (
    ALIVE,
    CANNOT_TELL,
    EVERYTHING,
    SILENT,
    Bench,
    FakeCredentials,
    FakeProber,
    Scripted,
    bench,
    crashing,
    hanging,
    healthy,
    job,
    point,
    poll,
    refused,
    silent,
    uncancellable,
    values,
)
from fixtures.virtual_time import NeverReturns
from netvitals.collectors.snmp.protocol import SnmpCredential
from netvitals.domain.errors import AddressDenied, ConfigurationError, NameNotResolved, Unavailable
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.ports import Reach, Target
from netvitals.domain.settings.credential import Credential
from netvitals.domain.settings.secret import Secret
from netvitals.domain.settings.vitals import VitalSettings


def test_a_healthy_device_is_up_with_its_points_and_those_of_the_ping() -> None:
    result = poll(bench(prober=FakeProber(ALIVE, 0.003)))
    assert (result.reachable, result.method, result.reason) == (True, "snmp", Reason.OK)
    assert result.duration_ms == pytest.approx(20)
    assert values(result) == {
        "ping_status": 1,
        "ping_rtt_ms": 3.0,
        "ping_loss_percent": 0.0,
        "collect_ok": 1,
        "collect_duration_ms": pytest.approx(20),
        "uptime_seconds": 1.0,
    }


def test_a_status_poll_says_nothing_of_how_collecting_went() -> None:
    assert {"collect_ok", "collect_duration_ms"}.isdisjoint(values(poll(bench(), job(kind="status"))))


def test_the_protocols_round_trip_stands_in_where_the_host_probe_has_none() -> None:
    assert values(poll(bench(prober=FakeProber(CANNOT_TELL))))["ping_rtt_ms"] == 20.0


def test_a_silent_device_costs_one_protocols_patience_and_is_unreachable() -> None:
    ssh = Scripted({}, silent)
    stage = Bench(collectors={"snmp": Scripted({}, silent), "ssh": ssh}, prober=FakeProber(SILENT))
    result = poll(stage, job(protocols=("snmp", "ssh")))
    assert (result.reachable, result.reason) == (False, Reason.UNREACHABLE)
    assert not ssh.targets
    assert result.duration_ms == pytest.approx(6000)
    assert values(result)["ping_status"] == 0
    assert values(result)["ping_loss_percent"] == 100


def test_a_device_whose_host_answers_is_asked_over_its_next_protocol() -> None:
    stage = Bench(
        collectors={"snmp": Scripted({}, silent), "ssh": Scripted({}, healthy)}, prober=FakeProber(ALIVE)
    )
    result = poll(stage, job(protocols=("snmp", "ssh")))
    assert (result.method, result.reason, values(result)["uptime_seconds"]) == ("ssh", Reason.OK, 1.0)


def test_all_protocols_are_asked_where_the_host_probe_can_not_tell() -> None:
    ssh = Scripted({}, silent)
    result = poll(
        Bench(collectors={"snmp": Scripted({}, silent), "ssh": ssh}), job(protocols=("snmp", "ssh"))
    )
    assert len(ssh.targets) == 1
    assert (result.reason, result.detail) == (
        Reason.TIMEOUT,
        "snmp: 10.0.0.1: no answer; ssh: 10.0.0.1: no answer",
    )


def test_the_next_protocol_is_left_alone_when_the_first_gave_something() -> None:
    ssh = Scripted({})
    poll(Bench(collectors={"snmp": Scripted({}), "ssh": ssh}), job(protocols=("snmp", "ssh")))
    assert not ssh.targets


def test_a_host_that_answers_while_its_agent_does_not_is_up_and_says_so() -> None:
    result = poll(bench(silent, prober=FakeProber(ALIVE)))
    assert (result.reachable, result.method, result.reason) == (True, "icmp", Reason.TIMEOUT)
    assert result.detail == "10.0.0.1: no answer; the host itself answers (icmp)"


def test_a_refused_user_proves_the_device_alive() -> None:
    result = poll(bench(refused, prober=FakeProber(SILENT)))
    assert (result.reachable, result.method, result.reason) == (True, "snmp", Reason.AUTH)
    assert values(result)["ping_status"] == 1


def test_up_and_down_need_no_second_protocol_after_a_refusal_and_metrics_do() -> None:
    for kind, asked in (("status", 0), ("metrics", 1)):
        ssh = Scripted({})
        poll(
            Bench(collectors={"snmp": Scripted({}, refused), "ssh": ssh}),
            job(protocols=("snmp", "ssh"), kind=kind),
        )
        assert len(ssh.targets) == asked


def test_of_two_failures_the_one_that_a_person_can_mend_is_the_reason() -> None:
    stage = Bench(collectors={"snmp": Scripted({}, silent), "ssh": Scripted({}, refused)})
    assert poll(stage, job(protocols=("snmp", "ssh"))).reason is Reason.AUTH


def test_a_password_that_was_changed_meanwhile_is_tried_once() -> None:
    async def wants_new(target: Target, reading: Reading) -> None:
        await (healthy if target.credential == new else refused)(target, reading)

    new = SnmpCredential(community=Secret("new"))
    later = {"c": Credential(snmp=new)}
    stage = bench(wants_new, credentials=FakeCredentials({"c": EVERYTHING}, later))
    assert poll(stage).reason is Reason.OK
    assert stage.credentials.refreshed == 1


def test_a_refused_password_that_is_still_the_same_is_not_tried_again() -> None:
    collector = Scripted({}, refused)
    assert poll(Bench(collectors={"snmp": collector})).reason is Reason.AUTH
    assert len(collector.targets) == 1


def test_what_a_device_repeats_of_its_credential_is_in_no_detail_whatever_the_protocol() -> None:
    async def repeats(target: Target, reading: Reading) -> None:
        reading.alive = True
        reading.fail(Reason.PROTOCOL, f"it says 'no command {target.credential.password.reveal()}\x1b[2J'")

    for protocol in ("ssh", "winrm"):
        stage = Bench(collectors={protocol: Scripted({}, repeats)})
        detail = poll(stage, job(protocols=(protocol,))).detail
        assert detail == "it says 'no command [secret] [2J'"


def test_a_missing_credential_is_the_reason_and_the_host_is_probed_all_the_same() -> None:
    stage = bench(credentials=FakeCredentials({}), prober=FakeProber(ALIVE))
    result = poll(stage)
    assert (result.reachable, result.method, result.reason) == (True, "icmp", Reason.BAD_CREDENTIAL)


def test_a_credential_without_a_part_for_the_protocol_is_named() -> None:
    result = poll(bench(credentials=FakeCredentials({"c": Credential()})))
    assert result.reason is Reason.BAD_CREDENTIAL
    assert "credential 'c' has no 'snmp' part" in result.detail


def test_a_credential_store_that_hangs_when_read_anew_costs_no_more_than_the_devices_time() -> None:
    class Hanging(FakeCredentials):
        def refresh(self) -> bool:
            raise NeverReturns

    result = poll(bench(refused, credentials=Hanging({"c": EVERYTHING})), job(device_timeout_seconds=10))
    assert result.reason is Reason.AUTH
    assert result.duration_ms == pytest.approx(10_000)


def test_a_missing_credential_is_no_outage() -> None:
    result = poll(bench(credentials=FakeCredentials({})))
    assert not result.reachable
    assert "ping_status" not in values(result)


@pytest.mark.parametrize("reason", [Reason.AUTH, Reason.HOST_KEY])
def test_a_host_on_the_way_that_lets_nobody_through_is_no_outage_of_the_device(reason: Reason) -> None:
    async def turned_away(_: Target, reading: Reading) -> None:
        reading.fail(reason, "jump host: refused")

    result = poll(bench(turned_away))
    assert (result.reachable, result.reason) == (False, reason)
    assert "ping_status" not in values(result)


def test_a_collector_can_have_another_host_looked_at_before_it_is_dialled() -> None:
    async def resolve(host: str) -> str:
        return {"10.0.0.1": "10.0.0.1", "jump": "10.0.0.2"}[host]

    async def through(target: Target, reading: Reading) -> None:
        reading.fail(Reason.PARTIAL, await target.resolve("jump"))

    assert poll(bench(through, resolve=resolve)).detail == "10.0.0.2"


def test_a_credential_store_that_can_not_be_read_is_no_result_of_the_device() -> None:
    class Broken(FakeCredentials):
        def get(self, name: str) -> Credential:
            raise Unavailable(f"no {name}")

    with pytest.raises(Unavailable):
        poll(bench(credentials=Broken({})))


@pytest.mark.parametrize("error", [AddressDenied("denied"), NameNotResolved("no such name")])
def test_an_address_that_may_not_be_dialled_gets_no_packet_and_no_verdict(error: Exception) -> None:
    async def resolve(_: str) -> str:
        raise error

    stage = bench(resolve=resolve)
    result = poll(stage)
    assert (result.reachable, result.reason, result.detail) == (False, Reason.BAD_ADDRESS, str(error))
    assert not stage.prober.probes
    assert "ping_status" not in values(result)


def test_a_protocol_without_a_collector_is_unsupported() -> None:
    class Empty(dict[str, Scripted]):
        def __missing__(self, name: str) -> Scripted:
            raise ConfigurationError(f"there is no collector for {name}")

    assert poll(Bench(collectors=Empty())).reason is Reason.UNSUPPORTED  # type: ignore[arg-type]  # by design


def test_a_collector_that_crashes_leaves_its_points_and_a_trace_without_the_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = bench(crashing)
    result = poll(stage)
    assert (result.reachable, result.reason) == (True, Reason.INTERNAL)
    assert values(result)["uptime_seconds"] == 1.0
    assert "ZeroDivisionError" in result.detail
    assert "s3cret" not in result.detail
    [record] = caplog.records
    assert record.getMessage() == "collecting over snmp, device sw-1: ZeroDivisionError"
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError


def test_a_collector_that_ends_in_cancellation_of_its_own_counts_as_crashed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def cancels_itself(_: Target, __: Reading) -> None:
        raise asyncio.CancelledError

    stage = bench(cancels_itself)
    assert poll(stage).reason is Reason.INTERNAL
    assert caplog.messages == ["collecting over snmp, device sw-1: CancelledError"]


def test_a_prober_that_crashes_costs_the_protocol_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeProber):
        async def probe(self, *_: object, **__: object) -> Reach:
            raise OSError("no buffer space")

    stage = bench(prober=Broken(ALIVE))
    assert poll(stage).reason is Reason.OK
    assert caplog.messages == ["probing the host, device sw-1: OSError"]


def test_what_was_read_when_the_device_ran_out_of_time_is_kept() -> None:
    result = poll(bench(hanging), job(device_timeout_seconds=10))
    assert (result.reachable, result.reason) == (True, Reason.PARTIAL)
    assert values(result)["uptime_seconds"] == 1.0
    assert result.duration_ms == pytest.approx(10_000)


def test_a_collector_that_ignores_its_cancellation_is_left_behind() -> None:
    result = poll(bench(uncancellable), job(device_timeout_seconds=10))
    assert result.duration_ms == pytest.approx(10_500)


def test_a_device_never_outlives_the_invocation() -> None:
    assert poll(bench(hanging), job(device_timeout_seconds=45), within=7).duration_ms == pytest.approx(7000)


def test_a_protocol_ends_before_the_device_and_the_device_before_the_invocation() -> None:
    collector = Scripted({})
    poll(Bench(collectors={"snmp": collector}), job(device_timeout_seconds=20), within=30)
    assert 1000 < collector.targets[0].deadline < 1020


def test_a_protocol_that_never_replies_leaves_the_next_one_its_share_of_the_time() -> None:
    async def endless(*_: object) -> None:
        await asyncio.Event().wait()

    ssh = Scripted({}, healthy)
    result = poll(
        Bench(collectors={"snmp": Scripted({}, endless), "ssh": ssh}),
        job(protocols=("snmp", "ssh"), device_timeout_seconds=20),
    )
    assert (result.method, result.reason) == ("ssh", Reason.OK)
    assert result.duration_ms == pytest.approx(10_020)


def test_a_protocol_that_replies_may_use_all_the_time() -> None:
    async def slow(_: Target, reading: Reading) -> None:
        reading.alive = True
        await asyncio.sleep(18)
        reading.points.append(point())
        reading.reason = Reason.OK

    stage = Bench(collectors={"snmp": Scripted({}, slow), "ssh": Scripted({})})
    result = poll(stage, job(protocols=("snmp", "ssh"), device_timeout_seconds=20))
    assert (result.method, result.reason) == ("snmp", Reason.OK)


def test_unfit_points_are_dropped_and_of_two_for_one_instance_the_first_is_kept() -> None:
    async def sloppy(_: Target, reading: Reading) -> None:
        reading.alive = True
        reading.points += [
            point("cpu_percent", 140),
            point("cpu_percent", 7),
            point("cpu_percent", 8),
            point("cpu_percent", 9, "1"),
            point("no_such_metric", 1),
            point("temperature_celsius", float("nan")),
        ]
        reading.reason = Reason.OK

    result = poll(bench(sloppy))
    assert [(p.value, p.instance) for p in result.points if p.metric_name == "cpu_percent"] == [
        (7, ""),
        (9, "1"),
    ]
    assert len(result.point_faults) == 3
    assert result.detail == "3 values were unfit to be stored: cpu_percent is 140, above 100 …"


def test_what_the_settings_leave_out_is_not_stored_whatever_the_protocol() -> None:
    async def host(_: Target, reading: Reading) -> None:
        reading.alive = True
        reading.points += [point("cpu_percent", 7), point("disk_percent", 8), point("disk_used_bytes", 9)]
        reading.reason = Reason.OK

    result = poll(bench(host), job(vitals=VitalSettings(disk=False)))
    assert {name for name in values(result) if name.startswith(("cpu", "disk"))} == {"cpu_percent"}


def test_what_protocols_remember_is_put_together() -> None:
    def remembering(name: str, reason: Reason) -> Scripted:
        async def remember(_: Target, reading: Reading) -> None:
            reading.memory = {name: 1}
            reading.reason = reason

        return Scripted({}, remember)

    stage = Bench(collectors={"snmp": remembering("a", Reason.TIMEOUT), "ssh": remembering("b", Reason.OK)})
    assert poll(stage, job(protocols=("snmp", "ssh"))).memory == {"a": 1, "b": 1}
