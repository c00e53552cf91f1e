"""Changes over time in the simulated Gong: delays, edits, deletions and uploads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.gong_api import CALLS, EXTENSIVE, TRANSCRIPT, Json
from tests.support.servers.gong_client import UNTIL, read_call_ids, read_error


def test_calls_content_and_transcripts_appear_after_their_delays(gong: SimulatedGong, client: httpx.Client) -> None:
    """Gong lists a call before its content exists, and the content before the transcript."""
    last = max(gong.company.calls, key=lambda call: call.record["metaData"]["started"] if call.transcript_json else "")
    meta = last.record["metaData"]
    end = datetime.fromisoformat(meta["started"]) + timedelta(seconds=meta["duration"])
    gong.settings.call_visible_after = timedelta(hours=1)
    gong.settings.content_visible_after = timedelta(hours=2)
    gong.settings.transcript_visible_after = timedelta(hours=3)
    body = {"filter": {"callIds": [last.id]}}
    selector = {"contentSelector": {"exposedFields": {"content": {"topics": True}}}}

    states = []
    for hours in (0.9, 1.1, 2.1, 3.1):
        gong.clock = _stopped_clock(end + timedelta(hours=hours))
        call = client.post(EXTENSIVE, json=body | selector)
        transcript = client.post(TRANSCRIPT, json=body)
        blocks = call.json()["calls"][0].keys() - {"metaData"} if call.status_code == 200 else None
        states.append((call.status_code, blocks, transcript.status_code))

    content = {"content"} if "content" in last.record else set()
    assert states == [(404, None, 404), (200, set(), 404), (200, content, 404), (200, content, 200)]


def test_an_edited_call_moves_in_the_list(gong: SimulatedGong, client: httpx.Client) -> None:
    """An edit applies to the next request; an unknown key is an error of the test."""
    call_id = gong.company.calls[0].id
    gong.edit_call(call_id, title="Renamed", scheduled="2020-01-01T10:00:00-08:00", system="Zoom")
    assert client.get(f"{CALLS}/{call_id}").json()["call"]["title"] == "Renamed"
    assert read_call_ids(client)[0] == call_id
    with pytest.raises(KeyError):
        gong.edit_call(call_id, tittle="no such key")


def test_a_transcript_can_be_replaced_and_removed(gong: SimulatedGong, client: httpx.Client) -> None:
    """The next request returns the new transcript, or none."""
    call_id = next(call.id for call in gong.company.calls if call.transcript_json)
    body = {"filter": {"callIds": [call_id]}}
    gong.replace_transcript(call_id, _MONOLOGUES)
    assert client.post(TRANSCRIPT, json=body).json()["callTranscripts"][0]["transcript"] == _MONOLOGUES
    gong.replace_transcript(call_id, None)
    assert client.post(TRANSCRIPT, json=body).status_code == 404


def test_added_calls_appear_and_deleted_calls_disappear(gong: SimulatedGong, client: httpx.Client) -> None:
    """A deletion leaves no tombstone, as in Gong."""
    before = read_call_ids(client)
    call_id = before[0]
    record = gong.get_call(call_id).record
    visible_from = UNTIL + timedelta(days=9999)
    gong.add_call({**record, "metaData": {**record["metaData"], "id": "77"}}, _MONOLOGUES, visible_from)
    assert client.get(f"{CALLS}/77").status_code == 404
    gong.clock = lambda: visible_from
    assert client.get(f"{CALLS}/77").status_code == 200
    gong.delete_call(call_id)
    gong.delete_call("77")
    assert client.get(f"{CALLS}/{call_id}").status_code == 404
    assert read_call_ids(client) == before[1:]


def test_an_uploaded_call_is_validated_and_deduplicated(gong: SimulatedGong, client: httpx.Client) -> None:
    """A repeated `clientUniqueId` returns the existing call."""
    incomplete = client.post(CALLS, json={"clientUniqueId": "a"})
    assert incomplete.status_code == 400
    assert "parties: must not be null" in incomplete.json()["errors"]

    body = _new_call(gong, "a")
    first, second = (client.post(CALLS, json=body).json()["callId"] for _ in range(2))
    assert first == second
    assert client.get(f"{CALLS}/{first}").json()["call"]["clientUniqueId"] == "a"


def test_an_uploaded_recording_is_one_file_of_a_form(gong: SimulatedGong, client: httpx.Client) -> None:
    """Another content type, another part or an unknown call is rejected; a valid recording is stored."""
    call_id = client.post(CALLS, json=_new_call(gong, "b")).json()["callId"]
    path = f"{CALLS}/{call_id}/media"

    assert read_error(client.put(path, content=b"bytes"))[0] == 415
    wrong_part = client.put(path, files={"audio": ("call.mp3", b"bytes")})
    assert read_error(wrong_part) == (400, ["mediaFile: must be the only part of the form"])
    unknown = client.put(f"{CALLS}/5/media", files={"mediaFile": ("call.mp3", b"bytes")})
    assert read_error(unknown) == (404, ["No call found corresponding to the provided id"])
    assert gong.company.recordings == {}

    assert client.put(path, files={"mediaFile": ("call.mp3", b"bytes")}).status_code == 201
    assert gong.company.recordings[call_id].size == len(b"bytes")


_MONOLOGUES: list[Json] = [{"speakerId": "1", "topic": None, "sentences": [{"start": 0, "end": 5, "text": "New."}]}]


def _stopped_clock(time: datetime) -> Callable[[], datetime]:
    return lambda: time


def _new_call(gong: SimulatedGong, client_unique_id: str) -> Json:
    user_id = next(user["id"] for user in gong.company.users if user["active"])
    return {
        "clientUniqueId": client_unique_id,
        "actualStart": "2026-05-20T10:00:00Z",
        "direction": "Inbound",
        "parties": [{"userId": user_id, "speakerId": "7"}],
        "primaryUser": user_id,
    }
