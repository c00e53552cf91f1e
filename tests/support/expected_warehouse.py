"""What the warehouse has to hold, computed from the simulated company by other code than the connector's."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.server.app import SimulatedGong
from tests.support.workspace import Workspace

Json = dict[str, Any]


def listed_calls(gong: SimulatedGong) -> list[Call]:
    """The calls that are not private, as the server has them now."""
    return [call for call in gong.list_calls() if not call.record["metaData"].get("isPrivate")]


def assert_same(workspace: Workspace, gong: SimulatedGong) -> None:
    """The warehouse holds what the server holds: calls, their children and every sentence; nothing more."""
    calls = listed_calls(gong)
    held = workspace.rows(
        "SELECT id, title, started, scheduled, duration, primary_user_id, brief, is_private FROM calls"
        " WHERE _deleted_at IS NULL ORDER BY id"
    )
    wanted = sorted(
        (
            meta["id"],
            meta["title"],
            _instant(meta["started"]),
            _instant(meta["scheduled"]),
            meta["duration"],
            meta["primaryUserId"],
            call.record.get("content", {}).get("brief"),
            False,
        )
        for call in calls
        for meta in [call.record["metaData"]]
    )
    assert held == wanted
    wanted_of = _children(calls)
    counted = workspace.rows(
        " UNION ALL ".join(f"SELECT '{table}', call_id, count(*) FROM {table} GROUP BY call_id" for table in wanted_of)
    )
    for table, expected in wanted_of.items():
        rows = {call: count for of_table, call, count in counted if of_table == table}
        differing = {call for call in rows.keys() | expected.keys() if rows.get(call, 0) != expected[call]}
        assert not differing, f"{table}: {len(differing)} calls differ, for example {sorted(differing)[:3]}"
    assert workspace.rows(
        "SELECT call_id, id, email_address, name, speaker_id, affiliation FROM call_parties ORDER BY call_id, id"
    ) == sorted(
        (
            call.record["metaData"]["id"],
            party["id"],
            party.get("emailAddress"),
            party.get("name"),
            party.get("speakerId"),
            party["affiliation"],
        )
        for call in calls
        for party in call.record["parties"]
    )
    assert workspace.rows(
        "SELECT call_id, sentence_index, monologue_index, speaker_id, topic, start_ms, end_ms, text"
        " FROM transcript_sentences ORDER BY call_id, sentence_index"
    ) == sorted(_sentences(calls))
    transcribed = {call.record["metaData"]["id"] for call in calls if call.transcript_json is not None}
    assert {row[0] for row in workspace.rows("SELECT call_id FROM transcripts")} == transcribed
    assert workspace.count("transcripts") == len(transcribed)


def _sentences(calls: list[Call]) -> Iterator[tuple[Any, ...]]:
    for call in calls:
        if call.transcript_json is None:
            continue
        index = 0
        for at, monologue in enumerate(json.loads(call.transcript_json)):
            for sentence in monologue["sentences"]:
                yield (
                    call.record["metaData"]["id"],
                    index,
                    at,
                    monologue["speakerId"],
                    monologue["topic"],
                    sentence["start"],
                    sentence["end"],
                    sentence["text"],
                )
                index += 1


def _children(calls: list[Call]) -> dict[str, Counter[str]]:
    """Rows by call that each child table has to have."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for call in calls:
        record: Json = msgspec.json.decode(msgspec.json.encode(call.record))
        call_id = record["metaData"]["id"]
        content, interaction = record.get("content", {}), record.get("interaction", {})
        owners = [record, *record.get("parties", [])]
        objects = [thing for owner in owners for context in owner.get("context", []) for thing in context["objects"]]
        trackers = content.get("trackers", [])
        sizes = {
            "call_crm_objects": len(objects),
            "call_crm_fields": sum(len(thing.get("fields", [])) for thing in objects),
            "call_structure": len(content.get("structure", [])),
            "call_topics": len(content.get("topics", [])),
            "call_trackers": len(trackers),
            # Keyword trackers list mentions under their phrases, smart ones under the tracker.
            "call_tracker_occurrences": sum(
                len(part["occurrences"]) for tracker in trackers for part in tracker["phrases"] or [tracker]
            ),
            "call_outline": len(content.get("outline", [])),
            "call_outline_items": sum(len(section["items"]) for section in content.get("outline", [])),
            "call_highlights": sum(len(highlight["items"]) for highlight in content.get("highlights", [])),
            "call_key_points": len(content.get("keyPoints", [])),
            "call_speakers": len(interaction.get("speakers", [])),
            "call_interaction_stats": len(interaction.get("interactionStats", [])),
            "call_video": len(interaction.get("video", [])),
            "call_comments": len(record.get("collaboration", {}).get("publicComments", [])),
        }
        for table, size in sizes.items():
            counts[table] += Counter({call_id: size})
    return counts


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
