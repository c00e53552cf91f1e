"""The figures as a table, on the terminal and as a page of Markdown."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

_WHERE_AN_AIM_IS_MISSED = """\
## Where an aim is missed

* **Against the floor.** Both are bound by the processor. What gong-elt does beside the floor: a fingerprint of each
  transcript, its words, dlt's Parquet files, its packages, state and schema, and some sixty tables that exist from the
  first load on. The part that is the same for any size weighs most at 2,000 calls: see the seconds a call of a backfill
  ten times as large. Next: dlt handing Arrow to DuckDB without files.
* **Whole processes.** Python imports dlt, pyarrow, DuckDB and httpx before the first request leaves. Next: fewer of
  dlt's modules at the start, which is dlt's to offer.
* **Answers after 1.5 s.** The first request goes alone, so that a dead credential costs one, and nothing leaves while
  the last answer is awaited: two answers' time, 0.15 x of the 20.3 s that 61 requests take at three a second. No turn
  in between is left unused. Next: more requests beside the first one where the connection has had answers before.
* **Memory.** What waits (64 MB), what is loaded at once (128 MB) and what DuckDB keeps (100 MB a thread) are bounds
  that 2,000 calls do not reach; a hundred times as many calls take little more than ten times as many.
* **A hundred new calls.** At its checkpoint DuckDB writes the last row group of each table anew, up to 122,880 rows;
  from one full row group a table on that is the same for any size."""

_HEADINGS = ("what", "figure", "aim", "met")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `met` is None where nothing is aimed at."""

    what: str
    figure: str
    aim: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """As they are printed, in the order of `_HEADINGS`."""
        return self.what, self.figure, self.aim, {None: "", True: "yes", False: "**no**"}[self.met]


def show(rows: Sequence[Row]) -> None:
    """Prints the table."""
    table = Table(*_HEADINGS, title="gong-elt, measured", title_justify="left")
    for row in rows:
        table.add_row(*(cell.strip("*") for cell in row.cells))
    Console(width=max(Console().width, 150)).print(table)


def page(rows: Sequence[Row], *, command: str, rounds: int) -> str:
    """The table as a page of Markdown, with what it was measured on.

    Args:
        rows: The figures.
        command: What made them.
        rounds: How often the programs that are compared took turns.
    """
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}; `make bench` measures again. Everything runs on",
        "loopback against the simulated Gong in a process of its own, so the network costs nothing here.",
        "",
        f"* Machine: {_machine()}",
        f"* Versions: {_versions()}",
        f"* Rounds: {rounds}. Programs that are compared take turns; a figure is the median of the rounds, a",
        "  ratio is taken within a round, and the range over the rounds is in brackets.",
        "* Every program reads the same pages and writes a new DuckDB file; what the file holds is checked against",
        "  what the simulated Gong holds. Where programs are compared, private calls are loaded too and calls come",
        "  with their meta data alone.",
        "* Seconds are those of the whole process, interpreter and imports included, unless it says otherwise.",
        "",
        f"| {' | '.join(_HEADINGS)} |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row.cells)} |" for row in rows),
        "",
        *_WHERE_AN_AIM_IS_MISSED.splitlines(),
    ]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{os.cpu_count()} cores of {_processor()}, {memory:.0f} GB memory, {platform.system()}"


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _versions() -> str:
    packages = ("dlt", "duckdb", "pyarrow", "httpx", "msgspec")
    return ", ".join(
        [f"Python {platform.python_version()}", *(f"{p} {importlib.metadata.version(p)}" for p in packages)]
    )
