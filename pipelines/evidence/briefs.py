"""Everything about an account or a deal that a meeting needs: facts, risks, people, calls, next steps and quotes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from state.sql import placeholders

from ..analytics.account_folder.pages import RISKS
from ..analytics.accounts import resolve_accounts
from ..analytics.calls.deals import resolve_deals
from ..analytics.marts import Marts
from .access.limited_marts import LimitedMarts
from .answers import (
    CHARACTERS_PER_TOKEN,
    GENERATED,
    MAX_TOKENS,
    SAID,
    Answer,
    count_characters,
    finish_answer,
    json_row,
    shorten_text,
    take_rows,
)
from .calls import unknown_account

LAST_CALLS, MAX_PEOPLE, MAX_STEPS, MAX_QUOTES, MAX_DEALS = 10, 30, 30, 30, 20
_SECTIONS = ("last_calls", "next_steps", "people", "quotes")
_TEXT_CHARACTERS = 600

_ACCOUNT = "SELECT * FROM {marts}.accounts WHERE account_id = %s"
_DEALS = """
SELECT deals.opportunity_id, deals.opportunity_name, deals.deal_url, deals.crm_system, deals.account_id,
    deals.account_name, deals.owner, deals.stage_now, deals.stage_path, deals.amount_now, deals.currency,
    deals.close_date, deals.outcome, deals.overdue_days, deals.call_count, deals.first_call, deals.last_call,
    deals.next_call, deals.days_since_last_call, deals.last_call_id, deals.last_call_url, {risks}
FROM {marts}.deal_activity AS deals
LEFT JOIN {marts}.deal_risks AS risks
    ON risks.opportunity_id = deals.opportunity_id
    AND coalesce(risks.crm_system, '') = coalesce(deals.crm_system, '')
WHERE {condition}
ORDER BY CASE WHEN deals.is_closed THEN 1 ELSE 0 END, deals.last_call DESC, deals.opportunity_id LIMIT {limit}
"""
_PEOPLE = """
SELECT people.side, max(people.name) AS name, max(people.title) AS title, max(people.email_address) AS email_address,
    count(DISTINCT people.call_id) AS call_count, max(people.started) AS last_call
FROM {marts}.call_participants AS people
WHERE people.is_external AND people.call_id IN ({calls})
    AND coalesce(people.email_address, people.name) IS NOT NULL
GROUP BY people.side, coalesce(people.email_address, people.name)
ORDER BY call_count DESC, last_call DESC, name LIMIT {limit}
"""
_LAST_CALLS = """
SELECT call_id, title, started, call_type, duration_seconds, host_name AS host, brief, has_transcript, url
FROM {marts}.calls_enriched WHERE is_external AND call_id IN ({calls}) ORDER BY started DESC, call_id DESC LIMIT {limit}
"""
_NEXT_STEPS = """
SELECT call_id, text, start_time AS at, started, call_title AS title, host_name AS host, moment_url
FROM {marts}.next_steps WHERE call_id IN ({calls})
ORDER BY started DESC, call_id DESC, position, item_position LIMIT {limit}
"""
# Sentences that mention a tracker are before questions.
_QUOTES = """
SELECT call_id, sentence_index, text, start_time AS at, speaker_name AS speaker, speaker_title,
    tracker_names AS trackers, started, moment_url
FROM {marts}.customer_quotes WHERE call_id IN ({calls})
ORDER BY CASE WHEN tracker_names IS NULL THEN 1 ELSE 0 END, started DESC, call_id, sentence_index LIMIT {limit}
"""


def read_account(marts: Marts, account_id: str | None) -> Answer | None:
    """Return the row of an account in the marts; None if the marts do not have it, or the reader may not see it."""
    rows = [*marts.rows(_ACCOUNT.format(marts=marts.schema), account_id)]
    return json_row(rows[0]) if rows else None


def read_deals(marts: Marts, condition: str, parameters: Sequence[Any]) -> list[Answer]:
    """Return deals, open ones first, each with its `risks` as texts.

    Args:
        marts: The marts.
        condition: Condition in SQL over `deal_activity AS deals`.
        parameters: Its parameters.
    """
    risks = ", ".join(f"risks.{column}" for column in RISKS)
    sql = _DEALS.format(marts=marts.schema, risks=risks, condition=condition, limit=MAX_DEALS)
    return [
        {
            **json_row({name: value for name, value in row.items() if name not in RISKS}),
            "risks": [text for column, text in RISKS.items() if row[column]],
        }
        for row in marts.rows(sql, *parameters)
    ]


def read_sections(
    marts: LimitedMarts, call_condition: str, parameters: Sequence[Any], since: datetime | None
) -> Iterator[tuple[str, list[Answer]]]:
    """Yield the people, last calls, next steps and quotes of some calls, the most useful section first.

    Args:
        marts: The marts.
        call_condition: Condition in SQL over `calls_enriched AS calls`.
        parameters: Its parameters.
        since: Only calls that started at this time or later; None for all.
    """
    period = "" if since is None else " AND calls.started >= %s"
    calls = f"SELECT calls.call_id FROM {marts.schema}.calls_enriched AS calls WHERE {call_condition}{period}"
    values = [*parameters, *([] if since is None else [since])]

    def read(sql: str, limit: int) -> Iterable[Mapping[str, Any]]:
        return marts.rows(sql.format(marts=marts.schema, calls=calls, limit=limit), *values)

    yield "last_calls", [_describe_call(row) for row in read(_LAST_CALLS, LAST_CALLS)]
    yield "next_steps", [_mark(row, GENERATED) for row in read(_NEXT_STEPS, MAX_STEPS)]
    yield "people", [json_row(row) for row in read(_PEOPLE, MAX_PEOPLE)]
    may_read = marts.policy.withheld_reason("customer_quotes") is None
    yield "quotes", [_mark(row, SAID) for row in read(_QUOTES, MAX_QUOTES)] if may_read else []


def _describe_call(row: Mapping[str, Any]) -> Answer:
    call = json_row(row)
    brief = shorten_text(row["brief"], _TEXT_CHARACTERS)
    return {**call, "brief": {"origin": GENERATED, "text": brief} if brief else None}


def _mark(row: Mapping[str, Any], origin: str) -> Answer:
    return {"origin": origin, **json_row(row), "text": shorten_text(row["text"], _TEXT_CHARACTERS)}


def brief_account(marts: LimitedMarts, text: str, since: datetime | None) -> Answer:
    """Return what is known of the account that a text means.

    Args:
        marts: The marts.
        text: Name, domain, CRM id, or a contact's e-mail address.
        since: Only calls that started at this time or later; None for all.
    """
    found = resolve_accounts(marts, text)
    answer: Answer = {"account": None, "matched_by": None, "other_matches": []}
    if not found.matches:
        empty: Answer = {name: [] for name in ("deals", *_SECTIONS)}
        return finish_answer(answer | empty, reason=unknown_account("account", text, found))
    match, *others = found.matches
    answer |= {
        "account": read_account(marts, match.account_id),
        "matched_by": match.matched_by,
        "other_matches": [other.account_name for other in others[:MAX_DEALS]],
    }
    deals = read_deals(marts, "deals.account_id = %s", [match.account_id])
    calls = f"calls.call_id IN (SELECT call_id FROM {marts.schema}.account_calls WHERE account_id = %s)"
    return _finish_brief(marts, answer, deals, read_sections(marts, calls, [match.account_id], since))


def brief_deal(marts: LimitedMarts, text: str, since: datetime | None) -> Answer:
    """Return what is known of the deal that a text means.

    Args:
        marts: The marts.
        text: Name of the deal or a part of it, or its id in the CRM.
        since: Only calls that started at this time or later; None for all.
    """
    ids = resolve_deals(marts, text)
    answer: Answer = {"deal": None, "account": None, "other_matches": []}
    if not ids:
        empty: Answer = {name: [] for name in _SECTIONS}
        return finish_answer(answer | empty, reason=f"no deal matches {text!r}")
    first, *others = read_deals(marts, f"deals.opportunity_id IN ({placeholders(len(ids))})", ids)
    names = ("opportunity_id", "opportunity_name", "account_name")
    answer |= {
        "deal": first,
        "account": read_account(marts, first["account_id"]),
        "other_matches": [{name: other[name] for name in names} for other in others],
    }
    sections = read_sections(marts, "calls.opportunity_id = %s", [first["opportunity_id"]], since)
    return _finish_brief(marts, answer, None, sections)


def _finish_brief(
    marts: LimitedMarts,
    answer: Answer,
    deals: Sequence[Answer] | None,
    sections: Iterable[tuple[str, Sequence[Answer]]],
) -> Answer:
    """Return a brief whose sections share its tokens: what one does not need is left for the next ones.

    Args:
        marts: The marts.
        answer: The facts.
        deals: The section `deals`; None for none.
        sections: The other sections, as `read_sections` yields them.
    """
    parts = [*([] if deals is None else [("deals", deals)]), *sections]
    omitted: dict[str, int] = {}
    for number, (name, rows) in enumerate(parts):
        left = MAX_TOKENS - count_characters(answer) // CHARACTERS_PER_TOKEN
        taken, all_fit = take_rows(rows, 0, left // (len(parts) - number))
        answer[name] = taken
        if not all_fit:
            omitted[name] = len(rows) - len(taken)
    reason = marts.policy.withheld_reason("customer_quotes")
    return finish_answer(
        {**answer, "omitted": omitted},
        truncated=bool(omitted),
        reason=None if reason is None else f"quotes are withheld: {reason}",
        is_text=True,
    )
