"""How long `gong-elt search` takes over twenty million sentences: the index whole, after changes, and a search.

`python -m tests.benchmarks.search` prints one table; a quarter of an hour, ten gigabytes of disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import duckdb

from tests.benchmarks.measures import UNTHROTTLED, WITH_PRIVATE_CALLS, Bench, bench, simulated_gong
from tests.benchmarks.report import Row, show

_CALLS, _COPIES, _SENTENCES, _NEW = 2_000, 34, 300, 100
_SEARCH_MS = 300
_QUESTIONS = (
    ("price too high",),
    ('"list price"',),
    ("competitor discount", "--side", "customer"),
    ("budget next year", "--newest"),
    ("security review", "--since", "2026-01-01"),
    ("send the invitation", "--rep", "an"),
    ("zeppelin",),
    ("the",),
)
# Copies of calls that are different calls to the index, in the three tables that it reads.
_MULTIPLIED = """
CREATE OR REPLACE TABLE gong_analytics.{table} AS
SELECT made.* REPLACE (copy || made.call_id AS call_id)
FROM gong_analytics.{table} AS made, range({copies}) AS copies(copy)
"""
_TABLES = ("transcript_lines", "calls_enriched", "int_transcribed_calls")


def search(place: Bench) -> Iterator[Row]:
    """The index from nothing, after new calls, and every question in a process of its own."""
    with simulated_gong(calls=_CALLS, sentences=_SENTENCES) as gong:
        folder = place.empty_folder()
        place.sync(gong, {**UNTHROTTLED, **WITH_PRIVATE_CALLS}, folder, select="")
        place.models(folder)
    (file,) = folder.glob("*.duckdb")
    with duckdb.connect(str(file)) as warehouse:
        for table in _TABLES:
            warehouse.execute(_MULTIPLIED.format(table=table, copies=_COPIES))
        lines = warehouse.execute("SELECT count(*) FROM gong_analytics.transcript_lines").fetchall()[0][0]
    whole = place.search(folder, "price")
    yield Row(
        f"the index from nothing, {lines:,} sentences",
        f"{whole.wall_seconds:.0f} s whole process; {whole.cpu_seconds:.0f} s CPU; {whole.peak_megabytes:,.0f} MB;"
        f" {_bytes(folder) / 1e9:.1f} GB on the disk",
    )
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute(
            "UPDATE gong_analytics.int_transcribed_calls SET _synced_at = now() WHERE call_id IN"
            f" (SELECT call_id FROM gong_analytics.int_transcribed_calls LIMIT {_NEW})"
        )
    day = place.search(folder, "price")
    yield Row(f"the same after {_NEW} calls changed", f"{day.wall_seconds:.1f} s whole process")
    with duckdb.connect(str(file)) as warehouse:
        (gone,) = warehouse.execute("SELECT call_id FROM gong_analytics.int_transcribed_calls LIMIT 1").fetchone() or ()
        for table in _TABLES:
            warehouse.execute(f"DELETE FROM gong_analytics.{table} WHERE call_id = ?", [gone])
    without = place.search(folder, "price")
    yield Row(
        "the same after a call has gone",
        f"{without.wall_seconds:.1f} s whole process; {without.told['calls_indexed']:,} calls written anew",
    )
    for question in _QUESTIONS:
        runs = [place.search(folder, *question) for _ in range(3)]
        took = median(run.told["search_ms"] for run in runs)
        yield Row(
            " ".join(question),
            f"{took:.0f} ms of {median(run.wall_seconds for run in runs):.1f} s whole process;"
            f" {runs[0].told['count']:,} sentences, {runs[0].told['match']}",
            f"{_SEARCH_MS} ms",
            took <= _SEARCH_MS,
        )


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("search/*/parts/*/*"))


if __name__ == "__main__":
    with bench() as made:
        show(list(search(made)))
