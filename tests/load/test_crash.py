"""Killed at any moment, with or without its working folder, a sync goes on: nothing lost, nothing twice."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.conftest import MakeGong
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.workspace import Workspace, days_ago

Moment = Callable[[SimulatedGong, Workspace], bool]


def _requests(count: int) -> Moment:
    """When so many requests have come."""
    return lambda gong, _: len(gong.requests) >= count


def _warehouse_exists(_: SimulatedGong, workspace: Workspace) -> bool:
    return (workspace.folder / "warehouse.duckdb").exists()


def _rows_are_being_written(_: SimulatedGong, workspace: Workspace) -> bool:
    """The write-ahead log or the file has grown beyond empty tables: rows are on their way."""
    files = [workspace.folder / name for name in ("warehouse.duckdb", "warehouse.duckdb.wal")]
    return sum(file.stat().st_size for file in files if file.exists()) > 1_000_000


MOMENTS: dict[str, Moment] = {
    "at the first request": _requests(1),
    "in the middle of reading": _requests(6),
    "when tables are made": _warehouse_exists,
    "when rows are written": _rows_are_being_written,
}


@pytest.mark.parametrize("keep_working_folder", [True, False], ids=["with folder", "without folder"])
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_a_killed_first_sync_is_made_good_by_the_next(
    make_gong: MakeGong, workspace: Workspace, moment: Moment, keep_working_folder: bool
) -> None:
    gong = make_gong(calls=150)
    _kill(gong, workspace, moment, delay=0.0)
    if not keep_working_folder:
        workspace.delete_working_folder()
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_kills_at_random_moments_of_the_load_lose_and_double_nothing(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=150)
    workspace.sync("--until", days_ago(100))
    delays = random.Random(11)
    for _ in range(5):
        gong.requests.clear()
        _kill(gong, workspace, _rows_are_being_written, delay=delays.uniform(0.0, 0.8))
        workspace.delete_working_folder()
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


@pytest.mark.parametrize("lost", ["nothing", "call_parties", "transcript_sentences", "calls"])
@pytest.mark.parametrize("which", ["first", "second"])
def test_a_load_that_was_never_completed_is_made_good(
    make_gong: MakeGong, workspace: Workspace, which: str, lost: str
) -> None:
    """Dlt merges table by table and completes a load last: what a kill in between leaves behind, made by hand."""
    gong = make_gong()
    if which == "second":
        workspace.sync("--until", days_ago(10))
    workspace.sync()
    with duckdb.connect(str(workspace.folder / "warehouse.duckdb")) as warehouse:
        (last,) = warehouse.execute("SELECT max(load_id) FROM gong._dlt_loads").fetchone() or ("",)
        if lost != "nothing":
            key = "id" if lost == "calls" else "call_id"
            brought = "SELECT id FROM gong.calls WHERE _dlt_load_id = ?"
            warehouse.execute(f"DELETE FROM gong.{lost} WHERE {key} IN ({brought})", [last])
        for table, column in (("_dlt_loads", "load_id"), ("_dlt_pipeline_state", "_dlt_load_id")):
            warehouse.execute(f"DELETE FROM gong.{table} WHERE {column} = ?", [last])
    workspace.delete_working_folder()
    workspace.sync("--since", "2020-01-01")
    assert_warehouse_matches(workspace, gong)


def _rot(package: Path) -> None:
    """Files that are no Parquet any more, as from a disk that was full."""
    for file in package.glob("new_jobs/*.parquet"):
        file.write_bytes(b"PAR1 and then nothing")


def _another_schema(package: Path) -> None:
    """A schema that no longer fits the warehouse, as from an older version."""
    file = package / "schema.json"
    schema = json.loads(file.read_text())
    schema["tables"]["calls"]["columns"]["id"]["data_type"] = "bigint"
    del schema["tables"]["transcripts"]
    file.write_text(json.dumps(schema))


def _another_dataset(package: Path) -> None:
    """Rows of another account."""
    for file in package.glob("new_jobs/calls.*.parquet"):
        rows = pq.read_table(file)
        foreign = pa.array([f"6{number:018}" for number in range(len(rows))])
        pq.write_table(rows.set_column(rows.schema.get_field_index("id"), rows.schema.field("id"), foreign), file)


def _half_done(package: Path) -> None:
    """Some jobs marked as done that never were, some as begun."""
    jobs = sorted((package / "new_jobs").iterdir())
    for number, job in enumerate(jobs[: len(jobs) * 2 // 3]):
        job.rename(package / ("completed_jobs", "started_jobs")[number % 2] / job.name)


def _as_it_is(_: Path) -> None:
    """Whole, but never loaded."""


@pytest.mark.parametrize("second", [False, True], ids=["first load", "later load"])
@pytest.mark.parametrize("spoil", [_as_it_is, _rot, _another_schema, _another_dataset, _half_done])
def test_a_load_package_left_behind_is_set_aside_and_read_again(
    make_gong: MakeGong, workspace: Workspace, spoil: Callable[[Path], None], second: bool
) -> None:
    gong = make_gong(calls=150)
    if second:
        workspace.sync("--until", days_ago(10))
        gong.requests.clear()
    _kill(gong, workspace, _package_waits, delay=0.0)
    (package,) = _packages(workspace)
    spoil(package)
    workspace.sync("--since", "2020-01-01")
    assert not package.exists()
    assert_warehouse_matches(workspace, gong)


def _packages(workspace: Workspace) -> list[Path]:
    return list(workspace.folder.glob("working/gong-elt/*/gong/gong/load/normalized/*"))


def _package_waits(gong: SimulatedGong, workspace: Workspace) -> bool:
    """All is read and laid out, and nothing of it loaded."""
    return bool(gong.requests and _packages(workspace))


def _kill(gong: SimulatedGong, workspace: Workspace, moment: Moment, *, delay: float) -> None:
    """Starts a sync and kills it at that moment, unless it was faster."""
    process = workspace.start("sync", "--since", "2020-01-01")
    deadline = time.monotonic() + 60
    try:
        while not moment(gong, workspace) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(delay)
    finally:
        process.kill()
        process.wait()
