"""Each question of `gong_elt.Evidence` has the answer that the warehouse has, in pages of a bounded size."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest

from gong_elt import Evidence, UsageError
from pipelines.analytics.dbt_build import PROJECT, relation_name
from pipelines.evidence.access.policy import MART_ACCESS
from pipelines.evidence.answers import CHARACTERS_PER_TOKEN
from pipelines.evidence.schema import EXAMPLES
from tests.support.readers.evidence import collect_pages
from tests.support.workspace import Workspace

BUSIEST = """
SELECT account_name, account_id FROM gong_analytics.accounts ORDER BY call_count DESC, account_id LIMIT 1
"""


@pytest.fixture(scope="module")
def busiest(place: Workspace) -> tuple[str, str]:
    """Return the name and the id of the account with the most calls."""
    ((name, account_id),) = place.rows(BUSIEST)
    return name, account_id


def test_status_counts_what_the_warehouse_has(evidence: Evidence, place: Workspace) -> None:
    """An agent asks first how fresh and complete the copy is."""
    status = evidence.status()
    ((calls, with_transcript, newest),) = place.rows(
        "SELECT count(*), count(CASE WHEN has_transcript THEN 1 END), max(started) FROM gong_analytics.calls_enriched"
    )
    assert status["counts"]["calls"] == calls
    assert status["counts"]["accounts"] == _count(place, "accounts")
    assert status["pending"]["transcripts"] == calls - with_transcript
    assert status["coverage"]["with_transcript"] == pytest.approx(with_transcript / calls, abs=0.0001)
    assert status["freshness"]["newest_call"] == newest.isoformat()
    assert status["may_read"]["query"] is True
    assert status["truncated"] is False


def test_find_calls_pages_through_all_calls_of_an_account(
    evidence: Evidence, place: Workspace, busiest: tuple[str, str]
) -> None:
    """Every call of the account is found once, the newest first, however many pages it takes."""
    name, account_id = busiest
    found = collect_pages(partial(evidence.find_calls, account=name, limit=3), "calls")
    expected = place.rows(
        "SELECT call_id FROM gong_analytics.account_calls AS calls WHERE account_id ="
        f" '{account_id}' ORDER BY started DESC, call_id DESC"
    )
    assert [call["call_id"] for call in found] == [call_id for (call_id,) in expected]
    assert len(found) > 3
    assert {call["matched_by"] for call in found} == {"name"}
    answer = evidence.find_calls(account=name, limit=1)
    assert answer["count"] == len(found)
    assert answer["matched_by"] == "name"
    assert answer["calls"][0]["account"] == name
    assert evidence.find_calls(account=account_id)["matched_by"] == "CRM id"


@pytest.mark.parametrize(
    ("arguments", "condition"),
    [
        ({"call_type": "meeting"}, "call_type = 'meeting'"),
        ({"since": "2020-01-01", "until": "2021-01-01"}, "1 = 0"),
        (
            {"tracker": "pricing"},
            "call_id IN (SELECT call_id FROM gong_analytics.tracker_mentions WHERE tracker_name = 'Pricing')",
        ),
        ({"stage": "negotiation"}, "stage_at_call = 'Negotiation'"),
        ({"stage": "Negotiation", "call_type": "dial"}, "stage_at_call = 'Negotiation' AND call_type = 'dial'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_find_calls_filters(evidence: Evidence, place: Workspace, arguments: dict[str, str], condition: str) -> None:
    """Each argument selects the calls that its column says, and arguments combine."""
    found = collect_pages(partial(evidence.find_calls, limit=100, **arguments), "calls")
    expected = place.rows(f"SELECT call_id FROM gong_analytics.calls_enriched WHERE {condition}")
    assert sorted(call["call_id"] for call in found) == sorted(call_id for (call_id,) in expected)


def test_find_calls_by_person_rep_and_deal(evidence: Evidence, place: Workspace) -> None:
    """A person is found by the address in any case, a rep by a part of the name, a deal by its id."""
    ((call_id, address, host, deal),) = place.rows(
        "SELECT calls.call_id, people.email_address, calls.host_name, calls.opportunity_id"
        " FROM gong_analytics.calls_enriched AS calls JOIN gong_analytics.call_participants AS people"
        " ON people.call_id = calls.call_id WHERE people.side = 'customer' AND people.email_address IS NOT NULL"
        " AND calls.opportunity_id IS NOT NULL AND calls.host_name IS NOT NULL ORDER BY calls.call_id LIMIT 1"
    )
    for arguments in ({"person": address.upper()}, {"rep": host[:5].lower()}, {"deal": deal}):
        found = collect_pages(partial(evidence.find_calls, limit=100, **arguments), "calls")
        assert call_id in {call["call_id"] for call in found}, arguments


def test_empty_answers_say_why(evidence: Evidence, place: Workspace) -> None:
    """An agent must not take a wrong name for the absence of calls."""
    assert "no account matches account 'Nowhere Ltd'" in evidence.find_calls(account="Nowhere Ltd")["reason"]
    assert "no deal matches" in evidence.find_calls(deal="no such deal")["reason"]
    assert evidence.find_calls(since="2020-01-01", until="2020-01-02")["reason"]
    assert "is not loaded" in evidence.get_transcript("1")["reason"]
    assert "no account matches" in evidence.account_brief("Nowhere Ltd")["reason"]
    assert "no deal matches" in evidence.deal_brief("no such deal")["reason"]
    assert evidence.search("xylophone quasar", mode="words")["reason"]
    assert evidence.query("SELECT * FROM accounts WHERE account_name = 'x'")["reason"] == "no row matches"
    without = place.rows("SELECT call_id FROM gong_analytics.calls_enriched WHERE NOT has_transcript LIMIT 1")
    for (call_id,) in without:
        assert "no transcript yet" in evidence.get_transcript(call_id)["reason"]


def test_closest_names_of_an_unknown_account(evidence: Evidence, busiest: tuple[str, str]) -> None:
    """A misspelled name leads to the right one."""
    name = busiest[0]
    misspelled = f"{name[:3]}{name[4:]}x"
    assert name in evidence.account_brief(misspelled)["reason"]


def test_transcript_has_every_sentence_once(evidence: Evidence, place: Workspace) -> None:
    """A call of any length is read in pages, in order, with the moment of each sentence."""
    ((call_id, url),) = place.rows(
        "SELECT calls.call_id, max(calls.url) FROM gong_analytics.calls_enriched AS calls"
        " JOIN gong_analytics.transcript_lines AS lines ON lines.call_id = calls.call_id"
        " GROUP BY calls.call_id ORDER BY count(*) DESC, calls.call_id LIMIT 1"
    )
    read = partial(evidence.get_transcript, call_id, max_tokens=1_000)
    lines = collect_pages(read, "lines", "from_sentence")
    expected = place.rows(
        "SELECT sentence_index, start_time, speaker_name, side, text FROM gong_analytics.transcript_lines"
        f" WHERE call_id = '{call_id}' ORDER BY sentence_index"
    )
    assert [
        (line["sentence_index"], line["at"], line["speaker"], line["side"], line["text"]) for line in lines
    ] == expected
    assert all(line["moment_url"].startswith(f"{url}&highlights=") for line in lines)
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", line["at"]) for line in lines)
    assert len(json.dumps(read())) <= 1_000 * CHARACTERS_PER_TOKEN
    assert read()["truncated"] is True
    assert evidence.get_transcript(url)["call_id"] == call_id
    # However few tokens are allowed, reading goes on.
    last = [evidence.get_transcript(call_id, from_sentence=len(expected) - left, max_tokens=1) for left in (2, 1)]
    assert [len(page["lines"]) for page in last] == [1, 1]
    assert [page["next"] for page in last] == [len(expected) - 1, None]
    theirs = evidence.get_transcript(call_id, side="customer")["lines"]
    assert {line["side"] for line in theirs} == {"customer"}


def test_search_pages_without_repeating_a_sentence(evidence: Evidence, busiest: tuple[str, str]) -> None:
    """Hits have call, speaker, side, time and moment; pages do not overlap; an account limits them."""
    first = evidence.search("price", mode="words", limit=3)
    second = evidence.search("price", mode="words", limit=3, next=first["next"])
    keys = {(hit["call_id"], hit["sentence_index"]) for hit in first["hits"]}
    assert len(keys) == 3
    assert keys.isdisjoint((hit["call_id"], hit["sentence_index"]) for hit in second["hits"])
    for hit in first["hits"]:
        assert hit["origin"] == "said"
        assert hit["side"] in ("company", "customer", "unknown")
        assert "highlights=" in hit["moment_url"]
    own = {call["call_id"] for call in collect_pages(partial(evidence.find_calls, account=busiest[0]), "calls")}
    hits = evidence.search("price", mode="words", account=busiest[0], limit=50)["hits"]
    assert {hit["call_id"] for hit in hits} <= own


def test_brief_of_an_account(evidence: Evidence, place: Workspace, busiest: tuple[str, str]) -> None:
    """A brief has the account's row, deals with risks, people, last calls, steps and quotes, each with its origin."""
    name, account_id = busiest
    brief = evidence.account_brief(name)
    assert brief["account"]["account_id"] == account_id
    own = {
        call_id
        for (call_id,) in place.rows(
            f"SELECT call_id FROM gong_analytics.account_calls WHERE account_id = '{account_id}'"
        )
    }
    for section in ("last_calls", "next_steps", "quotes"):
        assert {row["call_id"] for row in brief[section]} <= own
    assert brief["last_calls"] == sorted(brief["last_calls"], key=lambda call: call["started"], reverse=True)
    assert {step["origin"] for step in brief["next_steps"]} <= {"generated"}
    assert {quote["origin"] for quote in brief["quotes"]} == {"said"}
    assert all(quote["moment_url"] for quote in brief["quotes"])
    assert {person["side"] for person in brief["people"]} >= {"company", "customer"}
    deals = place.rows(f"SELECT opportunity_id FROM gong_analytics.deal_activity WHERE account_id = '{account_id}'")
    assert {deal["opportunity_id"] for deal in brief["deals"]} == {deal for (deal,) in deals}
    assert evidence.account_brief(name, since="2100-01-01")["last_calls"] == []


def test_brief_of_a_deal(evidence: Evidence, place: Workspace) -> None:
    """A deal is found by its id and by its name, with its risks as texts."""
    ((deal_id, risks),) = place.rows(
        "SELECT opportunity_id, risk_count FROM gong_analytics.deal_risks"
        " ORDER BY risk_count DESC, opportunity_id LIMIT 1"
    )
    brief = evidence.deal_brief(deal_id)
    assert brief["deal"]["opportunity_id"] == deal_id
    assert len(brief["deal"]["risks"]) == risks > 0
    assert brief["account"]["account_id"] == brief["deal"]["account_id"]
    assert evidence.deal_brief(brief["deal"]["opportunity_name"])["deal"]["opportunity_id"] == deal_id


def test_schema_describes_every_mart(evidence: Evidence) -> None:
    """The list has all marts, each with a meaning, and each mart its columns and the key."""
    marts = {relation_name(file.stem) for file in (PROJECT / "marts").glob("*.sql")}
    tables = {mart["table"]: mart for mart in evidence.describe_schema()["tables"]}
    assert tables.keys() == marts == MART_ACCESS.keys()
    assert all(mart["description"] and mart["key"] for mart in tables.values())
    described = evidence.describe_schema("gong_analytics.calls_enriched")
    assert {"call_id", "host_talk_ratio"} <= {column["name"] for column in described["columns"]}
    assert all(column["type"] and column["description"] for column in described["columns"])
    with pytest.raises(UsageError, match="'calls' is not a mart"):
        evidence.describe_schema("calls")


@pytest.mark.parametrize(
    "sql", [sql for examples in EXAMPLES.values() for _, sql in examples], ids=lambda sql: sql.split()[-1]
)
def test_example_queries_run(evidence: Evidence, sql: str) -> None:
    """An agent copies the examples of `describe_schema`."""
    assert evidence.query(sql)["columns"]


def test_query_limits_rows_and_says_so(evidence: Evidence, place: Workspace) -> None:
    """An agent learns that there are more rows, from the limit and from the size."""
    answer = evidence.query("SELECT call_id FROM gong_analytics.calls_enriched ORDER BY call_id", limit=5)
    assert answer["row_count"] == 5
    assert answer["truncated"] is True
    assert "only the first 5 rows" in answer["reason"]
    large = evidence.query("SELECT * FROM transcript_lines", limit=1_000)
    assert large["truncated"] is True
    assert 0 < large["row_count"] < 1_000
    assert len(json.dumps(large)) <= 20_000 * CHARACTERS_PER_TOKEN
    count = _count(place, "calls_enriched")
    assert evidence.query("SELECT count(*) FROM calls_enriched")["rows"] == [[count]]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("find_calls", {"limit": 0}, "limit 0 is out of range: use 1 to 100"),
        ("find_calls", {"call_type": "webinar"}, "call_type 'webinar' is unknown"),
        ("find_calls", {"next": "nonsense"}, "next 'nonsense' is not from an answer of this tool"),
        ("find_calls", {"since": "yesterday-ish"}, "since"),
        ("find_calls", {"since": "2026-02-01", "until": "2026-01-01"}, "is not after since"),
        ("search", {"query": "?!"}, "contains no word"),
        ("search", {"query": "price", "mode": "telepathy"}, "mode 'telepathy' is unknown"),
        ("search", {"query": "price", "side": "ours"}, "side 'ours' is unknown"),
        ("get_transcript", {"call_id": "1", "max_tokens": 20_001}, "max_tokens 20001 is out of range"),
        ("get_transcript", {"call_id": "1", "from_sentence": -1}, "from_sentence -1 is negative"),
        ("query", {"sql": "SELECT 1", "limit": 5_000}, "limit 5000 is out of range"),
    ],
)
def test_invalid_arguments_get_one_line(
    evidence: Evidence, name: str, arguments: dict[str, object], message: str
) -> None:
    """An agent can mend its question from the message."""
    with pytest.raises(Exception, match=re.escape(message)) as raised:
        getattr(evidence, name)(**arguments)
    assert type(raised.value).__name__ in ("UsageError", "ConfigurationError")
    assert "\n" not in str(raised.value)


def _count(place: Workspace, mart: str) -> int:
    ((count,),) = place.rows(f"SELECT count(*) FROM gong_analytics.{mart}")
    return int(count)
