"""A search index that is damaged: it is built again, and a query that it cannot answer is searched as words."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.companies import build_recent_gong
from tests.support.gong_api import Json
from tests.support.marts import build_models, sync_company
from tests.support.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Return a workspace with the marts of a small company and its index."""
    with sync_company(Workspace(tmp_path_factory.mktemp("search")), build_recent_gong(calls=20, days=6)) as place:
        build_models(place)
        yield place


def search(place: Workspace, *arguments: str) -> Json:
    """Return the output of `gong-elt search --json`, without scores."""
    ended = place.run("search", "--json", "--mode", "words", "--duplicates", *arguments)
    assert (ended.code, ended.err) == (0, ""), ended.out[:2_000]
    printed: Json = ended.json
    for hit in printed["hits"]:
        del hit["score"]
    printed["hits"].sort(key=lambda hit: (hit["call_id"], hit["sentence_index"]))
    return printed


def files_of_index(place: Workspace, pattern: str) -> list[Path]:
    """Return the files of the index whose names match."""
    files = list(place.folder.rglob(f"search/*/parts/*/{pattern}"))
    assert files, pattern
    return files


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        *(("*.fast", "empty"), ("*.term", "half"), ("*.store", "empty"), ("*.idx", "half"), ("*.pos", "empty")),
        *(("*.fieldnorm", "half"), ("meta.json", "half"), (".managed.json", "empty")),
    ],
)
def test_a_truncated_file_is_built_again(place: Workspace, pattern: str, size: str) -> None:
    """A damaged file costs the time of indexing its part, and the results are the same."""
    before = search(place, "price", "--limit", "1000")
    for file in files_of_index(place, pattern):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] if size == "half" else b"")

    after = search(place, "price", "--limit", "1000")

    assert (after["count"], after["hits"]) == (before["count"], before["hits"])
    assert search(place, "price")["calls_indexed"] == 0


def test_searches_that_find_the_same_damage_all_succeed(place: Workspace) -> None:
    """One of them builds the part again; the others wait and do not delete it once more."""
    for file in files_of_index(place, "*.store"):
        file.write_bytes(b"")

    searches = [place.start("search", "price", "--wait", "120s") for _ in range(4)]

    assert [process.wait(timeout=180) for process in searches] == [0] * 4
    assert search(place, "price")["calls_indexed"] == 0


def test_a_damaged_part_that_has_to_be_changed_is_built_again(place: Workspace) -> None:
    """A refresh that cannot open a part builds it again, too."""
    before = search(place, "price", "--limit", "1000")
    ((calls,),) = place.rows("SELECT count(*) FROM gong_analytics.calls_enriched WHERE has_transcript")
    place.execute("UPDATE gong_analytics.calls_enriched SET _synced_epoch_ms = _synced_epoch_ms + 1000")
    for file in files_of_index(place, "meta.json"):
        file.write_bytes(b"{")

    after = search(place, "price", "--limit", "1000")

    assert after["calls_indexed"] == calls
    assert after["hits"] == before["hits"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("text:*", "text"),
        ("start_ms:>5", "start_ms 5"),
        ("sentence_index:[1 TO 3]", "sentence_index 1 to 3"),
        ("started:[2020-01-01T00:00:00Z TO *]", "started 2020 01 01t00 00 00z to"),
        ("side: price", "side price"),
        ("price:*", "price"),
    ],
)
def test_a_query_that_the_index_refuses_is_searched_as_words(place: Workspace, query: str, words: str) -> None:
    """A query over a field of the index is text, whether the index could answer it or not."""
    found, expected = search(place, query, "--limit", "1000"), search(place, words, "--limit", "1000")
    assert (found["match"], found["hits"]) == (expected["match"], expected["hits"])


def test_a_terminal_without_unicode_gets_escapes(place: Workspace) -> None:
    """Output that the encoding of stdout lacks does not end a search."""
    ((call_id,),) = place.rows("SELECT min(call_id) FROM gong_analytics.transcript_lines")
    place.execute("UPDATE gong_analytics.calls_enriched SET title = 'Café 🦆' WHERE call_id = ?", [call_id])
    environment = {**place.environment, "PYTHONIOENCODING": "ascii"}

    def run(*arguments: str) -> str:
        command = place.command("search", "the", "--limit", "1000", *arguments)
        ended = subprocess.run(command, cwd=place.folder, env=environment, capture_output=True, check=True)
        assert ended.stderr == b""
        return ended.stdout.decode("ascii")

    assert "Caf\\xe9" in run()
    assert "Café 🦆" in {hit["title"] for hit in json.loads(run("--json"))["hits"]}
