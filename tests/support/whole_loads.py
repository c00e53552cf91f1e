"""What one query sees of a load, and a reader that polls during a run."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import duckdb
import psycopg2

from tests.support.workspace import Workspace

State = tuple[Any, ...]

_DIGEST = "md5(string_agg({0}, '' ORDER BY {0}))"
_MARIADB_DIGEST = "md5(group_concat({0} ORDER BY {0} SEPARATOR ''))"


def read_state(workspace: Workspace) -> State:
    """Return what one query, and thus one snapshot, sees of a load."""
    digest = (_MARIADB_DIGEST if is_mariadb(workspace) else _DIGEST).format
    # dlt's own tables are not published as Iceberg tables.
    of_dlt = ("max(load_id) FROM gong._dlt_loads", "count(*) FROM gong._dlt_pipeline_state")
    of_iceberg = ("max(load_id) FROM gong.gong_loads", "0")
    # Tables of one call, compared call by call, and those of loads.
    parts = (
        *(of_iceberg if workspace.warehouse.destination == "iceberg" else of_dlt),
        digest("concat(id, coalesce(title, ''))") + " FROM gong.calls WHERE _deleted_at IS NULL",
        f"{digest('call_id')} FROM gong.call_parties",
        f"{digest('concat(call_id, _content_hash)')} FROM gong.transcripts",
        digest("concat(call_id, ' ', sentence_index)") + " FROM gong.transcript_sentences",
        "count(*) FROM gong.users",
    )
    ((*values,),) = workspace.rows(f"SELECT {', '.join(f'(SELECT {part})' for part in parts)}")
    return tuple(values)


def is_mariadb(workspace: Workspace) -> bool:
    """Return whether the warehouse is MariaDB."""
    return workspace.warehouse.destination == "sqlalchemy"


def is_lake(workspace: Workspace) -> bool:
    """Return whether the warehouse is a lake, also one that is published as Iceberg tables."""
    return workspace.warehouse.destination in ("ducklake", "iceberg")


def is_iceberg(workspace: Workspace) -> bool:
    """Return whether the warehouse is published as Iceberg tables."""
    return workspace.warehouse.destination == "iceberg"


def database_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the drivers that are installed."""
    pymysql: Any = import_module("pymysql") if find_spec("pymysql") else None
    return (psycopg2.Error, duckdb.Error, *([pymysql.err.Error] if pymysql else []))


@contextmanager
def poll(workspace: Workspace) -> Iterator[dict[str | None, set[State]]]:
    """Read the warehouse again and again beside the block; yield the states that were seen, by the last load."""
    states: dict[str | None, set[State]] = defaultdict(set)
    # An open DuckDB file delays the command.
    pause_seconds = 0.7 if workspace.warehouse.destination == "duckdb" else 0.01
    is_over = threading.Event()

    def read() -> None:
        while not is_over.wait(pause_seconds):
            # There are no tables yet, or the command has the DuckDB file open.
            with suppress(*database_errors()):
                state = read_state(workspace)
                # Before the first publication, tests of Iceberg read the lake.
                if state[0] is not None or not is_iceberg(workspace):
                    states[state[0]].add(state)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield states
    finally:
        is_over.set()
        thread.join()
