"""First loads into PostgreSQL and DuckDB, in turns: `python -m tests.benchmarks.warehouses` prints one table."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from tests.benchmarks.bench import UNTHROTTLED, WITH_PRIVATE_CALLS, Bench, open_bench, simulated_gong
from tests.benchmarks.comparison import Program, compare_seconds, format_speed, wall_seconds
from tests.benchmarks.report import Row, print_table
from tests.support.servers.connections import PostgresDatabase
from tests.support.servers.postgres import postgres_server

_CALLS, _SENTENCES = 2_000, 300
_SETTINGS = {**UNTHROTTLED, **WITH_PRIVATE_CALLS}


def compare_first_loads(bench: Bench, rounds: int) -> Iterator[Row]:
    """Yield the duration of a first load of calls in full with transcripts, and the ratio of the two warehouses."""
    with simulated_gong(calls=_CALLS, sentences=_SENTENCES) as gong, postgres_server() as server:
        postgres = Program(
            "first load into PostgreSQL",
            lambda: bench.sync(gong, _SETTINGS, target=PostgresDatabase(server.create_database())),
            [],
        )
        duckdb = Program("first load into DuckDB", lambda: bench.sync(gong, _SETTINGS), [])
        for program in (postgres, duckdb):
            # Not measured: fills the caches.
            program.run()
        for _ in range(rounds):
            for program in (postgres, duckdb):
                program.runs.append(program.run())
    rows = duckdb.runs[0].rows
    for program in (postgres, duckdb):
        speed = format_speed(program.runs, rows, "rows of all tables")
        yield Row(f"{program.name}, {_CALLS:,} calls x {_SENTENCES} sentences", speed)
    yield compare_seconds(
        "first load into PostgreSQL / into DuckDB, whole processes", postgres, duckdb, wall_seconds, at_most=1.2
    )


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.warehouses", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="rounds; the result is their median")
    with open_bench() as bench:
        print_table(list(compare_first_loads(bench, parser.parse_args().runs)))


if __name__ == "__main__":
    main()
