"""Polling goes on with a copy of the inventory while the database is away."""

from collections.abc import Callable, Iterator, Sequence

import boto3
import pytest
from moto import mock_aws

from netvitals.adapters.aws.snapshots import KEY, S3Snapshots
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import BadRow
from netvitals.usecases.snapshot_inventory import MAX_AGE_SECONDS, TAKE_SECONDS, SnapshotInventory

BUCKET = "netvitals-snapshots"
DEVICES = [Device(id=f"sw-{n}", ip_address=f"10.0.0.{n}", memory={"snmp": {"n": n}}) for n in range(1, 7)]


class Database:
    """An inventory in chunks of two that breaks down before the chunk `breaks_at`."""

    def __init__(self) -> None:
        self.breaks_at: int | None = None
        self.devices_there = DEVICES

    def devices(self, report: Callable[[BadRow], None]) -> Iterator[Sequence[Device]]:  # noqa: ARG002, the port's
        for number, start in enumerate(range(0, len(self.devices_there), 2)):
            if number == self.breaks_at:
                raise Unavailable("the database does not answer")
            yield self.devices_there[start : start + 2]


class Bench:
    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.s3.create_bucket(Bucket=BUCKET)
        self.database = Database()
        self.now = 1_000_000.0
        self.inventory = self.fresh()

    def fresh(self, bucket: str = BUCKET) -> SnapshotInventory:
        return SnapshotInventory(
            self.database,
            S3Snapshots(self.s3, bucket),
            clock=lambda: self.now,
        )

    def read(self, inventory: SnapshotInventory | None = None) -> list[str]:
        """Read all devices, as a tick does, and keep the copy when that is over."""
        inventory = inventory or self.inventory
        read = [device.id for chunk in inventory.devices(lambda _: None) for device in chunk]
        inventory.keep()
        return read


@pytest.fixture
def bench() -> Iterator[Bench]:
    with mock_aws():
        yield Bench()


ALL = [device.id for device in DEVICES]


@pytest.mark.parametrize("breaks_at", [0, 1, 2])
def test_the_rest_comes_from_the_snapshot_each_device_once(
    bench: Bench, breaks_at: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert bench.read() == ALL
    bench.database.breaks_at, bench.now = breaks_at, bench.now + 300
    assert bench.read(bench.fresh()) == ALL
    assert caplog.messages == [
        "the database does not answer; polling goes on with the inventory of 5 minutes ago"
    ]


def test_what_the_snapshot_holds_is_what_the_database_held(bench: Bench) -> None:
    bench.read()
    bench.database.breaks_at = 0
    chunks = bench.fresh().devices(lambda _: None)
    assert [device for chunk in chunks for device in chunk] == DEVICES


def test_half_an_inventory_never_replaces_a_whole_one(bench: Bench) -> None:
    bench.read()
    bench.database.breaks_at = 1
    bench.read(bench.fresh())
    bench.database.breaks_at = 0
    assert bench.read(bench.fresh()) == ALL


def test_a_snapshot_is_taken_anew_when_it_has_grown_old_and_not_before(bench: Bench) -> None:
    bench.read()
    bench.database.devices_there = DEVICES[:2]
    bench.now += TAKE_SECONDS - 1
    bench.read()
    bench.database.breaks_at = 0
    assert bench.read(bench.fresh()) == ALL
    bench.database.breaks_at, bench.now = None, bench.now + 1
    bench.read()
    bench.database.breaks_at = 0
    assert bench.read(bench.fresh()) == ALL[:2]


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (None, "there is none yet"),
        (b"junk", "is no snapshot"),
        (b"", "is no snapshot"),
    ],
)
def test_without_a_usable_snapshot_the_tick_fails_and_says_both_reasons(
    bench: Bench, body: bytes | None, cause: str
) -> None:
    if body is not None:
        bench.s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)
    bench.database.breaks_at = 0
    with pytest.raises(Unavailable, match=f"does not answer; and no snapshot stands in: .*{cause}"):
        bench.read()


def test_a_snapshot_that_was_cut_short_gives_what_it_has_and_then_fails(bench: Bench) -> None:
    bench.read()
    body = bench.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    bench.s3.put_object(Bucket=BUCKET, Key=KEY, Body=body[:-12])
    bench.database.breaks_at = 0
    with pytest.raises(Unavailable, match="can't be read to its end"):
        bench.read(bench.fresh())


def test_a_snapshot_from_another_time_is_no_inventory(bench: Bench) -> None:
    bench.read()
    bench.database.breaks_at, bench.now = 0, bench.now + MAX_AGE_SECONDS + 86_400
    with pytest.raises(Unavailable, match="the snapshot is 8 days old"):
        bench.read(bench.fresh())


def test_a_bucket_that_is_missing_costs_the_snapshot_and_not_the_tick(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    assert bench.read(bench.fresh("no-such-bucket")) == ALL
    assert "no snapshot of the inventory was kept: s3://no-such-bucket/" in caplog.messages[0]


def test_nothing_is_kept_before_the_jobs_were_sent(bench: Bench) -> None:
    assert list(bench.inventory.devices(lambda _: None))
    assert bench.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    bench.inventory.keep()
    assert bench.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    bench.inventory.keep()  # once


def test_an_inventory_that_was_not_read_to_its_end_is_not_kept(bench: Bench) -> None:
    next(bench.inventory.devices(lambda _: None))
    bench.inventory.keep()
    assert bench.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
