"""What `pip install .` brings, and what the functions' layer does."""

import re
import tomllib
from pathlib import Path

import grimp

from netvitals.domain.protocols import PROTOCOLS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LAYER = ROOT / "layers" / "netvitals"
PROFILES = "netvitals.collectors.snmp.profiles"


def test_the_command_runs_as_installed_and_no_function_carries_what_it_alone_needs() -> None:
    installed = set(PROJECT["project"]["dependencies"])
    assert installed - set(PROJECT["dependency-groups"]["functions"]) == {"click", "rich"}
    assert set(PROJECT["dependency-groups"]["functions"]) < installed


def left_out() -> set[str]:
    """Return the modules and folders that the layer's Makefile takes out of the package."""
    makefile = (LAYER / "Makefile").read_text().replace("\\\n", " ")
    found = re.search(r"^NOT_DEPLOYED := (.*)$", makefile, re.MULTILINE)
    assert found
    return {f"netvitals.{part.removesuffix('.py').replace('/', '.')}" for part in found[1].split()}


def is_within(module: str, parts: set[str]) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in parts)


def reached_by_functions(graph: grimp.ImportGraph) -> set[str]:
    """Return the modules that some function imports, when it starts or later."""
    paths = [path for each in PROTOCOLS.values() for path in (each.collector, each.command_line)]
    found = {"netvitals"} | {path.partition(":")[0] for path in paths}
    found |= {module for module in graph.modules if is_within(module, {"netvitals.wiring"})}
    reached: set[str] = set()
    while found:
        reached |= found
        found = {each for module in found for each in graph.find_modules_directly_imported_by(module)}
        found -= reached
    return reached


def test_the_layer_holds_the_modules_that_functions_import_and_no_other() -> None:
    graph = grimp.build_graph("netvitals", cache_dir=None)
    for module in ("build_index", "files"):  # Imported where there are YAML files to read.
        graph.remove_import(importer=f"{PROFILES}.packaged", imported=f"{PROFILES}.{module}")
    parts = left_out()
    deployed = {module for module in graph.modules if not is_within(module, parts)}
    packages = {module for module in graph.modules if graph.find_children(module)}
    reached = reached_by_functions(graph)
    assert reached - deployed == set()
    assert deployed - reached - packages == set()
