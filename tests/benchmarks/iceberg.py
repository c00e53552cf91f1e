"""Changed calls in a large lake, until they are published: `python -m tests.benchmarks.iceberg` prints seconds.

The lake has the sentences of two years by month, with random text. Their first publication is measured, too; then a
hundred calls of the last month, and a hundred calls of any month, get other sentences.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb

from destinations.kinds.ducklake.lake import POSTGRES, LakeAddress, open_cursor
from destinations.kinds.ducklake.months import MONTH
from destinations.kinds.iceberg.catalog import AtomicSqlCatalog
from destinations.kinds.iceberg.publication import Publisher
from destinations.kinds.iceberg.views import ViewFiles
from tests.benchmarks.report import Row, print_table
from tests.support.servers.postgres import postgres_server

_MONTHS, _SENTENCES_PER_CALL, _CHANGED = 24, 300, 100
_GOAL_SECONDS = 15
_COLUMNS = f"""
CAST(call AS VARCHAR) AS call_id, i AS sentence_index, CAST(hash(call + i) % 9 AS VARCHAR) AS speaker_id,
CAST(i * 4000 AS BIGINT) AS start_ms, CAST(i * 4000 + 3000 AS BIGINT) AS end_ms,
concat_ws(' ', hash(i * {{calls}} + call) % 20000, hash(i + call * 7) % 20000, hash(call - i) % 20000, 'and some words')
    AS text,
CAST(DATE '2024-01-01' + to_months(CAST(call * {_MONTHS} // {{calls}} AS INTEGER)) AS DATE) AS {MONTH}
"""


def measure(sentences: int) -> Iterator[Row]:
    """Yield the seconds of each publication."""
    calls = sentences // _SENTENCES_PER_CALL
    with postgres_server() as server, tempfile.TemporaryDirectory(prefix="gong-elt-iceberg-") as folder:
        url = server.create_database()
        address = LakeAddress("lake", POSTGRES, url, "lake", f"{folder}/lake")
        catalog = AtomicSqlCatalog(
            "gong_elt",
            uri=url.replace("postgresql://", "postgresql+psycopg2://"),
            warehouse=f"file://{folder}/iceberg",
            **{"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"},
        )
        views = ViewFiles(f"file://{folder}/iceberg/views", catalog.properties, "gong_elt", "gong")
        publisher = Publisher(catalog, address, "gong", views)
        with closing(open_cursor(address)) as lake:
            _fill(lake, calls)
            yield _publish(publisher, lake, f"first publication of {sentences:,} sentences", None)
            newest = range(calls - _CHANGED, calls)
            anywhere = range(0, calls - _CHANGED, max(1, (calls - _CHANGED) // _CHANGED))
            for what, changed in (("of the last month", newest), ("of any month", list(anywhere)[:_CHANGED])):
                _change(lake, calls, list(changed))
                name = f"{_CHANGED} calls {what} changed in {sentences:,} sentences"
                yield _publish(publisher, lake, name, _GOAL_SECONDS)
            files = sum(1 for _ in Path(folder, "iceberg").rglob("*.parquet"))
            rows = catalog.load_table("gong.transcript_sentences").scan().count()
            yield Row(f"sentences published, files {files}", f"{rows:,}")


def _fill(lake: duckdb.DuckDBPyConnection, calls: int) -> None:
    lake.execute("CREATE SCHEMA gong")
    query = (
        f"SELECT {_COLUMNS.format(calls=calls)} FROM range({calls}) AS c(call), range({_SENTENCES_PER_CALL}) AS s(i)"
    )
    lake.execute(f"CREATE TABLE gong.transcript_sentences AS {query} LIMIT 0")
    lake.execute(f"ALTER TABLE gong.transcript_sentences SET PARTITIONED BY ({MONTH})")
    lake.execute(f"INSERT INTO gong.transcript_sentences {query}")


def _change(lake: duckdb.DuckDBPyConnection, calls: int, changed: list[int]) -> None:
    rows = (
        f"SELECT {_COLUMNS.format(calls=calls)} FROM unnest({changed}) AS c(call),"
        f" range({_SENTENCES_PER_CALL - 1}) AS s(i)"
    )
    ids = ", ".join(f"'{call}'" for call in changed)
    lake.execute("BEGIN")
    lake.execute(f"DELETE FROM gong.transcript_sentences WHERE call_id IN ({ids})")
    lake.execute(f"INSERT INTO gong.transcript_sentences {rows}")
    lake.execute("COMMIT")


def _publish(publisher: Publisher, lake: duckdb.DuckDBPyConnection, name: str, goal_seconds: int | None) -> Row:
    start = time.monotonic()
    publisher.publish(lake)
    seconds = time.monotonic() - start
    goal = None if goal_seconds is None else f"<= {goal_seconds} s"
    return Row(name, f"{seconds:.1f} s", *(() if goal is None else (goal, seconds <= (goal_seconds or 0))))


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.iceberg", description=__doc__)
    parser.add_argument("--sentences", type=int, default=20_000_000)
    print_table(list(measure(parser.parse_args().sentences)))


if __name__ == "__main__":
    main()
