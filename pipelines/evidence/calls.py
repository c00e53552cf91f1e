"""Find calls by what a person knows of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from state.sql import placeholders

from ..analytics.accounts import ResolvedAccounts, resolve_accounts
from ..analytics.calls.deals import resolve_deals
from ..analytics.calls.reader import NO_TRANSCRIPT
from ..analytics.marts import Marts, contains
from .answers import GENERATED, Answer, json_row, json_value, shorten_text

CALL_TYPES = ("meeting", "dial", "short_dial", "internal", "other")
"""Values of `call_type`."""

_MAX_PEOPLE = 20
_BRIEF_CHARACTERS = 600

_CALLS = """
SELECT calls.call_id, calls.title, calls.started, calls.started_epoch_ms, calls.duration_seconds, calls.call_type,
    calls.is_external, calls.account_id, calls.account_name AS account, calls.opportunity_id,
    calls.opportunity_name AS deal, calls.stage_at_call AS stage, calls.host_name AS host, calls.team,
    calls.has_transcript, calls.brief, calls.url
FROM {marts}.calls_enriched AS calls
WHERE {conditions}
ORDER BY calls.started_epoch_ms DESC, calls.call_id DESC LIMIT {limit}
"""
_COUNT = "SELECT count(*) AS calls FROM {marts}.calls_enriched AS calls WHERE {conditions}"
_ACCOUNTS_OF_CALLS = """
SELECT call_id, account_id, account_name, matched_by FROM {marts}.account_calls WHERE call_id IN ({placeholders})
ORDER BY call_id, account_id
"""
_PEOPLE = """
SELECT call_id, name, email_address, title FROM {marts}.call_participants
WHERE side <> 'company' AND call_id IN ({placeholders}) AND coalesce(name, email_address) IS NOT NULL
ORDER BY call_id, party_id
"""
_OF_ACCOUNTS = "calls.call_id IN (SELECT call_id FROM {marts}.account_calls WHERE account_id IN ({placeholders}))"
_OF_PERSON = """calls.call_id IN (
    SELECT call_id FROM {marts}.call_participants WHERE lower(email_address) = %s OR {name_contains}
)"""
_OF_TRACKER = "calls.call_id IN (SELECT call_id FROM {marts}.tracker_mentions WHERE {name_contains})"


@dataclass(frozen=True, slots=True)
class CallQuestion:
    """What a person knows of calls; None for anything.

    Attributes:
        account: Name of the account or a part of it, its domain, CRM id, or a contact's e-mail address.
        domain: Domain of the account.
        person: E-mail address of a person on the call, or a part of the name.
        deal: Name of the deal or a part of it, or its CRM id.
        rep: Part of the host's name.
        since: Start of the period.
        until: End of the period, exclusive.
        tracker: Part of the name of a tracker that was mentioned.
        stage: Stage of the deal at the call.
        call_type: One of `CALL_TYPES`.
    """

    account: str | None = None
    domain: str | None = None
    person: str | None = None
    deal: str | None = None
    rep: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    tracker: str | None = None
    stage: str | None = None
    call_type: str | None = None


@dataclass(frozen=True, slots=True)
class CallConditions:
    """A question as conditions in SQL.

    Attributes:
        conditions: Conditions over `calls_enriched AS calls`, each with its parameters.
        accounts: The accounts that the question names; None if it names none.
        reason: Why there is no such call, if it is known.
    """

    conditions: Sequence[tuple[str, Sequence[Any]]]
    accounts: ResolvedAccounts | None = None
    reason: str | None = None


def resolve_question(marts: Marts, question: CallQuestion) -> CallConditions:
    """Return the conditions of a question.

    Args:
        marts: The marts.
        question: What a person knows.

    Raises:
        UsageError: If the marts are missing or outdated.
    """
    conditions: list[tuple[str, Sequence[Any]]] = []
    named = None
    for text, argument in ((question.account, "account"), (question.domain, "domain")):
        if not text:
            continue
        named = resolve_accounts(marts, text)
        if not named.matches:
            return CallConditions([("1 = 0", [])], named, unknown_account(argument, text, named))
        ids = named.account_ids
        sql = _OF_ACCOUNTS.format(marts=marts.schema, placeholders=placeholders(len(ids)))
        conditions.append((sql, ids))
    if question.deal:
        deals = resolve_deals(marts, question.deal)
        if not deals:
            return CallConditions([("1 = 0", [])], named, f"no deal matches {question.deal!r}")
        conditions.append((f"calls.opportunity_id IN ({placeholders(len(deals))})", deals))
    if question.person:
        text = question.person.strip().lower()
        conditions.append((_OF_PERSON.format(marts=marts.schema, name_contains=contains("name")), [text, text]))
    if question.rep:
        conditions.append((contains("calls.host_name"), [question.rep.lower()]))
    if question.tracker:
        sql = _OF_TRACKER.format(marts=marts.schema, name_contains=contains("tracker_name"))
        conditions.append((sql, [question.tracker.lower()]))
    if question.stage:
        conditions.append(("lower(calls.stage_at_call) = %s", [question.stage.strip().lower()]))
    if question.call_type:
        conditions.append(("calls.call_type = %s", [question.call_type]))
    if question.since is not None:
        conditions.append(("calls.started >= %s", [question.since]))
    if question.until is not None:
        conditions.append(("calls.started < %s", [question.until]))
    return CallConditions(conditions, named)


def unknown_account(argument: str, text: str, accounts: ResolvedAccounts) -> str:
    """Return why an account is not found, with the closest names."""
    closest = f"; the closest names are {', '.join(accounts.closest_names)}" if accounts.closest_names else ""
    return f"no account matches {argument} {text!r}{closest}"


def read_calls(marts: Marts, found: CallConditions, limit: int, after: tuple[int, str] | None = None) -> list[Answer]:
    """Return calls, the newest first, each with `started_epoch_ms`, which with its id is the position in the list.

    Args:
        marts: The marts.
        found: Their conditions.
        limit: Number of calls.
        after: Start in milliseconds and id of the last call of the page before.
    """
    conditions = [*found.conditions]
    if after is not None:
        condition = "(calls.started_epoch_ms < %s OR calls.started_epoch_ms = %s AND calls.call_id < %s)"
        conditions.append((condition, [after[0], *after]))
    sql = _CALLS.format(marts=marts.schema, conditions=_join(conditions), limit=limit)
    rows = [*marts.rows(sql, *_parameters(conditions))]
    ids = [row["call_id"] for row in rows]
    if not ids:
        return []
    values = {"marts": marts.schema, "placeholders": placeholders(len(ids))}
    people = _group(marts.rows(_PEOPLE.format(**values), *ids))
    accounts = _group(marts.rows(_ACCOUNTS_OF_CALLS.format(**values), *ids))
    matched = {} if found.accounts is None else {match.account_id: match for match in found.accounts.matches}
    return [_describe(row, people.get(row["call_id"], []), accounts.get(row["call_id"], []), matched) for row in rows]


def count_calls(marts: Marts, found: CallConditions) -> int:
    """Return the number of calls that match."""
    sql = _COUNT.format(marts=marts.schema, conditions=_join(found.conditions))
    (row,) = marts.rows(sql, *_parameters(found.conditions))
    return int(row["calls"])


def select_call_ids(marts: Marts, found: CallConditions) -> list[str]:
    """Return the ids of the calls that match."""
    sql = f"SELECT calls.call_id FROM {marts.schema}.calls_enriched AS calls WHERE {_join(found.conditions)}"
    return [row["call_id"] for row in marts.rows(sql, *_parameters(found.conditions))]


def _describe(
    row: Mapping[str, Any],
    people: Sequence[Mapping[str, Any]],
    accounts: Sequence[Mapping[str, Any]],
    matched: Mapping[str, Any],
) -> Answer:
    call = {name: json_value(value) for name, value in row.items() if name != "brief"}
    brief = shorten_text(row["brief"], _BRIEF_CHARACTERS)
    named = next((account for account in accounts if account["account_id"] in matched), None)
    if named is not None:
        # The call's own account can be another one.
        call |= {"account_id": named["account_id"], "account": named["account_name"]}
    own = next((account for account in accounts if account["account_id"] == call["account_id"]), None)
    return {
        **call,
        "external_people": [
            json_row({name: person[name] for name in ("name", "email_address", "title")})
            for person in people[:_MAX_PEOPLE]
        ],
        "external_people_omitted": max(0, len(people) - _MAX_PEOPLE),
        "brief": {"origin": GENERATED, "text": brief} if brief else None,
        # How the question's text names the account, and how the call belongs to it.
        "matched_by": None if named is None else matched[named["account_id"]].matched_by,
        "account_matched_by": None if own is None else own["matched_by"],
        "reason": None if row["has_transcript"] else NO_TRANSCRIPT,
    }


def _join(conditions: Sequence[tuple[str, Sequence[Any]]]) -> str:
    return " AND ".join(condition for condition, _ in conditions) or "1 = 1"


def _parameters(conditions: Sequence[tuple[str, Sequence[Any]]]) -> Iterator[Any]:
    return (value for _, values in conditions for value in values)


def _group(rows: Iterator[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    calls: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        calls.setdefault(row["call_id"], []).append(row)
    return calls
