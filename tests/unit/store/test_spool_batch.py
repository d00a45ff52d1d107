import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvitals.store.spool_batch import (
    MAX_BODY_BYTES,
    InvalidSpoolBatch,
    decode_spool_batch,
    encode_spool_batches,
)

RECORD = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=50)


def body(**changes: object) -> str:
    good = json.loads(next(encode_spool_batches("lines", ["m x=1 1"], "timeout")))
    return json.dumps(good | changes)


def packed(text: bytes) -> str:
    return base64.b64encode(gzip.compress(text)).decode()


@given(st.lists(RECORD, min_size=1), RECORD)
def test_records_come_out_as_they_went_in(records: list[str], cause: str) -> None:
    (encoded,) = encode_spool_batches("lines", records, cause)
    batch = decode_spool_batch(encoded)
    assert (batch.content, batch.records, batch.cause) == ("lines", records, cause)


def test_nothing_is_no_batch() -> None:
    assert list(encode_spool_batches("lines", [], "")) == []


def test_many_records_become_several_bodies_below_the_limit_in_order() -> None:
    records = [f"m,t={n:x} x={hash(str(n))} {n}" for n in range(40_000)]
    bodies = list(encode_spool_batches("lines", records, "timeout"))
    assert len(bodies) > 1
    assert max(map(len, bodies)) <= MAX_BODY_BYTES
    assert [record for one in bodies for record in decode_spool_batch(one).records] == records


def test_records_that_compress_well_never_unpack_to_more_than_is_read() -> None:
    records = ["x" * 1000] * 10_000
    assert [
        record
        for one in encode_spool_batches("lines", records, "")
        for record in decode_spool_batch(one).records
    ] == records


def test_a_record_that_fits_nowhere_is_an_error() -> None:
    noise = base64.b64encode(bytes(hash((n, "noise")) & 0xFF for n in range(400_000))).decode()
    with pytest.raises(InvalidSpoolBatch, match="does not fit"):
        list(encode_spool_batches("lines", [noise], ""))


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        body(version=2),
        body(content="secrets"),
        body(count=2),
        body(count=0),
        body(data="no base64!"),
        body(data=base64.b64encode(b"no gzip").decode()),
        body(data=base64.b64encode(gzip.compress(b"m x=1 1")[:-9]).decode()),
        body(data=packed(b"\xff\xfe")),
        body(data=packed(b"x" * 9_000_000)),
    ],
    ids=range(13),
)
def test_anything_else_is_an_invalid_batch(malformed: str) -> None:
    with pytest.raises(InvalidSpoolBatch):
        decode_spool_batch(malformed)
