"""Loads into a lake with twenty million sentences over two years: `python -m tests.benchmarks.lake` prints one table.

A sync of a simulated Gong fills an empty lake. SQL adds copies of its calls, month by month, because the command would
need hours for them. Then calls are changed in Gong, and further syncs replace them, before and after `maintain`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.benchmarks.bench import (
    UNTHROTTLED,
    WITH_PRIVATE_CALLS,
    Bench,
    BenchmarkError,
    GongServer,
    ProgramRun,
    open_bench,
    simulated_gong,
)
from tests.benchmarks.programs.gong_server import Edit
from tests.benchmarks.programs.timed_cli import FILE_NAME
from tests.benchmarks.report import Row, print_table
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.postgres import postgres_server

_CALLS, _SENTENCES, _DAYS = 2_000, 300, 730
_CHANGED = 100
_MAX_SECONDS = 1.0
_SETTINGS = {**UNTHROTTLED, **WITH_PRIVATE_CALLS}
_CHILD_TABLES = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = 'gong' AND column_name = 'call_id' AND regexp_matches(table_name, '^(call|transcript)')
"""
_FILES = """
SELECT sum(file_count), sum(delete_file_count), (sum(file_size_bytes) + sum(delete_file_size_bytes)) / 1e6
FROM ducklake_table_info(current_database())
"""
_CONTENTS = (
    "SELECT count(DISTINCT call_id), count(*), count(*) FILTER (ends_with(text, ?)) FROM gong.transcript_sentences"
)


@dataclass(frozen=True, slots=True)
class LoadedRun:
    """A sync, and the seconds and CPU seconds of its load step."""

    run: ProgramRun
    load_seconds: float
    load_cpu_seconds: float


class Lake:
    """A lake, the simulated Gong that it is synced from, and the folder of the syncs."""

    def __init__(self, bench: Bench, gong: GongServer, connection: DuckLakeConnection) -> None:
        self._bench = bench
        self._gong = gong
        self._edits = 0
        self.connection = connection
        self.folder = bench.empty_folder()

    def sync(self, call_ids: Sequence[str] = (), since: datetime | None = None) -> LoadedRun:
        """Sync all calls, or those with the ids, in one load. Raises: `BenchmarkError` as `Bench.sync` does."""
        filters = {"SOURCES__GONG__CALL_IDS": json.dumps(call_ids)} if call_ids else {}
        run = self._bench.sync(
            self._gong,
            {**_SETTINGS, **filters},
            self.folder,
            since=since or self._gong.since,
            until=self._gong.info.until,
            target=self.connection,
            program="tests.benchmarks.programs.timed_cli",
        )
        return LoadedRun(run, *map(float, (self.folder / FILE_NAME).read_text(encoding="utf-8").split()))

    def replace_calls(self, *, newest: bool) -> LoadedRun:
        """Change calls in Gong, and sync them.

        Raises:
            BenchmarkError: If the lake has not exactly the changed calls in place of the old ones.
        """
        self._edits += 1
        text = f"edit{self._edits}."
        before = self.connection.rows(_CONTENTS, [text])[0]
        since = self._gong.info.latest_since if newest else None
        loaded = self.sync(self._gong.edit_calls(Edit(_CHANGED, newest, text)), since)
        after = self.connection.rows(_CONTENTS, [text])[0]
        if after != (*before[:2], _CHANGED):
            raise BenchmarkError(f"the lake had {before} calls, sentences and changes, and has {after}")
        return loaded

    def add_copies(self, sentences: int) -> None:
        """Add copies of all calls to their months, one transaction per month, until there are that many sentences."""
        copies = sentences // (_CALLS * _SENTENCES)
        with self.connection.connect() as lake:
            lake.execute("SET memory_limit = '3GB'")
            tables = {name: "call_id" for (name,) in lake.execute(_CHILD_TABLES).fetchall()} | {"calls": "id"}
            lake.execute(
                "CREATE TEMP TABLE copies AS SELECT id, CAST(hash(id, number) // 2 AS VARCHAR) AS copy_id,"
                f" date_trunc('month', started) AS month FROM gong.calls, range(1, {copies}) AS numbers(number)"
            )
            for table in tables:
                lake.execute(f"CREATE TEMP TABLE {table}_rows AS FROM gong.{table}")
            for (month,) in lake.execute("SELECT DISTINCT month FROM copies ORDER BY month").fetchall():
                lake.execute("BEGIN")
                for table, key in tables.items():
                    rows = f"temp.{table}_rows AS rows JOIN temp.copies AS copies ON copies.id = rows.{key}"
                    # Equal texts would be stored once per file.
                    text = ", text || ' ' || copy_id AS text" if table == "transcript_sentences" else ""
                    query = f"SELECT rows.* REPLACE (copy_id AS {key}{text}) FROM {rows} WHERE copies.month = ?"
                    lake.execute(f"INSERT INTO gong.{table} {query}", [month])
                lake.execute("COMMIT")
            for table in ("copies", *(f"{table}_rows" for table in tables)):
                lake.execute(f"DROP TABLE temp.{table}")

    def maintain(self) -> None:
        """Run `gong-elt maintain`."""
        self._bench.maintain(self.folder, self.connection)

    def describe_files(self) -> str:
        """Return the numbers and the size of the files that the current snapshot has."""
        ((files, delete_files, megabytes),) = self.connection.rows(_FILES)
        return f"{files:,} files, {delete_files:,} with deleted rows; {megabytes:,.0f} MB"


def measure_lake(lake: Lake, sentences: int) -> Iterator[Row]:
    """Yield the first load, the loads of changed calls before and after `maintain`, and the files.

    Args:
        lake: An empty lake.
        sentences: Number of sentences to which SQL fills it.
    """
    first = lake.sync()
    yield Row(f"first load, {first.run.output['sentences']:,} sentences in {_DAYS // 365} years", _format(first))
    yield Row("files of the first load", lake.describe_files())
    lake.add_copies(sentences)
    ((count,),) = lake.connection.rows("SELECT count(*) FROM gong.transcript_sentences")
    yield Row(f"files with {count:,} sentences", lake.describe_files())
    yield from _measure_changes(lake, "before maintain")
    started_at = time.perf_counter()
    lake.maintain()
    yield Row("gong-elt maintain", f"{time.perf_counter() - started_at:.1f} s")
    yield Row("files after it", lake.describe_files())
    yield from _measure_changes(lake, "after maintain")


def _measure_changes(lake: Lake, when: str) -> Iterator[Row]:
    for what, is_newest in ((f"the {_CHANGED} newest calls", True), (f"{_CHANGED} calls of all months", False)):
        replaced = lake.replace_calls(newest=is_newest)
        is_met = replaced.load_seconds <= _MAX_SECONDS
        yield Row(f"replace {what}, {when}", _format(replaced), f"{_MAX_SECONDS:g} s to load", is_met)
    yield Row(f"files then, {when}", lake.describe_files())


def _format(loaded: LoadedRun) -> str:
    run = loaded.run
    return (
        f"{loaded.load_seconds:.2f} s to load, {loaded.load_cpu_seconds:.2f} s CPU; whole process:"
        f" {run.wall_seconds:.2f} s, {run.cpu_seconds:.2f} s CPU"
    )


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.lake", description=__doc__)
    parser.add_argument("--destination", choices=("ducklake",), default="ducklake")
    parser.add_argument("--sentences", type=int, default=20_000_000)
    options = parser.parse_args()
    with (
        open_bench() as bench,
        simulated_gong(calls=_CALLS, sentences=_SENTENCES, days=_DAYS) as gong,
        postgres_server() as server,
    ):
        lake = Lake(bench, gong, DuckLakeConnection(bench.empty_folder(), server.create_database()))
        print_table(list(measure_lake(lake, options.sentences)))


if __name__ == "__main__":
    main()
