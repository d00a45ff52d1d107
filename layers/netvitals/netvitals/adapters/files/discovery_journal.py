"""Record a discovery's progress in a file, a line of JSON for each step, so that another run can resume."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from netvitals.domain.errors import Unavailable
from netvitals.usecases.discover import Answered, Entry, Identified, NotIdentified, Position, Wave

_MAX_LINE_BYTES = 16 * 1024 * 1024
_entry = msgspec.json.Decoder(Answered | Wave | Position | Identified | NotIdentified)


class DiscoveryRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="discovery", tag_field="kind"
):
    """The request of a run; only a run with the same request may resume."""

    networks: tuple[str, ...]
    ways: tuple[str, ...]
    tries: int
    port: int
    follow: tuple[str, ...] = ()


class NoJournal:
    """Implements `usecases.discover.Journal` for runs that are not resumed."""

    def note(self, entry: Entry) -> None:
        pass


class DiscoveryJournal:
    """Implements `usecases.discover.Journal` in a file; `with` opens and closes it."""

    def __init__(self, path: Path, asked: DiscoveryRequest) -> None:
        self._path = path
        self._asked = asked
        self._file: IO[bytes] | None = None

    def before(self) -> list[Entry]:
        """Return the entries of an earlier run; none where there is no such file.

        Raises:
            Unavailable: the file is no journal, or that of another request.
        """
        try:
            with self._path.open("rb") as file:
                lines = self._lines(file)
                if (first := next(lines, None)) is None:
                    return []
                self._compare(first)
                return [entry for line in lines if (entry := _decoded(line)) is not None]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unavailable(f"{self._path} can't be read: {error.strerror}") from None

    @staticmethod
    def _lines(file: IO[bytes]) -> Iterator[bytes]:
        while line := file.readline(_MAX_LINE_BYTES):
            yield line

    def _compare(self, first: bytes) -> None:
        try:
            asked = msgspec.json.decode(first, type=DiscoveryRequest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unavailable(
                f"{self._path} is no file that `netvitals discover --resume` has written: name another"
            ) from None
        for name in DiscoveryRequest.__struct_fields__:
            was, is_ = getattr(asked, name), getattr(self._asked, name)
            if was != is_:
                raise Unavailable(
                    f"{self._path} belongs to a discovery with other {name} ({_shown(was)}, now "
                    f"{_shown(is_)}): repeat its options, or name another file"
                )

    def __enter__(self) -> Self:
        try:
            self._file = self._path.open("ab", buffering=0)
        except OSError as error:
            raise Unavailable(f"{self._path} can't be written: {error.strerror}") from None
        if self._file.tell() == 0:
            self._write(self._asked)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def note(self, entry: Entry) -> None:
        """Append an entry.

        Raises:
            Unavailable: it can't be written, such as for lack of space.
        """
        self._write(entry)

    def _write(self, entry: Entry | DiscoveryRequest) -> None:
        assert self._file is not None  # noqa: S101, `with` has opened it
        try:
            self._file.write(msgspec.json.encode(entry) + b"\n")
        except OSError as error:
            raise Unavailable(f"{self._path} can't be written: {error.strerror}") from None


def _decoded(line: bytes) -> Entry | None:
    """Return an entry; None for a line that was cut when its writer was killed."""
    try:
        entry: Entry = _entry.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return entry


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
