"""Sums over the Iceberg tables of many calls in each engine: `python -m tests.benchmarks.engines` prints them.

It needs Spark, chDB and Polars: `make test-spark` creates their environment, `.spark`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.bench import UNTHROTTLED, Bench, BenchmarkError, open_bench, simulated_gong
from tests.benchmarks.report import Row, print_table
from tests.spark.engines import ENGINES, run_engine
from tests.support.servers.iceberg import IcebergConnection
from tests.support.servers.postgres import postgres_server
from tests.support.workspace import Workspace


def compare_engines(bench: Bench, calls: int, sentences: int, rounds: int) -> Iterator[Row]:
    """Yield the sums, and the duration of their queries in each engine.

    Raises:
        BenchmarkError: If two engines have different sums.
    """
    folder = bench.empty_folder()
    with simulated_gong(calls=calls, sentences=sentences) as gong, postgres_server() as server:
        target = IcebergConnection(folder, server.create_database())
        synced = bench.sync(gong, UNTHROTTLED, folder, target=target)
        yield Row(
            f"sync of {calls:,} calls x {sentences} sentences, and their publication", f"{synced.wall_seconds:.1f} s"
        )
        environment = Workspace(folder, other_warehouse=target).environment
        runs = {name: [run_engine(name, folder, environment) for _ in range(rounds)] for name in ENGINES}
    (expected, *_), *_ = runs.values()
    for name, repeated in runs.items():
        for run in repeated:
            if run.sums != expected.sums:
                raise BenchmarkError(f"{name} reads {run.sums}, not {expected.sums}")
        seconds, start = (median(getattr(run, field) for run in repeated) for field in ("seconds", "start_seconds"))
        yield Row(f"{name}: two queries, with distinct calls", f"{seconds:.2f} s, started in {start:.2f} s")
    for table, (rows, ids, total) in expected.sums.items():
        yield Row(f"{table}, equal in all engines", f"{rows:,} rows, {ids:,} calls, sum {total:,}")


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engines", description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000, help="calls of the company")
    parser.add_argument("--sentences", type=int, default=100, help="mean number of sentences per call")
    parser.add_argument("--runs", type=int, default=3, help="runs of each engine; the result is their median")
    options = parser.parse_args()
    with open_bench() as bench:
        print_table(list(compare_engines(bench, options.calls, options.sentences, options.runs)))


if __name__ == "__main__":
    main()
