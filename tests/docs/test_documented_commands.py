"""The commands in the README, the tutorial and the how-to guides work as they are written."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path

import duckdb
import pytest
from typer.core import TyperGroup
from typer.main import get_command

from pipelines.cli.app import app
from tests.docs.documented_commands import (
    PROGRAMS,
    list_blocks,
    prepare_folder,
    read_cron_lines,
    replace_placeholders,
    run_as_cron,
    run_document,
    write_settings,
)
from tests.support.paths import REPOSITORY
from tests.support.servers.postgres import PostgresServer
from tests.support.workspace import Workspace

DOCUMENTS = ["README.md", *sorted(str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "docs").rglob("*.md"))]
GUIDES = [name for name in DOCUMENTS if re.match(r"docs/(how-to|explanation)/|docs/(report|search)\.md", name)]
WITH_SERVER, RECIPES = "docs/how-to/postgres.md", "docs/how-to/orchestrators.md"
QUERIES = ["README.md", "docs/start/analyst.md"]


@pytest.mark.slow
def test_the_commands_of_the_tutorial_work(tmp_path: Path) -> None:
    """A new user reaches the chart without an error."""
    workspace = Workspace(tmp_path, settings={"SOURCES__GONG__BASE_URL": ""})
    run_document("docs/tutorial.md", workspace)
    assert "vega" in (tmp_path / "demo" / "talk_ratio.html").read_text("utf-8").lower()


@pytest.mark.slow
def test_the_commands_of_the_readme_work(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """A reader's own calls are loaded and reported with the settings file of the README."""
    workspace = prepare_folder(duckdb_marts, tmp_path / "own")
    run_document("README.md", workspace)
    assert (tmp_path / "own" / "gong-report.html").exists()


@pytest.mark.parametrize("document", QUERIES)
def test_documented_queries_work(duckdb_marts: Workspace, document: str) -> None:
    """The first query of an analyst returns rows and no error."""
    with duckdb.connect(str(duckdb_marts.folder / "warehouse.duckdb"), read_only=True) as warehouse:
        for block in list_blocks(document):
            if block.language == "sql":
                warehouse.execute(block.text).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("document", [guide for guide in GUIDES if guide not in (WITH_SERVER, RECIPES)])
def test_the_commands_of_a_guide_work(duckdb_marts: Workspace, tmp_path: Path, document: str) -> None:
    """Each guide can be followed step by step."""
    workspace = prepare_folder(duckdb_marts, tmp_path / "guide")
    _write_own_settings(workspace)
    run_document(document, workspace)


@pytest.mark.slow
def test_the_commands_of_the_guide_to_postgres_work(
    duckdb_marts: Workspace, postgres: PostgresServer, tmp_path: Path
) -> None:
    """The guide's settings select the server for all commands, and its statements create a read-only user."""
    url = postgres.create_database()
    workspace = prepare_folder(duckdb_marts, tmp_path / "guide")
    run_document(WITH_SERVER, workspace, {"postgresql://loader:password@db.example:5432/analytics": url})
    server = Workspace(tmp_path, postgres=url)
    (statements,) = (block.text for block in list_blocks(WITH_SERVER) if block.language == "sql")
    server.execute(statements)
    grants = "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'bi'"
    assert server.rows(grants)[0][0] > 10


@pytest.mark.parametrize("document", ["README.md", "docs/how-to/schedule.md"])
def test_a_sync_in_the_crontab_works_with_crons_environment(
    duckdb_marts: Workspace, tmp_path: Path, document: str
) -> None:
    """A scheduled sync needs no variable of the user's shell, and its log has the result."""
    _schedule(duckdb_marts, tmp_path)
    (sync,) = (line for line in read_cron_lines(document) if " sync " in line)
    ended = run_as_cron(sync, tmp_path)
    log = (tmp_path / "gong" / "sync.log").read_text("utf-8")
    assert ended.returncode == 0, log
    assert json.loads(log.splitlines()[-1])["status"] == "done"


@pytest.mark.slow
@pytest.mark.parametrize("document", ["README.md", "docs/how-to/schedule.md"])
def test_all_lines_of_the_crontab_work_with_crons_environment(
    duckdb_marts: Workspace, tmp_path: Path, document: str
) -> None:
    """The documented schedule runs as a whole, in the order of its lines."""
    _schedule(duckdb_marts, tmp_path)
    lines = read_cron_lines(document)
    assert len(lines) >= 3
    for line in lines:
        ended = run_as_cron(line, tmp_path)
        assert ended.returncode == 0, f"{line}\n{(tmp_path / 'gong' / 'sync.log').read_text('utf-8')}"


def _schedule(marts: Workspace, home: Path) -> None:
    """Create the folders that the crontab names: settings and warehouse in `gong`, programs in `gong-elt`."""
    workspace = prepare_folder(marts, home / "gong")
    _write_own_settings(workspace)
    (home / "gong-elt" / ".venv").mkdir(parents=True)
    for programs in (home / "gong-elt" / "bin", home / "gong-elt" / ".venv" / "bin"):
        programs.symlink_to(PROGRAMS)


def _write_own_settings(workspace: Workspace) -> None:
    """Write the settings file of the README, with which the guides begin."""
    (settings,) = (block.text for block in list_blocks("README.md") if block.language == "toml")
    write_settings(replace_placeholders(settings, workspace, {}), workspace.folder)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documented_commands_and_options_exist(document: str) -> None:
    """A renamed command or option is renamed in all documents, also where the tests cannot run it."""
    known = _options_by_command()
    for block in list_blocks(document):
        # A list of arguments in Python is read as the command.
        for line in block.text.replace("\\\n", " ").replace('", "', " ").splitlines():
            for command, rest in re.findall(r"gong-elt\"? ((?:get|export) [a-z-]+|[a-z][a-z-]*)([^#|>;&]*)", line):
                if block.language in ("sh", "yaml", "python", "text", "console") and "─" not in line:
                    assert command in known, f"{document}: {line}"
                    options = {word.partition("=")[0] for word in _split(rest) if word.startswith("--")}
                    assert options <= known[command] | {"--help"}, f"{document}: {line}"


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # an open quote of the surrounding line
        return text.replace('"', " ").replace("'", " ").split()


def _options_by_command() -> dict[str, set[str]]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    options: dict[str, set[str]] = {}
    for name, command in group.commands.items():
        children = (
            {f"{name} {child}": sub for child, sub in command.commands.items()}
            if isinstance(command, TyperGroup)
            else {name: command}
        )
        for path, leaf in children.items():
            options[path] = {spelling for option in leaf.params for spelling in (*option.opts, *option.secondary_opts)}
    return options


@pytest.mark.parametrize("document", DOCUMENTS)
def test_python_in_documents_is_valid(document: str) -> None:
    """A recipe for a program that is not installed here can at least be parsed."""
    for block in list_blocks(document):
        if block.language == "python":
            ast.parse(block.text)


def test_the_crontab_line_for_trying_uses_an_empty_environment() -> None:
    """The guide lets readers try their schedule as cron would run it."""
    shell = [block.text for block in list_blocks("docs/how-to/schedule.md") if block.language == "sh"]
    assert any("env -i" in text for text in shell)
