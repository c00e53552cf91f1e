"""`--help`, `--version`, completion, progress on a terminal, and the final line of a command."""

from __future__ import annotations

import os
import pty
import subprocess
from importlib.metadata import version
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from destinations.gong.new_call import DIRECTIONS
from pipelines.analytics.export import EXPORT_FORMATS, SIDES
from pipelines.cli import app
from pipelines.cli.app import HELP_PANELS, app_of_command
from pipelines.demo.server.app import SimulatedGong
from sources.gong.calls.lookup import MEDIA_KINDS
from tests.support.workspace import COMMAND, Workspace


def test_help_groups_all_commands(workspace: Workspace) -> None:
    """Twenty commands in one list cannot be read."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    grouped = [name for names in HELP_PANELS.values() for name in names]
    assert sorted(grouped) == sorted(group.commands)

    shown = workspace.run("--help").out
    assert [panel for panel in HELP_PANELS if f" {panel} " in shown] == list(HELP_PANELS)
    assert " Commands " not in shown


@pytest.mark.parametrize("name", [name for names in HELP_PANELS.values() for name in names])
def test_a_command_alone_is_the_same_as_among_all(name: str) -> None:
    """A start builds the parser of one command only."""
    alone, whole = get_command(app_of_command(name)), get_command(app)
    assert isinstance(alone, TyperGroup)
    assert isinstance(whole, TyperGroup)
    assert list(alone.commands) == [name]
    assert _describe(alone.commands[name]) == _describe(whole.commands[name])
    assert (alone.help, len(alone.params)) == (whole.help, len(whole.params))


def _describe(command: Any) -> Any:
    parameters = [(parameter.name, parameter.opts, parameter.required) for parameter in command.params]
    return command.help, parameters, {name: _describe(sub) for name, sub in getattr(command, "commands", {}).items()}


def test_the_version_is_printed(workspace: Workspace) -> None:
    """A report of a fault begins with the version."""
    ended = workspace.run("--version")
    assert (ended.code, ended.out) == (0, f"gong-elt {version('gong-elt')}\n")


@pytest.mark.parametrize(
    ("command", "option", "values"),
    [
        (("search",), "--side", SIDES),
        (("export", "transcripts"), "--side", SIDES),
        (("export", "transcripts"), "--format", EXPORT_FORMATS),
        (("download-media",), "--kind", (*MEDIA_KINDS.values(), "all")),
        (("add-call",), "--direction", DIRECTIONS),
        (("get", "extensive"), "--context", ("None", "Basic", "Extended")),
    ],
)
def test_values_of_an_option_are_shown_and_completed(
    workspace: Workspace, command: tuple[str, ...], option: str, values: tuple[str, ...]
) -> None:
    """The command line lists the values that the job accepts, and a shell completes them."""
    shown = workspace.run(*command, "--help").out
    assert all(value in shown for value in values)

    words = " ".join(["gong-elt", *command, option, ""])
    ended = subprocess.run(
        [str(COMMAND)],
        env={**workspace.environment, "_GONG_ELT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "9"}
        | {"COMP_CWORD": str(len(command) + 2)},
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.split() == list(values)


def run_on_terminal(workspace: Workspace, *arguments: str) -> str:
    """Run a command whose stderr is a terminal; return what it wrote there."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(COMMAND), *arguments],
        cwd=workspace.folder,
        env={**workspace.environment, "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    written = b""
    try:
        while chunk := os.read(controller, 65_536):
            written += chunk
    except OSError:
        # The last process closed the terminal.
        pass
    finally:
        os.close(controller)
    assert process.wait(60) == 0
    return written.decode()


def test_progress_shows_total_rate_and_limit(gong: SimulatedGong, workspace: Workspace) -> None:
    """A person sees how long a sync will take, and that Gong is the reason."""
    gong.settings.latency_seconds = 0.5
    workspace.configure(requests_per_second=3)
    written = run_on_terminal(workspace, "sync", "--select", "calls,transcripts")

    assert f" of {len(gong.list_calls())} (" in written
    assert "limited to 3 requests per second by Gong" in written


def test_a_check_shows_what_it_is_checking(gong: SimulatedGong, workspace: Workspace) -> None:
    """Thirty requests take ten seconds, during which a silent command looks broken."""
    gong.settings.latency_seconds = 0.2
    assert "checking POST /v2/calls/extensive" in run_on_terminal(workspace, "check")


def test_the_final_line_names_the_warehouse_and_the_next_command(gong: SimulatedGong, workspace: Workspace) -> None:
    """A new user knows where the data is and what to do with it; options are repeated."""
    last = workspace.run("sync", "--dataset", "other", "--select", "users").out.splitlines()[-1]

    assert last == "done: warehouse.duckdb, dataset other; next: gong-elt models --dataset other"
