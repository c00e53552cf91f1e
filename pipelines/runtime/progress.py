"""A run's progress on a terminal; silent in a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sources.gong import Tally


@dataclass(slots=True)
class Stage:
    """What a run is doing at the moment."""

    name: str = "starting"


@contextmanager
def shown(tally: Tally, console: Console) -> Iterator[Stage]:
    """Draws bars from the tally while the run goes on.

    Args:
        tally: The run's counts; the source adds to them.
        console: Where to draw; nothing is drawn unless it is a terminal.
    """
    stage = Stage()
    if not console.is_terminal:
        yield stage
        return
    with Live(get_renderable=lambda: _picture(tally, stage), console=console, refresh_per_second=8, transient=True):
        yield stage


def _picture(tally: Tally, stage: Stage) -> RenderableType:
    bars = Table.grid(padding=(0, 1))
    for name, done, total in (
        ("calls", tally.calls_read, tally.calls_expected),
        ("transcripts", tally.transcripts_read, max(0, tally.calls_read - len(tally.private_calls))),
    ):
        bars.add_row(name, ProgressBar(total or None, done, width=40, pulse=not total), f"{done:,}")
    line = f"{stage.name}: {tally.requests:,} requests" + (f", {tally.retries:,} repeated" if tally.retries else "")
    return Group(bars, Text(line, style="dim"))
