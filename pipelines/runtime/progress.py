"""Progress of a run on a terminal; no output elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sources.gong import RunMetrics

from .display.text import format_count, make_printable

_BAR_WIDTH, _MIN_BAR_WIDTH = 40, 8
_FIGURES_WIDTH = 60
"""Columns that the figures beside a bar need."""


@dataclass(slots=True)
class Stage:
    """What a run is doing now."""

    name: str = "starting"


@contextmanager
def show_progress(metrics: RunMetrics, console: Console, requests_per_second: float | None = None) -> Iterator[Stage]:
    """Draw progress bars while the run works; yield the stage, whose name is shown.

    Args:
        metrics: The run's counters; the source adds to them.
        console: Where to draw. Nothing is drawn unless it is a terminal.
        requests_per_second: Gong's limit, which is shown as the reason for the speed.
    """
    stage, started_at = Stage(), time.monotonic()

    def render() -> RenderableType:
        elapsed_seconds = time.monotonic() - started_at
        return Group(
            _render_bars(metrics, elapsed_seconds, console.width),
            Text(_describe_requests(metrics, stage, elapsed_seconds, requests_per_second), style="dim"),
        )

    with _draw(render, console):
        yield stage


@contextmanager
def show_stage(console: Console, name: str) -> Iterator[Stage]:
    """Draw a spinner with the name of the stage and the time since it started; yield the stage.

    Args:
        console: Where to draw. Nothing is drawn unless it is a terminal.
        name: Name of the first stage.
    """
    stage, started_at = Stage(name), time.monotonic()
    spinner = Spinner("dots")

    def render() -> RenderableType:
        spinner.update(text=Text(f"{make_printable(stage.name)} {_format_seconds(time.monotonic() - started_at)}"))
        return spinner

    with _draw(render, console):
        yield stage


@contextmanager
def _draw(render: Callable[[], RenderableType], console: Console) -> Iterator[None]:
    if not console.is_terminal:
        yield
        return
    with Live(get_renderable=render, console=console, refresh_per_second=8, transient=True):
        yield


def _render_bars(metrics: RunMetrics, elapsed_seconds: float, width: int) -> RenderableType:
    bars = Table.grid(padding=(0, 1))
    bar_width = max(_MIN_BAR_WIDTH, min(_BAR_WIDTH, width - _FIGURES_WIDTH))
    private = len(metrics.private_calls)
    for name, done, total in (
        ("calls", metrics.calls_read, metrics.calls_expected),
        ("transcripts", metrics.transcripts_read, max(0, metrics.calls_expected - private)),
    ):
        bar = ProgressBar(
            total or None,
            done,
            width=bar_width,
            pulse=not total,
            complete_style="cyan",
            finished_style="green",
            pulse_style="cyan",
        )
        bars.add_row(name, bar, _describe_progress(done, total, elapsed_seconds))
    return bars


def _describe_progress(done: int, total: int, elapsed_seconds: float) -> str:
    """Return `1,200 of 5,000 (24 %), 150/s, 25 s left`, as far as it is known."""
    if not total:
        return f"{done:,}"
    parts = [f"{done:,} of {total:,} ({min(100, 100 * done // total)}%)"]
    if done and elapsed_seconds >= 1:
        rate = done / elapsed_seconds
        parts.append(f"{rate:,.0f}/s" if rate >= 1 else f"{60 * rate:,.0f}/min")
        if done < total:
            parts.append(f"{_format_seconds((total - done) / rate)} left")
    return ", ".join(parts)


def _describe_requests(
    metrics: RunMetrics, stage: Stage, elapsed_seconds: float, requests_per_second: float | None
) -> str:
    retries = f", {format_count(metrics.retries, 'retry', 'retries')}" if metrics.retries else ""
    limit = f", limited to {requests_per_second:g} requests per second by Gong" if requests_per_second else ""
    return (
        f"{stage.name} {_format_seconds(elapsed_seconds)}: {format_count(metrics.requests, 'request')}{retries}{limit}"
    )


def _format_seconds(seconds: float) -> str:
    """Return a duration as `0:07` or `1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
