"""The cells of a profile's columns: which rows there are, which count, and what they are called."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from netvitals.collectors.snmp.profiles.answers import Answers, Value, text_of
from netvitals.collectors.snmp.profiles.schema import Filter, InterfaceSource, Lookup, Source, Term, oid_of


@lru_cache(maxsize=512)
def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags)


class Cells:
    """Looks columns and lookups up for a row."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def cell(self, term: Term, index: str) -> Value:
        if isinstance(term, Lookup):
            return self._lookup(term, index)
        oid = oid_of(term)
        return self._answers.scalar(oid) if oid.endswith(".0") else self._answers.column(oid).get(index)

    def _lookup(self, lookup: Lookup, index: str) -> Value:
        key = self._key(lookup.key, index)
        if key is None:
            return None
        oid = oid_of(lookup.column)
        if oid.endswith(".0") and not self._answers.column(oid):
            return self._answers.scalar(oid)
        return self._answers.column(oid).get(key)

    def _key(self, key: str, index: str) -> str | None:
        if key.startswith("index"):
            return index_part(key, index)
        if key.startswith("row "):
            return key.removeprefix("row ")
        found = self.cell(key, index)
        return None if found is None else text_of(found)


@lru_cache(maxsize=4096)
def index_part(key: str, index: str) -> str | None:
    """What `index`, `index[0]` or `index[1:]` stands for in a row; None where it has no such arc."""
    arcs = index.split(".")
    match = re.fullmatch(r"index(?:\[(-?\d*)(:?)(-?\d*)\])?", key)
    if match is None:
        return None
    start, colon, stop = match[1], match[2], match[3]
    if start is None:
        return index
    if colon:
        return ".".join(arcs[slice(int(start) if start else None, int(stop) if stop else None)])
    position = int(start)
    return arcs[position] if -len(arcs) <= position < len(arcs) else None


def indexes_of(terms: Iterable[Term], answers: Answers) -> Iterator[tuple[str, str]]:
    """(index, OID) of every row of the first term that is there; a scalar is one row, its index empty."""
    for term in terms:
        oid = oid_of(term.key if isinstance(term, Lookup) and term.key[0] == "1" else _column(term))
        if oid.endswith(".0"):
            if answers.scalar(oid) is not None:
                yield "", oid
                return
        elif column := answers.column(oid):
            for index in column:
                yield index, oid
            return


def _column(term: Term) -> str:
    return term.column if isinstance(term, Lookup) else term


def passes(rule: Filter, cells: Cells, index: str) -> bool:
    """Whether a row counts."""
    value = index if rule.column == "index" else cells.cell(rule.column, index)
    if value is None:
        return not rule.any and rule.matches is None
    text = text_of(value)
    if rule.any and text not in map(str, rule.any):
        return False
    if text in map(str, rule.none):
        return False
    if rule.matches is not None and not compiled(rule.matches, re.IGNORECASE).search(text):
        return False
    return rule.not_matches is None or not compiled(rule.not_matches, re.IGNORECASE).search(text)


def instance_of(source: Source | InterfaceSource, cells: Cells, index: str) -> str:
    """What a row is called; empty where the source or the device gives no name."""
    given = source.instance
    if given is None:
        return ""
    if isinstance(given, Lookup) or given[:2] == "1.":
        return text_of(cells.cell(given, index))
    name = text_of(cells.cell(source.name, index)) if source.name is not None else ""
    text = given.replace("{name}", name)
    return re.sub(r"\{(index[^}]*)\}", lambda m: index_part(m[1], index) or "", text).strip()
