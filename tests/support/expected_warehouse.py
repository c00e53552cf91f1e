"""The expected contents of a warehouse, computed from the simulated company independently of the connector."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import public_calls
from tests.support.gong_api import Json, parse_datetime
from tests.support.workspace import Workspace


def assert_warehouse_matches(workspace: Workspace, gong: SimulatedGong) -> None:
    """Assert that calls, child rows and sentences in the warehouse are exactly those of the server's public calls."""
    calls = public_calls(gong)
    _assert_calls_match(workspace, calls)
    _assert_child_row_counts_match(workspace, calls)
    _assert_parties_match(workspace, calls)
    _assert_transcripts_match(workspace, calls)


def assert_all_tables_match(workspace: Workspace, gong: SimulatedGong) -> None:
    """Assert that calls, users, workspaces and the library in the warehouse are those of the server."""
    assert_warehouse_matches(workspace, gong)
    for table, records in (
        ("users", gong.company.users),
        ("workspaces", gong.company.workspaces),
        ("library_folders", [folder.folder for folder in gong.company.folders]),
    ):
        assert workspace.rows(f"SELECT id FROM {table} ORDER BY id") == sorted((record["id"],) for record in records)
    call_ids = {call.id for call in gong.list_calls()}
    assert workspace.rows("SELECT folder_id, call_id FROM library_calls ORDER BY folder_id, call_id") == sorted(
        (folder.folder["id"], call["id"])
        for folder in gong.company.folders
        for call in folder.calls
        if call["id"] in call_ids
    )


def _assert_calls_match(workspace: Workspace, calls: list[Call]) -> None:
    rows = workspace.rows(
        "SELECT id, title, started, scheduled, duration, primary_user_id, brief, is_private FROM calls"
        " WHERE _deleted_at IS NULL ORDER BY id"
    )
    expected = sorted(
        (
            meta["id"],
            meta["title"],
            _parse_optional_datetime(meta["started"]),
            _parse_optional_datetime(meta["scheduled"]),
            meta["duration"],
            meta["primaryUserId"],
            call.record.get("content", {}).get("brief"),
            False,
        )
        for call in calls
        for meta in [call.record["metaData"]]
    )
    assert rows == expected


def _assert_child_row_counts_match(workspace: Workspace, calls: list[Call]) -> None:
    expected_counts = _count_child_rows(calls)
    counted = workspace.rows(
        " UNION ALL ".join(
            f"SELECT '{table}', call_id, count(*) FROM {table} GROUP BY call_id" for table in expected_counts
        )
    )
    for table, expected in expected_counts.items():
        counts = {call: count for of_table, call, count in counted if of_table == table}
        differing = {call for call in counts.keys() | expected.keys() if counts.get(call, 0) != expected[call]}
        assert not differing, f"{table}: {len(differing)} calls differ, for example {sorted(differing)[:3]}"


def _assert_parties_match(workspace: Workspace, calls: list[Call]) -> None:
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


def _assert_transcripts_match(workspace: Workspace, calls: list[Call]) -> None:
    assert workspace.rows(
        "SELECT call_id, sentence_index, monologue_index, speaker_id, topic, start_ms, end_ms, text"
        " FROM transcript_sentences ORDER BY call_id, sentence_index"
    ) == sorted(_sentence_rows(calls))
    with_transcript = sorted((call.record["metaData"]["id"],) for call in calls if call.transcript_json is not None)
    assert workspace.rows("SELECT call_id FROM transcripts ORDER BY call_id") == with_transcript


def _sentence_rows(calls: list[Call]) -> Iterator[tuple[Any, ...]]:
    for call in calls:
        if call.transcript_json is None:
            continue
        index = 0
        for monologue_index, monologue in enumerate(json.loads(call.transcript_json)):
            for sentence in monologue["sentences"]:
                yield (
                    call.record["metaData"]["id"],
                    index,
                    monologue_index,
                    monologue["speakerId"],
                    monologue["topic"],
                    sentence["start"],
                    sentence["end"],
                    sentence["text"],
                )
                index += 1


def _count_child_rows(calls: list[Call]) -> dict[str, Counter[str]]:
    """Return the expected number of rows per child table and call id."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for call in calls:
        record: Json = msgspec.json.decode(msgspec.json.encode(call.record))
        call_id = record["metaData"]["id"]
        content, interaction = record.get("content", {}), record.get("interaction", {})
        owners = [record, *record.get("parties", [])]
        objects = [
            crm_object for owner in owners for context in owner.get("context", []) for crm_object in context["objects"]
        ]
        trackers = content.get("trackers", [])
        sizes = {
            "call_crm_objects": len(objects),
            "call_crm_fields": sum(len(crm_object.get("fields", [])) for crm_object in objects),
            "call_structure": len(content.get("structure", [])),
            "call_topics": len(content.get("topics", [])),
            "call_trackers": len(trackers),
            # Keyword trackers list occurrences by phrase, smart trackers directly.
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


def _parse_optional_datetime(text: str | None) -> datetime | None:
    return None if text is None else parse_datetime(text)
