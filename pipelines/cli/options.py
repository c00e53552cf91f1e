"""What all commands share: options, mistakes in one line, where output goes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn, Protocol

import typer

if TYPE_CHECKING:
    from rich.console import Console

ConnectionOption = Annotated[str, typer.Option("--connection", help="Named Gong account: reads sources.gong.NAME.*")]
DestinationOption = Annotated[str, typer.Option("--destination", help="duckdb, postgres or another of dlt's")]
DatasetOption = Annotated[str, typer.Option("--dataset", help="Dataset (schema) in the warehouse")]
DeadlineOption = Annotated[
    str | None, typer.Option("--deadline", help="Stop in good order after 30m or 2h, or at a date-time; exit code 3")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout and nothing else there")]


@contextmanager
def report_errors() -> Iterator[None]:
    """Turns what a user can mend into one line on stderr and the right exit code."""
    try:
        # What is imported stays, and the collector would look for garbage in it again and again.
        gc.disable()
        from dlt.common.exceptions import DltException

        from destinations.new_call import RowRefused
        from destinations.recording_store import StoreRefused
        from destinations.warehouse import WarehouseRefused
        from sources.gong import ConfigurationError, GongError, RunStopped
        from state.lock import LockHeld

        from ..runtime.connection import UsageError
        from ..runtime.errors import root_cause_message

        gc.enable()

        try:
            yield
        except (UsageError, ConfigurationError, WarehouseRefused, RowRefused, StoreRefused) as mistake:
            fail(2, str(mistake))
        except RunStopped as stop:
            fail(3, str(stop))
        except (LockHeld, GongError, DltException) as failure:
            fail(1, root_cause_message(failure))
    except KeyboardInterrupt:
        fail(1, "interrupted; nothing is lost, run again")


@contextmanager
def ignore_broken_pipe() -> Iterator[None]:
    """Ends what prints to stdout quietly when the reader of the pipe leaves."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would be flushed at exit and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Outcome(Protocol):
    """What a run says of itself."""

    @property
    def exit_code(self) -> int:
        """How the command ends."""

    def as_json(self) -> str:
        """The object `--json` prints."""

    def show(self, console: Console) -> None:
        """Prints it for a person."""


def print_result(outcome: Outcome, *, as_json: bool) -> NoReturn:
    """Ends the command with what its run says of itself."""
    if as_json:
        print(outcome.as_json())
    else:
        outcome.show(stdout())
    raise typer.Exit(outcome.exit_code)


def tune_runtime() -> None:
    """Lets requests leave when it is their turn, also while pages are shaped and loaded in other threads.

    To be called once everything is imported. Without it each full garbage collection, which walks all modules, holds
    every thread for 0.1 s; a page of calls, tens of thousands of objects without a cycle, is looked through for
    garbage a hundred times; and a thread that is busy with Python gives way to the others after 5 ms only.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(0.0001)


def fail(code: int, line: str) -> NoReturn:
    """Ends the command with one line on stderr."""
    print(f"gong-elt: {' '.join(line.split())}", file=sys.stderr)
    raise typer.Exit(code)


def stdout() -> Console:
    """Where data goes."""
    from rich.console import Console

    return Console()


def stderr() -> Console:
    """Where logs and progress go."""
    from rich.console import Console

    return Console(stderr=True)
