"""README and docs agree with the code: tables, keys, resources, settings, commands, links, files, tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from pipelines.cli.app import app
from sources.gong import GongSettings
from sources.gong.resources import OPT_IN_RESOURCES, RESOURCES, TABLES, TABLES_BY_RESOURCE
from state.deletions import TABLE as MISSING_CALLS
from state.media import TABLE as RECORDINGS
from state.runs import TABLE as RUNS
from state.uploads import TABLE as UPLOADS
from tests.support.paths import REPOSITORY

DOCUMENTS = [
    str(path.relative_to(REPOSITORY))
    for pattern in ("*.md", "docs/**/*.md", "sources/gong/*.md")
    for path in sorted(REPOSITORY.glob(pattern))
]
of_each_document = pytest.mark.parametrize("document", [REPOSITORY / path for path in DOCUMENTS], ids=DOCUMENTS)


def test_tables_and_keys_are_in_the_readme() -> None:
    """The README lists every table with its key, and of our own tables the names."""
    documented = {table: key for tables, keys, _ in _table_rows() for table, key in zip(tables, keys, strict=True)}
    declared = {table.name: list(table.key) for table in TABLES}
    assert {table: documented.get(table) for table in declared} == declared
    assert documented.keys() - declared.keys() == {RUNS, MISSING_CALLS, UPLOADS, RECORDINGS}


def test_every_resource_is_in_the_readme_and_opt_in_ones_are_marked() -> None:
    """Users can look up each resource and whether it must be selected."""
    readme = (REPOSITORY / "README.md").read_text()
    resources = {table.name: name for name, tables in TABLES_BY_RESOURCE.items() for table in tables}
    assert not [name for name in (*RESOURCES, *OPT_IN_RESOURCES) if f"`{name}`" not in readme]
    for tables, _, holds in _table_rows():
        opt_in = {resources.get(table) in OPT_IN_RESOURCES for table in tables}
        assert opt_in == {holds.startswith("opt-in: ")}, tables


def _table_rows() -> Iterator[tuple[list[str], list[list[str]], str]]:
    """Yield tables, key columns of each, and description for each row of the README's list of tables."""
    listed = (REPOSITORY / "README.md").read_text().partition("\n| table | key | holds |\n|---|---|---|\n")[2]
    rows = listed.partition("\n\n")[0].splitlines()
    assert len(rows) > 30
    for row in rows:
        tables, keys, holds = (cell.strip() for cell in row.strip("|").split("|"))
        yield (
            re.findall(r"`(\w+)`", tables),
            [[column.strip() for column in key.split(",")] for key in keys.split(";")],
            holds,
        )


@of_each_document
def test_links_between_documents_have_targets(document: Path) -> None:
    """Each relative link leads to an existing file and heading."""
    for link in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        path, _, heading = link.partition("#")
        if not link.startswith("https://"):
            target = (document.parent / path) if path else document
            assert target.exists(), f"{document.name} links to {link}"
            assert not heading or heading in _headings(target), f"{document.name} links to {link}"


def _headings(document: Path) -> set[str]:
    """Return the anchors of a document's headings."""
    titles = re.findall(r"(?m)^#+ (.*)$", document.read_text())
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@of_each_document
def test_files_and_tests_that_documents_name_exist(document: Path) -> None:
    """A renamed file or test is renamed in the documents, too."""
    text = document.read_text()
    tests = {file.name: file for file in (REPOSITORY / "tests").rglob("test_*.py")}
    for path in re.findall(r"`((?:sources|destinations|state|pipelines|tests|docs)/[\w/]+\.\w+)`", text):
        assert (REPOSITORY / path).exists(), f"{document.name} names {path}"
    for file, test in re.findall(r"`(test_\w+\.py)::(test_\w+)`", text):
        assert f"def {test}(" in tests[file].read_text(), f"{document.name} names {file}::{test}"


@of_each_document
def test_markdown_tables_have_a_header(document: Path) -> None:
    """Rows after an empty line would be rendered as text."""
    text = document.read_text()
    for first, second in re.findall(r"(?m)(?:\A|^[^|\n].*\n|^\n)(\|.*\n)(.*)$", text):
        assert re.fullmatch(r"\|[-| ]+\|", second), f"{document.name}: no header above {first}"


def test_every_pseudonymised_column_is_in_the_privacy_document() -> None:
    """Security officers can rely on docs/privacy.md being complete."""
    rows = re.findall(r"(?m)^\| (`.*`) \| (`.*) \|$", (REPOSITORY / "docs" / "privacy.md").read_text())
    documented = {
        (table, column) for left, right in rows for table in _code_words(left) for column in _code_words(right)
    }
    hashed = {(table.name, column.name) for table in TABLES for column in table.columns if column.pii}
    assert hashed
    assert hashed - documented == set()


def _code_words(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_every_row_of_the_fault_matrix_names_existing_tests() -> None:
    """Every documented fault is verified by a test."""
    tests = {file.name: file for file in (REPOSITORY / "tests").rglob("test_*.py")}
    rows = [row.split("|") for row in (REPOSITORY / "docs" / "faults.md").read_text().splitlines() if row[:1] == "|"]
    faults = [cells for cells in rows if cells[1].strip("- ") not in ("", "fault")]
    assert len(faults) > 40
    for _, fault, _, cell, _ in faults:
        references = re.findall(r"`(test_\w+\.py)::(test_\w+)`", cell)
        assert references, f"no test for: {fault}"
        for file, test in references:
            assert f"def {test}(" in tests[file].read_text(), f"{file} has no {test}"


def test_every_setting_is_in_the_reference() -> None:
    """Users can look up each setting."""
    page = (REPOSITORY / "docs" / "reference" / "settings.md").read_text()
    missing = [name for name in GongSettings.get_resolvable_fields() if f"`{name}`" not in page]
    assert not missing


def test_every_command_is_in_the_readme() -> None:
    """Users can look up each command."""
    readme = (REPOSITORY / "README.md").read_text()
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    names = list(commands.commands)
    assert not [name for name in names if f"gong-elt {name}" not in readme]
