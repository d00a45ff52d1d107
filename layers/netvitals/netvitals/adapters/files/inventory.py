"""Read inventories from files: CSV with a header, or JSON lines, with the names of the table `devices`."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec

from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device
from netvitals.domain.inventory.row import FIELDS, BadRow, bad_row, device_from
from netvitals.domain.text import from_csv_cell

Format = Literal["csv", "jsonl"]
MAX_LINE_CHARACTERS = 64 * 1024
_SURROGATE = re.compile("[\udc80-\udcff]")
_BYTE_ORDER_MARKS_OF_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class InventoryFile(msgspec.Struct):
    """A file's usable rows with their lines, and the faults of the others."""

    rows: list[tuple[str, Device]] = []
    bad_rows: list[BadRow] = []
    columns: set[str] = set()
    """Fields that occur in any row of the file."""
    partial: list[tuple[str, Device]] = []
    """Rows with faults, without the fields at fault, so that further faults of them can be reported."""
    ignored: list[str] = []
    """Columns that netvitals does not know."""


def read_devices(path: Path, format_: Format | None = None) -> tuple[list[Device], list[BadRow]]:
    """Return the devices in a file, enabled or not, and the faults of rows that can't be used.

    Raises:
        Unavailable: the file can't be read.
    """
    read = read_inventory(path, format_)
    return [device for _, device in read.rows], read.bad_rows


def read_inventory(
    path: Path,
    format_: Format | None = None,
    mapped: Mapping[str, str] | None = None,
    encoding: str = "utf-8-sig",
) -> InventoryFile:
    """Read a file of the given format; by default its first character decides: `{` starts JSON lines.

    Columns that netvitals does not know are ignored, unless they look like a misspelled one. A byte
    order mark, CRLF and empty lines do no harm; in CSV, `;` and tab separate as well.

    Raises:
        Unavailable: the file can't be read.
    """
    try:
        with path.open("rb") as raw:
            start = raw.read(64)
        if start.startswith(_BYTE_ORDER_MARKS_OF_UTF16) and encoding == "utf-8-sig":
            raise Unavailable(f"{path} is UTF-16 text: save it as UTF-8, or name --encoding utf-16")
        # What is no UTF-8 becomes surrogates, which are reported with their line.
        with path.open(encoding=encoding, errors="surrogateescape", newline="") as text:
            if format_ is None:
                format_ = (
                    "jsonl" if start.decode("utf-8-sig", "replace").lstrip()[:1] in {"{", "["} else "csv"
                )
            fields = _Fields(mapped or {})
            return _read_json_lines(text, fields) if format_ == "jsonl" else _read_csv(text, fields)
    except UnicodeError:
        raise Unavailable(
            f"the inventory {path} is not in the encoding {encoding}: name its own with --encoding"
        ) from None
    except OSError as error:
        raise Unavailable(f"the inventory {path} can't be read: {error.strerror}") from None


class _Fields:
    """Names the fields that columns stand for, as `--map COLUMN=FIELD` says."""

    def __init__(self, mapped: Mapping[str, str]) -> None:
        self._mapped = {column.strip().lower(): field for column, field in mapped.items()}

    def of(self, column: str) -> str:
        """Return a column's field, or the column itself, in lower case, where it is not mapped.

        A column named like a field that another column is mapped to is not a field.
        """
        name = column.strip().lower()
        own = f"the file's {name}" if name in self._mapped.values() else name
        return self._mapped.get(name, own)

    def in_row(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row keyed by the names of fields."""
        return {self.of(name): value for name, value in row.items()} if self._mapped else row


def _read_json_lines(text: TextIO, fields: _Fields) -> InventoryFile:
    read = InventoryFile()
    for number, line in _lines(text, read.bad_rows):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line.encode("utf-8", "surrogateescape"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            row = None
        if isinstance(row, dict):
            _add(read, f"line {number}", fields.in_row(row))
        else:
            read.bad_rows.append(
                BadRow(f"line {number}", "row", "", "must be one JSON object in one line of UTF-8")
            )
    return read


def _read_csv(text: TextIO, fields: _Fields) -> InventoryFile:
    read = InventoryFile()
    lines = _lines(text, read.bad_rows)
    first, header = next(((number, line) for number, line in lines if line.strip()), (1, ""))
    delimiter = max(",;\t", key=header.count)
    names = [fields.of(name) for name in next(csv.reader([header], delimiter=delimiter), [])]
    if "id" not in names or len(set(names)) < len(names):
        read.bad_rows.append(BadRow(f"line {first}", "header", "", _header_fault(names)))
        return read
    _note_columns(read, f"line {first}", names)
    for number, values in _records(lines, first, delimiter):
        where = f"line {number}"
        if isinstance(values, str):
            read.bad_rows.append(BadRow(where, "row", "", values))
        elif len(values) > len(names):
            cause = f"has {len(values)} values for {len(names)} columns: quote values that hold {delimiter!r}"
            read.bad_rows.append(BadRow(where, "row", "", cause))
        elif any(values):
            cells = (from_csv_cell(value.strip()) for value in values)
            _add(read, where, dict(zip(names, cells, strict=False)))
    return read


def _header_fault(names: Sequence[str]) -> str:
    found = ", ".join(ascii(name)[1:-1] for name in names[:20]) or "nothing"
    twice = sorted({name for name in names if names.count(name) > 1})
    if "id" in names:
        return f"names `{'`, `'.join(twice)}` twice; netvitals knows {', '.join(FIELDS)}"
    return (
        f"has no column `id`; found: {found}. `--map COLUMN=id` of an import names another; "
        f"netvitals knows {', '.join(FIELDS)}"
    )


def _note_columns(read: InventoryFile, where: str, names: Iterable[str]) -> None:
    """Record fields and unknown columns; report those that look misspelled as faults."""
    read.columns |= {*names} & {*FIELDS}
    for name in {*names} - {*FIELDS, *read.ignored}:
        read.ignored.append(name)
        meant = get_close_matches(name, FIELDS, n=1, cutoff=0.8)
        if meant:
            read.bad_rows.append(bad_row(where, "column", name, f"is unknown: did you mean {meant[0]}?"))


def _add(read: InventoryFile, where: str, row: dict[str, Any]) -> None:
    _note_columns(read, where, row)
    fields = {name: row[name] for name in FIELDS if name in row}
    undecoded = next(filter(None, map(_undecoded, fields.values())), None)
    if undecoded is not None:
        cause = (
            f"is not UTF-8 (byte {undecoded:02X}): save it as 'CSV UTF-8', "
            "or import it with --encoding cp1252"
        )
        read.bad_rows.append(BadRow(where, "row", "", cause))
        return
    device = device_from(fields, where)
    if isinstance(device, Device):
        read.rows.append((where, device))
        return
    read.bad_rows.extend(device)
    at_fault = {bad.field for bad in device}
    rest = device_from({name: value for name, value in fields.items() if name not in at_fault}, where)
    if isinstance(rest, Device) and not at_fault & {"ip_address", "hostname"}:
        read.partial.append((where, rest))


def _undecoded(value: Any) -> int | None:
    """Return the first byte that is invalid in the text's encoding, which decoding has made a surrogate."""
    if not isinstance(value, str) or value.isascii():
        return None
    found = _SURROGATE.search(value)
    return ord(found[0]) - 0xDC00 if found else None


def _lines(text: TextIO, bad_rows: list[BadRow]) -> Iterator[tuple[int, str]]:
    """Yield numbered lines; one that is too long is reported and skipped, without being held in memory."""
    number = 0
    while line := text.readline(MAX_LINE_CHARACTERS + 1):
        number += 1
        if len(line) <= MAX_LINE_CHARACTERS:
            yield number, line
            continue
        while line and not line.endswith(("\n", "\r")):
            line = text.readline(MAX_LINE_CHARACTERS)
        cause = f"is longer than {MAX_LINE_CHARACTERS} characters"
        bad_rows.append(BadRow(f"line {number}", "row", "", cause))


def _records(
    lines: Iterator[tuple[int, str]], last: int, delimiter: str
) -> Iterator[tuple[int, list[str] | str]]:
    """Yield CSV records with the line they begin at; of a faulty one, a text with the fault as its values."""

    def feed() -> Iterator[str]:
        nonlocal last
        for number, line in lines:
            last = number
            yield line

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    while True:
        before = last
        try:
            values: list[str] | str = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            values = f"is no CSV: {error}"
        yield before + 1, values
