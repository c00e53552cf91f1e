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
def one_line_for_mistakes() -> Iterator[None]:
    """Turns what a user can mend into one line on stderr and the right exit code."""
    try:
        # What is imported stays, and the collector would look for garbage in it again and again.
        gc.disable()
        from dlt.common.exceptions import DltException

        from destinations.new_call import RowRefused
        from destinations.recording_store import StoreRefused
        from destinations.warehouse import WarehouseRefused
        from sources.gong import GongError, SettingRefused, StoppedEarly
        from state.lock import LockHeld

        from ..runtime.connection import UsageError
        from ..runtime.errors import told

        gc.enable()

        try:
            yield
        except (UsageError, SettingRefused, WarehouseRefused, RowRefused, StoreRefused) as mistake:
            leave(2, str(mistake))
        except StoppedEarly as stop:
            leave(3, str(stop))
        except (LockHeld, GongError, DltException) as failure:
            leave(1, told(failure))
    except KeyboardInterrupt:
        leave(1, "interrupted; nothing is lost, run again")


@contextmanager
def reader_may_leave() -> Iterator[None]:
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


def end_with(outcome: Outcome, *, as_json: bool) -> NoReturn:
    """Ends the command with what its run says of itself."""
    if as_json:
        print(outcome.as_json())
    else:
        outcome.show(stdout())
    raise typer.Exit(outcome.exit_code)


def in_step() -> None:
    """Lets requests leave when it is their turn, also while pages are shaped and loaded in other threads.

    To be called once everything is imported. Without it each full garbage collection, which walks all modules, holds
    every thread for 0.1 s; a page of calls, tens of thousands of objects without a cycle, is looked through for
    garbage a hundred times; and a thread that is busy with Python gives way to the others after 5 ms only.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(0.0001)


def leave(code: int, line: str) -> NoReturn:
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
