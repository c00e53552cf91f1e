"""Duration of `gong-elt models` with six million sentences: a full build, and one after a hundred new calls.

`python -m tests.benchmarks.models` prints one table; it takes a minute or two. `--destination postgres` also measures
PostgreSQL, on a server of its own, and compares it with DuckDB.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from tests.benchmarks.bench import (
    UNTHROTTLED,
    WITH_PRIVATE_CALLS,
    Bench,
    ProgramRun,
    open_bench,
    simulated_gong,
)
from tests.benchmarks.report import Row, print_table
from tests.support.servers.connections import PostgresDatabase
from tests.support.servers.postgres import postgres_server

_CALLS, _COPIES, _SENTENCES = 2_000, 10, 300
_SETTINGS = {**UNTHROTTLED, **WITH_PRIVATE_CALLS}
_MAX_SECONDS = {"all models and tests": 60, "the same after 100 new calls": 10}
_MAX_RATIO = 2.0


def measure_models(bench: Bench, targets: Mapping[str, PostgresDatabase | None]) -> Iterator[Row]:
    """Yield a full build with its tests, and one after a hundred new calls.

    Args:
        bench: Where the commands run.
        targets: Warehouses by the name of their product, DuckDB first.
    """
    runs: dict[str, dict[str, ProgramRun]] = {}
    with simulated_gong(calls=_CALLS, sentences=_SENTENCES, copies=_COPIES) as gong:
        for product, target in targets.items():
            folder, latest = bench.empty_folder(), gong.info.latest_since
            bench.sync(gong, _SETTINGS, folder, until=latest, target=target)
            full = bench.build_models(folder, target)
            bench.sync(gong, _SETTINGS, folder, since=latest, target=target)
            update = bench.build_models(folder, target)
            runs[product] = dict(zip(_MAX_SECONDS, (full, update), strict=True))
    for measure, max_seconds in _MAX_SECONDS.items():
        for product in targets:
            run = runs[product][measure]
            yield Row(
                f"{measure}, {_CALLS * _COPIES:,} calls x {_SENTENCES} sentences, {product}",
                f"{run.wall_seconds:.1f} s whole process, {run.reported_seconds:.1f} s own; {run.cpu_seconds:.0f} s"
                f" CPU of the process; {run.peak_megabytes:,.0f} MB; {run.output['models']} models,"
                f" {run.output['tests']} tests",
                *((f"{max_seconds} s", run.wall_seconds <= max_seconds) if product == "DuckDB" else ()),
            )
        baseline = runs["DuckDB"][measure].wall_seconds
        for product in list(targets)[1:]:
            ratio = runs[product][measure].wall_seconds / baseline
            yield Row(
                f"{measure}, {product} / DuckDB", f"{ratio:.2f} x", f"at most {_MAX_RATIO:g} x", ratio <= _MAX_RATIO
            )


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.models", description=__doc__)
    parser.add_argument("--destination", choices=("duckdb", "postgres"), default="duckdb")
    with open_bench() as bench:
        if parser.parse_args().destination == "duckdb":
            print_table(list(measure_models(bench, {"DuckDB": None})))
            return
        with postgres_server() as server:
            database = PostgresDatabase(server.create_database())
            print_table(list(measure_models(bench, {"DuckDB": None, "PostgreSQL": database})))


if __name__ == "__main__":
    main()
