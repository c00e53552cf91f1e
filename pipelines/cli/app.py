"""The command `gong-elt`: its process settings and its groups of commands.

Commands import what they need when they run, so that `--help` is quick.
"""

from __future__ import annotations

import gc
import os

import typer

from ..runtime.process.interruption import install_signal_handlers
from . import analytics, demo, get, load, login, write
from .output import GC_THRESHOLD

app = typer.Typer(
    name="gong-elt",
    help="Copy a company's Gong calls, transcripts and library into a SQL warehouse and keep the copy correct.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (load, get, write, analytics, login, demo):
    app.add_typer(group.app)


@app.callback()
def set_process_defaults() -> None:
    # dlt sends usage statistics to its makers by default.
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    # Otherwise the files of completed loads accumulate in the working folder.
    os.environ.setdefault("LOAD__DELETE_COMPLETED_JOBS", "true")
    # A signal ends a run at once; dlt would first wait for its jobs.
    os.environ.setdefault("RUNTIME__INTERCEPT_SIGNALS", "false")
    # Files hold personal data: only their owner may read them.
    os.umask(0o077)
    # Modules have few cycles, and collecting while they are imported takes a tenth of the start.
    gc.set_threshold(*GC_THRESHOLD)


def main() -> None:
    """Run the command line. This is the console script."""
    install_signal_handlers()
    app()
