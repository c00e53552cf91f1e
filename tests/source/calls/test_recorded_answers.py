"""Two recorded, sanitised responses of Gong are served and synced; the rows match the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.replay import build_recorded_company
from tests.conftest import MakeGong
from tests.support.gong_api import Json
from tests.support.paths import GONG_API
from tests.support.workspace import Workspace

RECORDED = GONG_API / "recorded"

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(),
    reason="Gong's recorded responses are not next to this checkout; they are not part of the repository",
)


@pytest.fixture
def extensive() -> Json:
    """Return the recorded page of calls."""
    document: Json = json.loads((RECORDED / "calls_extensive.json").read_text())
    return document


@pytest.fixture
def transcript() -> Json:
    """Return the recorded page with one transcript."""
    document: Json = json.loads((RECORDED / "calls_transcript.json").read_text())
    return document


@pytest.fixture
def recorded_gong(extensive: Json, transcript: Json, make_gong: MakeGong) -> SimulatedGong:
    """Serve the recorded responses."""
    return make_gong(SimulatedGong(build_recorded_company(extensive, transcript)))


def test_thirteen_real_calls_are_loaded_with_all_child_rows(
    recorded_gong: SimulatedGong, workspace: Workspace, extensive: Json
) -> None:
    """Row counts of all child tables are those of the recorded JSON."""
    summary = workspace.sync()
    calls = extensive["calls"]
    assert summary["calls"] == len(calls) == 13

    objects = [
        crm_object
        for owner in _owners(calls)
        for context in owner.get("context", [])
        for crm_object in context["objects"]
    ]
    assert {table: workspace.count(table) for table in summary["tables"]} == summary["tables"]
    assert workspace.count("call_parties") == sum(len(call["parties"]) for call in calls)
    assert workspace.count("call_crm_objects") == len(objects)
    assert workspace.count("call_crm_fields") == sum(len(crm_object.get("fields", [])) for crm_object in objects)
    assert workspace.count("call_topics") == len(list(_parts(calls, "topics")))
    assert workspace.count("call_outline") == len(list(_parts(calls, "outline")))
    assert workspace.count("call_outline_items") == sum(len(part["items"]) for part in _parts(calls, "outline"))
    assert workspace.count("call_highlights") == sum(len(part["items"]) for part in _parts(calls, "highlights"))
    assert workspace.count("call_key_points") == len(list(_parts(calls, "keyPoints")))
    assert workspace.count("call_speakers") == sum(len(call["interaction"]["speakers"]) for call in calls)


def test_values_of_real_calls_are_unchanged(
    recorded_gong: SimulatedGong, workspace: Workspace, extensive: Json
) -> None:
    """Briefs, CRM values and outline items are loaded exactly."""
    workspace.sync()
    briefs = {call["metaData"]["id"]: call.get("content", {}).get("brief") for call in extensive["calls"]}
    assert dict(workspace.rows("SELECT id, brief FROM calls")) == briefs

    values = {
        (call["metaData"]["id"], crm_object["objectId"], field["name"]): field["value"]
        for call in extensive["calls"]
        for context in call.get("context", [])
        for crm_object in context["objects"]
        for field in crm_object.get("fields", [])
    }
    rows = workspace.rows("SELECT call_id, object_id, name, value FROM call_crm_fields WHERE party_id = ''")
    assert {
        (call, crm_object, name): None if value is None else json.loads(value) for call, crm_object, name, value in rows
    } == values

    items = workspace.rows("SELECT text FROM call_outline_items ORDER BY call_id, position, item_position")
    assert sorted(items) == sorted(
        (item["text"],) for part in _parts(extensive["calls"], "outline") for item in part["items"]
    )


def test_a_real_transcript_of_305_monologues_is_loaded_sentence_by_sentence(
    recorded_gong: SimulatedGong, workspace: Workspace, transcript: Json
) -> None:
    """Indexes, speakers, topics and times of each sentence are those of the recorded JSON."""
    workspace.sync()
    (record,) = transcript["callTranscripts"]
    assert workspace.rows("SELECT call_id, monologue_count FROM transcripts") == [(record["callId"], 305)]
    assert workspace.rows(
        "SELECT monologue_index, speaker_id, topic, start_ms, end_ms, text FROM transcript_sentences"
        " ORDER BY sentence_index"
    ) == [
        (
            monologue_index,
            monologue["speakerId"],
            monologue["topic"],
            sentence["start"],
            sentence["end"],
            sentence["text"],
        )
        for monologue_index, monologue in enumerate(record["transcript"])
        for sentence in monologue["sentences"]
    ]


def test_a_second_sync_of_real_calls_writes_nothing(recorded_gong: SimulatedGong, workspace: Workspace) -> None:
    """Content hashes of real records are stable."""
    workspace.sync()
    summary = workspace.sync("--since", "2020-01-01")
    assert sum(resource["rows"] for resource in summary["resources"].values()) == 0


def _owners(calls: list[Json]) -> Iterator[Json]:
    for call in calls:
        yield call
        yield from call["parties"]


def _parts(calls: list[Json], block: str) -> Iterator[Json]:
    for call in calls:
        yield from call.get("content", {}).get(block) or []
