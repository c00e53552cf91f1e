"""Job of `gong-elt export transcripts`: whole conversations with their speakers as JSON lines or Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sources.gong import parse_datetime_setting
from state.sql import batches, placeholders

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.target import Target
from .marts import DEFAULT_ANALYTICS, Marts, open_marts

FORMATS = ("jsonl", "markdown")
SIDES = ("company", "customer", "unknown")

# Number of calls in memory at a time.
_CALLS_PER_BATCH = 50

_CALLS = """
SELECT call_id FROM {marts}.calls_enriched
WHERE has_transcript{conditions}
ORDER BY started, call_id
"""
_FACTS = """
SELECT call_id, title, url, started, duration_seconds, language, host_name, team, account_name, opportunity_name,
    stage_at_call, stage_now
FROM {marts}.calls_enriched WHERE call_id IN ({placeholders}) ORDER BY started, call_id
"""
_PARTICIPANTS = """
SELECT call_id, name, title, side, is_host, talk_seconds FROM {marts}.call_participants
WHERE call_id IN ({placeholders}) ORDER BY call_id, party_id
"""
_TURNS = """
SELECT call_id, start_time, start_ms, end_ms, speaker_name AS speaker, side, topic, text FROM {marts}.speaker_turns
WHERE call_id IN ({placeholders}){conditions} ORDER BY call_id, monologue_index
"""

# Characters that are markup in Markdown or HTML.
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&])")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of an export.

    Attributes:
        format: `jsonl` (one object per call) or `markdown`.
        since: Start of the period as the user wrote it; None for the first call.
        until: End of the period, exclusive; None for the last call.
        rep: Part of the host's name, case-insensitive.
        account: Part of the account's name, case-insensitive.
        side: Only what this side said; calls on which it said nothing are left out.
        analytics: Dataset of the marts.
    """

    format: str = "jsonl"
    since: str | None = None
    until: str | None = None
    rep: str | None = None
    account: str | None = None
    side: str | None = None
    analytics: str = DEFAULT_ANALYTICS


def export_transcripts(connection: Connection, target: Target, options: ExportOptions) -> Iterator[str]:
    """Yield conversations, oldest call first, each as a text that ends with a line break.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: Calls and format.

    Raises:
        UsageError: If an option is invalid, or the marts do not exist.
        ConfigurationError: If a date is invalid.
    """
    if options.format not in FORMATS:
        raise UsageError(f"--format {options.format!r} is unknown: use one of {', '.join(FORMATS)}")
    if options.side is not None and options.side not in SIDES:
        raise UsageError(f"--side {options.side!r} is unknown: use one of {', '.join(SIDES)}")
    format_conversation = _format_json_line if options.format == "jsonl" else _format_markdown
    with open_marts(connection, target, options.analytics) as marts:
        for call_ids in batches(_call_ids(marts, options), _CALLS_PER_BATCH):
            for conversation in _conversations(marts, call_ids, options.side):
                yield format_conversation(conversation)


def _call_ids(marts: Marts, options: ExportOptions) -> list[str]:
    filters: list[tuple[str, Any]] = []
    if options.since:
        filters.append(("started >= %s", parse_datetime_setting(options.since, "--since")))
    if options.until:
        filters.append(("started < %s", parse_datetime_setting(options.until, "--until")))
    if options.rep:
        filters.append(("strpos(lower(host_name), %s) > 0", options.rep.lower()))
    if options.account:
        filters.append(("strpos(lower(account_name), %s) > 0", options.account.lower()))
    conditions = "".join(f" AND {condition}" for condition, _ in filters)
    rows = marts.rows(_CALLS.format(marts=marts.schema, conditions=conditions), *(value for _, value in filters))
    return [row["call_id"] for row in rows]


def _conversations(marts: Marts, call_ids: Sequence[str], side: str | None) -> Iterator[dict[str, Any]]:
    values = {
        "marts": marts.schema,
        "placeholders": placeholders(len(call_ids)),
        "conditions": " AND side = %s" if side else "",
    }
    participants = _group_by_call(marts.rows(_PARTICIPANTS.format(**values), *call_ids))
    turns = _group_by_call(marts.rows(_TURNS.format(**values), *call_ids, *filter(None, [side])))
    for facts in marts.rows(_FACTS.format(**values), *call_ids):
        if call_turns := turns.get(facts["call_id"]):
            started = facts["started"]
            yield {
                **facts,
                "started": started and started.astimezone(UTC),
                "participants": participants.get(facts["call_id"], []),
                "turns": call_turns,
            }


def _group_by_call(rows: Iterator[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    calls: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        calls.setdefault(row["call_id"], []).append({name: row[name] for name in row if name != "call_id"})
    return calls


def _format_json_line(conversation: Mapping[str, Any]) -> str:
    return json.dumps(conversation, ensure_ascii=False, default=datetime.isoformat) + "\n"


def _format_markdown(conversation: Mapping[str, Any]) -> str:
    started: datetime | None = conversation["started"]
    facts = {
        "": f"{started:%Y-%m-%d %H:%M} UTC" if started else None,
        "minutes": round((conversation["duration_seconds"] or 0) / 60),
        "host": conversation["host_name"],
        "account": conversation["account_name"],
        "opportunity": conversation["opportunity_name"],
        "stage": conversation["stage_at_call"],
        "call": conversation["call_id"],
    }
    lines = [
        f"# {_escape_markup(conversation['title'] or 'Call without title')}",
        "",
        ", ".join(f"{name} {_escape_markup(value)}".strip() for name, value in facts.items() if value is not None),
        "",
    ]
    for turn in conversation["turns"]:
        speaker = _escape_markup(turn["speaker"] or "Unknown speaker")
        lines += [f"**{speaker}** ({turn['side']}, {turn['start_time']}): {_escape_markup(turn['text'])}", ""]
    return "\n".join(lines) + "\n"


def _escape_markup(value: object) -> str:
    """Return a text on one line with its markup characters escaped."""
    return _MARKUP.sub(r"\\\1", " ".join(str(value).split()))
