"""The samples of a device as bytes: MessagePack, deflated, bounded when they are read again."""

import zlib
from collections.abc import Sequence

import msgspec

from netvitals.domain.polling.changes import InterfaceInfo, Sample, Samples, Series

MAX_BYTES = 128 * 1024
"""Of one device, packed: a chassis of 2,000 interfaces has less. More is not remembered: all is written."""
MAX_UNPACKED_BYTES = 4 * 1024 * 1024
_VERSION = 2


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    version: int
    due_at: int
    full_at: int
    address: str
    booted_ns: int | None
    metrics: list[str]
    instances: list[str]
    metric_numbers: list[int]
    """By sample, the place of its metric in `metrics`."""
    instance_numbers: list[int]
    aliases: list[str]
    """By sample; empty where no sample has any."""
    samples: list[Sample]
    interfaces: list[InterfaceInfo]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(samples: Samples) -> bytes | None:
    """Return the samples as bytes, or None where they are too many to be remembered."""
    keys = list(zip(*samples.series, strict=True)) or [(), (), ()]
    metrics, metric_numbers = _numbered(keys[0])
    instances, instance_numbers = _numbered(keys[1])
    body = _encoder.encode(
        _Packed(
            version=_VERSION,
            due_at=samples.due_at,
            full_at=samples.full_at,
            address=samples.address,
            booted_ns=samples.booted_ns,
            metrics=metrics,
            instances=instances,
            metric_numbers=metric_numbers,
            instance_numbers=instance_numbers,
            aliases=list(keys[2]) if any(keys[2]) else [],
            samples=list(samples.series.values()),
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


def _numbered(names: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return each name once, and by place which of them stands there."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return list(numbers), [numbers[name] for name in names]


def _series(found: _Packed) -> dict[Series, Sample]:
    metrics = map(found.metrics.__getitem__, found.metric_numbers)
    instances = map(found.instances.__getitem__, found.instance_numbers)
    aliases = found.aliases or [""] * len(found.samples)
    return dict(zip(zip(metrics, instances, aliases, strict=True), found.samples, strict=True))
