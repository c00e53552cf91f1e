"""A lake is partitioned by month: a call and its sentences are always in the month in which the call started."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.destinations.exceptions import DatabaseTransientException
from hypothesis import given, settings
from hypothesis import strategies as st

from destinations.kinds.ducklake import months
from destinations.kinds.ducklake.destination import DuckLake
from destinations.kinds.ducklake.months import CallMonths
from pipelines.demo.company.calls import Call
from pipelines.demo.server.app import SimulatedGong
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match
from tests.support.servers.connections import WarehouseConnection
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.warehouses import LAKES, build_workspace
from tests.support.workspace import Workspace

pytestmark = pytest.mark.ducklake

_ALL_CALLS = ("--since", "2020-01-01")
_WRONG_CALLS = """
SELECT count(*) FROM gong.calls
WHERE _call_month IS DISTINCT FROM CAST(date_trunc('month', started AT TIME ZONE 'UTC') AS DATE)
"""
_WRONG_SENTENCES = """
SELECT count(*) FROM gong.transcript_sentences AS s LEFT JOIN gong.calls AS c ON c.id = s.call_id
WHERE s._call_month IS DISTINCT FROM c._call_month
"""
_CALL_IDS = ("1", "2", "3")
_STARTS = (
    None,
    datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC),
    # In UTC, this is in January.
    datetime.fromisoformat("2026-02-01T00:30:00+01:00"),
    datetime(2026, 2, 1, tzinfo=UTC),
    datetime(2026, 3, 15, tzinfo=UTC),
)
_DELETED = "deleted"


@pytest.fixture(params=LAKES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with a lake of each kind."""
    return build_workspace(request, tmp_path)


@pytest.fixture
def gong(make_gong: MakeGong) -> SimulatedGong:
    """Return a company with calls in three or four months."""
    return make_gong(calls=60, days=75)


def test_files_are_in_folders_of_their_months(gong: SimulatedGong, workspace: Workspace) -> None:
    """Each month of calls has a file of sentences, also after maintenance has merged those of a second load."""
    workspace.sync()
    _assert_months_are_right(workspace.warehouse)
    for call in public_calls(gong)[::2]:
        gong.edit_call(call.id, title="Edited")
        gong.replace_transcript(call.id, (call.transcript or [])[:1])
    workspace.sync(*_ALL_CALLS)
    _assert_months_are_right(workspace.warehouse)

    assert workspace.run("maintain").code == 0
    folders = {f"_call_month={month}" for (month,) in workspace.rows("SELECT DISTINCT _call_month FROM gong.calls")}
    assert len(folders) >= 3
    folder = workspace.folder / "lake" / "gong" / "transcript_sentences"
    files = [file.relative_to(folder).parts for file in folder.rglob("*.parquet")]
    assert sorted(part for part, _ in files) == sorted(folders)
    assert_all_tables_match(workspace, gong)
    _assert_months_are_right(workspace.warehouse)


def test_sentences_follow_a_call_to_another_month(gong: SimulatedGong, workspace: Workspace) -> None:
    """The call alone has changed, so its transcript is not loaded again. Further changes find the sentences there."""
    workspace.sync()
    call = _transcribed(gong)[0]
    for days in (40, -40):
        _move(gong, call, timedelta(days=days))
        assert workspace.sync(*_ALL_CALLS)["calls"] == 1
        assert_all_tables_match(workspace, gong)
        _assert_months_are_right(workspace.warehouse)
    _move(gong, call, timedelta(days=40))
    gong.replace_transcript(call.id, (call.transcript or [])[:1])
    workspace.sync(*_ALL_CALLS)
    assert_all_tables_match(workspace, gong)
    _assert_months_are_right(workspace.warehouse)


def test_a_late_transcript_is_in_the_month_of_its_call(gong: SimulatedGong, workspace: Workspace) -> None:
    """The call was loaded before, and is not loaded again."""
    call = _transcribed(gong)[-1]
    transcript = call.transcript
    gong.replace_transcript(call.id, None)
    workspace.sync()
    gong.replace_transcript(call.id, transcript)
    assert workspace.sync(*_ALL_CALLS)["sentences"] > 0
    assert_all_tables_match(workspace, gong)
    _assert_months_are_right(workspace.warehouse)


def test_transcripts_without_calls_have_no_month(gong: SimulatedGong, workspace: Workspace) -> None:
    """They were selected alone. Once their calls are there, they have the same month."""
    workspace.sync("--select", "transcripts")
    rows = "SELECT count(*) > 0, count(_call_month) FROM gong.transcript_sentences"
    assert workspace.rows(rows) == [(True, 0)]
    workspace.sync(*_ALL_CALLS)
    assert_all_tables_match(workspace, gong)
    _assert_months_are_right(workspace.warehouse)


def test_erased_calls_leave_their_months(gong: SimulatedGong, workspace: Workspace) -> None:
    """A deleted call keeps its start, and a call that turned private keeps its metadata, but no sentences remain."""
    workspace.sync()
    deleted, private = _transcribed(gong)[:2]
    gong.delete_call(deleted.id)
    gong.edit_call(private.id, isPrivate=True)
    assert workspace.run("reconcile", "--force", "--json").json["erased"] == 1
    workspace.sync(*_ALL_CALLS)
    left = "SELECT count(*) FROM gong.transcript_sentences WHERE call_id IN (?, ?)"
    assert workspace.rows(left, [deleted.id, private.id]) == [(0,)]
    _assert_months_are_right(workspace.warehouse)


def test_a_lake_without_months_is_partitioned_by_its_next_load(gong: SimulatedGong, workspace: Workspace) -> None:
    """Earlier tables get the column in the transaction of the load: rows in files and in the catalog."""
    workspace.sync()
    gong.edit_call(_transcribed(gong)[0].id, title="Edited")
    workspace.sync(*_ALL_CALLS)
    for table in ("calls", "transcript_sentences"):
        workspace.warehouse.execute(f"ALTER TABLE gong.{table} RESET PARTITIONED BY")
        workspace.warehouse.execute(f"ALTER TABLE gong.{table} DROP COLUMN _call_month")
    assert workspace.run("status").code == 0

    gong.edit_call(_transcribed(gong)[1].id, title="Edited")
    assert workspace.sync(*_ALL_CALLS)["calls"] == 1
    assert_all_tables_match(workspace, gong)
    _assert_months_are_right(workspace.warehouse)
    assert workspace.sync(*_ALL_CALLS)["calls"] == 0


def test_calls_of_an_earlier_version_are_partitioned_until_maintenance(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """They are loaded as before. Afterwards a load writes one file of calls."""
    workspace.sync()
    workspace.warehouse.execute("ALTER TABLE gong.calls SET PARTITIONED BY (_call_month)")
    folder = workspace.folder / "lake" / "gong" / "calls"
    folders = []
    for title in ("Edited", "Edited again"):
        for call in public_calls(gong):
            gong.edit_call(call.id, title=title)
        files = set(folder.rglob("*.parquet"))
        workspace.sync(*_ALL_CALLS)
        folders.append([file.parent for file in set(folder.rglob("*.parquet")) - files])
        assert_all_tables_match(workspace, gong)
        assert workspace.run("maintain").code == 0
    assert folder not in folders[0]
    assert folders[1] == [folder]
    assert_all_tables_match(workspace, gong)
    _assert_months_are_right(workspace.warehouse)


def test_calls_that_were_dropped_return_to_their_sentences(gong: SimulatedGong, workspace: Workspace) -> None:
    """Sentences are replaced in the months that they have, so they have none as long as their calls are unknown."""
    workspace.sync()
    workspace.warehouse.execute("DROP TABLE gong.calls")
    for call in _transcribed(gong)[::3]:
        _move(gong, call, timedelta(days=40))
        gong.replace_transcript(call.id, (call.transcript or [])[:1])
    workspace.sync()
    workspace.sync(*_ALL_CALLS)
    assert_all_tables_match(workspace, gong)
    _assert_months_are_right(workspace.warehouse)


def test_sentences_of_calls_that_were_deleted_by_hand_are_replaced(gong: SimulatedGong, workspace: Workspace) -> None:
    """The month of a call is unknown then, and its old sentences may not remain beside the new ones."""
    workspace.sync()
    workspace.warehouse.execute("DELETE FROM gong.calls")
    for number, call in enumerate(_transcribed(gong)):
        if number % 2:
            _move(gong, call, timedelta(days=40))
        gong.replace_transcript(call.id, (call.transcript or [])[:1])
    workspace.sync(*_ALL_CALLS)
    assert_all_tables_match(workspace, gong)
    _assert_months_are_right(workspace.warehouse)


def test_a_load_that_is_repeated_with_another_connection_has_months(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt was rolled back, and its temporary tables are gone."""
    lake = DuckLakeConnection(tmp_path)
    pipeline = _pipeline(tmp_path)
    follow_calls, failures = CallMonths.follow_calls, [duckdb.IOException("lost")]

    def fail_once(load: CallMonths) -> None:
        if failures:
            raise DatabaseTransientException(failures.pop())
        follow_calls(load)

    monkeypatch.setattr(CallMonths, "follow_calls", fail_once)
    pipeline.run([_calls({"1": _STARTS[1]}), _transcripts({"1": 3, "2": 1})], loader_file_format="parquet")
    assert not failures
    assert lake.rows("SELECT DISTINCT call_id, _call_month FROM gong.transcript_sentences ORDER BY call_id") == [
        ("1", date(2026, 1, 1)),
        ("2", None),
    ]


@pytest.mark.parametrize("max_listed", [1, 3])
def test_sentences_of_many_calls_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, max_listed: int) -> None:
    """The calls of a load are compared one by one, or joined if they are more than a limit."""
    monkeypatch.setattr(months, "_MAX_LISTED", max_listed)
    lake, pipeline = DuckLakeConnection(tmp_path), _pipeline(tmp_path)
    for sentences in ({"1": 30, "2": 20, "it's": 10}, {"1": 3, "2": 5, "it's": 0}):
        pipeline.run([_calls({"1": _STARTS[1]}), _transcripts(sentences)], loader_file_format="parquet")
    counts = lake.rows("SELECT call_id, count(*) FROM gong.transcript_sentences GROUP BY call_id ORDER BY call_id")
    assert counts == [("1", 3), ("2", 5)]


_starts = st.dictionaries(st.sampled_from(_CALL_IDS), st.sampled_from((*_STARTS, _DELETED)))
_sentences = st.dictionaries(st.sampled_from(_CALL_IDS), st.integers(0, 12))


@settings(max_examples=12)
@given(st.lists(st.tuples(_starts, _sentences), min_size=2, max_size=4))
def test_months_are_right_after_any_loads(
    tmp_path_factory: pytest.TempPathFactory, loads: list[tuple[dict[str, Any], dict[str, int]]]
) -> None:
    """Calls move, vanish and return, and transcripts are loaded before them, with them, after them and again."""
    folder = tmp_path_factory.mktemp("lake")
    lake, pipeline = DuckLakeConnection(folder), _pipeline(folder)
    expected_calls: dict[str, Any] = {}
    expected_sentences: dict[str, int] = {}
    # The first load creates all tables.
    for starts, sentences in [({}, {}), *loads]:
        pipeline.run([_calls(starts), _transcripts(sentences)], loader_file_format="parquet")
        expected_calls = {**expected_calls, **starts}
        expected_sentences = {**expected_sentences, **sentences}
        loaded = lake.rows("SELECT id, started FROM gong.calls ORDER BY id")
        assert loaded == sorted((call_id, start) for call_id, start in expected_calls.items() if start != _DELETED)
        counts = lake.rows("SELECT call_id, count(*) FROM gong.transcript_sentences GROUP BY call_id ORDER BY call_id")
        assert counts == sorted((call_id, count) for call_id, count in expected_sentences.items() if count)
        _assert_months_are_right(lake)


def _pipeline(folder: Path) -> dlt.Pipeline:
    """Return a pipeline of dlt that loads into the lake in a folder."""
    credentials: Any = {
        "catalog": f"sqlite:///{folder / 'catalog.sqlite'}",
        "storage": {"bucket_url": str(folder / "lake")},
    }
    lake = DuckLake(credentials=credentials)
    return dlt.pipeline("months", pipelines_dir=str(folder / "working"), destination=lake, dataset_name="gong")


def _calls(starts: dict[str, Any]) -> Any:
    columns: Any = {
        "id": {"data_type": "text"},
        "started": {"data_type": "timestamp"},
        "_removed": {"data_type": "bool", "hard_delete": True},
    }
    rows = [
        {"id": call_id, "started": None if start == _DELETED else start, "_removed": start == _DELETED or None}
        for call_id, start in starts.items()
    ]
    return _resource("calls", rows, columns, primary_key="id")


def _transcripts(sentences: dict[str, int]) -> Any:
    columns: Any = {
        "call_id": {"data_type": "text"},
        "sentence_index": {"data_type": "bigint"},
        "_removed": {"data_type": "bool", "hard_delete": True},
    }
    rows = [
        {"call_id": call_id, "sentence_index": index, "_removed": None if count else True}
        for call_id, count in sentences.items()
        for index in range(max(count, 1))
    ]
    return _resource("transcript_sentences", rows, columns, merge_key="call_id")


def _resource(name: str, rows: list[Any], columns: Any, **keys: Any) -> Any:
    disposition: Any = {"disposition": "merge", "strategy": "delete-insert"}
    empty = dlt.mark.materialize_table_schema()
    return dlt.resource(rows or [empty], name=name, columns=columns, write_disposition=disposition, **keys)


def _transcribed(gong: SimulatedGong) -> list[Call]:
    return [call for call in public_calls(gong) if call.transcript_json]


def _move(gong: SimulatedGong, call: Call, duration: timedelta) -> None:
    started = datetime.fromisoformat(gong.get_call(call.id).record["metaData"]["started"])
    gong.edit_call(call.id, started=(started - duration).isoformat())


def _assert_months_are_right(lake: WarehouseConnection) -> None:
    assert lake.rows(_WRONG_CALLS) == [(0,)]
    assert lake.rows(_WRONG_SENTENCES) == [(0,)]
