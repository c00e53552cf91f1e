"""Duration of `gong-elt search` with twenty million sentences: a new index, an updated index, and searches.

`python -m tests.benchmarks.search` prints one table; it takes a quarter of an hour and ten gigabytes of disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import duckdb

from tests.benchmarks.bench import UNTHROTTLED, WITH_PRIVATE_CALLS, Bench, open_bench, simulated_gong
from tests.benchmarks.report import Row, print_table

_CALLS, _COPIES, _SENTENCES, _NEW = 2_000, 34, 300, 100
_SEARCH_MS = 300
_BY_WORDS = ("--mode", "words")
_QUERIES = (
    ("price too high",),
    ('"list price"',),
    ("competitor discount", "--side", "customer"),
    ("budget next year", "--newest"),
    ("security review", "--since", "2026-01-01"),
    ("send the invitation", "--rep", "an"),
    ("zeppelin",),
    ("the",),
)
# Copies each call under other ids, in the three tables that the index reads.
_COPY_CALLS = """
CREATE OR REPLACE TABLE gong_analytics.{table} AS
SELECT original.* REPLACE (copy || original.call_id AS call_id)
FROM gong_analytics.{table} AS original, range({copies}) AS copies(copy)
"""
_TABLES = ("transcript_lines", "calls_enriched")


def measure_search(bench: Bench) -> Iterator[Row]:
    """Yield a new index, its updates, and each query in a process of its own."""
    with simulated_gong(calls=_CALLS, sentences=_SENTENCES) as gong:
        folder = bench.empty_folder()
        bench.sync(gong, {**UNTHROTTLED, **WITH_PRIVATE_CALLS}, folder, select="")
        bench.build_models(folder)
    (file,) = folder.glob("*.duckdb")
    with duckdb.connect(str(file)) as warehouse:
        for table in _TABLES:
            warehouse.execute(_COPY_CALLS.format(table=table, copies=_COPIES))
        lines = warehouse.execute("SELECT count(*) FROM gong_analytics.transcript_lines").fetchall()[0][0]
    full = bench.search(folder, "price", *_BY_WORDS)
    yield Row(
        f"a new index, {lines:,} sentences",
        f"{full.wall_seconds:.0f} s whole process; {full.cpu_seconds:.0f} s CPU; {full.peak_megabytes:,.0f} MB;"
        f" {_index_bytes(folder) / 1e9:.1f} GB on the disk",
    )
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute(
            "UPDATE gong_analytics.calls_enriched SET _synced_epoch_ms = epoch_ms(now()) WHERE call_id IN"
            f" (SELECT call_id FROM gong_analytics.calls_enriched WHERE has_transcript LIMIT {_NEW})"
        )
    update = bench.search(folder, "price", *_BY_WORDS)
    yield Row(f"the same after {_NEW} calls changed", f"{update.wall_seconds:.1f} s whole process")
    with duckdb.connect(str(file)) as warehouse:
        (deleted,) = (
            warehouse.execute(
                "SELECT call_id FROM gong_analytics.calls_enriched WHERE has_transcript LIMIT 1"
            ).fetchone()
            or ()
        )
        for table in _TABLES:
            warehouse.execute(f"DELETE FROM gong_analytics.{table} WHERE call_id = ?", [deleted])
    without = bench.search(folder, "price", *_BY_WORDS)
    yield Row(
        "the same after a call was deleted",
        f"{without.wall_seconds:.1f} s whole process; {without.output['calls_indexed']:,} calls rewritten",
    )
    for query in _QUERIES:
        runs = [bench.search(folder, *query, *_BY_WORDS) for _ in range(3)]
        search_ms = median(run.output["search_ms"] for run in runs)
        yield Row(
            " ".join(query),
            f"{search_ms:.0f} ms of {median(run.wall_seconds for run in runs):.1f} s whole process;"
            f" {runs[0].output['count']:,} sentences, {runs[0].output['match']}",
            f"{_SEARCH_MS} ms",
            search_ms <= _SEARCH_MS,
        )


def _index_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("search/*/parts/*/*"))


if __name__ == "__main__":
    with open_bench() as shared_bench:
        print_table(list(measure_search(shared_bench)))
