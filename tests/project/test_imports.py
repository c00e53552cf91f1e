"""The import direction: between the root folders, between packages, without cycles."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tests.project.modules import CODE_FOLDERS, list_files, list_imports, list_top_level_imports, module_name
from tests.support.paths import REPOSITORY

ALLOWED_FOLDERS: dict[str, set[str]] = {
    "sources": set(),
    "destinations": set(),
    "state": set(),
    "pipelines": {"sources", "destinations", "state"},
}

SOURCE_LAYERS = (
    {"errors", "datetimes", "settings", "metrics", "json_repair", "telemetry"},
    {"tables"},
    {"incremental", "api"},
    {"auth", "extract"},
    {"calls"},
    {"resources"},
    {"source", "request_estimate"},
    {""},
)
"""Packages and modules of `sources/gong`, lowest layer first; "" is the package's `__init__`.

A package imports only from lower layers; the modules of the lowest one may import each other.
"""

PIPELINE_LAYERS = (
    {"runtime"},
    {"publish"},
    {"write", "media", "analytics", "maintenance", "login"},
    {"load", "ondemand"},
    {"demo", "serve", "evidence"},
    {"mcp_server"},
    {"cli"},
)


@pytest.mark.parametrize("folder", CODE_FOLDERS)
def test_root_folders_import_only_allowed_ones(folder: str) -> None:
    """Sources, destinations and state are independent of each other; nothing imports tests."""
    forbidden = {*CODE_FOLDERS, "tests"} - ALLOWED_FOLDERS[folder] - {folder}
    assert {
        (module_name(file), name) for file in list_files(folder) for name in list_top_level_imports(file) & forbidden
    } == set()


@pytest.mark.parametrize(
    ("package", "layers"),
    [("sources.gong", SOURCE_LAYERS), ("pipelines", PIPELINE_LAYERS)],
    ids=["source", "pipelines"],
)
def test_packages_import_only_lower_layers(package: str, layers: tuple[set[str], ...]) -> None:
    """A package can be read and changed without knowing those that use it."""
    ranks = {name: rank for rank, names in enumerate(layers) for name in names}
    imports = {
        (module, _part_below(package, module), _part_below(package, imported))
        for module, names in _import_graph(package.replace(".", "/")).items()
        for imported in names
    }
    assert {part for _, importer, imported in imports for part in (importer, imported)} <= ranks.keys()

    upward = {
        (module, imported)
        for module, importer, imported in imports
        if importer != imported and ranks[imported] >= max(ranks[importer], 1)
    }
    assert upward == set()


@pytest.mark.parametrize("folder", CODE_FOLDERS)
def test_no_import_cycles(folder: str) -> None:
    """Modules that import each other cannot be understood, or tested, one at a time."""
    graph = _import_graph(folder)
    assert {module for module in graph if module in _reachable(graph, module)} == set()


def test_no_test_module_imports_another() -> None:
    """Shared code of tests is in tests/support, so that each test module runs and moves alone."""
    assert {
        (module_name(file), name)
        for file in list_files("tests")
        for name in list_imports(file)
        if name.startswith("tests.") and name.rpartition(".")[2].startswith("test_")
    } == set()


def test_the_source_is_self_contained() -> None:
    """`dlt init` copies sources/gong alone: it imports itself by relative names and requires what it imports."""
    imports: set[str] = set().union(*(list_top_level_imports(file) for file in list_files("sources/gong")))
    assert not {"sources", "gong"} & imports
    requirements = (REPOSITORY / "sources" / "gong" / "requirements.txt").read_text().splitlines()
    required = {re.split(r"[\[><=]", line)[0] for line in requirements}
    dependencies = re.findall(r'(?m)^  "([\w-]+)', (REPOSITORY / "pyproject.toml").read_text())
    assert imports & set(dependencies) == required


def test_state_sends_no_requests() -> None:
    """Answers about the warehouse never cost a request to Gong."""
    assert not {"httpx", "requests", "urllib"} & set().union(*map(list_top_level_imports, list_files("state")))


def _import_graph(folder: str) -> Mapping[str, set[str]]:
    """Return the imports within a folder, by module."""
    files = list_files(folder)
    modules = {module_name(file) for file in files}
    return {module_name(file): {name for name in list_imports(file) if name in modules} for file in files}


def _part_below(package: str, module: str) -> str:
    """Return the package or module below `package` that a module belongs to."""
    return module.removeprefix(package).lstrip(".").partition(".")[0]


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """Return the modules that a module imports, directly or indirectly."""
    found: set[str] = set()
    queue = list(graph[start])
    while queue:
        module = queue.pop()
        if module not in found:
            found.add(module)
            queue += graph[module]
    return found
