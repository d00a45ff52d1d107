"""Parse SOAP envelopes into trees, within bounds, because a host may send any XML.

An answer of 8 MB of `<a/>` makes 474 MB of elements, and the C parser holds the interpreter's lock until it
is done. So it is read in steps, and no further than an answer of Windows can go.
"""

import xml.etree.ElementTree as ET
from typing import NoReturn
from xml.parsers import expat

MOST_ELEMENTS = 20_000
"""Elements of one answer; we ask for 150 KB at most (MaxEnvelopeSize), which hold a tenth of this."""
MOST_DEPTH = 32
LONGEST_TAG = 64 * 1024
"""Bytes of one tag with its attributes, or of one comment; text may be longer."""
_STEP = 16 * 1024
"""Bytes that are parsed at a time; in between other threads run."""


class BadEnvelope(ValueError):
    """Raised for an answer that Windows would not send; it is not read on."""


def tree_of(answer: bytes) -> ET.Element:
    """Return the document's root, with names as `xml.etree` has them: `{namespace}local`.

    Raises:
        BadEnvelope: it has a document type, is not in UTF-8, or is beyond the bounds above.
        ValueError: it is no XML.
    """
    reading = _Reading()
    try:
        for start in range(0, len(answer), _STEP):
            reading.feed(answer[start : start + _STEP])
        return reading.root()
    except expat.ExpatError as error:
        raise ValueError(f"its answer is no XML ({error})") from None


class _Reading:
    """Reads one document in steps."""

    def __init__(self) -> None:
        self._builder = ET.TreeBuilder()
        self._elements = self._depth = self._fed = self._reached = 0
        parser = self._parser = expat.ParserCreate(None, "}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._builder.data
        parser.XmlDeclHandler = _declared
        parser.StartDoctypeDeclHandler = _document_type

    def feed(self, data: bytes) -> None:
        self._parser.Parse(data, False)  # noqa: FBT003, expat takes no keywords
        self._fed += len(data)
        self._reached = max(self._reached, self._parser.CurrentByteIndex)
        if self._fed - self._reached > LONGEST_TAG:
            raise BadEnvelope("its answer holds a tag without an end")

    def root(self) -> ET.Element:
        self._parser.Parse(b"", True)  # noqa: FBT003, expat takes no keywords
        return self._builder.close()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        if self._elements > MOST_ELEMENTS or self._depth > MOST_DEPTH:
            raise BadEnvelope("its answer holds more XML elements than a Windows host sends")
        self._builder.start(_named(name), {_named(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_named(name))


def _named(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def _declared(_version: str, encoding: str | None, _standalone: int) -> None:
    """Refuse any encoding but UTF-8: in another, `transport` would not find the octets that it looks for."""
    if encoding is not None and encoding.lower() != "utf-8":
        raise BadEnvelope("its answer is not in UTF-8")


def _document_type(*_: object) -> NoReturn:
    """Refuse a document type, which SOAP does not allow (SOAP 1.2, 5): without one no entity is expanded."""
    raise BadEnvelope("its answer holds a document type, which SOAP forbids")
