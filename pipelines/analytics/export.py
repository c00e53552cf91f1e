"""`gong-elt export transcripts`: whole conversations with their speakers, for people and for language models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sources.gong import parse_datetime_setting

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.target import Target
from .marts import DEFAULT_ANALYTICS, Marts, marts

FORMATS = ("jsonl", "markdown")
SIDES = ("company", "customer", "unknown")

# Calls that are in memory at once.
_AT_ONCE = 50

_CALLS = """
SELECT call_id FROM {marts}.calls_enriched
WHERE has_transcript{conditions}
ORDER BY started, call_id
"""
_FACTS = """
SELECT call_id, title, url, started, duration_seconds, language, host_name, team, account_name, opportunity_name,
    stage_at_call, stage_now
FROM {marts}.calls_enriched WHERE call_id IN ({places}) ORDER BY started, call_id
"""
_PEOPLE = """
SELECT call_id, name, title, side, is_host, talk_seconds FROM {marts}.call_participants
WHERE call_id IN ({places}) ORDER BY call_id, party_id
"""
_TURNS = """
SELECT call_id, start_time, start_ms, end_ms, speaker_name AS speaker, side, topic, text FROM {marts}.speaker_turns
WHERE call_id IN ({places}){conditions} ORDER BY call_id, monologue_index
"""

# What Markdown or HTML would take for its own; a call's words are never markup.
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&])")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Which conversations, and in which form.

    Attributes:
        format: `jsonl`, an object a call, or `markdown`.
        since: Begin of the period in the user's words; None for the first call.
        until: Its end, not part of it; None for the last call.
        rep: Part of the host's name, upper or lower case.
        account: Part of the account's name.
        side: Only what this side says; a call on which it says nothing is left out.
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
    """Conversations one by one, oldest call first, each a text that ends with a line break.

    Args:
        connection: Which Gong account.
        target: Where its marts are.
        options: Which conversations, in which form.

    Raises:
        UsageError: An option cannot be used, or there are no marts.
        ConfigurationError: A word is not a date.
    """
    if options.format not in FORMATS:
        raise UsageError(f"--format {options.format!r} is unknown: it is one of {', '.join(FORMATS)}")
    if options.side is not None and options.side not in SIDES:
        raise UsageError(f"--side {options.side!r} is unknown: it is one of {', '.join(SIDES)}")
    written = _json_line if options.format == "jsonl" else _markdown
    with marts(connection, target, options.analytics) as opened:
        ids = _calls(opened, options)
        for first in range(0, len(ids), _AT_ONCE):
            for conversation in _conversations(opened, ids[first : first + _AT_ONCE], options.side):
                yield written(conversation)


def _calls(opened: Marts, options: ExportOptions) -> list[str]:
    wanted: list[tuple[str, Any]] = []
    if options.since:
        wanted.append(("started >= %s", parse_datetime_setting(options.since, "--since")))
    if options.until:
        wanted.append(("started < %s", parse_datetime_setting(options.until, "--until")))
    if options.rep:
        wanted.append(("strpos(lower(host_name), %s) > 0", options.rep.lower()))
    if options.account:
        wanted.append(("strpos(lower(account_name), %s) > 0", options.account.lower()))
    conditions = "".join(f" AND {condition}" for condition, _ in wanted)
    rows = opened.rows(_CALLS.format(marts=opened.schema, conditions=conditions), *(value for _, value in wanted))
    return [row["call_id"] for row in rows]


def _conversations(opened: Marts, ids: Sequence[str], side: str | None) -> Iterator[dict[str, Any]]:
    places = ", ".join(["%s"] * len(ids))
    conditions = " AND side = %s" if side else ""
    filled = {"marts": opened.schema, "places": places, "conditions": conditions}
    people = _by_call(opened.rows(_PEOPLE.format(**filled), *ids))
    turns = _by_call(opened.rows(_TURNS.format(**filled), *ids, *filter(None, [side])))
    for facts in opened.rows(_FACTS.format(**filled), *ids):
        if said := turns.get(facts["call_id"]):
            begun = facts["started"]
            yield {
                **facts,
                "started": begun and begun.astimezone(UTC),
                "participants": people.get(facts["call_id"], []),
                "turns": said,
            }


def _by_call(rows: Iterator[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    calls: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        calls.setdefault(row["call_id"], []).append({name: row[name] for name in row if name != "call_id"})
    return calls


def _json_line(conversation: Mapping[str, Any]) -> str:
    return json.dumps(conversation, ensure_ascii=False, default=datetime.isoformat) + "\n"


def _markdown(conversation: Mapping[str, Any]) -> str:
    begun: datetime | None = conversation["started"]
    about = {
        "": f"{begun:%Y-%m-%d %H:%M} UTC" if begun else None,
        "minutes": round((conversation["duration_seconds"] or 0) / 60),
        "host": conversation["host_name"],
        "account": conversation["account_name"],
        "opportunity": conversation["opportunity_name"],
        "stage": conversation["stage_at_call"],
        "call": conversation["call_id"],
    }
    lines = [
        f"# {_plain(conversation['title'] or 'Call without title')}",
        "",
        ", ".join(f"{name} {_plain(value)}".strip() for name, value in about.items() if value is not None),
        "",
    ]
    for turn in conversation["turns"]:
        speaker = turn["speaker"] or "Unknown speaker"
        lines += [f"**{_plain(speaker)}** ({turn['side']}, {turn['start_time']}): {_plain(turn['text'])}", ""]
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    """A text on one line, in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", " ".join(str(value).split()))
