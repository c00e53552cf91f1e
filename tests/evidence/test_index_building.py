"""While the index of sentences is built, other questions have answers, and a search says what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gong_elt import UsageError
from pipelines.analytics.search.sentences import SentenceSearcher
from pipelines.evidence import sentences
from tests.support.readers.evidence import open_evidence
from tests.support.workspace import Workspace


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Return two events: a search has begun to build the index, and it may end."""
    has_begun, may_end = threading.Event(), threading.Event()
    search = SentenceSearcher.search

    def search_slowly(*arguments: Any, progress: Callable[[int, int], None], **options: Any) -> Any:
        has_begun.set()
        while not may_end.wait(0.05):
            progress(1, 2)
        return search(*arguments, progress=progress, **options)

    monkeypatch.setattr(SentenceSearcher, "search", search_slowly)
    monkeypatch.setattr(sentences, "_MAX_WAIT_SECONDS", 0.1)
    yield has_begun, may_end
    may_end.set()


def test_questions_during_a_build_of_the_index(
    duckdb_marts: Workspace, build: tuple[threading.Event, threading.Event]
) -> None:
    """The first index of a large company takes minutes, in which an agent must not wait for every answer."""
    has_begun, may_end = build
    with open_evidence(duckdb_marts) as evidence:
        building = threading.Thread(target=evidence.prepare_search)
        building.start()
        assert has_begun.wait(60)
        assert evidence.find_calls(limit=1)["calls"]
        assert evidence.query("SELECT count(*) FROM calls_enriched")["rows"] != [[0]]
        with pytest.raises(UsageError, match="the index of sentences is being built: ask again in a minute"):
            evidence.search("price")
        may_end.set()
        building.join()
        assert evidence.search("price")["hits"]


def test_a_build_of_the_index_does_not_delay_the_end(
    duckdb_marts: Workspace, build: tuple[threading.Event, threading.Event]
) -> None:
    """A client that closes the server must not wait for the index."""
    has_begun, _ = build
    with open_evidence(duckdb_marts) as evidence:
        building = threading.Thread(target=evidence.prepare_search)
        building.start()
        assert has_begun.wait(60)
    building.join(60)
    assert not building.is_alive()


def test_status_names_the_modes_of_search(duckdb_marts: Workspace) -> None:
    """Search by meaning is offered if its model is installed."""
    with open_evidence(duckdb_marts) as evidence:
        assert evidence.status()["search_modes"] == ["words", "meaning", "both"]
        assert evidence.search("what does it cost")["mode"] == "both"
