"""Encode and decode the body of a spool message: a versioned envelope of compressed records."""

import base64
import binascii
import gzip
import zlib
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from netvitals.domain.errors import NetvitalsError

Content = Literal["lines", "observations", "refusals"]
VERSION = 1
MAX_BODY_BYTES = 240 * 1024
"""Limit of one body: below SQS's oldest limit of 256 KiB, attributes included."""
MAX_TEXT_BYTES = 8 * 1024 * 1024
"""Limit of one body's records when decompressed; 5,000 lines have about 0.7 MB."""


class InvalidSpoolBatch(NetvitalsError):
    """Raised for a spool message that is no batch of records, or of an unknown version."""


class SpoolBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one kind that were spooled together, and the cause for a person."""

    content: Content
    records: list[str]
    cause: str


class _Envelope(msgspec.Struct, frozen=True, kw_only=True):
    version: Literal[1]
    content: Content
    count: Annotated[int, Meta(ge=1, le=1_000_000)]
    cause: Annotated[str, Meta(max_length=1000)] = ""
    data: str
    """The records, joined by newlines, in gzip, in base64."""


_decoder = msgspec.json.Decoder(_Envelope)


def encode_spool_batches(content: Content, records: Sequence[str], cause: str) -> Iterator[str]:
    """Yield the bodies that hold the records, in order; records that do not fit in one are halved.

    Records contain no newline: lines of line protocol and compact JSON never do.

    Raises:
        InvalidSpoolBatch: a single record is too large for a message.
    """
    if not records:
        return
    text = "\n".join(records).encode()
    if len(text) <= MAX_TEXT_BYTES and len(body := _encode(content, records, text, cause)) <= MAX_BODY_BYTES:
        yield body
    elif len(records) == 1:
        raise InvalidSpoolBatch(f"a record of {len(records[0])} characters does not fit in a message")
    else:
        middle = len(records) // 2
        yield from encode_spool_batches(content, records[:middle], cause)
        yield from encode_spool_batches(content, records[middle:], cause)


def _encode(content: Content, records: Sequence[str], text: bytes, cause: str) -> str:
    data = base64.b64encode(gzip.compress(text, compresslevel=1, mtime=0)).decode()
    envelope = _Envelope(version=1, content=content, count=len(records), cause=cause[:1000], data=data)
    return msgspec.json.encode(envelope).decode()


def decode_spool_batch(body: str) -> SpoolBatch:
    """Return the batch of records in a message's body.

    Raises:
        InvalidSpoolBatch: it is malformed, cut short, of another version, or too large when unpacked.
    """
    try:
        envelope = _decoder.decode(body)
        records = _unpack(base64.b64decode(envelope.data, validate=True)).decode().split("\n")
    except (msgspec.DecodeError, binascii.Error, zlib.error, UnicodeError, RecursionError) as error:
        raise InvalidSpoolBatch(f"the message is no version {VERSION} spool batch: {error}") from None
    if len(records) != envelope.count:
        raise InvalidSpoolBatch(f"the message holds {len(records)} records and announces {envelope.count}")
    return SpoolBatch(content=envelope.content, records=records, cause=envelope.cause)


def _unpack(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = unpacker.decompress(packed, MAX_TEXT_BYTES)
    if not unpacker.eof:
        raise InvalidSpoolBatch(f"the message is cut short or unpacks to more than {MAX_TEXT_BYTES} bytes")
    return text
