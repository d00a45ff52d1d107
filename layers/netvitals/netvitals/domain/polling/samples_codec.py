"""The samples of a device as bytes: MessagePack, deflated, bounded when they are read again."""

import zlib

import msgspec

from netvitals.domain.polling.changes import InterfaceInfo, Sample, Samples, Series

MAX_BYTES = 128 * 1024
"""Of one device, packed: a chassis of 2,000 interfaces has less. More is not remembered: all is written."""
MAX_UNPACKED_BYTES = 4 * 1024 * 1024
_VERSION = 1


type _Row = tuple[int, int, str, int | float, int, int | None, bool]
"""Numbers of metric and instance, alias, value, nanoseconds since the first sample, if_index, held."""


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    version: int
    due_at: int
    full_at: int
    address: str
    booted_ns: int | None
    first_ns: int
    metrics: list[str]
    instances: list[str]
    rows: list[_Row]
    interfaces: list[InterfaceInfo]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(samples: Samples) -> bytes | None:
    """Return the samples as bytes, or None where they are too many to be remembered."""
    first_ns = min([sample.time_ns for sample in samples.series.values()], default=0)
    metrics: dict[str, int] = {}
    instances: dict[str, int] = {}
    rows = [
        (
            metrics.setdefault(name, len(metrics)),
            instances.setdefault(instance, len(instances)),
            alias,
            sample.value,
            sample.time_ns - first_ns,
            sample.if_index,
            sample.held,
        )
        for (name, instance, alias), sample in samples.series.items()
    ]
    head = _VERSION, samples.due_at, samples.full_at, samples.address, samples.booted_ns, first_ns
    body = _encoder.encode((*head, list(metrics), list(instances), rows, list(samples.interfaces.values())))
    packed = zlib.compress(body, 1)
    return packed if len(packed) <= MAX_BYTES and len(body) <= MAX_UNPACKED_BYTES else None


def unpack(packed: bytes) -> Samples | None:
    """Return the samples in the bytes; None where this version can't read them, so that all is written."""
    try:
        inflater = zlib.decompressobj()
        body = inflater.decompress(packed, MAX_UNPACKED_BYTES)
        found = _decoder.decode(body)
        if not inflater.eof or found.version != _VERSION:
            return None
        series = _series(found)
    except (zlib.error, msgspec.DecodeError, UnicodeError, IndexError, RecursionError):
        return None
    return Samples(
        due_at=found.due_at,
        full_at=found.full_at,
        address=found.address,
        booted_ns=found.booted_ns,
        series=series,
        interfaces={info.instance: info for info in found.interfaces},
    )


def _series(found: _Packed) -> dict[Series, Sample]:
    metrics, instances, first_ns = found.metrics, found.instances, found.first_ns
    return {
        (metrics[metric], instances[instance], alias): Sample(value, first_ns + after_ns, if_index, held)
        for metric, instance, alias, value, after_ns, if_index, held in found.rows
    }
