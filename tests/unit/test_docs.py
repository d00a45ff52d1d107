"""What README and docs name is there: files, anchors, targets of make, commands and their options.

Commands that need nothing are run, the others are parsed as they would be.
"""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from local.aws.template import load
from netvitals.cli.main import cli

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/netvitals/netvitals"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_ROOMS = frozenset(path.name for path in (*ROOT.iterdir(), *PACKAGE.iterdir()) if path.is_dir())
_PATH = re.compile(r"(?:^|[ `(])(?:…/|netvitals/)?([\w.]+/[\w./*<>-]*)", re.MULTILINE)
"""A path from the root of the repository or of the package, which `…/` and `netvitals/` abbreviate."""


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _code(page: Path) -> Iterator[str]:
    """What stands in code: in line, and the lines of blocks."""
    text = page.read_text()
    for block in _BLOCK.findall(text):
        yield from block.splitlines()
    yield from (" ".join(code.split()) for code in _CODE.findall(_BLOCK.sub("", text)))
    yield from (line.strip() for line in text.splitlines() if line.startswith("    "))


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text()):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), link
        assert not anchor or anchor in _anchors(there), link


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_target_of_make_is_one(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {found for code in _code(page) for found in re.findall(r"^make ([a-z-]+)", code)}
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_command_and_option_is_one(page: Path) -> None:
    for code in _code(page):
        for line in re.findall(r"(?:^|(?<!--stack-name)[ /])netvitals ((?:[a-z]|--).*)", code):
            _check(line.split(" #")[0].split())


def _check(words: list[str]) -> None:
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found, f"netvitals … {words[0]}"
        command, words = found, words[1:]
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    given = {word.partition("=")[0].strip(",;:)") for word in words if word.startswith("--")}
    assert given <= options, command.name


_NEED_NOTHING = (
    "schema",
    "cost --devices",
    "config show-defaults",
    "profile list",
    "grafana rules",
    "--version",
)
_LINE = re.compile(r"^ *(?:\w+=\S* )*netvitals ((?:[a-z]|--)[^|;&>\n]*)")


def _command_lines() -> Iterator[tuple[str, list[str]]]:
    """Each line of code that begins with the command, with its words up to a pipe or an explanation."""
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
        lines += [line for line in _BLOCK.sub("", text).splitlines() if line.startswith("    ")]
        for found in filter(None, map(_LINE.match, lines)):
            words = re.split(r"  +|\s#", found[1])[0].strip()
            yield f"{_named(page)}: {words}", shlex.split(words)


COMMAND_LINES = dict(_command_lines())


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_every_line_that_begins_with_the_command_is_one_that_it_takes(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere")
    monkeypatch.chdir(tmp_path)
    words = COMMAND_LINES[name]
    if " ".join(words).startswith(_NEED_NOTHING) and "--site" not in words:
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0, result.output
    else:
        _parse(words)


def _parse(words: list[str]) -> None:
    """Raises a usage error for words that the command would not take; nothing is run."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0]) if words else None
        assert found, words
        command, words = found, words[1:]
    command.make_context(command.name, list(words))


def test_lines_of_the_docs_are_read_as_a_shell_would() -> None:
    assert COMMAND_LINES["docs/schema.md: schema configuration"] == ["schema", "configuration"]
    assert len(COMMAND_LINES) > 40
    with pytest.raises(click.UsageError, match="--rat"):
        _parse(["poll", "192.0.2.1", "--rat", "5"])
    with pytest.raises(click.UsageError, match="not a valid"):
        _parse(["poll", "192.0.2.1", "--port", "snmp"])


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_function_that_is_invoked_is_in_the_template(page: Path) -> None:
    invoked = {found for code in _code(page) for found in re.findall(r"invoke (\w+)", code)}
    assert invoked <= _functions()


@cache
def _functions() -> frozenset[str]:
    return frozenset(load(ROOT / "template.yaml")["Resources"])


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    assert not [path for code in _code(page) for path in _missing(f"`{code}`")]


def test_every_file_that_the_code_names_is_there() -> None:
    modules = [*PACKAGE.rglob("*.py"), *(ROOT / "local").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    missing = {_named(module): _missing(module.read_text()) for module in modules}
    assert not {module: paths for module, paths in missing.items() if paths}


def _missing(text: str) -> list[str]:
    """Return the paths in a text that lead to no file."""
    paths = {path for path in _PATH.findall(text) if path.partition("/")[0] in _ROOMS}
    return [path for path in sorted(paths) if not any(_found(path))]


def _found(path: str) -> Iterator[Path]:
    pattern = re.sub(r"<\w+>", "*", path).rstrip("./")
    return chain(ROOT.glob(pattern), PACKAGE.glob(pattern))


def test_a_path_is_found_from_the_root_and_from_the_package() -> None:
    assert not _missing(
        "`…/collectors/<protocol>/`, (`domain/polling/`), netvitals/cli/main.py, tests/unit/*.py."
    )
    assert _missing("`…/cli/poll.py` or `tests/units/`") == ["cli/poll.py", "tests/units/"]


def test_every_room_of_the_package_is_on_the_map() -> None:
    rooms = {f"{room.name}/" for room in PACKAGE.iterdir() if room.is_dir()}
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert not [room for room in rooms if not room.startswith("_") and room not in text]


def test_the_command_line_is_read_as_it_stands_in_the_docs() -> None:
    _check(["poll", "192.0.2.1", "--v3", "monitor"])
    with pytest.raises(AssertionError, match="pol"):
        _check(["pol", "192.0.2.1"])
    with pytest.raises(AssertionError, match="poll"):
        _check(["poll", "--verbos"])


def test_the_picture_of_the_page_is_small_enough_for_a_readme() -> None:
    """`make picture` takes it."""
    picture = ROOT / "docs/page.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 150 * 1024
