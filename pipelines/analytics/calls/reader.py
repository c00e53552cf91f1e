"""What the marts know of calls: facts, people, the texts that Gong's AI generated, and turns of the transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from state.sql import placeholders

from ..marts import Marts
from .moments import moment_url

GENERATED = "generated"
"""Value of `origin` of texts that Gong's AI wrote. Texts without an origin are verbatim."""

NO_TRANSCRIPT = "The call has no transcript yet: gong-elt status shows pending transcripts."

_FACTS = """
SELECT call_id, title, url, started, duration_seconds, language, host_name, team, account_name, opportunity_name,
    stage_at_call, stage_now, call_type, is_external, host_title, account_id, account_matched_by, opportunity_id,
    amount_now, currency, close_date, deal_outcome, has_transcript, brief
FROM {marts}.calls_enriched WHERE call_id IN ({placeholders}) ORDER BY started, call_id
"""
_PARTICIPANTS = """
SELECT call_id, name, title, side, is_host, talk_seconds FROM {marts}.call_participants
WHERE call_id IN ({placeholders}) ORDER BY call_id, party_id
"""
_KEY_POINTS = """
SELECT call_id, '{generated}' AS origin, text FROM {marts}.call_insights
WHERE kind = 'key point' AND call_id IN ({placeholders}) ORDER BY call_id, position
"""
_NEXT_STEPS = """
SELECT call_id, '{generated}' AS origin, text, start_time, moment_url FROM {marts}.next_steps
WHERE call_id IN ({placeholders}) ORDER BY call_id, position, item_position
"""
_TURNS = """
SELECT call_id, monologue_index, start_time, start_ms, end_ms, speaker_name AS speaker, side, topic,
    length(text) AS characters, {text} AS text
FROM {marts}.speaker_turns WHERE call_id IN ({placeholders}){conditions} ORDER BY call_id, monologue_index
"""


def read_facts(marts: Marts, call_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield what is known of each call, oldest first, with `participants`, `brief`, `key_points` and `next_steps`.

    Times are in UTC, dates are texts, amounts are floating-point numbers.

    Args:
        marts: The marts.
        call_ids: Calls; unknown ones are left out.
    """
    if not call_ids:
        return
    values = {"marts": marts.schema, "placeholders": placeholders(len(call_ids)), "generated": GENERATED}
    participants, key_points, next_steps = (
        group_by_call(marts.rows(sql.format(**values), *call_ids)) for sql in (_PARTICIPANTS, _KEY_POINTS, _NEXT_STEPS)
    )
    for row in marts.rows(_FACTS.format(**values), *call_ids):
        facts = {name: plain_value(value) for name, value in row.items()}
        call_id, brief = facts["call_id"], facts.pop("brief")
        yield {
            **facts,
            "participants": participants.get(call_id, []),
            "brief": {"origin": GENERATED, "text": brief} if brief else None,
            "key_points": key_points.get(call_id, []),
            "next_steps": next_steps.get(call_id, []),
        }


def read_turns(
    marts: Marts, call_ids: Sequence[str], side: str | None = None, *, text: str = "text"
) -> Iterator[dict[str, Any]]:
    """Yield the turns of calls in order, each with its `monologue_index` and the number of its `characters`.

    Args:
        marts: The marts.
        call_ids: The calls.
        side: Only what this side said.
        text: SQL expression of the text.
    """
    conditions = " AND side = %s" if side else ""
    values = {"marts": marts.schema, "placeholders": placeholders(len(call_ids)), "conditions": conditions}
    yield from map(dict, marts.rows(_TURNS.format(**values, text=text), *call_ids, *filter(None, [side])))


def finish_turn(turn: Mapping[str, Any], url: str | None) -> dict[str, Any]:
    """Return a turn as it is exported: with its `moment_url`, and the text last.

    Args:
        turn: A turn of `read_turns`.
        url: URL of its call.
    """
    names = ("start_time", "start_ms", "end_ms", "speaker", "side", "topic")
    link = moment_url(url, turn["start_ms"], turn["end_ms"])
    return {**{name: turn[name] for name in names}, "moment_url": link, "text": turn["text"]}


def group_by_call(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each call without its id."""
    calls: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        calls.setdefault(row["call_id"], []).append({name: row[name] for name in row if name != "call_id"})
    return calls


def plain_value(value: Any) -> Any:
    """Return a value of a warehouse in the form that all warehouses share: a time in UTC, a date as text, a float."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
