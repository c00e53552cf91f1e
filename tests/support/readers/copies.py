"""Published copies of a DuckDB warehouse: what they hold, and programs that read them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import find_call

COPY = "bi/gong-bi.duckdb"

COUNTS = "SELECT (SELECT count(*) FROM gong.calls), (SELECT count(*) FROM gong.transcript_sentences)"

READER = """
import duckdb, sys
copy = duckdb.connect(sys.argv[1], read_only=True)
for _ in sys.stdin:
    print(copy.execute(sys.argv[2]).fetchone(), flush=True)
"""

POLLER = """
import duckdb, json, sys, threading
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
seen = set()
while not ended.wait(0.005):
    with duckdb.connect(sys.argv[1], read_only=True) as copy:
        seen.add(copy.execute(sys.argv[2]).fetchone())
    print("polled", flush=True)
print(json.dumps(sorted(seen)), flush=True)
"""


@contextmanager
def run_python(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program in another process; closing its stdin ends it."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def ask(reader: subprocess.Popen[str]) -> tuple[int, ...]:
    """Return what the reader's query returns now."""
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write("\n")
    reader.stdin.flush()
    return tuple(json.loads(reader.stdout.readline().replace("(", "[").replace(")", "]")))


def read_tables(file: Path) -> dict[str, tuple[int, Any]]:
    """Return the number of rows and a checksum of every table and view, by its name."""
    with duckdb.connect(str(file), read_only=True) as database:
        names = database.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = current_database()"
        ).fetchall()
        return {
            f"{schema}.{name}": database.execute(
                f'SELECT count(*), sum(hash(row::VARCHAR)) FROM "{schema}"."{name}" AS row'
            ).fetchall()[0]
            for schema, name in names
        }


def list_remnants(file: Path) -> list[str]:
    """Return the files beside a copy, other than the lock."""
    return sorted(path.name for path in file.parent.iterdir() if path != file and not path.name.endswith(".lock"))


def delete_call(gong: SimulatedGong) -> str:
    """Delete a call with a transcript in Gong, and return its id."""
    call = find_call(gong)
    gong.delete_call(call.id)
    return call.id
