"""What a fleet costs: within the ranges that are known, and in proportion to what causes it."""

from collections import Counter
from math import ceil, exp
from pathlib import Path
from typing import Any

import msgspec
import pytest

from netvitals.adapters.files.strict_yaml import load
from netvitals.cli.cost import figures, lines
from netvitals.cli.cost.invocations import SECONDS, DeviceGroup, collected, messages_of
from netvitals.cli.cost.model import Cost, Deployment, cost_of
from netvitals.cli.cost.output import document_of
from netvitals.cli.cost.prices import PACKAGED, prices_in
from netvitals.cli.cost.quotas import series_of, warnings_of
from netvitals.domain.errors import ConfigurationError
from netvitals.domain.polling.job import Job, deflated_body, encode_job
from netvitals.domain.polling.schedule import phase
from netvitals.usecases.bundles import MAX_JOBS, Group, slot_of

PRICES = prices_in()
CLOUDWATCH = ("CloudWatch metrics", "CloudWatch alarms", "CloudWatch logs")
COLLECTORS = ("status collectors", "metrics collectors")


def cost(number: int, deployment: Deployment = Deployment(), **devices: Any) -> Cost:  # noqa: B008, it is frozen
    return cost_of([DeviceGroup(number=number, **devices)], deployment, PRICES)


def usd(found: Cost, *names: str) -> float:
    return sum(item.usd for item in found.aws if item.name in names)


# --- Known fleets


@pytest.mark.parametrize("silent", [0.01, 0.03])
def test_ten_thousand_switches_cost_what_they_may(silent: float) -> None:
    found = cost(10_000, silent=silent)
    assert 85 < found.aws_usd <= 130
    assert 1_200 < found.influxdb_usd <= 2_000
    assert usd(found, *CLOUDWATCH) <= 20


@pytest.mark.parametrize("silent", [0, 0.01, 0.03])
def test_a_hundred_switches_cost_little_but_their_nat_gateway(silent: float) -> None:
    found = cost(100, silent=silent)
    assert 45 < found.aws_usd <= 60
    assert usd(found, "NAT gateway") == pytest.approx(730 * 0.05)


def test_silence_costs_the_collectors_at_most_a_quarter() -> None:
    none, some = (usd(cost(10_000, silent=share), *COLLECTORS) for share in (0, 0.03))
    assert none < some <= 1.25 * none


@pytest.mark.parametrize(("used", "mb"), [(0, 45), (0.5, 75), (1, 110)])
def test_a_switch_makes_so_much_line_protocol_a_month_at_most(used: float, mb: float) -> None:
    assert 0.8 * mb < cost(1000, used=used, silent=0).influxdb_mb_per_device <= mb


def test_without_reporting_by_exception_it_is_three_times_as_much() -> None:
    everything = cost(1000, Deployment(everything=True)).influxdb_mb_per_device
    assert 240 < everything < 290
    assert everything > 3 * cost(1000).influxdb_mb_per_device


# --- Proportions


@pytest.mark.parametrize(
    "dearer",
    [
        {"number": 2000}, {"ports": 48}, {"used": 1.0}, {"measures": 10.0}, {"status_interval": 10},
        {"metrics_interval": 60}, {"silent": 0.3}, {"protocol": "ssh"}, {"protocol": "not measured yet"},
    ],
    ids=str,
)  # fmt: skip
def test_more_work_costs_more(dearer: dict[str, Any]) -> None:
    assert cost(**{"number": 1000} | dearer).aws_usd > cost(1000).aws_usd


@pytest.mark.parametrize(
    "dearer",
    [
        Deployment(status_mb=1769), Deployment(metrics_mb=3538), Deployment(decision_mb=3538),
        Deployment(nat="endpoints"), *(Deployment(outside=frozenset([peer])) for peer in
                                       ("postgresql", "influxdb", "devices")),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_farther_away_or_larger_costs_more(dearer: Deployment) -> None:
    assert cost(10_000, dearer).aws_usd > cost(10_000).aws_usd


def test_a_nat_instance_costs_less_than_a_gateway_and_none_costs_nothing() -> None:
    gateway, instance, none = (cost(1000, Deployment(nat=nat)) for nat in ("gateway", "instance", "none"))
    assert gateway.aws_usd > instance.aws_usd > none.aws_usd
    assert usd(none, "NAT gateway", "NAT data") == 0


def test_a_device_costs_less_in_a_larger_fleet() -> None:
    costs = [cost(number) for number in (1, 10, 100, 1_000, 10_000, 100_000)]
    shares = [each.aws_usd / each.devices for each in costs]
    assert shares == sorted(shares, reverse=True)


def test_two_halves_of_a_fleet_cost_what_the_whole_does() -> None:
    half = DeviceGroup(number=500)
    whole, halves = cost(1000), cost_of([half, half], Deployment(), PRICES)
    assert [item.name for item in halves.aws] == [item.name for item in whole.aws]
    assert [item.usd for item in halves.aws] == pytest.approx([item.usd for item in whole.aws])
    assert halves.influxdb_usd == pytest.approx(whole.influxdb_usd)


def test_a_bill_adds_up_to_the_cent() -> None:
    document = document_of(cost(12_345), ["a warning"])
    assert list(document) == [
        *("items", "aws_usd", "influxdb_usd", "total_usd", "per_device_usd"),
        *("influxdb_mb_per_device", "warnings"),
    ]
    assert sum(item["usd"] for item in document["items"]) == pytest.approx(document["total_usd"])
    assert document["per_device_usd"] == pytest.approx(document["total_usd"] / 12_345, abs=1e-4)
    assert all(set(item) == {"name", "usd"} for item in document["items"])
    assert document["warnings"] == ["a warning"]


# --- Invocations


@pytest.mark.parametrize(("number", "kind"), [(20, "status"), (1_000, "status"), (10_000, "metrics")])
def test_as_many_messages_are_counted_as_the_phases_of_devices_make(number: int, kind: Any) -> None:
    group = DeviceGroup(number=number, silent=0)
    interval = group.interval(kind)
    due = Counter(phase(f"sw-{n}", kind, interval) for n in range(number))
    messages = sum(ceil(jobs / MAX_JOBS[kind]) for jobs in due.values()) * SECONDS / interval
    (counted,) = collected([group], kind, 512)
    assert counted.number == pytest.approx(messages, rel=0.08)
    assert counted.number * counted.jobs == pytest.approx(number * SECONDS / interval)


def test_silent_devices_are_counted_in_messages_of_their_own() -> None:
    live, silent = collected([DeviceGroup(number=10_000, silent=0.03)], "status", 256)
    assert (live.silent, silent.silent) == (False, True)
    assert silent.slot == slot_of(Group.SILENT, 30) == 3 * live.slot
    assert silent.jobs == pytest.approx(150, rel=0.01)
    assert 3 < silent.seconds < 5


def test_devices_of_many_ports_share_a_message_with_fewer() -> None:
    (many,) = collected([DeviceGroup(number=10_000, silent=0, ports=2_000)], "metrics", 512)
    assert many.jobs < 2


def test_messages_of_a_slot_are_those_that_chance_makes() -> None:
    assert messages_of(0.1, 300) == pytest.approx(1 - exp(-0.1))
    assert messages_of(30, 300) == pytest.approx(1)
    assert messages_of(30_000, 300) == pytest.approx(100, abs=1)
    assert messages_of(0, 300) > 0


def test_a_smaller_share_of_a_processor_makes_an_invocation_longer() -> None:
    seconds = [
        collected([DeviceGroup(number=10_000)], "metrics", mb)[0].seconds for mb in (256, 512, 1769, 3538)
    ]
    assert seconds[0] > seconds[1] > seconds[2] == seconds[3]


def test_a_job_in_a_message_takes_no_more_bytes_than_counted() -> None:
    jobs = [
        encode_job(
            Job(
                kind="status", device_id=f"access-sw-{n:04}", address=f"10.{n % 7}.{n // 250}.{n % 250 + 1}",
                due_at=1_795_000_000, expires_at=1_795_000_030, interval=30,
                hostname=f"access-sw-{n:04}.example", site=f"site-{n % 40}", credential="core",
            )
        )
        for n in range(300)
    ]  # fmt: skip
    counted = figures.MESSAGE_BYTES + 300 * figures.JOB_BYTES
    assert 0.5 * counted < len(deflated_body(jobs)) <= counted


# --- Line protocol


def test_half_as_many_polls_make_less_but_full_writes_stay() -> None:
    often, seldom = (lines.metrics_lines(24, 0.0, 0, interval) for interval in (300, 600))
    assert often / 2 < seldom < often


def test_a_poll_at_least_as_seldom_as_full_writes_writes_everything() -> None:
    changes, everything = (
        lines.metrics_lines(24, 0.5, 0, 3600, everything=everything) for everything in (False, True)
    )
    # Besides, interfaces are described with each full write.
    assert everything < changes < 1.25 * everything


def test_series_are_counted_with_those_of_interfaces_and_status() -> None:
    assert lines.points_of(0, 0) == 17
    assert lines.points_of(24, 3) == 17 + 24 * 8 + 3
    assert series_of([DeviceGroup(number=2, ports=24)]) == 2 * (17 + 24 * 8 + 24 * 3 + 2)


# --- Quotas


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ({"number": 1000}, []),
        ({"number": 4000}, ["series"]),
        ({"number": 20_000, "ports": 2}, []),
        ({"number": 20_000}, ["all is written", "series"]),
        ({"number": 45_000}, ["minutes, and this is", "series", "StatusConcurrency is 20"]),
    ],
    ids=str,
)  # fmt: skip
def test_a_quota_is_told_where_it_is_met(devices: dict[str, Any], words: list[str]) -> None:
    found = warnings_of([DeviceGroup(**devices)], Deployment(), PRICES.quotas)
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))


def test_ceilings_of_the_account_and_of_a_run_are_told() -> None:
    found = "\n".join(warnings_of([DeviceGroup(number=2_000_000)], Deployment(), PRICES.quotas))
    assert "Lambda runs 1,000 invocations of an account at once" in found
    assert "FanoutTimeoutSeconds is 60" in found
    assert "StatusTimeoutSeconds is 60" in found
    few = msgspec.structs.replace(PRICES.quotas, sqs_in_flight=10)
    assert "in flight" in "\n".join(warnings_of([DeviceGroup(number=50_000)], Deployment(), few))


def test_the_concurrency_that_is_advised_is_enough() -> None:
    fleet, given = [DeviceGroup(number=100_000)], Deployment(status_concurrency=100, metrics_concurrency=40)
    told = [line for line in warnings_of(fleet, Deployment(), PRICES.quotas) if "Concurrency is" in line]
    assert [line.rpartition(" ")[2] for line in told] == ["100", "40"]
    assert not any("Concurrency is" in line for line in warnings_of(fleet, given, PRICES.quotas))


# --- Prices


def written(path: Path, **changes: Any) -> Path:
    document = load(PACKAGED.read_text()) | changes
    kept = {name: value for name, value in document.items() if value is not None}
    path.write_bytes(msgspec.json.encode(kept))
    return path


def test_prices_of_ones_own_take_the_place_of_the_packaged_ones(tmp_path: Path) -> None:
    own = prices_in(written(tmp_path / "prices.json", influxdb_mb_in=0.005, region="eu-central-1"))
    assert own.region == "eu-central-1"
    found = cost_of([DeviceGroup(number=1000)], Deployment(), own)
    assert found.influxdb_usd == pytest.approx(2 * cost(1000).influxdb_usd)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"nat_gateway_hour": None}, "nat_gateway_hour"),
        ({"nat_gateway_hours": 1}, "nat_gateway_hours"),
        ({"sqs_request": "cheap"}, "sqs_request"),
        ({"sqs_request": -1}, "sqs_request"),
        ({"quotas": {}}, "quotas"),
    ],
    ids=str,
)
def test_prices_that_can_not_be_used_are_told_with_their_name(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        prices_in(written(tmp_path / "prices.json", **changes))
