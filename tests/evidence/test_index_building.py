"""While the index of sentences is built, other questions have answers, and a search says what to do."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gong_elt import UsageError
from pipelines.analytics.search.sentences import SentenceSearcher
from pipelines.evidence import sentences
from tests.support.readers.evidence import open_evidence
from tests.support.workspace import Workspace


def test_questions_during_a_build_of_the_index(duckdb_marts: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first index of a large company takes minutes, in which an agent must not wait for every answer."""
    has_begun, may_end = threading.Event(), threading.Event()
    search = SentenceSearcher.search

    def search_slowly(*arguments: Any, **options: Any) -> Any:
        has_begun.set()
        assert may_end.wait(60)
        return search(*arguments, **options)

    monkeypatch.setattr(SentenceSearcher, "search", search_slowly)
    monkeypatch.setattr(sentences, "_MAX_WAIT_SECONDS", 0.1)
    with open_evidence(duckdb_marts) as evidence:
        building = threading.Thread(target=evidence.prepare_search)
        building.start()
        try:
            assert has_begun.wait(60)
            assert evidence.find_calls(limit=1)["calls"]
            assert evidence.query("SELECT count(*) FROM calls_enriched")["rows"] != [[0]]
            with pytest.raises(UsageError, match="the index of sentences is being built: ask again in a minute"):
                evidence.search("price")
        finally:
            may_end.set()
            building.join()
        assert evidence.search("price")["hits"]


def test_status_names_the_modes_of_search(duckdb_marts: Workspace) -> None:
    """Search by meaning is offered if its model is installed."""
    with open_evidence(duckdb_marts) as evidence:
        assert evidence.status()["search_modes"] == ["words", "meaning", "both"]
        assert evidence.search("what does it cost")["mode"] == "both"
