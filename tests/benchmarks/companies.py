"""What the first and the last of many companies cost in one warehouse: `python -m tests.benchmarks.companies`.

Each company is a simulated Gong of its own with other data, and has a dataset. In a lake, its catalog has a schema of
its own in a database of all companies. A process reads a company at first, and another one the next day with a hundred
new calls, as the tasks of an orchestrator do.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console

from tests.benchmarks.bench import UNTHROTTLED, Bench, ProgramRun, open_bench, simulated_gong
from tests.benchmarks.report import Row, print_table
from tests.support.servers.connections import PostgresDatabase, WarehouseConnection
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.postgres import postgres_server

_CALLS = 300
_CATALOG_TABLES = """
SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
WHERE table_schema LIKE 'ducklake%' AND table_type = 'BASE TABLE'
"""
_COMPARED = 10
_IDLE_RUNS = 3
_ONE_MORE = "gong_one_more"
_MAX_RATIO = 1.25


@dataclass(frozen=True, slots=True)
class Company:
    """The runs of one company."""

    first: ProgramRun
    day: ProgramRun
    day_requests: int
    day_bytes: int


def sync_companies(bench: Bench, connect: Callable[[str], WarehouseConnection], companies: int) -> Iterator[Company]:
    """Sync one company after the other, and verify each.

    Args:
        bench: Where the processes run.
        connect: Returns the warehouse of a dataset.
        companies: Number of companies.

    Raises:
        BenchmarkError: If a run fails, or a dataset differs from its company.
    """
    for number in range(1, companies + 1):
        dataset, folder = f"gong_{number:04d}", bench.empty_folder()
        with simulated_gong(calls=_CALLS, seed=number) as gong:
            latest, target = gong.info.latest_since, connect(dataset)
            first = bench.sync(gong, UNTHROTTLED, folder, select="", until=latest, target=target, dataset=dataset)
            gong.reset_request_counts()
            day = bench.sync(gong, UNTHROTTLED, folder, select="", since=latest, target=target, dataset=dataset)
            counts = gong.reset_request_counts()
            yield Company(first, day, sum(counts.paths.values()), counts.response_bytes)


def measure_commands(bench: Bench, connect: Callable[[str], WarehouseConnection]) -> Iterator[Row]:
    """Yield what one more company needs for a sync with nothing new, for its models and for its maintenance."""
    folder, target, dataset = bench.empty_folder(), connect(_ONE_MORE), _ONE_MORE
    with simulated_gong(calls=_CALLS) as gong:

        def sync() -> ProgramRun:
            gong.reset_request_counts()
            return bench.sync(gong, UNTHROTTLED, folder, select="", target=target, dataset=dataset)

        sync()
        idle = [sync() for _ in range(_IDLE_RUNS)]
        counts = gong.reset_request_counts()
    requests = f"{sum(counts.paths.values())} requests, {counts.response_bytes / 1e6:.2f} MB received"
    yield Row("a sync with nothing new", f"{_format_run(*idle)}, {requests}")
    for command in ("models", "maintain"):
        yield Row(f"gong-elt {command}", _format_run(bench.run_command(command, folder, target, dataset)))


def compare_companies(companies: Sequence[Company]) -> Iterator[Row]:
    """Yield the medians of the first and the last companies, in the order of their syncs, and their ratios."""
    size = min(_COMPARED, len(companies))
    groups = {
        "the first company": companies[:1],
        f"company {len(companies)}": companies[-1:],
        f"the first {size} companies": companies[:size],
        f"the last {size} of {len(companies)} companies": companies[-size:],
    }
    for what, runs in {"the backfill of 200 calls": "first", "a day with 100 new calls": "day"}.items():
        medians = []
        for name, group in groups.items():
            measured: list[ProgramRun] = [getattr(company, runs) for company in group]
            medians.append(
                [median(getattr(run, field) for run in measured) for field in ("cpu_seconds", "peak_megabytes")]
            )
            yield Row(f"{what}, {name}", _format_run(*measured))
        (first_cpu, first_memory), (last_cpu, last_memory) = medians[2:]
        for measure, ratio in (("CPU time", last_cpu / first_cpu), ("memory", last_memory / first_memory)):
            goal = f"at most {_MAX_RATIO:g} x"
            yield Row(f"{what}: {measure}, last to first companies", f"{ratio:.2f} x", goal, ratio <= _MAX_RATIO)
    requests, received = (
        median(getattr(company, field) for company in companies) for field in ("day_requests", "day_bytes")
    )
    yield Row("requests of a day, all default resources", f"{requests:.0f}, {received / 1e6:.2f} MB received")


def measure_storage(database: PostgresDatabase, folder: Path, companies: int) -> Iterator[Row]:
    """Yield what a company takes in PostgreSQL, and in the files of a lake.

    Args:
        database: The warehouse, or the catalog of a lake.
        folder: Folder of the lake.
        companies: Number of companies.
    """
    ((database_bytes,),) = database.rows("SELECT pg_database_size(current_database())")
    yield Row(f"in PostgreSQL, per company with {_CALLS} calls", f"{database_bytes / 1e6 / companies:.2f} MB")
    tables = [table for (table,) in database.rows(_CATALOG_TABLES)]
    if not tables:
        return
    rows = sum(database.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables)
    yield Row("rows of the catalog, per company", f"{rows / companies:,.0f}")
    sizes = [file.stat().st_size for file in folder.rglob("*.parquet")]
    yield Row("files of the lake, per company", f"{len(sizes) / companies:.0f}, {sum(sizes) / 1e6 / companies:.2f} MB")


def _format_run(*runs: ProgramRun) -> str:
    """Return the medians of the runs."""
    wall, cpu, memory = (
        median(getattr(run, field) for run in runs) for field in ("wall_seconds", "cpu_seconds", "peak_megabytes")
    )
    return f"{wall:.2f} s, {cpu:.2f} s CPU, {memory:,.0f} MB"


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.companies", description=__doc__)
    parser.add_argument("--companies", type=int, default=100)
    parser.add_argument("--destination", choices=("postgres", "ducklake"), default="ducklake")
    parser.add_argument("--one-catalog", action="store_true", help="one catalog for the datasets of all companies")
    options = parser.parse_args()
    err = Console(stderr=True, highlight=False)
    with open_bench() as bench, postgres_server() as server:
        folder, database = bench.empty_folder(), PostgresDatabase(server.create_database())

        def connect(dataset: str) -> WarehouseConnection:
            if options.destination == "postgres":
                return database
            if options.one_catalog:
                return DuckLakeConnection(folder, database.url)
            company_folder = folder / dataset
            company_folder.mkdir(exist_ok=True)
            return DuckLakeConnection(company_folder, database.url, metadata_schema=f"ducklake_{dataset}")

        companies = []
        for company in sync_companies(bench, connect, options.companies):
            companies.append(company)
            seconds = f"{company.first.wall_seconds:.2f} s, then {company.day.wall_seconds:.2f} s"
            err.print(f"company {len(companies)}: {seconds}", style="dim")
        storage = list(measure_storage(database, folder, len(companies)))
        print_table([*compare_companies(companies), *storage, *measure_commands(bench, connect)])


if __name__ == "__main__":
    main()
