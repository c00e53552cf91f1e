"""Duration of searches in one process that keeps the marts and the index open, as the MCP server does.

`python -m tests.benchmarks.measures.search_latency` prints one table, over six million sentences of 19,220 calls; it
takes ten minutes and four gigabytes of disk. Each of the calls is there ten times, under other ids.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import duckdb

from pipelines.analytics.calls.selection import CallFilter, select_call_ids
from pipelines.analytics.marts import DEFAULT_ANALYTICS, Marts, open_marts
from pipelines.analytics.search.query import MODES, SearchQuery
from pipelines.analytics.search.sentences import SentenceSearcher
from pipelines.runtime.connection import Connection
from pipelines.runtime.target import Target
from tests.benchmarks.bench import UNTHROTTLED, WITH_PRIVATE_CALLS, Bench, open_bench, simulated_gong
from tests.benchmarks.report import Row, print_table

_CALLS, _COPIES, _SENTENCES, _RUNS, _GOAL_MS = 2_000, 10, 300, 7, 300
_TABLES = ("transcript_lines", "transcript_chunks", "calls_enriched")
_COPY_CALLS = """
CREATE OR REPLACE TABLE gong_analytics.{table} AS
SELECT original.* REPLACE (copy || original.call_id AS call_id)
FROM gong_analytics.{table} AS original, range({copies}) AS copies(copy)
"""


def measure_latency(bench: Bench) -> Iterator[Row]:
    """Yield the words' index, the vectors, and the searches of each mode."""
    with simulated_gong(calls=_CALLS, sentences=_SENTENCES) as gong:
        folder = bench.empty_folder()
        bench.sync(gong, {**UNTHROTTLED, **WITH_PRIVATE_CALLS}, folder, select="")
        bench.build_models(folder)
    file = folder / "warehouse.duckdb"
    with duckdb.connect(str(file)) as warehouse:
        for table in _TABLES:
            warehouse.execute(_COPY_CALLS.format(table=table, copies=_COPIES))
        sentences, passages = (
            warehouse.execute(f"SELECT count(*) FROM gong_analytics.{table}").fetchall()[0][0] for table in _TABLES[:2]
        )
    target = Target.resolve("duckdb", "gong", file=file, folder=folder / "index")
    searcher = SentenceSearcher(target, DEFAULT_ANALYTICS)
    with open_marts(Connection("gong"), target, DEFAULT_ANALYTICS) as marts:
        for mode, name in (("words", f"index, {sentences:,} sentences"), ("both", f"vectors, {passages:,} passages")):
            clock = time.monotonic()
            searcher.search(marts, SearchQuery("price", mode=mode))  # type: ignore[arg-type]
            seconds = time.monotonic() - clock
            pattern = "meaning-*" if mode == "both" else "[!m]*"
            yield Row(name, f"{seconds:.0f} s, {_size(folder / 'index', pattern) / 1e6:.0f} MB on the disk")
        for mode in MODES:
            durations = [*_search_durations(searcher, marts, mode)]
            percentiles = quantiles(durations, n=20)
            yield Row(
                f"{mode}, {len(durations)} searches",
                f"median {percentiles[9]:.0f} ms, 95th percentile {percentiles[18]:.0f} ms, longest"
                f" {max(durations):.0f} ms",
                f"{_GOAL_MS} ms",
                percentiles[18] <= _GOAL_MS,
            )


def _search_durations(searcher: SentenceSearcher, marts: Marts, mode: str) -> Iterator[float]:
    """Yield the milliseconds of each search, which includes the comparison of the index with the marts."""
    half = select_call_ids(marts, CallFilter(rep="an"))
    queries: list[tuple[str, Mapping[str, Any]]] = [
        ("price too high", {}),
        ("competitor discount", {"side": "customer"}),
        ("security review", {"since": datetime.now(UTC) - timedelta(days=60)}),
        ("send the invitation", {"calls": half}),
        ("zeppelin", {}),
        ("the", {}),
        ("how do they handle the forecast of promotions", {}),
        ("rate limiting of the REST endpoints", {}),
        ("why do customers leave for another vendor", {"calls": (half or [])[:200]}),
        ("budget next year", {}),
    ]
    for words, options in queries:
        query = SearchQuery(words, mode=mode, **options)  # type: ignore[arg-type]
        for _ in range(_RUNS):
            clock = time.perf_counter()
            searcher.search(marts, query)
            yield 1_000 * (time.perf_counter() - clock)


def _size(folder: Path, pattern: str) -> int:
    return sum(file.stat().st_size for file in folder.rglob(f"parts/*/{pattern}"))


if __name__ == "__main__":
    with open_bench() as shared_bench:
        print_table([*measure_latency(shared_bench)])
