"""The shape of the house: who imports whom, what stands at the top, one first line a file, facts told once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from pipelines.cli.app import app
from pipelines.demo.server.routes import ROUTES
from sources.gong.api.endpoint import ENDPOINTS
from sources.gong.calls.tables import TABLES
from sources.gong.tables.table import snake_case
from state import media, uploads
from state.runs import COLUMN_TYPES, Run
from tests.support.paths import REPOSITORY

FOLDERS = ("sources", "destinations", "state", "pipelines")
MAY_IMPORT = {
    "sources": set[str](),
    "destinations": set[str](),
    "state": set[str](),
    "pipelines": {"sources", "destinations", "state"},
}


def _files(folder: str) -> Iterator[Path]:
    yield from sorted((REPOSITORY / folder).rglob("*.py"))


def _imports(file: Path) -> Iterator[str]:
    """Top-level packages that a file imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_follow_the_arrows(folder: str) -> None:
    allowed = {folder} | MAY_IMPORT[folder]
    wrong = {
        f"{file.relative_to(REPOSITORY)} imports {name}"
        for file in _files(folder)
        for name in _imports(file)
        if name in {*FOLDERS, "tests"} - allowed
    }
    assert not wrong


def test_the_source_can_be_taken_alone() -> None:
    """It imports itself by relative names only, and nothing of ours."""
    wrong = {file.name for file in _files("sources/gong") if {"sources", "gong"} & set(_imports(file))}
    assert not wrong
    required = (REPOSITORY / "sources" / "gong" / "requirements.txt").read_text()
    foreign = {name for file in _files("sources/gong") for name in _imports(file)}
    assert {
        name for name in ("dlt", "httpx", "msgspec", "pendulum", "pyarrow", "tenacity", "xxhash") if name in foreign
    } == {re.split(r"[\[><=]", line)[0] for line in required.splitlines()}


def test_state_never_talks_http() -> None:
    assert not {"httpx", "requests", "urllib"} & {name for file in _files("state") for name in _imports(file)}


def test_the_folders_at_the_root_are_namespaces() -> None:
    assert not [folder for folder in FOLDERS if (REPOSITORY / folder / "__init__.py").exists()]


@pytest.mark.parametrize("folder", [*FOLDERS, "tests"])
def test_every_file_says_its_one_job_first_and_stays_short(folder: str) -> None:
    for file in _files(folder):
        text = file.read_text()
        assert ast.get_docstring(ast.parse(text)), f"{file} does not say what it is for"
        if folder != "tests" and file.name != "phrases.py":
            assert len(text.splitlines()) <= 400, f"{file} is long: is it one job?"


def test_every_setting_of_the_source_is_in_the_readme() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    source = ast.parse((REPOSITORY / "sources" / "gong" / "__init__.py").read_text())
    function = next(n for n in ast.walk(source) if isinstance(n, ast.FunctionDef) and n.name == "gong_source")
    by_program = {
        *(
            "windows",
            "date_window",
            "pending_transcripts",
            "known_hashes",
            "initial_load",
            "state_is_current",
            "background",
        ),
        *("deadline", "metrics"),
    }
    settings = {argument.arg for argument in function.args.args} - by_program
    missing = [name for name in sorted(settings) if not re.search(rf"`{name}[`.]", readme)]
    assert not missing


def test_every_command_is_in_the_readme() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    names = list(commands.commands)
    assert not [name for name in names if f"gong-elt {name}" not in readme]


def test_table_declarations_hold_together() -> None:
    for table in TABLES:
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names)), f"{table.name} declares a column twice"
        assert set(table.key) <= set(names), f"{table.name} has a key it does not declare"
        assert all(snake_case(name) == name for name in names)
    assert len({table.name for table in TABLES}) == len(TABLES)


def test_the_simulated_gong_serves_every_endpoint_that_is_read() -> None:
    served = {(route.method, route.path, scope) for route in ROUTES for scope in [route.scope]}
    assert {(endpoint.method, endpoint.path, endpoint.scope) for endpoint in ENDPOINTS} <= served


def test_the_ledger_has_a_column_for_every_fact_of_a_run() -> None:
    assert tuple(COLUMN_TYPES) == tuple(Run.__dataclass_fields__)
    assert tuple(media.COLUMN_TYPES) == tuple(media.Recording.__dataclass_fields__)
    assert tuple(uploads.COLUMN_TYPES) == tuple(uploads.Upload.__dataclass_fields__)


def test_no_commit_names_a_registry_or_this_machine() -> None:
    hosts = re.compile(r"(?:files\.pythonhosted|pypi\.org|registry\.npmjs|deb\.debian)", re.IGNORECASE)
    for file in (
        path for pattern in ("*.txt", "*.toml", "Makefile", ".ci/*", "*.md") for path in REPOSITORY.glob(pattern)
    ):
        assert not hosts.search(file.read_text()), file
    assert not list(REPOSITORY.glob("*.lock"))
