"""First loads into each kind of warehouse, in turns: `python -m tests.benchmarks.warehouses` prints their ratios."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial

from tests.benchmarks.bench import (
    UNTHROTTLED,
    WITH_PRIVATE_CALLS,
    Bench,
    GongServer,
    ProgramRun,
    open_bench,
    simulated_gong,
)
from tests.benchmarks.measures.comparison import Program, compare_seconds, format_speed, wall_seconds
from tests.benchmarks.report import Row, print_table
from tests.support.servers.connections import PostgresDatabase, WarehouseConnection
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.iceberg import IcebergConnection
from tests.support.servers.postgres import postgres_server

_CALLS, _SENTENCES = 2_000, 300
_SETTINGS = {**UNTHROTTLED, **WITH_PRIVATE_CALLS}


def compare_first_loads(bench: Bench, rounds: int) -> Iterator[Row]:
    """Yield the duration of a first load of calls in full with transcripts, and the ratios to that into DuckDB."""
    with simulated_gong(calls=_CALLS, sentences=_SENTENCES) as gong, postgres_server() as server:
        targets: dict[str, Callable[[], WarehouseConnection | None]] = {
            "PostgreSQL": lambda: PostgresDatabase(server.create_database()),
            "DuckLake, catalog in PostgreSQL": lambda: DuckLakeConnection(
                bench.empty_folder(), server.create_database()
            ),
            "DuckLake, catalog in SQLite": lambda: DuckLakeConnection(bench.empty_folder()),
            "Iceberg, catalog in PostgreSQL": lambda: IcebergConnection(bench.empty_folder(), server.create_database()),
            "DuckDB": lambda: None,
        }
        programs = [
            Program(f"first load into {name}", partial(_load, bench, gong, build), [])
            for name, build in targets.items()
        ]
        for program in programs:
            # Not measured: fills the caches.
            program.run()
        for _ in range(rounds):
            for program in programs:
                program.runs.append(program.run())
    *others, duckdb = programs
    rows = duckdb.runs[0].rows
    for program in programs:
        speed = format_speed(program.runs, rows, "rows of all tables")
        yield Row(f"{program.name}, {_CALLS:,} calls x {_SENTENCES} sentences", speed)
    for program in others:
        yield compare_seconds(
            f"{program.name} / into DuckDB, whole processes", program, duckdb, wall_seconds, at_most=_at_most(program)
        )


def _at_most(program: Program) -> float:
    # What is loaded is written twice: into the lake, and as Iceberg tables.
    return 1.5 if "Iceberg" in program.name else 1.2


def _load(bench: Bench, gong: GongServer, build: Callable[[], WarehouseConnection | None]) -> ProgramRun:
    return bench.sync(gong, _SETTINGS, target=build())


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.warehouses", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="rounds; the result is their median")
    with open_bench() as bench:
        print_table(list(compare_first_loads(bench, parser.parse_args().runs)))


if __name__ == "__main__":
    main()
