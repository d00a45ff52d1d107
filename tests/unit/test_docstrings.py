"""Hold the style of docstrings that CONTRIBUTING.md names.

What acts begins with a verb: modules and functions in the imperative, classes in the third person, exceptions
with `Raised`. A noun phrase describes data (fields, constants, classes that only hold fields), so that
no description continues a sentence that stands nowhere, such as `By ifIndex.` or `When it arrived.`
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (ROOT / "functions", ROOT / "layers" / "netvitals" / "netvitals")
type Kind = Literal["module", "function", "class", "error", "data", "field"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


IMPERATIVES = _words("""
    Add Agree Answer Append Ask Back Begin Bisect Bound Bring Build Bundle Call Cancel Carry Check
    Choose Classify Close Collect Combine Compare Compile Compose Compute Connect Convert Count Create
    Decide Declare Decode Define Delete Deliver Describe Discover Do Draw Drop Encode End Evaluate
    Exit Explain Fall Find Forget Format Get Give Guard Handle Have Hide Identify Implement Import
    Index Invoke Join Keep Learn Leave Limit List Load Log Look Make Map Mark Move Name Note Open
    Parse Pause Plan Poll Print Probe Propose Publish Put Query Raise Rank Read Recognise Record
    Refuse Register Remember Remove Replace Replay Report Request Reset Resolve Resume Return Roll Run
    Select Send Serve Set Settle Share Show Speak Split Spool Start State Stop Store Suppress Take
    Tell Translate Try Turn Use Wait Walk Wire Wrap Write Yield
""")
"""Verbs with which modules and functions begin; one that is missing here is added."""
HOLDERS = frozenset({"Carries", "Contains", "Describes", "Has", "Holds", "Says", "Stores"})
"""Verbs that say of a class of fields what its fields say themselves."""
ARTICLES = frozenset({"A", "An", "The"})
FRAGMENTS = _words("""
    After Another As Ask At Before Below Beside Between By False For Found From How If In Is It Its Nobody
    None Not Nothing Null Of On Only Outside Say Since Some Store That There These They This Those Under
    Unless Until Use What Whatever When Where Whether Which Who Whoever Whom Whose Why With Write …
""")
"""Words with which no noun phrase begins."""
DATA = frozenset({"Struct", "NamedTuple", "TypedDict", "Enum", "StrEnum", "dataclass"})
ERRORS = frozenset({"Exception", "ValueError", "OSError", "ConnectionAbortedError"})


class Docstring(NamedTuple):
    """A docstring, and what it describes."""

    where: str
    kind: Kind
    text: str

    def is_at_fault(self) -> bool:
        word = self.text.split()[0].rstrip(",.:;")
        match self.kind:
            case "module" | "function":
                return word not in IMPERATIVES
            case "class":
                return word in FRAGMENTS | ARTICLES or not word.endswith("s")
            case "error":
                return word != "Raised"
            case "data":
                return word in FRAGMENTS | HOLDERS
            case "field":
                return word in FRAGMENTS


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for room in ROOMS:
        for path in sorted(room.rglob("*.py")):
            yield path, ast.parse(path.read_text())


def _text(node: ast.stmt) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
    return ""


def _bases(node: ast.ClassDef) -> set[str]:
    bases = [each.value if isinstance(each, ast.Subscript) else each for each in node.bases]
    decorators = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
    return {ast.unparse(each).rpartition(".")[2] for each in (*bases, *decorators)}


def _descendants(bases: dict[str, set[str]], roots: frozenset[str]) -> set[str]:
    """Return the roots and all that inherit from them, by name; `typing.Protocol` has namesakes."""
    found = set(roots)
    while more := {
        name for name, of in bases.items() if (of - {"Protocol", "Interface"}) & found and name not in found
    }:
        found |= more
    return found


@cache
def _docstrings() -> tuple[Docstring, ...]:
    modules = list(_modules())
    bases: dict[str, set[str]] = {}
    for _, tree in modules:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(_bases(node))
    data, errors = _descendants(bases, DATA), _descendants(bases, ERRORS)
    return tuple(
        docstring
        for path, tree in modules
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for docstring in _of(path, node, data, errors)
    )


def _of(
    path: Path,
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
    data: set[str],
    errors: set[str],
) -> Iterator[Docstring]:
    kind: Kind = "function"
    if isinstance(node, ast.Module):
        kind = "module"
    elif isinstance(node, ast.ClassDef):
        kind = "error" if node.name in errors else "data" if node.name in data else "class"
    described: list[tuple[ast.stmt, Kind]] = [(node.body[0], kind)] if node.body else []
    described += [
        (after, "field")
        for value, after in zip(node.body, node.body[1:], strict=False)
        if isinstance(value, ast.Assign | ast.AnnAssign | ast.TypeAlias)
    ]
    for statement, what in described:
        if text := _text(statement):
            yield Docstring(f"{path.relative_to(ROOT)}:{statement.lineno}", what, text)


@pytest.mark.parametrize("kind", ["module", "function", "class", "error", "data", "field"])
def test_a_docstring_begins_as_those_of_its_kind_do(kind: Kind) -> None:
    docstrings = [each for each in _docstrings() if each.kind == kind]
    faults = [f"{each.where}: {each.text.split('\n')[0]}" for each in docstrings if each.is_at_fault()]
    assert docstrings
    assert not faults, "\n".join(faults)
