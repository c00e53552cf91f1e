"""Results as a table on the terminal and as a Markdown page."""

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

_MISSED_GOALS = """\
## Goals that are missed

**Against the floor.**
Both programs are bound by the processor.
In addition to the floor, gong-elt computes a content hash and a word count per transcript, writes dlt's Parquet \
files, keeps dlt's packages, state and schema, and creates some sixty tables at the first load.
These fixed costs weigh most at 2,000 calls: compare the seconds per call of a backfill ten times as large.
Next step: let dlt pass Arrow to DuckDB without files.

**Calls in full.**
A first sync has a fixed cost, a row of its own above: imports, some sixty tables, dlt's packages and state.
The rest is bound by Python's interpreter, which runs one thread at a time: a call in full has about a hundred rows in \
the `call_*` tables, and each passes through Python.
Sentences do not, because Arrow decodes them.
Larger batches and other time slices of the interpreter change nothing.
Next step: decode the lists of a call with Arrow, too.

**Whole processes.**
Python imports dlt, pyarrow, DuckDB and httpx before the first request is sent.
Next step: import fewer of dlt's modules at start-up, which needs a change in dlt.

**Responses after 1.5 s.**
The first request is sent alone, so that an invalid credential costs one request, and no request is sent while the \
last response is awaited.
That is the time of two responses, 0.15 x of the 20.3 s that 61 requests take at three per second.
No rate-limit slot in between is unused.
Next step: send more requests with the first one if an earlier run on the connection succeeded.

**Memory.**
The buffer (64 MB), the data loaded at once (128 MB) and DuckDB (150 MB) have limits that 2,000 calls do \
not reach.
A hundred times as many calls need little more memory than ten times as many.

**A hundred new calls.**
At a checkpoint, DuckDB rewrites the last row group of each table, up to 122,880 rows.
From one full row group per table on, the cost no longer depends on the size.
"""

_HEADINGS = ("measure", "result", "goal", "met")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; without a goal, `met` is `None`."""

    measure: str
    result: str
    goal: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The printed cells, in the order of `_HEADINGS`."""
        return self.measure, self.result, self.goal, {None: "", True: "yes", False: "**no**"}[self.met]


def print_table(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table(*_HEADINGS, title="gong-elt, measured", title_justify="left")
    for row in rows:
        table.add_row(*(cell.strip("*") for cell in row.cells))
    Console(width=max(Console().width, 150)).print(table)


def format_page(rows: Sequence[Row], *, command: str, rounds: int) -> str:
    """Return the table as a Markdown page with a description of the machine.

    Args:
        rows: The results.
        command: The command that measured them.
        rounds: Number of rounds of the compared programs.
    """
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}; `make bench` measures again.",
        "All programs run on loopback against the simulated Gong in a separate process: network time is not included.",
        "",
        f"* Machine: {_machine()}",
        f"* Versions: {_versions()}",
        f"* Rounds: {rounds}. Compared programs run in turns."
        " A result is the median of the rounds, with their range in brackets; a ratio is computed within a round.",
        "* Every program reads the same pages and writes a new DuckDB file, whose content is compared with the data of"
        " the simulated Gong.",
        "* Compared programs also load private calls, and only the metadata of calls.",
        "* Seconds are those of the whole process, including interpreter and imports, unless stated otherwise.",
        "",
        f"| {' | '.join(_HEADINGS)} |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row.cells)} |" for row in rows),
        "",
    ]
    return "\n".join(lines) + "\n" + _MISSED_GOALS


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{os.cpu_count()} cores of {_processor()}, {memory:.0f} GB memory, {platform.system()}"


def _processor() -> str:
    cpu_info = Path("/proc/cpuinfo")
    lines = cpu_info.read_text(encoding="utf-8").splitlines() if cpu_info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _versions() -> str:
    packages = ("dlt", "duckdb", "pyarrow", "httpx", "msgspec")
    return ", ".join(
        [f"Python {platform.python_version()}", *(f"{p} {importlib.metadata.version(p)}" for p in packages)]
    )
