"""Two real, sanitised answers of Gong, served again and synced: every count as it stands in the JSON."""

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
    not RECORDED.is_dir(), reason="the recorded answers of Gong are not beside this checkout; they are not ours to ship"
)


@pytest.fixture
def extensive() -> Json:
    document: Json = json.loads((RECORDED / "calls_extensive.json").read_text())
    return document


@pytest.fixture
def transcript() -> Json:
    document: Json = json.loads((RECORDED / "calls_transcript.json").read_text())
    return document


@pytest.fixture
def replayed(extensive: Json, transcript: Json, make_gong: MakeGong) -> SimulatedGong:
    return make_gong(SimulatedGong(build_recorded_company(extensive, transcript)))


def test_thirteen_real_calls_come_with_all_their_parts(
    replayed: SimulatedGong, workspace: Workspace, extensive: Json
) -> None:
    summary = workspace.sync()
    calls = extensive["calls"]
    assert summary["calls"] == len(calls) == 13
    objects = [
        thing for owner in _owners(calls) for context in owner.get("context", []) for thing in context["objects"]
    ]
    assert {table: workspace.count(table) for table in summary["tables"]} == summary["tables"]
    assert workspace.count("call_parties") == sum(len(call["parties"]) for call in calls)
    assert workspace.count("call_crm_objects") == len(objects)
    assert workspace.count("call_crm_fields") == sum(len(thing.get("fields", [])) for thing in objects)
    assert workspace.count("call_topics") == len(list(_parts(calls, "topics")))
    assert workspace.count("call_outline") == len(list(_parts(calls, "outline")))
    assert workspace.count("call_outline_items") == sum(len(part["items"]) for part in _parts(calls, "outline"))
    assert workspace.count("call_highlights") == sum(len(part["items"]) for part in _parts(calls, "highlights"))
    assert workspace.count("call_key_points") == len(list(_parts(calls, "keyPoints")))
    assert workspace.count("call_speakers") == sum(len(call["interaction"]["speakers"]) for call in calls)


def test_values_of_real_calls_stay_what_they_were(
    replayed: SimulatedGong, workspace: Workspace, extensive: Json
) -> None:
    workspace.sync()
    briefs = {call["metaData"]["id"]: call.get("content", {}).get("brief") for call in extensive["calls"]}
    assert dict(workspace.rows("SELECT id, brief FROM calls")) == briefs
    values = {
        (call["metaData"]["id"], thing["objectId"], field["name"]): field["value"]
        for call in extensive["calls"]
        for context in call.get("context", [])
        for thing in context["objects"]
        for field in thing.get("fields", [])
    }
    rows = workspace.rows("SELECT call_id, object_id, name, value FROM call_crm_fields WHERE party_id = ''")
    assert {
        (call, thing, name): None if value is None else json.loads(value) for call, thing, name, value in rows
    } == values
    items = workspace.rows("SELECT text FROM call_outline_items ORDER BY call_id, position, item_position")
    assert sorted(items) == sorted(
        (item["text"],) for part in _parts(extensive["calls"], "outline") for item in part["items"]
    )


def test_a_real_transcript_of_305_monologues_comes_sentence_by_sentence(
    replayed: SimulatedGong, workspace: Workspace, transcript: Json
) -> None:
    workspace.sync()
    (record,) = transcript["callTranscripts"]
    assert workspace.rows("SELECT call_id, monologue_count FROM transcripts") == [(record["callId"], 305)]
    assert workspace.rows(
        "SELECT monologue_index, speaker_id, topic, start_ms, end_ms, text FROM transcript_sentences"
        " ORDER BY sentence_index"
    ) == [
        (at, monologue["speakerId"], monologue["topic"], sentence["start"], sentence["end"], sentence["text"])
        for at, monologue in enumerate(record["transcript"])
        for sentence in monologue["sentences"]
    ]


def test_a_second_sync_of_real_calls_writes_nothing(replayed: SimulatedGong, workspace: Workspace) -> None:
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
