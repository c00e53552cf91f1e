"""The index of sentences below the front door: its parts, its ledger, and who changes it at the same time."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipelines.analytics.derived_data import forget_in_indexes, index_lock
from pipelines.analytics.marts import DEFAULT_ANALYTICS, Marts, marts
from pipelines.analytics.search.index import SentenceIndex, Wanted
from pipelines.analytics.search.manifest import IndexedCall, IndexLedger
from pipelines.analytics.search.search import SearchOptions, search
from pipelines.runtime.connection import Connection
from pipelines.runtime.target import Target
from state.lock import run_lock
from tests.support.workspace import Workspace


def test_many_parts_find_what_a_single_one_finds(duckdb_marts: Workspace, tmp_path: Path) -> None:
    target = Target.resolve("duckdb", "gong", file=duckdb_marts.folder / "warehouse.duckdb", folder=tmp_path)
    (some,) = zip(
        *duckdb_marts.rows("SELECT DISTINCT call_id FROM gong_analytics.transcript_lines LIMIT 40"), strict=True
    )
    every = Wanted("price", limit=1_000)
    told: list[list[Any]] = []
    steps: list[tuple[int, int]] = []
    for calls_a_part in (1_000, 7):
        index = SentenceIndex(tmp_path / str(calls_a_part), calls_a_part)
        with marts(Connection("gong"), target, DEFAULT_ANALYTICS) as opened:
            assert index.is_behind(opened)
            calls = index.refresh(opened, lambda *step: steps.append(step))
            assert not index.is_behind(opened)
        assert steps[-1] == (calls, calls)
        assert len(list((tmp_path / str(calls_a_part) / "parts").iterdir())) == -(-calls // calls_a_part)
        told.append([])
        for wanted in (
            every,
            replace(every, newest=True, side="customer"),
            replace(every, words="price zeppelin", context=3),
            replace(every, calls=some),
            replace(every, calls=[]),
            replace(every, words="zeppelin"),
        ):
            found = index.find(wanted)
            assert len(found.hits) == found.count
            hits = sorted(found.hits, key=lambda hit: (hit.line.call_id, hit.line.sentence_index))
            told[-1].append((found.match, [(hit.line, hit.before, hit.after) for hit in hits]))
            assert index.find(replace(wanted, limit=5)).hits == found.hits[:5]
    assert told[0] == told[1]
    assert [len(hits) > 5 for _, hits in told[0]] == [True, True, True, True, False, False]


@pytest.mark.parametrize("ledger", [None, pa.table({"call_id": ["1"], "moment": [1]}), b"PAR1"])
def test_an_index_of_which_no_ledger_tells_goes_as_a_whole(tmp_path: Path, ledger: pa.Table | bytes | None) -> None:
    """An older version's, too, which had no parts."""
    if isinstance(ledger, bytes):
        (tmp_path / "calls.parquet").write_bytes(ledger)
    elif ledger is not None:
        pq.write_table(ledger, tmp_path / "calls.parquet")
    for folder in ("index", "parts/0000"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "words").write_text("zeppelin")
    assert IndexLedger(tmp_path).without(IndexLedger(tmp_path).read(), ["1"]) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_search_that_writes_the_index_is_not_disturbed_by_what_is_erased(tmp_path: Path) -> None:
    target = Target.resolve("duckdb", "gong", file=tmp_path / "warehouse.duckdb", folder=tmp_path)
    folder = tmp_path / "search" / DEFAULT_ANALYTICS
    ledger = IndexLedger(folder)
    ledger.part(0).mkdir(parents=True)
    ledger.write({"1": IndexedCall(1, 0)})
    with run_lock(index_lock(folder), "a search"):
        forget_in_indexes(target, ["1"], "a reconcile")
        assert ledger.read() == {"1": IndexedCall(1, 0)}
    forget_in_indexes(target, ["2"], "a reconcile")
    assert ledger.read() == {"1": IndexedCall(1, 0)}
    forget_in_indexes(target, ["1"], "a reconcile")
    assert ledger.read() == {}
    assert not ledger.part(0).exists()


def test_what_is_erased_while_the_index_is_written_is_taken_out_before_the_search(
    duckdb_marts: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shutil.copy(duckdb_marts.folder / "warehouse.duckdb", tmp_path)
    target = Target.resolve("duckdb", "gong", file=Path(file), folder=tmp_path)
    refresh, gone = SentenceIndex.refresh, set[str]()

    def refresh_and_erase(index: SentenceIndex, opened: Marts, progress: Any, *, rebuild: bool = False) -> int:
        written = refresh(index, opened, progress, rebuild=rebuild)
        if not gone:
            (found,) = (
                duckdb.connect(file)
                .execute(
                    "DELETE FROM gong_analytics.int_transcribed_calls WHERE call_id ="
                    " (SELECT min(call_id) FROM gong_analytics.transcript_lines) RETURNING call_id"
                )
                .fetchall()
            )
            gone.update(found)
        return written

    monkeypatch.setattr(SentenceIndex, "refresh", refresh_and_erase)
    search(Connection("gong"), target, SearchOptions("price"), Console(stderr=True))
    known = IndexLedger(tmp_path / "search" / DEFAULT_ANALYTICS).read()
    assert gone
    assert known
    assert not gone & known.keys()


@given(
    sizes=st.lists(st.integers(0, 9), max_size=6),
    gone=st.sets(st.integers(0, 50)),
    new=st.integers(0, 30),
    calls_a_part=st.integers(1, 9),
)
def test_every_call_has_one_part_and_no_part_too_many(
    sizes: list[int], gone: set[int], new: int, calls_a_part: int
) -> None:
    with TemporaryDirectory() as folder:
        ledger = IndexLedger(Path(folder), calls_a_part)
        known: dict[str, IndexedCall] = {}
        for size in (*sizes, new):
            known |= ledger.placed(known, [str(len(known) + number) for number in range(size)])
            for kept in known.values():
                ledger.part(kept.part).mkdir(parents=True, exist_ok=True)
            ledger.write(known)
            assert ledger.read() == known
        left = ledger.without(known, {str(number) for number in gone})
        assert ledger.read() == left
        spoilt = {kept.part for call_id, kept in known.items() if int(call_id) in gone}
        assert left == {call_id: kept for call_id, kept in known.items() if kept.part not in spoilt}
        assert {kept.part for kept in left.values()} == {int(path.name) for path in Path(folder).glob("parts/*")}
        again = ledger.placed(left, [call_id for call_id in known if int(call_id) not in gone])
        assert left.keys() <= again.keys() == {call_id for call_id in known if int(call_id) not in gone}
        assert all(again[call_id].part == left[call_id].part for call_id in left)
        parts = Counter(kept.part for kept in again.values())
        assert all(size <= calls_a_part for size in parts.values())
        assert max(parts, default=0) <= max((kept.part for kept in known.values()), default=0)
