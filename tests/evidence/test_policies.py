"""A policy hides calls from every answer, in SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gong_elt import Evidence, Policy, UsageError
from pipelines.evidence.access.policy import MART_ACCESS, VERBATIM_MARTS, Access
from pipelines.evidence.schema import read_declared_marts
from tests.support.workspace import Workspace


@pytest.fixture(scope="module")
def names(place: Workspace) -> Mapping[str, str]:
    """Return an account, a team and a workspace that have some of the calls."""
    ((account,),) = place.rows(
        "SELECT account_name FROM gong_analytics.accounts ORDER BY call_count DESC, account_id LIMIT 1"
    )
    ((team,),) = place.rows(
        "SELECT team FROM gong_analytics.calls_enriched WHERE team IS NOT NULL AND account_id IS NOT NULL"
        " GROUP BY team ORDER BY count(*), team LIMIT 1"
    )
    ((workspace,),) = place.rows(
        "SELECT workspace_name FROM gong_analytics.calls_enriched WHERE workspace_name IS NOT NULL"
        " GROUP BY workspace_name ORDER BY count(*), workspace_name LIMIT 1"
    )
    return {"account": account, "team": team, "workspace": workspace}


POLICIES: Mapping[str, Callable[[Mapping[str, str]], tuple[Policy, str, list[str]]]] = {
    "account": lambda names: (
        Policy(accounts=(names["account"],)),
        "call_id IN (SELECT calls.call_id FROM gong_analytics.account_calls AS calls JOIN gong_analytics.accounts AS"
        " accounts ON accounts.account_id = calls.account_id WHERE accounts.account_name = ?)",
        [names["account"]],
    ),
    "team": lambda names: (Policy(teams=(names["team"],)), "team = ?", [names["team"]]),
    "workspace": lambda names: (Policy(workspaces=(names["workspace"],)), "workspace_name = ?", [names["workspace"]]),
    "team-and-workspace": lambda names: (
        Policy(teams=(names["team"],), workspaces=(names["workspace"],)),
        "team = ? AND workspace_name = ?",
        [names["team"], names["workspace"]],
    ),
    "no-account": lambda _: (Policy(accounts=()), "1 = 0", []),
}


@pytest.fixture(scope="module", params=POLICIES)
def limited(
    request: pytest.FixtureRequest, evidence: Evidence, place: Workspace, names: Mapping[str, str]
) -> tuple[Evidence, set[str], set[str]]:
    """Return evidence with a policy, the ids of the calls that it allows, and those of the others."""
    policy, condition, parameters = POLICIES[request.param](names)
    sql = f"SELECT call_id FROM gong_analytics.calls_enriched WHERE {condition}"
    allowed = {call_id for (call_id,) in place.rows(sql, parameters)}
    everything = {call_id for (call_id,) in place.rows("SELECT call_id FROM gong_analytics.calls_enriched")}
    assert allowed < everything
    return evidence.with_policy(policy), allowed, everything - allowed


def test_no_mart_shows_another_call(limited: tuple[Evidence, set[str], set[str]]) -> None:
    """Rows of calls outside the policy are in no mart, and marts that count them are withheld."""
    evidence, allowed, hidden = limited
    tables = evidence.describe_schema()["tables"]
    assert len(tables) == len(MART_ACCESS)
    for mart in tables:
        name = mart["table"]
        if mart["withheld"]:
            assert MART_ACCESS[name] in (Access.COMPANY, Access.REP)
            with pytest.raises(UsageError, match="is withheld"):
                evidence.query(f"SELECT count(*) FROM {name}")
            continue
        columns = {column["name"] for column in read_declared_marts()[name]["columns"]}
        for column in sorted(columns & {"call_id", "last_call_id"}):
            sql = f"SELECT DISTINCT {column} FROM {name} WHERE {column} IS NOT NULL ORDER BY 1"
            shown = {row[0] for row in evidence.query(sql, limit=1_000)["rows"]}
            assert shown <= allowed, name
            assert shown.isdisjoint(hidden), name
    withheld = [mart["table"] for mart in tables if mart["withheld"]]
    with pytest.raises(UsageError, match="is withheld"):
        evidence.describe_schema(withheld[0])


def test_no_tool_shows_another_call(limited: tuple[Evidence, set[str], set[str]], place: Workspace) -> None:
    """The ids, titles and links of hidden calls are in no answer of any tool."""
    evidence, allowed, hidden = limited
    accounts = [name for (name,) in place.rows("SELECT account_name FROM gong_analytics.accounts ORDER BY 1")]
    deals = [deal for (deal,) in place.rows("SELECT opportunity_id FROM gong_analytics.deal_activity ORDER BY 1")]
    answers: list[Any] = [
        evidence.status(),
        evidence.find_calls(limit=100),
        evidence.search("price", mode="words", limit=50),
        *(evidence.account_brief(account) for account in accounts[::6]),
        *(evidence.deal_brief(deal) for deal in deals[::6]),
    ]
    text = json.dumps(answers)
    assert [call_id for call_id in hidden if call_id in text] == []
    for call_id in sorted(hidden)[:5]:
        answer = evidence.get_transcript(call_id)
        assert answer["lines"] == []
        # The reader does not learn whether such a call exists.
        assert answer["reason"] == f"call {call_id} is not loaded, or this token may not read it"
    assert evidence.status()["counts"]["calls"] == len(allowed)
    for call_id in sorted(allowed)[:3]:
        assert evidence.get_transcript(call_id)["call"]["call_id"] == call_id


def test_suggestions_do_not_quote_hidden_calls(evidence: Evidence, names: Mapping[str, str]) -> None:
    """Words of other calls are not suggested to a reader who may not see them."""
    misspelled = "pricng"
    assert evidence.search(misspelled, mode="words")["suggestions"] is not None
    assert (
        evidence.with_policy(Policy(accounts=(names["account"],))).search(misspelled, mode="words")["suggestions"]
        is None
    )


def test_search_of_a_limited_reader_leaves_the_index_complete(evidence: Evidence, names: Mapping[str, str]) -> None:
    """The index is compared with all marts, so the next reader need not build it again."""
    before = evidence.search("price", mode="words")["count"]
    limited = evidence.with_policy(Policy(teams=(names["team"],))).search("price", mode="words")["count"]
    assert 0 < limited < before == evidence.search("price", mode="words")["count"]


def test_policy_without_transcripts(evidence: Evidence) -> None:
    """Without transcripts, nothing that a person said is in an answer."""
    limited = evidence.with_policy(Policy(allow_transcripts=False))
    for mart in VERBATIM_MARTS:
        with pytest.raises(UsageError, match="may not read transcripts"):
            limited.query(f"SELECT * FROM {mart}")
    assert limited.query("SELECT phrase FROM tracker_mentions WHERE phrase IS NOT NULL")["rows"] == []
    assert evidence.query("SELECT phrase FROM tracker_mentions WHERE phrase IS NOT NULL")["rows"]
    ((account,),) = evidence.query("SELECT account_name FROM accounts ORDER BY call_count DESC LIMIT 1")["rows"]
    brief = limited.account_brief(account)
    assert brief["quotes"] == []
    assert "quotes are withheld" in brief["reason"]
    call_id = brief["last_calls"][0]["call_id"]
    with pytest.raises(UsageError, match="may not read transcripts"):
        limited.search("price")
    with pytest.raises(UsageError, match="may not read transcripts"):
        limited.get_transcript(call_id)
    assert limited.status()["search_modes"] == []


def test_policy_without_query(evidence: Evidence) -> None:
    """A reader without `query` has the other tools."""
    limited = evidence.with_policy(Policy(allow_query=False))
    with pytest.raises(UsageError, match="may not use query"):
        limited.query("SELECT 1")
    assert limited.find_calls(limit=1)["calls"]


@pytest.mark.parametrize(
    "policy", [Policy(workspaces=("x",)), Policy(teams=("x",)), Policy(accounts=("x",))], ids=["w", "t", "a"]
)
def test_unknown_names_are_refused(evidence: Evidence, policy: Policy) -> None:
    """A misspelled name must not lead to a reader who sees nothing, or too much."""
    with pytest.raises(UsageError, match=r"^policy: (workspace|team|account) 'x' is not in the marts"):
        evidence.with_policy(policy)


def test_part_of_a_name_is_no_account_of_a_policy(evidence: Evidence, names: Mapping[str, str]) -> None:
    """The resolver takes a part of a name for several accounts; a policy names one."""
    part = names["account"].split()[0][:4]
    assert evidence.find_calls(account=part)["calls"]
    with pytest.raises(UsageError, match="is not in the marts; the closest are"):
        evidence.with_policy(Policy(accounts=(part,)))
