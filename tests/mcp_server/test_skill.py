"""`gong-elt skill`: the skill for coding agents names only commands, options, tables and columns that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from pipelines.cli.app import app
from pipelines.mcp_server.skill import SKILL
from tests.support.workspace import Workspace

TEXT = SKILL.read_text("utf-8")


def test_the_skill_is_printed_and_installed(workspace: Workspace) -> None:
    """An agent finds it in its folder of skills; the front matter has its name and when to use it."""
    assert workspace.run("skill").out == TEXT
    ended = workspace.run("skill", "--to", ".claude/skills")
    assert (ended.code, ended.out) == (0, "wrote .claude/skills/gong-elt/SKILL.md\n")
    assert (workspace.folder / ".claude/skills/gong-elt/SKILL.md").read_text() == TEXT
    front_matter = re.match(r"---\nname: gong-elt\ndescription: (.+)\n---\n", TEXT)
    assert front_matter is not None
    assert len(front_matter[1]) < 1_024


def test_a_folder_that_cannot_be_written_is_named(workspace: Workspace) -> None:
    """One line names the option."""
    Path(workspace.folder, "file").touch()
    ended = workspace.run("skill", "--to", "file")
    assert ended.code == 2
    assert "--to 'file' cannot be written" in ended.err


def test_the_skill_names_existing_commands_and_options() -> None:
    """A renamed command is renamed in the skill."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    lines = re.findall(r"(?m)^gong-elt [^\n#]*|`gong-elt [^`]*`", TEXT)
    assert len(lines) > 10
    for line in lines:
        _, name, *words = shlex.split(line.strip("`"))
        command = group.commands[name]
        if isinstance(command, TyperGroup):
            command = command.commands[words.pop(0)] if words else command
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_the_skill_names_existing_tables_and_columns(duckdb_marts: Workspace) -> None:
    """A query with these names succeeds."""
    columns = duckdb_marts.rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'gong_analytics'"
    )
    tables = {table for table, _ in columns}
    section = TEXT.partition("| table of `gong_analytics`")[2].partition("\n\n")[0]
    named = [name for row in section.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert len(named) > 15
    assert set(named) <= tables
    known = tables | {column for _, column in columns}
    assert set(re.findall(r"`([a-z]+_[a-z_]+)`", TEXT)) - known == {"gong_analytics"}
    (query,) = re.findall(r"sql\('(SELECT .*?)'\)", TEXT)
    assert duckdb_marts.rows(query)
