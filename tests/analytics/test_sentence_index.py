"""The search index below the command: its parts, its manifest, and concurrent erasure."""

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

from pipelines.analytics.derived_data import erase_from_indexes, index_lock
from pipelines.analytics.marts import DEFAULT_ANALYTICS, Marts, open_marts
from pipelines.analytics.search.index import SentenceIndex
from pipelines.analytics.search.manifest import IndexedCall, IndexManifest
from pipelines.analytics.search.query import SearchQuery
from pipelines.analytics.search.search import SearchOptions, search
from pipelines.runtime.connection import Connection
from pipelines.runtime.target import Target
from state.lock import run_lock
from tests.support.workspace import Workspace


def test_many_parts_return_what_one_part_returns(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Results do not depend on how calls are distributed over parts."""
    target = Target.resolve("duckdb", "gong", file=duckdb_marts.folder / "warehouse.duckdb", folder=tmp_path)
    (call_ids,) = zip(
        *duckdb_marts.rows("SELECT DISTINCT call_id FROM gong_analytics.transcript_lines LIMIT 40"), strict=True
    )
    price = SearchQuery("price", limit=1_000, folds_duplicates=False)
    results: list[list[Any]] = []

    for calls_per_part in (1_000, 7):
        index = SentenceIndex(tmp_path / str(calls_per_part), calls_per_part)
        steps: list[tuple[int, int]] = []
        with open_marts(Connection("gong"), target, DEFAULT_ANALYTICS) as marts:
            assert index.is_behind(marts)
            calls = index.refresh(marts, lambda *step, steps=steps: steps.append(step))
            assert not index.is_behind(marts)
        assert steps[-1] == (calls, calls)
        assert len(list((tmp_path / str(calls_per_part) / "parts").iterdir())) == -(-calls // calls_per_part)

        results.append([])
        for query in (
            price,
            replace(price, newest=True, side="customer"),
            replace(price, words="price zeppelin", context=3),
            replace(price, calls=call_ids),
            replace(price, calls=[]),
            replace(price, words="zeppelin"),
        ):
            result = index.search(query)
            assert len(result.hits) == result.count
            hits = sorted(result.hits, key=lambda hit: (hit.line.call_id, hit.line.sentence_index))
            results[-1].append((result.match, [(hit.line, hit.before, hit.after) for hit in hits]))
            assert index.search(replace(query, limit=5)).hits == result.hits[:5]

    assert results[0] == results[1]
    assert [len(hits) > 5 for _, hits in results[0]] == [True, True, True, True, False, False]


@pytest.mark.parametrize("manifest", [None, pa.table({"call_id": ["1"], "moment": [1]}), b"PAR1"])
def test_an_index_without_a_valid_manifest_is_deleted(tmp_path: Path, manifest: pa.Table | bytes | None) -> None:
    """If the manifest is missing, corrupt or from an older version, no file of the index is kept."""
    if isinstance(manifest, bytes):
        (tmp_path / "calls.parquet").write_bytes(manifest)
    elif manifest is not None:
        pq.write_table(manifest, tmp_path / "calls.parquet")
    for folder in ("index", "parts/0000"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "words").write_text("zeppelin")

    entries = IndexManifest(tmp_path).read_entries()
    assert IndexManifest(tmp_path).drop_calls(entries, ["1"]) == {}
    assert list(tmp_path.iterdir()) == []


def test_erasure_skips_an_index_that_a_search_is_writing(tmp_path: Path) -> None:
    """While a search holds the lock the index is left alone; otherwise the part of the erased call is deleted."""
    target = Target.resolve("duckdb", "gong", file=tmp_path / "warehouse.duckdb", folder=tmp_path)
    folder = tmp_path / "search" / DEFAULT_ANALYTICS
    manifest = IndexManifest(folder)
    manifest.part_folder(0).mkdir(parents=True)
    manifest.write_entries({"1": IndexedCall(1, 0)})

    with run_lock(index_lock(folder), "a search"):
        erase_from_indexes(target, ["1"], "a reconcile")
        assert manifest.read_entries() == {"1": IndexedCall(1, 0)}
    erase_from_indexes(target, ["2"], "a reconcile")

    assert manifest.read_entries() == {"1": IndexedCall(1, 0)}

    erase_from_indexes(target, ["1"], "a reconcile")
    assert manifest.read_entries() == {}
    assert not manifest.part_folder(0).exists()


def test_calls_erased_during_a_refresh_are_dropped_before_the_search(
    duckdb_marts: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that refreshed the index while a reconcile erased a call refreshes it once more."""
    file = shutil.copy(duckdb_marts.folder / "warehouse.duckdb", tmp_path)
    target = Target.resolve("duckdb", "gong", file=Path(file), folder=tmp_path)
    refresh, erased = SentenceIndex.refresh, set[str]()

    def refresh_and_erase(index: SentenceIndex, marts: Marts, progress: Any, *, rebuild: bool = False) -> int:
        calls = refresh(index, marts, progress, rebuild=rebuild)
        if not erased:
            with duckdb.connect(file) as warehouse:
                (row,) = warehouse.execute(
                    "DELETE FROM gong_analytics.calls_enriched WHERE call_id ="
                    " (SELECT min(call_id) FROM gong_analytics.transcript_lines) RETURNING call_id"
                ).fetchall()
            erased.update(row)
        return calls

    monkeypatch.setattr(SentenceIndex, "refresh", refresh_and_erase)
    # Two connections of one process to a DuckDB file must have the same mode.
    monkeypatch.setattr(Target, "read_only", lambda target: target)
    search(Connection("gong"), target, SearchOptions("price"), Console(stderr=True))

    entries = IndexManifest(tmp_path / "search" / DEFAULT_ANALYTICS).read_entries()
    assert erased
    assert entries
    assert not erased & entries.keys()


@given(
    sizes=st.lists(st.integers(0, 9), max_size=6),
    dropped=st.sets(st.integers(0, 50)),
    new=st.integers(0, 30),
    calls_per_part=st.integers(1, 9),
)
def test_each_call_has_one_part_and_parts_are_filled(
    sizes: list[int], dropped: set[int], new: int, calls_per_part: int
) -> None:
    """Dropping calls deletes exactly their parts, and indexing the others again needs no additional part."""
    with TemporaryDirectory() as folder:
        manifest = IndexManifest(Path(folder), calls_per_part)
        entries: dict[str, IndexedCall] = {}
        for size in (*sizes, new):
            entries |= manifest.assign_parts(entries, [str(len(entries) + number) for number in range(size)])
            for call in entries.values():
                manifest.part_folder(call.part).mkdir(parents=True, exist_ok=True)
            manifest.write_entries(entries)
            assert manifest.read_entries() == entries

        remaining = manifest.drop_calls(entries, {str(number) for number in dropped})
        assert manifest.read_entries() == remaining

        deleted_parts = {call.part for call_id, call in entries.items() if int(call_id) in dropped}
        assert remaining == {key: call for key, call in entries.items() if call.part not in deleted_parts}
        assert {call.part for call in remaining.values()} == {int(path.name) for path in Path(folder).glob("parts/*")}

        kept_ids = [call_id for call_id in entries if int(call_id) not in dropped]
        assigned = manifest.assign_parts(remaining, kept_ids)

        assert remaining.keys() <= assigned.keys() == set(kept_ids)
        assert all(assigned[call_id].part == remaining[call_id].part for call_id in remaining)

        sizes_of_parts = Counter(call.part for call in assigned.values())
        assert all(size <= calls_per_part for size in sizes_of_parts.values())
        assert max(sizes_of_parts, default=0) <= max((call.part for call in entries.values()), default=0)
