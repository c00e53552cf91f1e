"""A sync that is killed at any stage is completed by the next one: nothing lost, nothing duplicated."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.conftest import MakeGong
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.workspace import Workspace, days_ago

KillCondition = Callable[[SimulatedGong, Workspace], bool]


def _received_requests(count: int) -> KillCondition:
    """Return a condition that holds once Gong has received that number of requests."""
    return lambda gong, _: len(gong.requests) >= count


def _warehouse_exists(_: SimulatedGong, workspace: Workspace) -> bool:
    return (workspace.folder / "warehouse.duckdb").exists()


def _rows_are_being_written(_: SimulatedGong, workspace: Workspace) -> bool:
    """Return whether database file and write-ahead log are larger than with empty tables."""
    files = [workspace.folder / name for name in ("warehouse.duckdb", "warehouse.duckdb.wal")]
    return sum(file.stat().st_size for file in files if file.exists()) > 1_000_000


KILL_CONDITIONS: dict[str, KillCondition] = {
    "at the first request": _received_requests(1),
    "in the middle of reading": _received_requests(6),
    "when tables are made": _warehouse_exists,
    "when rows are written": _rows_are_being_written,
}


@pytest.mark.parametrize(
    "keep_working_folder", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["with folder", "without folder"]
)
@pytest.mark.parametrize("condition", KILL_CONDITIONS.values(), ids=KILL_CONDITIONS.keys())
def test_a_killed_first_sync_is_completed_by_the_next(
    make_gong: MakeGong, workspace: Workspace, condition: KillCondition, keep_working_folder: bool
) -> None:
    """A kill at any stage, with or without the working folder, loses and duplicates nothing."""
    gong = make_gong(calls=150)
    _kill(gong, workspace, condition, delay=0.0)
    if not keep_working_folder:
        workspace.delete_working_folder()
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_repeated_kills_during_the_load_lose_and_duplicate_nothing(make_gong: MakeGong, workspace: Workspace) -> None:
    """Five kills while rows are written leave a state that one sync completes."""
    gong = make_gong(calls=150)
    workspace.sync("--until", days_ago(100))
    delays = random.Random(11)
    for _ in range(5):
        gong.requests.clear()
        _kill(gong, workspace, _rows_are_being_written, delay=delays.uniform(0.0, 0.8))
        workspace.delete_working_folder()
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def _corrupt_files(package: Path) -> None:
    """Damage the Parquet files, as a full disk does."""
    for file in package.glob("new_jobs/*.parquet"):
        file.write_bytes(b"PAR1 and then nothing")


def _change_schema(package: Path) -> None:
    """Change the schema so that it does not match the warehouse, as an older version does."""
    file = package / "schema.json"
    schema = json.loads(file.read_text())
    schema["tables"]["calls"]["columns"]["id"]["data_type"] = "bigint"
    del schema["tables"]["transcripts"]
    file.write_text(json.dumps(schema))


def _replace_ids(package: Path) -> None:
    """Replace the call ids, as in a package of another account."""
    for file in package.glob("new_jobs/calls.*.parquet"):
        rows = pq.read_table(file)
        foreign = pa.array([f"6{number:018}" for number in range(len(rows))])
        pq.write_table(rows.set_column(rows.schema.get_field_index("id"), rows.schema.field("id"), foreign), file)


def _mark_jobs_as_done(package: Path) -> None:
    """Mark two thirds of the jobs as completed or started although they did not run."""
    jobs = sorted((package / "new_jobs").iterdir())
    for number, job in enumerate(jobs[: len(jobs) * 2 // 3]):
        job.rename(package / ("completed_jobs", "started_jobs")[number % 2] / job.name)


def _leave_unchanged(_: Path) -> None:
    """Leave the package as it is: complete, but not loaded."""


@pytest.mark.parametrize("second", [False, True], ids=["first load", "later load"])
@pytest.mark.parametrize(
    "damage",
    [
        _corrupt_files,
        _replace_ids,
        pytest.param(_leave_unchanged, marks=pytest.mark.slow),
        pytest.param(_change_schema, marks=pytest.mark.slow),
        pytest.param(_mark_jobs_as_done, marks=pytest.mark.slow),
    ],
)
def test_an_abandoned_load_package_is_discarded_and_read_again(
    make_gong: MakeGong, workspace: Workspace, damage: Callable[[Path], None], second: bool
) -> None:
    """A package that a killed run left behind is never loaded, intact or damaged."""
    gong = make_gong(calls=150)
    if second:
        workspace.sync("--until", days_ago(10))
        gong.requests.clear()
    _kill(gong, workspace, _has_pending_package, delay=0.0)
    (package,) = _packages(workspace)
    damage(package)

    workspace.sync("--since", "2020-01-01")
    assert not package.exists()
    assert_warehouse_matches(workspace, gong)


def _packages(workspace: Workspace) -> list[Path]:
    return list(workspace.folder.glob("working/gong-elt/*/gong/gong/load/normalized/*"))


def _has_pending_package(gong: SimulatedGong, workspace: Workspace) -> bool:
    """Return whether everything was read and normalized, and nothing loaded."""
    return bool(gong.requests and _packages(workspace))


def _kill(gong: SimulatedGong, workspace: Workspace, condition: KillCondition, *, delay: float) -> None:
    """Start a sync and kill it once the condition holds, unless it has ended by then."""
    process = workspace.start("sync", "--since", "2020-01-01")
    deadline = time.monotonic() + 60
    try:
        while not condition(gong, workspace) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(delay)
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("gong")
@pytest.mark.parametrize("workspace", ["duckdb"], indirect=True)
def test_rows_that_a_killed_run_left_beside_the_file_are_deleted(workspace: Workspace) -> None:
    """DuckDB writes there what does not fit in memory: rows of calls, which no erasure would find."""
    workspace.sync()
    folder = workspace.folder / "warehouse.duckdb.tmp"
    folder.mkdir()
    spilled, other = folder / "duckdb_temp_storage_DEFAULT-0.tmp", folder / "notes.txt"
    spilled.write_bytes(b"rows")
    other.write_bytes(b"of somebody else")
    workspace.sync()
    assert not spilled.exists()
    assert other.exists()
