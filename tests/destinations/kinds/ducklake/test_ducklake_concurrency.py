"""Several machines and readers work on one lake, with its catalog in PostgreSQL, at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from tests.conftest import MakeGong
from tests.support.companies import build_recent_gong, public_calls
from tests.support.expected_warehouse import assert_all_tables_match
from tests.support.process.command import CommandResult
from tests.support.process.patched_command import run_patched
from tests.support.process.waiting import wait_until
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.postgres import PostgresServer
from tests.support.workspace import Workspace

pytestmark = pytest.mark.ducklake

_ALL_CALLS = ("--since", "2020-01-01")
_SUMS = """
SELECT count(*), sum(end_ms), (SELECT count(*) FROM gong.calls WHERE _deleted_at IS NULL) FROM gong.transcript_sentences
"""
_RETENTION = "DESTINATION__DUCKLAKE__SNAPSHOT_RETENTION"


@pytest.fixture(params=["postgres"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer) -> DuckLakeConnection:
    """Return a lake whose catalog is in PostgreSQL, or in SQLite."""
    return DuckLakeConnection(tmp_path, postgres.create_database() if request.param == "postgres" else None)


@pytest.fixture
def workspace(tmp_path: Path, lake: DuckLakeConnection) -> Workspace:
    """Return the workspace of one machine."""
    return build_machine(tmp_path, lake)


def build_machine(folder: Path, lake: DuckLakeConnection) -> Workspace:
    """Return a machine with its own working folder, which loads into the lake with the default retention."""
    folder.mkdir(exist_ok=True)
    machine = Workspace(folder, other_warehouse=lake)
    machine.use_demo_key()
    machine.settings[_RETENTION] = "1h"
    return machine


@contextmanager
def other_machine(workspace: Workspace, gong: SimulatedGong) -> Iterator[Workspace]:
    """Yield another machine, which reads another company into the same lake."""
    assert isinstance(workspace.warehouse, DuckLakeConnection)
    with serve(gong.app) as url:
        machine = build_machine(workspace.folder / "other", workspace.warehouse)
        machine.configure(base_url=url)
        yield machine


def run_together(*commands: Callable[[], CommandResult]) -> list[CommandResult]:
    """Run commands at the same time and return their results in this order."""
    with ThreadPoolExecutor(len(commands)) as threads:
        return [running.result() for running in [threads.submit(command) for command in commands]]


def assert_done(*results: CommandResult) -> None:
    """Assert that all commands have succeeded without a word."""
    assert [(result.code, result.err) for result in results] == [(0, "")] * len(results)


def assert_calls_match(workspace: Workspace, dataset: str, *companies: SimulatedGong) -> None:
    """Assert that the titles and sentences of a dataset are those of these companies, each once."""
    calls = [call for gong in companies for call in public_calls(gong)]
    titles = sorted((call.id, call.record["metaData"]["title"]) for call in calls)
    assert workspace.rows(f"SELECT id, title FROM {dataset}.calls ORDER BY id") == titles
    sentences = sorted(
        (call.id, index)
        for call in calls
        for index in range(sum(len(turn["sentences"]) for turn in call.transcript or () if call.transcript_json))
    )
    stored = workspace.rows(f"SELECT call_id, sentence_index FROM {dataset}.transcript_sentences ORDER BY 1, 2")
    assert stored == sentences


def rename_calls(gong: SimulatedGong, number: int) -> None:
    """Edit every second call."""
    for call in public_calls(gong)[::2]:
        gong.edit_call(call.id, title=f"Renamed {number}")


def test_two_datasets_of_a_lake_are_loaded_at_the_same_time(make_gong: MakeGong, workspace: Workspace) -> None:
    """The first runs create lake, datasets and tables together; later ones change rows together."""
    gong, other = make_gong(calls=120), build_recent_gong(calls=120, seed=8)
    with other_machine(workspace, other) as machine:
        for number in range(3):
            assert_done(
                *run_together(
                    lambda: workspace.run("sync", *_ALL_CALLS),
                    lambda: machine.run("sync", "--dataset", "emea", *_ALL_CALLS),
                )
            )
            assert_calls_match(workspace, "gong", gong)
            assert_calls_match(workspace, "emea", other)
            rename_calls(gong, number)
            rename_calls(other, number)


def test_a_lake_is_maintained_while_it_is_loaded(make_gong: MakeGong, workspace: Workspace) -> None:
    """One dataset is maintained beside a sync of another one, and after a sync of the same one, which it waits for."""
    gong, other = make_gong(calls=150), build_recent_gong(calls=30, seed=8)
    with other_machine(workspace, other) as machine:
        workspace.sync()
        machine.sync("--dataset", "emea")
        for number, dataset in enumerate(("gong", "emea", "emea")):
            rename_calls(gong, number)
            maintain = partial(machine.run, "maintain", "--dataset", dataset)
            assert_done(*run_together(lambda: workspace.run("sync", *_ALL_CALLS), maintain))
            assert_all_tables_match(workspace, gong)
            assert_calls_match(workspace, "emea", other)


def test_marts_are_not_maintained_while_another_machine_builds_them(
    make_gong: MakeGong, workspace: Workspace, postgres: PostgresServer
) -> None:
    """The maintenance names the process that builds them."""
    gong = make_gong(calls=20)
    workspace.sync()
    models = workspace.start("models")
    wait_until(lambda: postgres.advisory_locks() or models.poll() is not None)
    with other_machine(workspace, gong) as machine:
        result = machine.run("maintain")
        assert (result.code, result.err.count("\n")) == (1, 1), result
        assert f"pid {models.pid}, " in result.err
        assert "run again when it has ended" in result.err
        assert models.wait(120) == 0
        assert_done(machine.run("maintain"))


def test_a_commit_that_conflicts_is_repeated(
    make_gong: MakeGong, workspace: Workspace, lake: DuckLakeConnection
) -> None:
    """Another program changes calls while a load is being committed: the load is applied once, and on top of it."""
    gong = make_gong(calls=30)
    workspace.sync()
    edited, kept = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(edited.id, title="Edited")
    loads = workspace.count("_dlt_loads")
    writer = lake.client(f"UPDATE gong.calls SET title = 'Elsewhere' WHERE id IN ('{edited.id}', '{kept.id}')")
    program = (
        "import subprocess\n"
        "from destinations.kinds.ducklake.client import LakeClient\n"
        "def change_elsewhere(self, load_id):\n"
        "    with open('attempts', 'a') as attempts:\n"
        "        print(load_id, file=attempts)\n"
        "        if attempts.tell() < 20:\n"
        f"            subprocess.run({writer!r}, check=True)\n"
        "LakeClient._clear_staging = change_elsewhere\n"
    )
    result = run_patched(workspace, program, "sync", *_ALL_CALLS)
    assert result.code == 0, result.err
    attempts = (workspace.folder / "attempts").read_text().split()
    assert len(attempts) == 2
    assert workspace.count("_dlt_loads") == loads + 1

    titles = workspace.rows("SELECT id, title FROM calls WHERE id IN (?, ?)", [edited.id, kept.id])
    assert dict(titles) == {edited.id: "Edited", kept.id: "Elsewhere"}
    workspace.execute("UPDATE gong.calls SET title = ? WHERE id = ?", [kept.record["metaData"]["title"], kept.id])
    assert_all_tables_match(workspace, gong)


@pytest.mark.parametrize("lake", ["postgres", "sqlite"], indirect=True)
def test_long_queries_neither_fail_nor_delay_runs(
    make_gong: MakeGong, workspace: Workspace, lake: DuckLakeConnection
) -> None:
    """A transaction reads what it saw first, also after a sync, an erasure and a maintenance; so do slow queries.

    DuckLake drops a table of the catalog when small loads become files. In PostgreSQL, the maintenance ends soon if an
    open transaction has read it, and the next one completes it; with SQLite that transaction would fail.
    """
    gong = make_gong(calls=60)
    workspace.sync()
    with lake.connect() as reader, repeat_slow_queries(lake) as seen:
        reader.execute("BEGIN")
        before = reader.execute(_SUMS).fetchone()
        rename_calls(gong, 1)
        gong.delete_call(public_calls(gong)[0].id)
        workspace.sync(*_ALL_CALLS)
        assert_done(workspace.run("reconcile", "--force"))
        if lake.postgres:
            maintained = workspace.run("maintain")
            assert maintained.code == 0 or (maintained.code == 1 and "run again when it has ended" in maintained.err)
        assert reader.execute(_SUMS).fetchone() == before
        assert reader.execute("SELECT count(*) FROM gong.calls WHERE title LIKE 'Renamed%'").fetchone() == (0,)
        reader.execute("COMMIT")
        after = reader.execute(_SUMS).fetchone()
    assert len(seen) > 1
    assert set(seen) <= {before, after}
    assert_done(workspace.run("maintain"))
    assert_all_tables_match(workspace, gong)


@contextmanager
def repeat_slow_queries(lake: DuckLakeConnection) -> Iterator[list[tuple[int, ...]]]:
    """Run a query of some seconds again and again beside the block; yield the list of what they have read."""
    seen: list[tuple[int, ...]] = []
    is_over = threading.Event()

    def read() -> None:
        with lake.connect() as reader:
            while not is_over.is_set():
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM gong.calls")
                reader.execute("SELECT max(hash(range)) FROM range(100_000_000)")
                seen.extend(reader.execute(_SUMS).fetchall())
                reader.execute("COMMIT")

    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read)
        try:
            yield seen
        finally:
            is_over.set()
            reading.result()
