"""Encode the samples of a device as bytes: MessagePack, deflated, bounded when they are read again."""

import zlib
from itertools import chain, count, starmap

import msgspec

from netvitals.domain.polling.changes import InterfaceInfo, Sample, Samples, Series

MAX_BYTES = 128 * 1024
"""Bytes of one device's samples; a chassis of 2,000 interfaces has less. Of more, all points are written."""
MAX_UNPACKED_BYTES = 4 * 1024 * 1024
_VERSION = 3


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    """Samples as columns rather than rows: similar values lie together, and deflate to two thirds."""

    version: int
    due_at: int
    full_at: int
    address: str
    booted_ns: int | None
    instances: list[str]
    metrics: dict[str, list[int]]
    """Indexes into `instances` by metric; the columns below follow in this order."""
    values: list[float | int]
    first_ns: int
    later_ns: list[int]
    """Time of each sample, since the first."""
    if_indexes: list[int | None]
    held: list[bool]
    aliases: list[str]
    """Aliases of the samples; empty where none has any."""
    interfaces: list[InterfaceInfo]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(samples: Samples) -> bytes | None:
    """Return the samples as bytes, or None where they are too many to be remembered."""
    flat = [sample for of_metric in samples.series.values() for sample in of_metric.values()]
    instances = dict.fromkeys(chain.from_iterable(samples.series.values()))
    places = dict(zip(instances, count(), strict=False))
    first_ns = min((sample.time_ns for sample in flat), default=0)
    aliases = [sample.alias for sample in flat]
    body = _encoder.encode(
        _Packed(
            version=_VERSION,
            due_at=samples.due_at,
            full_at=samples.full_at,
            address=samples.address,
            booted_ns=samples.booted_ns,
            instances=list(instances),
            metrics={metric: [places[name] for name in names] for metric, names in samples.series.items()},
            values=[sample.value for sample in flat],
            first_ns=first_ns,
            later_ns=[sample.time_ns - first_ns for sample in flat],
            if_indexes=[sample.if_index for sample in flat],
            held=[sample.held for sample in flat],
            aliases=aliases if any(aliases) else [],
            interfaces=list(samples.interfaces.values()),
        )
    )
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
    except (zlib.error, msgspec.DecodeError, ValueError, IndexError, RecursionError):
        return None
    return Samples(
        due_at=found.due_at,
        full_at=found.full_at,
        address=found.address,
        booted_ns=found.booted_ns,
        series=series,
        interfaces={info.instance: info for info in found.interfaces},
    )


def _series(found: _Packed) -> Series:
    """Return the samples.

    Raises:
        ValueError, IndexError: the columns do not belong together.
    """
    if sum(map(len, found.metrics.values())) != len(found.values):
        raise ValueError("more or fewer values than instances")
    times = [found.first_ns + later_ns for later_ns in found.later_ns]
    aliases = found.aliases or [""] * len(found.values)
    samples = starmap(Sample, zip(found.values, times, found.if_indexes, found.held, aliases, strict=True))
    return {
        metric: dict(zip(map(found.instances.__getitem__, places), samples, strict=False))
        for metric, places in found.metrics.items()
    }
