"""The sentences of one call, each with its moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..analytics.calls.moments import moment_url
from ..analytics.calls.reader import NO_TRANSCRIPT
from ..analytics.marts import Marts
from .answers import Answer, json_row, shorten_text

# A longer sentence is cut, so that it fits into an answer.
_MAX_CHARACTERS = 10_000

_CALL = """
SELECT call_id, title, started, duration_seconds, call_type, account_name AS account, opportunity_name AS deal,
    host_name AS host, has_transcript, url
FROM {marts}.calls_enriched WHERE call_id = %s
"""
_LINES = """
SELECT sentence_index, start_time AS at, speaker_name AS speaker, side, text, start_ms, end_ms
FROM {marts}.transcript_lines WHERE call_id = %s AND sentence_index >= %s{conditions} ORDER BY sentence_index
"""


def read_call(marts: Marts, call_id: str) -> Answer:
    """Return the facts of a call that the marts have."""
    (row,) = marts.rows(_CALL.format(marts=marts.schema), call_id)
    return json_row(row)


def read_lines(marts: Marts, call_id: str, url: str | None, side: str | None, first: int) -> Sequence[Answer]:
    """Return the sentences of a call in order.

    Args:
        marts: The marts.
        call_id: The call.
        url: Its URL.
        side: Only what this side said; None for all.
        first: Index of the first sentence.
    """
    sql = _LINES.format(marts=marts.schema, conditions=" AND side = %s" if side else "")
    parameters: list[Any] = [call_id, first, *filter(None, [side])]
    return [
        {
            **{name: row[name] for name in ("sentence_index", "at", "speaker", "side")},
            "text": shorten_text(row["text"], _MAX_CHARACTERS),
            "moment_url": moment_url(url, row["start_ms"], row["end_ms"]),
        }
        for row in marts.rows(sql, *parameters)
    ]


def why_empty(call: Answer, side: str | None, first: int) -> str:
    """Return why there are no sentences."""
    if not call["has_transcript"]:
        return NO_TRANSCRIPT
    if first:
        return f"the call has no sentence from index {first} on"
    return f"the call has no sentence of side {side!r}"
