"""What one version of the functions leaves for another, during a deployment or after it was taken back."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from netvitals.adapters.aws.snapshots import KEY, S3Snapshots
from netvitals.domain.errors import InvalidJob
from netvitals.domain.inventory.device import Device
from netvitals.domain.polling.job import Job, decode_jobs, encode_jobs, job_of
from netvitals.domain.settings.configuration import Configuration
from netvitals.store.spool_batch import InvalidSpoolBatch, decode_spool_batch, encode_spool_batches

DEVICE = Device(id="sw-1", ip_address="10.0.0.1", credential="core", site="zurich")
OF_THE_NEXT = {"of_the_next_version": {"deep": [1, {"deeper": None}]}}


def job() -> Job:
    settings = Configuration().policy("network", {"snmp": {"port": 1161}}).poll_settings()
    return job_of(DEVICE, "metrics", settings, due_at=1_800_000_000, expires_at=1_800_000_300, interval=300)


def sections(value: Any) -> Iterator[dict[str, Any]]:
    """Yield a job and its sections of settings; what a device remembers is its protocol's."""
    yield value
    for inner in [value["settings"], *value["settings"].values()]:
        if isinstance(inner, dict):
            yield inner


def test_a_job_of_a_newer_version_is_polled_without_what_is_not_known_yet() -> None:
    message = json.loads(encode_jobs([job()]))
    for section in sections(message["jobs"][0]):
        section.update(OF_THE_NEXT)
    decoded = decode_jobs(json.dumps(message | OF_THE_NEXT))
    assert (decoded.jobs, decoded.faults) == ([job()], [])


def test_a_job_of_an_older_version_is_polled_with_the_defaults_of_what_it_does_not_say() -> None:
    message = json.loads(encode_jobs([job()]))
    needed = {field.encode_name for field in msgspec.structs.fields(Job) if field.required}
    for name in set(message["jobs"][0]) - needed:
        older = message | {"jobs": [{key: value for key, value in message["jobs"][0].items() if key != name}]}
        decoded = decode_jobs(json.dumps(older))
        assert (len(decoded.jobs), decoded.faults) == (1, []), name


def test_points_that_a_newer_version_spooled_are_replayed_by_an_older_one() -> None:
    (body,) = encode_spool_batches("lines", ["m x=1 1", "m x=2 2"], "away")
    batch = decode_spool_batch(json.dumps(json.loads(body) | OF_THE_NEXT))
    assert batch.records == ["m x=1 1", "m x=2 2"]


@pytest.mark.parametrize("version", ["newer", "older"])
def test_a_copy_of_the_inventory_is_read_by_another_version(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    row: dict[str, Any] = {"id": "sw-1", "ip_address": "10.0.0.1", "credential": "core", "site": "zurich"}
    more = OF_THE_NEXT if version == "newer" else {}
    lines = [{"version": 1, "taken_at": 5.0} | more, row | more]
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="copies")
        body = gzip.compress(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        s3.put_object(Bucket="copies", Key=KEY, Body=body)
        taken_at, chunks = S3Snapshots(s3, "copies").latest()
        assert (taken_at, [device for chunk in chunks for device in chunk]) == (5.0, [DEVICE])


def test_a_message_of_a_version_that_changed_its_meaning_is_none_of_ours() -> None:
    message = json.loads(encode_jobs([job()]))
    with pytest.raises(InvalidJob, match="version 1"):
        decode_jobs(json.dumps(message | {"version": 2}))
    (body,) = encode_spool_batches("lines", ["m x=1 1"], "away")
    with pytest.raises(InvalidSpoolBatch, match="version 1"):
        decode_spool_batch(json.dumps(json.loads(body) | {"version": 2}))
