"""`gong-elt search`: hits, filters, output, and an index that follows the marts and their erasures."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tantivy import Index

from pipelines.analytics.calls.moments import moment_url
from tests.support.companies import build_recent_gong, public_calls
from tests.support.gong_api import Json
from tests.support.marts import build_models, sync_company
from tests.support.workspace import Workspace, days_ago


def run_search(place: Workspace, *arguments: str) -> Json:
    """Return the output of `gong-elt search --json --mode words`, with each of the sentences that are equal."""
    ended = place.run("search", "--json", "--mode", "words", "--duplicates", *arguments)
    assert ended.code == 0, f"{ended.out}\n{ended.err}"[:3_000]
    printed: Json = ended.json
    return printed


def positions(result: Json) -> list[tuple[str, int]]:
    """Return call id and sentence index of each hit."""
    return [(hit["call_id"], hit["sentence_index"]) for hit in result["hits"]]


def test_a_phrase_returns_its_sentences_with_context(duckdb_marts: Workspace) -> None:
    """Hits equal a SQL search over the marts: positions, speaker, side, text, neighbours and call."""
    result = run_search(duckdb_marts, '"list price"', "--context", "2", "--limit", "1000")

    expected = duckdb_marts.rows(
        "SELECT call_id, sentence_index FROM gong_analytics.transcript_lines WHERE lower(text) LIKE '%list price%'"
    )

    assert result["match"] == "all words"
    assert sorted(positions(result)) == sorted(expected)
    assert result["count"] == len(expected) > 5

    for hit in result["hits"][:5]:
        ((speaker, side, start, text),) = duckdb_marts.rows(
            "SELECT speaker_name, side, start_time, text FROM gong_analytics.transcript_lines"
            " WHERE call_id = ? AND sentence_index = ?",
            [hit["call_id"], hit["sentence_index"]],
        )
        assert (hit["speaker"], hit["side"], hit["start_time"], hit["text"]) == (speaker, side, start, text)
        context = duckdb_marts.rows(
            "SELECT text FROM gong_analytics.transcript_lines WHERE call_id = ? AND sentence_index BETWEEN ? AND ?"
            " ORDER BY sentence_index",
            [hit["call_id"], hit["sentence_index"] - 2, hit["sentence_index"] + 2],
        )
        lines = [*hit["before"], hit, *hit["after"]]
        assert [line["text"] for line in lines] == [text for (text,) in context]
        ((title, url),) = duckdb_marts.rows(
            "SELECT title, url FROM gong_analytics.calls_enriched WHERE call_id = ?", [hit["call_id"]]
        )
        assert (hit["title"], hit["url"]) == (title, url)


def test_words_match_in_all_forms_and_all_before_any(duckdb_marts: Workspace) -> None:
    """Grammatical forms match; without a sentence that has all words, sentences with any of them do."""
    assert run_search(duckdb_marts, "prices")["count"] == run_search(duckdb_marts, "PRICE")["count"] > 0

    all_words = run_search(duckdb_marts, "list price")
    assert all_words["match"] == "all words"

    any_word = run_search(duckdb_marts, "price zeppelin")
    assert (any_word["match"], any_word["count"]) == ("any word", run_search(duckdb_marts, "price")["count"])
    assert run_search(duckdb_marts, "price -list")["count"] < run_search(duckdb_marts, "price")["count"]

    no_hits = run_search(duckdb_marts, "zeppelin")
    assert (no_hits["count"], no_hits["hits"]) == (0, [])

    summaries = [
        duckdb_marts.run("search", words, "--limit", "1", "--mode", "words").out.splitlines()[-1]
        for words in ("price zeppelin", "zeppelin")
    ]

    assert summaries[0].startswith(
        f"{any_word['count']} sentences with any of these words, none with all of them, the first 1 "
    )
    assert summaries[1].startswith("0 sentences; ")


@pytest.mark.parametrize(
    "words", ["price: (", 'a "broken price', "price AND", "text:[price", "*price*", "price^", "`price~"]
)
def test_broken_query_syntax_is_searched_as_words(duckdb_marts: Workspace, words: str) -> None:
    """Text that is not in the query language is searched for its words."""
    assert run_search(duckdb_marts, words)["count"] > 0


def test_filters_select_calls_and_sides(duckdb_marts: Workspace) -> None:
    """Side, host, account and period select what they name; `--newest` sorts by date."""
    unfiltered = run_search(duckdb_marts, "price", "--limit", "1000")
    hit = next(hit for hit in unfiltered["hits"] if hit["account_name"] and hit["side"] == "customer")
    day = hit["started"][:10]
    after = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    for arguments, is_expected in (
        (("--side", "customer"), lambda h: h["side"] == "customer"),
        (("--rep", hit["host_name"].upper()), lambda h: h["host_name"] == hit["host_name"]),
        (("--account", hit["account_name"].upper()), lambda h: h["account_name"] == hit["account_name"]),
        (("--since", day), lambda h: h["started"][:10] >= day),
        (("--until", day), lambda h: h["started"][:10] < day),
        (("--since", day, "--until", after), lambda h: h["started"][:10] == day),
        (("--rep", "no such host"), lambda _: False),
    ):
        filtered = run_search(duckdb_marts, "price", "--limit", "1000", *arguments)
        assert sorted(positions(filtered)) == sorted(positions({"hits": filter(is_expected, unfiltered["hits"])})), (
            arguments
        )

    newest = run_search(duckdb_marts, "price", "--newest", "--limit", "1000")["hits"]
    assert [h["started"] for h in newest] == sorted((h["started"] for h in newest), reverse=True)
    assert {h["score"] for h in newest} == {None}
    assert all(h["score"] > 0 for h in unfiltered["hits"])


def test_an_account_is_found_by_domain_and_id(duckdb_marts: Workspace) -> None:
    """`--account` selects the calls that `gong-elt export transcripts --account` selects; an unknown one is named."""
    ((account_id, domain),) = duckdb_marts.rows(
        "SELECT domains.account_id, min(domains.domain) FROM gong_analytics.account_domains AS domains"
        " JOIN gong_analytics.account_calls AS calls ON calls.account_id = domains.account_id"
        " WHERE domains.is_own_domain GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    expected = duckdb_marts.rows("SELECT call_id FROM gong_analytics.account_calls WHERE account_id = ?", [account_id])
    by_id, by_domain = (run_search(duckdb_marts, "we", "--limit", "1000", "--account", a) for a in (account_id, domain))

    assert by_id["hits"]
    assert {(hit["call_id"],) for hit in by_id["hits"]} <= {*expected}
    assert sorted(positions(by_id)) == sorted(positions(by_domain))

    ((name,),) = duckdb_marts.rows(
        "SELECT account_name FROM gong_analytics.accounts WHERE account_id = ?", [account_id]
    )
    unknown = duckdb_marts.run("search", "price", "--account", f"{name}qq", "--json", "--mode", "words")
    assert (unknown.code, unknown.json["count"]) == (0, 0)
    assert unknown.json["reason"].startswith(f"no account matches --account '{name}qq': the closest names are")
    assert unknown.json["reason"] in unknown.err
    assert unknown.json["suggestions"]["count_without"]["calls"] > 0


def test_each_hit_opens_at_its_moment_and_marks_its_words(duckdb_marts: Workspace) -> None:
    """`moment_url` is that of the sentence, and `highlights` are the words in any form, nothing else."""
    for hit in run_search(duckdb_marts, "prices sandbox")["hits"]:
        ((start_ms, end_ms),) = duckdb_marts.rows(
            "SELECT start_ms, end_ms FROM gong_analytics.transcript_lines WHERE call_id = ? AND sentence_index = ?",
            [hit["call_id"], hit["sentence_index"]],
        )
        assert hit["moment_url"] == moment_url(hit["url"], start_ms, end_ms)
        words = {hit["text"][first:last].lower() for first, last in hit["highlights"]}
        assert words
        assert words <= {"price", "prices", "pricing", "priced", "sandbox"}


def test_sentences_with_the_same_words_are_one_hit(duckdb_marts: Workspace) -> None:
    """Equal sentences, apart from upper case and punctuation, are one hit with their number."""
    normalized = "trim(regexp_replace(lower(text), '[^a-z0-9]+', ' ', 'g'))"
    sentences = duckdb_marts.rows(
        f"SELECT {normalized}, count(*) FROM gong_analytics.transcript_lines"
        " WHERE regexp_matches(lower(text), '\\bfine\\b') GROUP BY 1"
    )
    folded = duckdb_marts.run("search", "fine", "--mode", "words", "--limit", "1000", "--json").json
    whole = run_search(duckdb_marts, "fine", "--limit", "1000")

    assert max(count for _, count in sentences) > 1
    assert sorted(hit["duplicates"] + 1 for hit in folded["hits"]) == sorted(count for _, count in sentences)
    assert folded["count"] == whole["count"] == len(whole["hits"]) == sum(count for _, count in sentences)
    assert {hit["duplicates"] for hit in whole["hits"]} == {0}


def test_an_empty_result_has_suggestions(duckdb_marts: Workspace) -> None:
    """Unknown words are named with words that are spelled alike, and filters with what they removed."""
    ended = duckdb_marts.run("search", "competetor", "--mode", "words")
    assert "no sentence contains 'competetor'; spelled like it: competitor" in ended.out

    both = ("--side", "unknown", "--until", "2001-01-01")
    suggestions = run_search(duckdb_marts, "competetor price", *both)["suggestions"]
    assert suggestions["unknown_words"] == ["competetor"]
    assert "competitors" in suggestions["similar_words"]["competetor"]
    # Neither filter alone is the cause.
    assert [*suggestions["count_without"]] == ["all"]

    one = run_search(duckdb_marts, "price", "--until", "2001-01-01")["suggestions"]
    count = run_search(duckdb_marts, "price")["count"]
    assert one["count_without"] == {"until": count}
    assert run_search(duckdb_marts, "price")["suggestions"] is None


def test_both_warehouses_return_the_same_sentences(duckdb_marts: Workspace, postgres_marts: Workspace) -> None:
    """DuckDB and PostgreSQL return the same hits, apart from their scores."""
    arguments = ("price", "--side", "customer", "--limit", "1000")
    first, second = run_search(duckdb_marts, *arguments), run_search(postgres_marts, *arguments)
    assert first["hits"]
    assert sorted(map(_without_score, first["hits"])) == sorted(map(_without_score, second["hits"]))


def _without_score(hit: Json) -> str:
    """Return a hit as JSON without its score, which depends on the segments of an index."""
    return json.dumps({name: value for name, value in hit.items() if name != "score"}, sort_keys=True)


@pytest.mark.slow
def test_the_output_has_no_control_characters(workspace: Workspace) -> None:
    """The text output shows call and speaker; escape sequences and markup in a transcript have no effect."""
    gong = build_recent_gong(calls=12, days=6)
    call = next(call for call in public_calls(gong) if call.transcript_json)
    monologues = msgspec.json.decode(call.transcript_json or b"[]")
    monologues[0]["sentences"][0]["text"] = "A zeppelin \x1b[31mflies [bold]high[/bold]"
    gong.replace_transcript(call.id, monologues)
    gong.edit_call(call.id, title="About \x1b]0;zeppelins")
    with sync_company(workspace, gong) as place:
        build_models(place)
        ended = place.run("search", "zeppelin", "--mode", "words")

    assert ended.code == 0
    assert "\x1b" not in ended.out

    heading, link, line, *_ = ended.out.splitlines()
    assert heading.startswith("About  ]0;zeppelins · ")
    assert link == f"https://us-10000.app.gong.example/call?id={call.id}"
    assert line.startswith("> 00:0")
    assert line.endswith("A zeppelin  [31mflies [bold]high[/bold]")
    assert ended.out.splitlines()[-1].startswith("1 sentence; ")


@pytest.mark.slow
def test_the_index_follows_the_marts(tmp_path: Path) -> None:
    """New and changed sentences are found, erased ones leave the disk, and a lost index is rebuilt."""
    gong = build_recent_gong(calls=40, days=6)
    with sync_company(Workspace(tmp_path), gong) as place:
        build_models(place)

        first = run_search(place, "price", "--limit", "1000")
        ((calls,),) = place.rows("SELECT count(*) FROM gong_analytics.calls_enriched WHERE has_transcript")

        assert first["calls_indexed"] == calls
        assert run_search(place, "price")["calls_indexed"] == 0

        transcribed = [call for call in public_calls(gong) if call.transcript_json]
        changed, hidden = transcribed[0], transcribed[1]
        monologues = msgspec.json.decode(changed.transcript_json or b"[]")
        monologues[0]["sentences"][0]["text"] = "A zeppelin flies over the price."
        gong.replace_transcript(changed.id, monologues)
        place.sync("--since", days_ago(10))
        build_models(place)

        result = run_search(place, "zeppelin")
        assert positions(result) == [(changed.id, 0)]
        assert result["calls_indexed"] == 1

        _assert_index_equals_marts(place)

        gong.delete_call(changed.id)
        gong.edit_call(hidden.id, isPrivate=True)
        place.sync("--since", days_ago(10))

        assert place.run("reconcile", "--json", "--force").code == 0

        build_models(place)
        assert run_search(place, "zeppelin")["count"] == 0

        _assert_index_equals_marts(place)
        _assert_word_is_erased(place, "zeppelin")
        _assert_lost_files_are_rebuilt(place)


def _parts(place: Workspace) -> list[Path]:
    parts = list(place.folder.rglob("search/gong_analytics/parts/*/"))
    assert parts
    return parts


def _assert_index_equals_marts(place: Workspace) -> None:
    ((lines,),) = place.rows("SELECT count(*) FROM gong_analytics.transcript_lines")
    assert sum(Index.open(str(part)).searcher().num_docs for part in _parts(place)) == lines


def _assert_word_is_erased(place: Workspace, word: str) -> None:
    files = [file for part in _parts(place) for file in part.iterdir()]
    for meta in (file for file in files if file.name == "meta.json"):
        assert {segment["deletes"] for segment in json.loads(meta.read_text())["segments"]} == {None}
    assert not [file.name for file in files if word.encode() in file.read_bytes()]
    assert [file.name for file in files if b"price" in file.read_bytes() or b"pric" in file.read_bytes()]


def _assert_lost_files_are_rebuilt(place: Workspace) -> None:
    before = run_search(place, "price", "--limit", "1000")
    (manifest,) = place.folder.rglob("search/gong_analytics/calls.parquet")
    for damage in (manifest.unlink, lambda: manifest.write_bytes(b"PAR1"), lambda: shutil.rmtree(_parts(place)[0])):
        damage()
        after = run_search(place, "price", "--limit", "1000")
        assert after["calls_indexed"] > 0
        assert sorted(map(_without_score, after["hits"])) == sorted(map(_without_score, before["hits"]))
        _assert_index_equals_marts(place)
    assert run_search(place, "price", "--rebuild")["calls_indexed"] == after["calls_indexed"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("...",), "contains no word"),
        (("price", "--side", "left"), "company, customer, unknown"),
        (("price", "--since", "soon"), "--since"),
        (("price", "--limit", "0"), "--limit"),
        (("price", "--context", "-1"), "--context"),
        (("price", "--mode", "sound"), "words, meaning, both"),
        (("price", "--mode", "both", "--newest"), "--mode words"),
        (("price", "--analytics", "elsewhere"), "run gong-elt models"),
    ],
)
def test_an_invalid_option_is_one_line(duckdb_marts: Workspace, arguments: tuple[str, ...], message: str) -> None:
    """Usage errors end with exit code 2 and one line that names the option or the remedy."""
    ended = duckdb_marts.run("search", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
