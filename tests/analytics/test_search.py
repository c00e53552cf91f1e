"""`gong-elt search`: what is found, that it follows the marts, and that what is erased leaves the index too."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tantivy import Index

from tests.support.companies import build_recent_gong, public_calls
from tests.support.gong_api import Json
from tests.support.marts import build_models, sync_company
from tests.support.workspace import Workspace, days_ago


def searched(place: Workspace, *arguments: str) -> Json:
    """What `gong-elt search --json` prints."""
    ended = place.run("search", "--json", *arguments)
    assert ended.code == 0, f"{ended.out}\n{ended.err}"[:3_000]
    printed: Json = ended.json
    return printed


def places_of(found: Json) -> list[tuple[str, int]]:
    """Where the hits are."""
    return [(hit["call_id"], hit["sentence_index"]) for hit in found["hits"]]


def test_a_sentence_is_found_by_its_words_with_what_was_said_around_it(duckdb_marts: Workspace) -> None:
    found = searched(duckdb_marts, '"list price"', "--context", "2", "--limit", "1000")
    said = duckdb_marts.rows(
        "SELECT call_id, sentence_index FROM gong_analytics.transcript_lines WHERE lower(text) LIKE '%list price%'"
    )
    assert found["match"] == "all words"
    assert sorted(places_of(found)) == sorted(said)
    assert found["count"] == len(said) > 5
    for hit in found["hits"][:5]:
        ((speaker, side, start, text),) = duckdb_marts.rows(
            "SELECT speaker_name, side, start_time, text FROM gong_analytics.transcript_lines"
            " WHERE call_id = ? AND sentence_index = ?",
            [hit["call_id"], hit["sentence_index"]],
        )
        assert (hit["speaker"], hit["side"], hit["start_time"], hit["text"]) == (speaker, side, start, text)
        around = duckdb_marts.rows(
            "SELECT text FROM gong_analytics.transcript_lines WHERE call_id = ? AND sentence_index BETWEEN ? AND ?"
            " ORDER BY sentence_index",
            [hit["call_id"], hit["sentence_index"] - 2, hit["sentence_index"] + 2],
        )
        lines = [*hit["before"], hit, *hit["after"]]
        assert [line["text"] for line in lines] == [text for (text,) in around]
        ((title, url),) = duckdb_marts.rows(
            "SELECT title, url FROM gong_analytics.calls_enriched WHERE call_id = ?", [hit["call_id"]]
        )
        assert (hit["title"], hit["url"]) == (title, url)


def test_words_are_found_in_other_forms_and_all_of_them_before_any(duckdb_marts: Workspace) -> None:
    assert searched(duckdb_marts, "prices")["count"] == searched(duckdb_marts, "PRICE")["count"] > 0
    every = searched(duckdb_marts, "list price")
    assert every["match"] == "all words"
    some = searched(duckdb_marts, "price zeppelin")
    assert (some["match"], some["count"]) == ("any word", searched(duckdb_marts, "price")["count"])
    assert searched(duckdb_marts, "price -list")["count"] < searched(duckdb_marts, "price")["count"]
    nothing = searched(duckdb_marts, "zeppelin")
    assert (nothing["count"], nothing["hits"]) == (0, [])
    told = [
        duckdb_marts.run("search", words, "--limit", "1").out.splitlines()[-1]
        for words in ("price zeppelin", "zeppelin")
    ]
    assert told[0].startswith(f"{some['count']} sentences with any of these words, none with all of them, the first 1 ")
    assert told[1].startswith("0 sentences; ")


@pytest.mark.parametrize(
    "words", ["price: (", 'a "broken price', "price AND", "text:[price", "*price*", "price^", "`price~"]
)
def test_whatever_is_typed_is_words_at_least(duckdb_marts: Workspace, words: str) -> None:
    assert searched(duckdb_marts, words)["count"] > 0


def test_calls_and_sides_can_be_chosen(duckdb_marts: Workspace) -> None:
    everywhere = searched(duckdb_marts, "price", "--limit", "1000")
    hit = next(hit for hit in everywhere["hits"] if hit["account_name"] and hit["side"] == "customer")
    day = hit["started"][:10]
    after = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    for arguments, holds in (
        (("--side", "customer"), lambda h: h["side"] == "customer"),
        (("--rep", hit["host_name"].upper()), lambda h: h["host_name"] == hit["host_name"]),
        (("--account", hit["account_name"][2:]), lambda h: (h["account_name"] or "").endswith(hit["account_name"][2:])),
        (("--since", day), lambda h: h["started"][:10] >= day),
        (("--until", day), lambda h: h["started"][:10] < day),
        (("--since", day, "--until", after), lambda h: h["started"][:10] == day),
        (("--rep", "nobody at all"), lambda _: False),
    ):
        chosen = searched(duckdb_marts, "price", "--limit", "1000", *arguments)
        assert sorted(places_of(chosen)) == sorted(places_of({"hits": filter(holds, everywhere["hits"])})), arguments
    newest = searched(duckdb_marts, "price", "--newest", "--limit", "1000")["hits"]
    assert [h["started"] for h in newest] == sorted((h["started"] for h in newest), reverse=True)
    assert {h["score"] for h in newest} == {None}
    assert all(h["score"] > 0 for h in everywhere["hits"])


def test_both_warehouses_have_the_same_sentences(duckdb_marts: Workspace, postgres_marts: Workspace) -> None:
    chosen = ("price", "--side", "customer", "--limit", "1000")
    first, second = searched(duckdb_marts, *chosen), searched(postgres_marts, *chosen)
    assert first["hits"]
    assert sorted(map(_without_score, first["hits"])) == sorted(map(_without_score, second["hits"]))


def _without_score(hit: Json) -> str:
    """Scores depend a little on how an index is cut into segments."""
    return json.dumps({name: value for name, value in hit.items() if name != "score"}, sort_keys=True)


def test_a_person_sees_who_said_it_where_and_nothing_a_terminal_would_obey(workspace: Workspace) -> None:
    gong = build_recent_gong(calls=12, days=6)
    call = next(call for call in public_calls(gong) if call.transcript_json)
    monologues = msgspec.json.decode(call.transcript_json or b"[]")
    monologues[0]["sentences"][0]["text"] = "A zeppelin \x1b[31mflies [bold]high[/bold]"
    gong.replace_transcript(call.id, monologues)
    gong.edit_call(call.id, title="About \x1b]0;zeppelins")
    with sync_company(workspace, gong) as place:
        build_models(place)
        ended = place.run("search", "zeppelin")
    assert ended.code == 0
    assert "\x1b" not in ended.out
    about, found, *_ = ended.out.splitlines()
    assert about.startswith("About  ]0;zeppelins · ")
    assert found.startswith("> 00:0")
    assert found.endswith("A zeppelin  [31mflies [bold]high[/bold]")
    assert ended.out.splitlines()[-1].startswith("1 sentence; ")


def test_the_index_follows_the_marts(tmp_path: Path) -> None:
    gong = build_recent_gong(calls=40, days=6)
    with sync_company(Workspace(tmp_path), gong) as place:
        build_models(place)
        first = searched(place, "price", "--limit", "1000")
        ((calls,),) = place.rows("SELECT count(*) FROM gong_analytics.int_transcribed_calls")
        assert first["calls_indexed"] == calls
        assert searched(place, "price")["calls_indexed"] == 0
        with_words = [call for call in public_calls(gong) if call.transcript_json]
        changed, gone = with_words[0], with_words[1]
        monologues = msgspec.json.decode(changed.transcript_json or b"[]")
        monologues[0]["sentences"][0]["text"] = "A zeppelin flies over the price."
        gong.replace_transcript(changed.id, monologues)
        place.sync("--since", days_ago(10))
        build_models(place)
        found = searched(place, "zeppelin")
        assert places_of(found) == [(changed.id, 0)]
        assert found["calls_indexed"] == 1
        _as_the_marts_have_it(place)
        gong.delete_call(changed.id)
        gong.edit_call(gone.id, isPrivate=True)
        place.sync("--since", days_ago(10))
        assert place.run("reconcile", "--json", "--force").code == 0
        build_models(place)
        assert searched(place, "zeppelin")["count"] == 0
        _as_the_marts_have_it(place)
        _no_erased_word_is_on_the_disk(place, "zeppelin")
        _a_lost_ledger_costs_time_only(place)


def _parts(place: Workspace) -> list[Path]:
    parts = list(place.folder.rglob("search/gong_analytics/parts/*/"))
    assert parts
    return parts


def _as_the_marts_have_it(place: Workspace) -> None:
    ((lines,),) = place.rows("SELECT count(*) FROM gong_analytics.transcript_lines")
    assert sum(Index.open(str(part)).searcher().num_docs for part in _parts(place)) == lines


def _no_erased_word_is_on_the_disk(place: Workspace, word: str) -> None:
    files = [file for part in _parts(place) for file in part.iterdir()]
    for meta in (file for file in files if file.name == "meta.json"):
        assert {segment["deletes"] for segment in json.loads(meta.read_text())["segments"]} == {None}
    assert not [file.name for file in files if word.encode() in file.read_bytes()]
    assert [file.name for file in files if b"price" in file.read_bytes() or b"pric" in file.read_bytes()]


def _a_lost_ledger_costs_time_only(place: Workspace) -> None:
    before = searched(place, "price", "--limit", "1000")
    (ledger,) = place.folder.rglob("search/gong_analytics/calls.parquet")
    for lose in (ledger.unlink, lambda: ledger.write_bytes(b"PAR1"), lambda: shutil.rmtree(_parts(place)[0])):
        lose()
        after = searched(place, "price", "--limit", "1000")
        assert after["calls_indexed"] > 0
        assert sorted(map(_without_score, after["hits"])) == sorted(map(_without_score, before["hits"]))
        _as_the_marts_have_it(place)
    assert searched(place, "price", "--rebuild")["calls_indexed"] == after["calls_indexed"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("...",), "has no word"),
        (("price", "--side", "left"), "company, customer, unknown"),
        (("price", "--since", "soon"), "--since"),
        (("price", "--limit", "0"), "--limit"),
        (("price", "--context", "-1"), "--context"),
        (("price", "--analytics", "elsewhere"), "run gong-elt models"),
    ],
)
def test_what_cannot_be_searched_is_told_in_one_line(
    duckdb_marts: Workspace, arguments: tuple[str, ...], words: str
) -> None:
    ended = duckdb_marts.run("search", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
