"""The command `gong-elt`: its process settings and its groups of commands.

Commands import what they need when they run, so that `--help` is quick.
"""

from __future__ import annotations

import gc
import os
import sys
from copy import copy
from types import TracebackType
from typing import Annotated

import typer

from ..runtime.process.interruption import install_signal_handlers
from . import analytics, demo, get, load, login, warehouse, write
from .output import GC_THRESHOLD, run_command_line

app = typer.Typer(
    name="gong-elt",
    help="Copy a company's Gong calls, transcripts and library into a SQL warehouse and keep the copy correct.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
HELP_PANELS = {
    "Load": ("sync", "status", "check", "reconcile", "download-media", "serve"),
    "Analytics": ("models", "report", "search", "show", "brief", "export", "superset", "notebook"),
    "Agents": ("mcp", "skill"),
    "Read from Gong": ("get",),
    "Write to Gong": ("add-call", "upload", "add-media"),
    "Set up": ("login", "maintain", "migrate", "demo", "simulate"),
}
"""Headings of `gong-elt --help` and their commands."""

_PANELS = {name: panel for panel, names in HELP_PANELS.items() for name in names}

for group in (load, analytics, get, write, login, warehouse, demo):
    for command in group.app.registered_commands:
        command.rich_help_panel = _PANELS.get(command.name or "")
    for subgroup in group.app.registered_groups:
        if subgroup.typer_instance is not None:
            subgroup.rich_help_panel = _PANELS.get(subgroup.typer_instance.info.name or "")
    app.add_typer(group.app, rich_help_panel=_PANELS.get(group.app.info.name or ""))


def _print_version(is_requested: bool) -> None:
    if is_requested:
        from importlib.metadata import version

        print(f"gong-elt {version('gong-elt')}")
        raise typer.Exit


@app.callback()
def set_process_defaults(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    # Typer has set its own before.
    sys.excepthook = _print_unless_of_driver
    # dlt sends usage statistics to its makers by default.
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    # Otherwise the files of completed loads accumulate in the working folder.
    os.environ.setdefault("LOAD__DELETE_COMPLETED_JOBS", "true")
    # A signal ends a run at once; dlt would first wait for its jobs.
    os.environ.setdefault("RUNTIME__INTERCEPT_SIGNALS", "false")
    # A failure is reported in one line; dlt would also log the traceback of the statement that failed.
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")
    # Files hold personal data: only their owner may read them.
    os.umask(0o077)
    # Modules have few cycles, and collecting while they are imported takes a tenth of the start.
    gc.set_threshold(*GC_THRESHOLD)


def app_of_command(name: str) -> typer.Typer:
    """Return the app with that command alone, because the parsers of all commands take 0.1 s; else the whole app."""
    narrow = copy(app)
    for info in app.registered_groups:
        group = info.typer_instance
        if group is None:
            continue
        narrow.registered_commands = [command for command in group.registered_commands if command.name == name]
        narrow.registered_groups = [
            subgroup
            for subgroup in (info, *group.registered_groups)
            if subgroup.typer_instance is not None and subgroup.typer_instance.info.name == name
        ]
        if narrow.registered_commands or narrow.registered_groups:
            return narrow
    return app


def _print_unless_of_driver(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print an error that was not caught, unless psycopg2 prints it in addition to raising it.

    It does so if a connection breaks within a COPY, with the row that was sent, which may be a customer's sentence.
    Such an error has no traceback; one that was raised and not caught has.
    """
    causes = (error, error.__cause__, error.__context__)
    is_of_driver = any(type(cause).__module__.startswith("psycopg2") for cause in causes)
    if traceback is not None or not is_of_driver:
        sys.__excepthook__(kind, error, traceback)


def main() -> None:
    """Run the command line. This is the console script."""
    install_signal_handlers()
    run_command_line(app_of_command(sys.argv[1]) if len(sys.argv) > 1 else app)
