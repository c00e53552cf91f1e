"""The metadata of the wheel: what an installer reads and an index shows."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest

from tests.packaging.installation import Installation, list_files
from tests.support.paths import REPOSITORY

EXTRAS = {"models", "report", "search", "notebook", "ducklake", "iceberg", "semantic", "serve", "spark"}
"""Extras of users; `all` has all of them."""


@pytest.fixture
def metadata(wheel: Path) -> Message:
    """Return the wheel's METADATA."""
    return BytesParser().parsebytes(list_files(wheel)["gong_elt-0.1.0.dist-info/METADATA"])


def test_a_load_requires_no_packages_of_extras(metadata: Message) -> None:
    """A scheduled load installs neither a web server nor the packages of dbt, the report, the search, the notebook."""
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    names = {re.split(r"[\[<>=!;~ ]", line)[0] for line in required}
    assert "dlt" in names
    assert not names & {"starlette", "uvicorn", "dbt-core", "altair", "jinja2", "tantivy", "marimo", "mcp", "wordllama"}


def test_the_extra_all_has_all_extras(metadata: Message) -> None:
    """`pip install 'gong-elt[all]'` is enough for all but DuckLake, Iceberg, MariaDB, `semantic`, `serve` and Spark."""
    extras = set(metadata.get_all("Provides-Extra", []))
    assert {*EXTRAS, "all"} <= extras
    requirements = {
        extra: {line.partition(";")[0] for line in metadata.get_all("Requires-Dist", []) if f"'{extra}'" in line}
        for extra in extras
    }
    assert requirements["all"] == set().union(
        *(
            requirements[extra]
            for extra in extras - {"all", "dev", "ducklake", "iceberg", "mariadb", "semantic", "serve", "spark"}
        )
    )


def test_an_index_can_describe_the_package(metadata: Message) -> None:
    """Authors, licence, links and supported versions of Python are complete, and CI runs these versions."""
    assert metadata["Author"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert {url.split(",")[0] for url in metadata.get_all("Project-URL", [])} >= {"Homepage", "Changelog", "Issues"}
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(metadata.get_all("Classifier", [])))
    assert versions == ["3.11", "3.12", "3.13", "3.14"]
    workflow = (REPOSITORY / ".github" / "workflows" / "check.yml").read_text()
    assert re.findall(r'"(3\.\d+)"', workflow.partition("python-version: [")[2].partition("]")[0]) == versions


def test_each_message_about_missing_packages_names_an_extra() -> None:
    """The printed pip command installs what is missing."""
    sources = "\n".join(file.read_text("utf-8") for file in (REPOSITORY / "pipelines").rglob("*.py"))
    named = re.findall(r"gong-elt\[([a-z,]+)\]", sources)
    assert set(named) >= {"models", "report", "search"}
    assert {extra for names in named for extra in names.split(",")} <= {*EXTRAS, "all", "mcp"}


@pytest.mark.parametrize("command", ["models", "report", "search"])
def test_a_command_without_its_extra_prints_the_pip_command(
    command: str, installation: Installation, tmp_path: Path
) -> None:
    """Without the packages, a command ends with exit code 2 and one line, before anything else is checked."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name.split('.')[0] in"
        " ('dbt', 'altair', 'tantivy') else find(name, package)\n"
    )
    arguments = [command, *(["price"] if command == "search" else [])]
    environment = {"PYTHONPATH": str(hidden)}
    out = installation.run("gong-elt", *arguments, folder=tmp_path, code=2, environment=environment)
    assert f"pip install 'gong-elt[{command}]'" in out
    assert out.count("\n") == 1
