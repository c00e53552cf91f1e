"""README and docs agree with the code: tables, resources, commands, links, files, tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from pipelines.cli.app import app
from sources.gong.resources import OPT_IN_RESOURCES, RESOURCES, TABLES
from state.runs import TABLE as RUNS
from tests.support.paths import REPOSITORY

DOCUMENTS = [
    str(path.relative_to(REPOSITORY))
    for pattern in ("*.md", "docs/**/*.md", "sources/gong/*.md")
    for path in sorted(REPOSITORY.glob(pattern))
]
of_each_document = pytest.mark.parametrize("document", [REPOSITORY / path for path in DOCUMENTS], ids=DOCUMENTS)


def test_tables_in_the_readme_exist() -> None:
    """A renamed table or mart does not stay in the README under its old name."""
    rows = re.findall(r"(?m)^\| (`.*?) \|", _section("Tables"))
    loaded = {table.name for table in TABLES} | {RUNS}
    assert rows
    assert [name for row in rows for name in _code_words(row) if name not in loaded] == []
    marts = re.findall(r"(?m)^## (\w+)$", (REPOSITORY / "docs" / "marts.md").read_text())
    rows = re.findall(r"(?m)^\| (`.*?) \|", _section("Analytics"))
    assert rows
    assert [name for row in rows for name in _code_words(row) if name not in marts] == []


def test_resources_in_the_readme_of_the_source_exist() -> None:
    """Users of the source alone can see which resources must be selected; `OPT_IN_RESOURCES` has them all."""
    readme = (REPOSITORY / "sources" / "gong" / "README.md").read_text()
    default, _, opt_in = readme.partition("\n## Resources\n")[2].partition("\n## ")[0].partition("\nOpt-in, ")
    assert set(_code_words(default)) - {"RESOURCES"} <= set(RESOURCES)
    assert set(_code_words(opt_in.partition("\n")[0])) - {"OPT_IN_RESOURCES"} <= set(OPT_IN_RESOURCES)


def _section(title: str) -> str:
    """Return a section of the README, without its heading."""
    return (REPOSITORY / "README.md").read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@of_each_document
def test_links_between_documents_have_targets(document: Path) -> None:
    """Each relative link leads to an existing file and heading."""
    prose = re.sub(r"`[^`\n]*`", "", document.read_text())
    for link in re.findall(r"\]\(([^)]+)\)", prose):
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


def test_every_command_is_in_the_readme() -> None:
    """Users can look up each command."""
    readme = (REPOSITORY / "README.md").read_text()
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    names = list(commands.commands)
    assert not [name for name in names if f"gong-elt {name}" not in readme]
