"""Progress bars of a run on a terminal; no output elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sources.gong import RunMetrics


@dataclass(slots=True)
class Stage:
    """What a run is doing now."""

    name: str = "starting"


@contextmanager
def show_progress(metrics: RunMetrics, console: Console) -> Iterator[Stage]:
    """Draw progress bars while the run works; yield the stage, whose name is shown.

    Args:
        metrics: The run's counters; the source adds to them.
        console: Where to draw. Nothing is drawn unless it is a terminal.
    """
    stage = Stage()
    if not console.is_terminal:
        yield stage
        return
    with Live(get_renderable=lambda: _render(metrics, stage), console=console, refresh_per_second=8, transient=True):
        yield stage


def _render(metrics: RunMetrics, stage: Stage) -> RenderableType:
    bars = Table.grid(padding=(0, 1))
    for name, done, total in (
        ("calls", metrics.calls_read, metrics.calls_expected),
        ("transcripts", metrics.transcripts_read, max(0, metrics.calls_read - len(metrics.private_calls))),
    ):
        bars.add_row(name, ProgressBar(total or None, done, width=40, pulse=not total), f"{done:,}")
    line = f"{stage.name}: {metrics.requests:,} requests" + (
        f", {metrics.retries:,} retries" if metrics.retries else ""
    )
    return Group(bars, Text(line, style="dim"))
