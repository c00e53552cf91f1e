"""`gong-elt search` by meaning: its hits, its vectors, which follow the marts and their erasures, and its models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import numpy as np
import pytest

from pipelines.analytics.marts import DEFAULT_ANALYTICS, open_marts
from pipelines.analytics.search.meaning.vectors import PartVectors, Passage, PassageFilter
from pipelines.analytics.search.query import SearchQuery
from pipelines.analytics.search.sentences import SentenceSearcher
from pipelines.runtime.connection import Connection
from pipelines.runtime.target import Target
from tests.support.companies import build_recent_gong, public_calls
from tests.support.gong_api import Json
from tests.support.marts import build_models, sync_company
from tests.support.workspace import Workspace


def run_search(place: Workspace, *arguments: str) -> Json:
    """Return the output of `gong-elt search --json`."""
    ended = place.run("search", "--json", *arguments)
    assert ended.code == 0, f"{ended.out}\n{ended.err}"[:3_000]
    printed: Json = ended.json
    return printed


def read_texts(result: Json) -> list[str]:
    """Return the text of each hit."""
    return [hit["text"] for hit in result["hits"]]


def test_a_question_in_other_words_is_answered(duckdb_marts: Workspace) -> None:
    """A passage is found without any of its words; hits have the same keys as those of a search for words."""
    question = "monetary charges and fees"
    by_meaning = run_search(duckdb_marts, question, "--mode", "meaning", "--limit", "20")
    by_words = run_search(duckdb_marts, question, "--mode", "words", "--limit", "20")

    assert (by_meaning["mode"], by_meaning["match"]) == ("meaning", "meaning")
    assert [text for text in read_texts(by_meaning) if "price" in text or "dollars" in text or "cost" in text]
    assert not [text for text in read_texts(by_meaning) if set(text.lower().split()) & {"monetary", "charges", "fees"}]
    assert {tuple(hit) for hit in by_meaning["hits"]} == {tuple(hit) for hit in by_words["hits"]}
    scores = [hit["score"] for hit in by_meaning["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_the_default_is_both_rankings(duckdb_marts: Workspace) -> None:
    """Plain words are searched by words and meaning; a phrase, OR, an excluded word and `--newest` by words only."""
    both, words, meaning = (
        run_search(duckdb_marts, "competitor discount", *arguments)
        for arguments in ((), ("--mode", "words"), ("--mode", "meaning"))
    )
    assert both["mode"] == "both"
    assert {text in read_texts(words) for text in read_texts(both)} == {True, False}
    assert set(read_texts(both)) <= {*read_texts(words), *read_texts(meaning)}

    for arguments in (('"list price"',), ("discount OR rebate",), ("price -list",), ("price", "--newest")):
        assert run_search(duckdb_marts, *arguments)["mode"] == "words", arguments


def test_filters_apply_to_meaning(duckdb_marts: Workspace) -> None:
    """Side, host and period select the same calls and sides as in a search for words."""
    question = ("the money is missing", "--mode", "meaning", "--limit", "50")
    hits = sorted(run_search(duckdb_marts, *question)["hits"], key=lambda hit: str(hit["started"]))
    # Hits are on both sides of the day.
    day, host = hits[len(hits) // 2]["started"][:10], hits[0]["host_name"]
    assert hits[0]["started"] < day

    assert {hit["side"] for hit in run_search(duckdb_marts, *question, "--side", "customer")["hits"]} == {"customer"}
    assert {hit["host_name"] for hit in run_search(duckdb_marts, *question, "--rep", host)["hits"]} == {host}
    since, until = (run_search(duckdb_marts, *question, option, day)["hits"] for option in ("--since", "--until"))
    assert min(hit["started"] for hit in since) >= day > max(hit["started"] for hit in until)


def test_pages_follow_each_other(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Two pages have what one page of both sizes has, and a searcher that is kept answers again without indexing."""
    target = Target.resolve("duckdb", "gong", file=duckdb_marts.folder / "warehouse.duckdb", folder=tmp_path)
    searcher = SentenceSearcher(target, DEFAULT_ANALYTICS)
    with open_marts(Connection("gong"), target, DEFAULT_ANALYTICS) as marts:
        assert searcher.search(marts, SearchQuery("price"), refreshes=False).hits == []
        whole = searcher.search(marts, SearchQuery("price list", limit=8, mode="words"))
        first, second = (
            searcher.search(marts, SearchQuery("price list", limit=4, offset=offset, mode="words"), refreshes=False)
            for offset in (0, 4)
        )
    assert [*first.hits, *second.hits] == [*whole.hits]
    assert (first.has_more, whole.calls_indexed > 0, second.calls_indexed) == (True, True, 0)


@pytest.mark.slow
def test_vectors_follow_the_marts(tmp_path: Path) -> None:
    """Vectors of changed calls are replaced, and those of erased ones leave the disk with their words."""
    gong = build_recent_gong(calls=40, days=6)
    with sync_company(Workspace(tmp_path), gong) as place:
        build_models(place)
        run_search(place, "price", "--mode", "meaning")
        before = _stored_vectors(place)
        changed, deleted, hidden = [call for call in public_calls(gong) if call.transcript_json][:3]
        monologues = msgspec.json.decode(changed.transcript_json or b"[]")
        monologues[0]["sentences"][0]["text"] = "The elephant of the zoo eats bananas and drinks water. " * 40
        gong.replace_transcript(changed.id, monologues)
        place.sync("--since", "2020-01-01")
        build_models(place)
        found = run_search(place, "zoological garden animals, fruit", "--mode", "meaning", "--limit", "1")

        assert [hit["call_id"] for hit in found["hits"]] == [changed.id]
        after = _stored_vectors(place)
        assert after.keys() == before.keys()
        assert {call_id for call_id, at in after.items() if at != before[call_id]} == {changed.id}

        gong.delete_call(deleted.id)
        gong.edit_call(hidden.id, isPrivate=True)
        assert place.run("reconcile", "--json", "--force").code == 0

        assert not [
            file
            for file in place.folder.rglob("search/**/*")
            if file.is_file() and (deleted.id.encode() in file.read_bytes() or hidden.id.encode() in file.read_bytes())
        ]
        run_search(place, "price", "--mode", "both")
        assert _stored_vectors(place).keys() == before.keys() - {deleted.id, hidden.id}


def _stored_vectors(place: Workspace) -> dict[str, int]:
    """Return when the embedded version of each call was loaded."""
    folders = {file.parent for file in place.folder.rglob("search/*/parts/*/meaning-*.arrow")}
    assert folders
    stored: dict[str, int] = {}
    for folder in folders:
        stored |= PartVectors(folder, "wordllama l2_supercat 256").loaded_at_ms
    return stored


def test_vectors_of_one_byte_rank_as_exact_ones(tmp_path: Path) -> None:
    """The order of passages is that of exact products, apart from near ties; filters and kept calls apply."""
    numbers = np.random.default_rng(7)
    vectors = numbers.normal(size=(500, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    passages = [Passage(str(number % 50), 1, number, number + 1, number) for number in range(500)]
    PartVectors(tmp_path, "a").replace([], passages[:300], vectors[:300])
    PartVectors(tmp_path, "a").replace({str(number) for number in range(50)}, passages[300:], vectors[300:])

    query = vectors[17:18]
    ranked = PartVectors(tmp_path, "a").rank(query, PassageFilter(), 10)
    exact = np.sort(vectors @ query[0])[::-1][:10]

    assert ranked[0].passage == passages[17]
    assert np.allclose([found.similarity for found in ranked], exact, atol=0.01)

    of_call = PartVectors(tmp_path, "a").rank(query, PassageFilter(["3"], 100, 400), 500)
    assert {found.passage for found in of_call} == {
        passage for passage in passages if passage.call_id == "3" and 100 <= (passage.started_ms or 0) < 400
    }
    # Another model replaces the file.
    PartVectors(tmp_path, "b").replace([], passages[:1], vectors[:1])
    assert len([*tmp_path.iterdir()]) == 1
    assert PartVectors(tmp_path, "a").rank(query, PassageFilter(), 10) == []


@contextmanager
def _serve_embeddings(requests: list[Json], failures: list[int]) -> Iterator[str]:
    """Serve an OpenAI-compatible API whose vectors count letters; each failure is the status of one answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append({"key": self.headers["Authorization"], "path": self.path, **body})
            status = failures.pop() if failures else 200
            data = [
                {"index": number, "embedding": [text.lower().count(letter) for letter in "abcdefghijklmnop"]}
                for number, text in enumerate(body["input"])
            ]
            answer: Json = {"data": data[::-1]} if status == 200 else {"error": {"message": "not today"}}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *arguments: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def _remote_settings(url: str) -> dict[str, str]:
    return {
        "GONG_ELT__EMBEDDING": url,
        "GONG_ELT__EMBEDDING_MODEL": "letters",
        "GONG_ELT__EMBEDDING_KEY": "key-of-the-api",
    }


def test_a_server_can_embed(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Passages go to the URL in batches, with the key; a temporary failure is retried; a refusal is one line."""
    requests: list[Json] = []
    failures = [503, 429]
    with _serve_embeddings(requests, failures) as url:
        settings = {**duckdb_marts.settings, **_remote_settings(url), "DLT_DATA_DIR": str(tmp_path)}
        place = Workspace(duckdb_marts.folder, settings)
        ended = run_search(place, "price", "--mode", "meaning", "--side", "customer")
        ((chunks,),) = duckdb_marts.rows("SELECT count(*) FROM gong_analytics.transcript_chunks")
        failures.append(401)
        refused = place.run("search", "price", "--mode", "meaning")

    assert ended["hits"]
    assert {request["key"] for request in requests} == {"Bearer key-of-the-api"}
    assert {(request["path"], request["model"]) for request in requests} == {("/v1/embeddings", "letters")}
    assert max(len(request["input"]) for request in requests) <= 64
    # Two were sent again, and two were queries.
    assert sum(len(request["input"]) for request in requests[2:]) >= chunks
    assert "(customer" not in json.dumps(requests)
    assert refused.code == 2
    assert "answered 401: {" in refused.err
    assert "not today" in refused.err
    assert "key-of-the-api" not in refused.err
    assert len(refused.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"GONG_ELT__EMBEDDING": "word2vec"}, "use wordllama, none or a URL"),
        ({"GONG_ELT__EMBEDDING": "none"}, "use --mode words"),
        ({"GONG_ELT__EMBEDDING": "http://127.0.0.1:9/v1"}, "gong_elt.embedding_model"),
        ({**_remote_settings("http://127.0.0.1:9/v1")}, "cannot be reached"),
    ],
)
def test_a_missing_model_is_one_line(
    duckdb_marts: Workspace, tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    """An invalid or unreachable model ends the search with one line and exit code 2."""
    place = Workspace(duckdb_marts.folder, {**duckdb_marts.settings, **settings, "DLT_DATA_DIR": str(tmp_path)})
    ended = place.run("search", "price", "--mode", "meaning")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1), ended.err
    assert message in ended.err


def test_without_a_model_the_default_is_words(duckdb_marts: Workspace) -> None:
    """If search by meaning is switched off, or its extra is missing, a search is one for words."""
    place = Workspace(duckdb_marts.folder, {**duckdb_marts.settings, "GONG_ELT__EMBEDDING": "none"})
    assert run_search(place, "price")["mode"] == "words"
    assert read_texts(run_search(place, "price")) == read_texts(run_search(place, "price", "--mode", "words"))
