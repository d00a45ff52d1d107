"""Keep a snapshot of the inventory as one object in S3: JSON lines in gzip, its time first, no secret."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import IO, Any, Self

import msgspec

from netvitals.adapters.aws.faults import AWS_FAULTS, code_of
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device

KEY = "inventory.jsonl.gz"
_CHUNK_DEVICES = 1000
_MAX_LINE_BYTES = 1024 * 1024
_UNREADABLE: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, msgspec.DecodeError, *AWS_FAULTS)
_CAUSES = {
    "NoSuchKey": "there is none yet",
    "404": "there is none yet",
    "AccessDenied": "the role lacks s3:GetObject or s3:ListBucket, or may not use the key (AccessDenied)",
}
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Device)


class _Head(msgspec.Struct, frozen=True):
    version: int
    taken_at: float


class S3Snapshots:
    """Implements `ports.Snapshots` on a bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def writer(self) -> "_Writer":
        return _Writer(self._client, self._bucket)

    def latest(self) -> tuple[float, Iterator[Sequence[Device]]]:
        """Return when the snapshot was taken (seconds since the epoch), and its devices in chunks.

        Raises:
            Unavailable: there is none, or it can't be read.
        """
        where = f"s3://{self._bucket}/{KEY}"
        # The whole object has a time limit, however slowly jobs are made of its rows.
        copy: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed where its last line was read
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=KEY)["Body"]
            shutil.copyfileobj(body, copy)
        except AWS_FAULTS as error:
            copy.close()
            raise Unavailable(f"{where}: {_CAUSES.get(code_of(error), error)}") from None
        copy.seek(0)
        file = gzip.GzipFile(fileobj=copy)
        try:
            head = msgspec.json.decode(file.readline(_MAX_LINE_BYTES), type=_Head)
        except _UNREADABLE as error:
            raise Unavailable(f"{where} is no snapshot: {error}") from None
        return head.taken_at, _devices(file, copy, where)


def _devices(file: gzip.GzipFile, copy: IO[bytes], where: str) -> Iterator[Sequence[Device]]:
    try:
        for lines in batched(iter(lambda: file.readline(_MAX_LINE_BYTES), b""), _CHUNK_DEVICES, strict=False):
            yield [_decoder.decode(line) for line in lines]
    except _UNREADABLE as error:
        raise Unavailable(f"{where} can't be read to its end: {error}") from None
    finally:
        copy.close()


class _Writer:
    """Collects a snapshot in a temporary file, so that memory is constant and S3 never has half of one."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed in __exit__
        self._lines = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._file.close()

    def add(self, devices: Sequence[Device]) -> None:
        self._lines.writelines(_encoder.encode(device) + b"\n" for device in devices)

    def keep(self, now: float) -> None:
        """Replace the previous snapshot by the collected one.

        Raises:
            Unavailable: it could not be stored; the previous one is still there.
        """
        self._lines.close()
        self._file.seek(0)
        head = gzip.compress(_encoder.encode(_Head(version=1, taken_at=now)) + b"\n", mtime=0)
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=KEY, Body=head + self._file.read(), ContentType="application/gzip"
            )
        except AWS_FAULTS as error:
            raise Unavailable(f"s3://{self._bucket}/{KEY}: {error}") from None
        if "ETag" not in answer:
            raise Unavailable(f"s3://{self._bucket}/{KEY}: what answered is not S3")
