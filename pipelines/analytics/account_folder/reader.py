"""What the marts know of accounts: facts, deals with their risks, people, calls and quotes of customers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from state.sql import placeholders

from ..calls.reader import plain_value
from ..marts import Marts

LAST_CALLS = 10
"""Number of calls that an account's page describes; it lists all."""

_MAX_PEOPLE, _MAX_QUOTES = 50, 30

_ACCOUNTS = "SELECT account_id, account_name FROM {marts}.accounts ORDER BY account_name, account_id"
_FACTS = """
SELECT account_id, account_name, names, domains, crm_system, is_in_crm, owner, call_count, call_count_without_crm_link,
    calls_in_90_days, first_external_call, last_external_call, next_call, company_people, external_people,
    external_people_who_spoke, engagement_status, open_deal_count
FROM {marts}.accounts WHERE account_id IN ({placeholders})
"""
_CALLS = """
SELECT calls.account_id, calls.call_id, calls.started, calls.title, calls.call_type, calls.is_external, calls.host_name,
    enriched.has_transcript, enriched._synced_at
FROM {marts}.account_calls AS calls
JOIN {marts}.calls_enriched AS enriched ON enriched.call_id = calls.call_id
WHERE calls.account_id IN ({placeholders}) ORDER BY calls.started DESC, calls.call_id
"""
_DEALS = """
SELECT deals.account_id, deals.opportunity_id, deals.opportunity_name, deals.deal_url, deals.owner, deals.stage_now,
    deals.amount_now, deals.currency, deals.close_date, deals.outcome, deals.last_call, deals.last_call_url,
    risks.is_silent, risks.is_overdue, risks.is_single_threaded, risks.has_no_next_step, risks.pricing_not_discussed,
    risks.stage_moved_back, risks.has_no_decision_maker
FROM {marts}.deal_activity AS deals
LEFT JOIN {marts}.deal_risks AS risks
    ON risks.opportunity_id = deals.opportunity_id
    AND coalesce(risks.crm_system, '') = coalesce(deals.crm_system, '')
WHERE deals.account_id IN ({placeholders})
ORDER BY CASE WHEN deals.is_closed THEN 1 ELSE 0 END, deals.opportunity_name, deals.opportunity_id
"""
_PEOPLE = """
SELECT calls.account_id, people.side, coalesce(people.email_address, people.name) AS person, max(people.name) AS name,
    max(people.title) AS title, max(people.email_address) AS email_address,
    count(DISTINCT people.call_id) AS call_count, max(calls.started) AS last_call
FROM {marts}.account_calls AS calls
JOIN {marts}.call_participants AS people ON people.call_id = calls.call_id
WHERE calls.account_id IN ({placeholders}) AND calls.is_external
    AND coalesce(people.email_address, people.name) IS NOT NULL
GROUP BY calls.account_id, people.side, coalesce(people.email_address, people.name)
ORDER BY call_count DESC, person
"""
# Sentences that mention a tracker are before questions.
_QUOTES = """
SELECT account_id, text, speaker_name, speaker_title, tracker_names, started, start_time, moment_url
FROM (
    SELECT calls.account_id, quotes.call_id, quotes.sentence_index, quotes.text, quotes.speaker_name,
        quotes.speaker_title, quotes.tracker_names, quotes.started, quotes.start_time, quotes.moment_url,
        row_number() OVER (
            PARTITION BY calls.account_id
            ORDER BY CASE WHEN quotes.tracker_names IS NULL THEN 1 ELSE 0 END, quotes.started DESC, quotes.call_id,
                quotes.sentence_index
        ) AS choice
    FROM {marts}.account_calls AS calls
    JOIN {marts}.customer_quotes AS quotes ON quotes.call_id = calls.call_id
    WHERE calls.account_id IN ({placeholders})
) AS chosen
WHERE choice <= {max_quotes} ORDER BY choice
"""


class AccountCall(NamedTuple):
    """A call of an account.

    Attributes:
        call_id: Id of the call.
        facts: Start, title, type and host, and when it was loaded.
    """

    call_id: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """An account.

    Attributes:
        facts: Its row of `accounts`.
        deals: Its deals, open ones first, with the booleans of `deal_risks`.
        people: People of both sides on its external calls, the most frequent first.
        calls: Its calls, the newest first.
        quotes: What its people said.
    """

    facts: Mapping[str, Any]
    deals: Sequence[Mapping[str, Any]] = field(default_factory=list)
    people: Sequence[Mapping[str, Any]] = field(default_factory=list)
    calls: Sequence[AccountCall] = field(default_factory=list)
    quotes: Sequence[Mapping[str, Any]] = field(default_factory=list)


def read_account_names(marts: Marts) -> dict[str, str]:
    """Return the name of each account by its id, in the order of the names."""
    return {row["account_id"]: row["account_name"] for row in marts.rows(_ACCOUNTS.format(marts=marts.schema))}


def read_account_calls(marts: Marts, account_ids: Sequence[str]) -> dict[str, list[AccountCall]]:
    """Return the calls of each account, the newest first."""
    return {
        account_id: [AccountCall(row["call_id"], row) for row in rows]
        for account_id, rows in _rows_by_account(marts, _CALLS, account_ids).items()
    }


def read_accounts(marts: Marts, account_ids: Sequence[str]) -> Iterator[Account]:
    """Yield accounts in the order of their ids.

    Args:
        marts: The marts.
        account_ids: Some accounts: everything about them but transcripts is in memory.
    """
    facts, deals, people, quotes = (
        _rows_by_account(marts, sql, account_ids) for sql in (_FACTS, _DEALS, _PEOPLE, _QUOTES)
    )
    calls = read_account_calls(marts, account_ids)
    for account_id in account_ids:
        if account_id in facts:
            yield Account(
                facts[account_id][0],
                deals.get(account_id, []),
                [*_first_of_each_side(people.get(account_id, []))],
                calls.get(account_id, []),
                quotes.get(account_id, []),
            )


def _rows_by_account(marts: Marts, sql: str, account_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    rows = marts.rows(
        sql.format(marts=marts.schema, placeholders=placeholders(len(account_ids)), max_quotes=_MAX_QUOTES),
        *account_ids,
    )
    by_account: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_account.setdefault(row["account_id"], []).append({name: plain_value(value) for name, value in row.items()})
    return by_account


def _first_of_each_side(people: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    counts: dict[str, int] = {}
    for person in people:
        counts[person["side"]] = counts.get(person["side"], 0) + 1
        if counts[person["side"]] <= _MAX_PEOPLE:
            yield person
