"""Requests that the simulated Gong rejects, and the form of its responses."""

from __future__ import annotations

import httpx
import pytest

from pipelines.demo.company.company import Company
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.replay import build_recorded_company
from pipelines.demo.server.serving import serve
from tests.support.gong_api import EXTENSIVE, FOLDERS, TRANSCRIPT, USERS, WORKSPACES, Json
from tests.support.servers.gong_client import FULL_SELECTOR, UNTIL, open_client, read_calls, read_error


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "filter: must not be null"),
        ({"filter": {"callIds": []}}, "filter.callIds: must not be empty"),
        ({"filter": {"callIds": ["99999999999999999999"]}}, "Bad request"),
        ({"filter": {"unknown": 1}}, "Json parse error"),
        ({"filter": {}, "limit": 5}, "Json parse error"),
        ({"filter": {"fromDateTime": "2026-05-01"}}, "Json parse error"),
        ({"filter": {"fromDateTime": "2026-05-01T00:00:00"}}, "Json parse error"),
        (
            {"filter": {"fromDateTime": "2026-05-01T00:00:00Z", "toDateTime": "2026-05-01T00:00:00Z"}},
            "filter.fromDateTime: must be before toDateTime",
        ),
        ({"filter": {}, "contentSelector": {"context": "Full"}}, "Json parse error"),
    ],
)
def test_an_invalid_body_is_rejected(client: httpx.Client, body: Json, text: str) -> None:
    """Only documented keys with valid values are accepted, so a faulty request fails in our tests."""
    assert read_error(client.post(EXTENSIVE, json=body)) == (400, [text])


def test_a_wrong_path_method_or_content_type_has_gongs_error_body(client: httpx.Client) -> None:
    """Every error has an `errors` array and the status that Gong uses."""
    assert client.get("/v2/nothing").status_code == 404
    assert read_error(client.get(EXTENSIVE)) == (405, ["Method Not Allowed"])
    assert read_error(client.delete(USERS)) == (405, ["Method Not Allowed"])
    assert read_error(client.post(TRANSCRIPT)) == (415, ["Unsupported Media Type"])
    text = client.post(TRANSCRIPT, content=b'{"filter":{}}', headers={"content-type": "text/plain"})
    assert read_error(text) == (415, ["Unsupported Media Type"])
    broken = client.post(TRANSCRIPT, content=b'{"filter"', headers={"content-type": "application/json"})
    assert read_error(broken) == (400, ["Json parse error"])


def test_every_response_has_its_request_id_in_body_and_header(client: httpx.Client) -> None:
    """Error messages of the connector quote the request id."""
    for response in (client.get(WORKSPACES), client.get("/v2/nothing")):
        assert response.headers["x-traceid"] == response.json()["requestId"]
        assert 18 <= len(response.json()["requestId"]) <= 19
        assert response.headers["content-type"] == "application/json;charset=UTF-8"


def test_responses_are_gzipped_only_if_the_client_accepts_it(client: httpx.Client) -> None:
    """The compressed response, assembled from cached blocks, has the same content."""
    body = {"filter": {}, "contentSelector": FULL_SELECTOR | {"exposedFields": {"parties": True}}}
    compressed = client.post(EXTENSIVE, json=body)
    plain = client.post(EXTENSIVE, json=body, headers={"accept-encoding": "identity"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert compressed.json()["calls"] == plain.json()["calls"]


def test_requests_are_logged_with_their_status(gong: SimulatedGong, client: httpx.Client) -> None:
    """Tests assert what the connector sent."""
    client.post(TRANSCRIPT, json={"filter": {"callIds": ["5"]}})
    client.get(USERS, params={"includeAvatars": "true"}, headers={"Authorization": "Basic no"})
    first, second = gong.requests
    assert (first.method, first.path, first.status) == ("POST", TRANSCRIPT, 404)
    assert first.body == {"filter": {"callIds": ["5"]}}
    assert (second.query, second.body, second.status) == ({"includeAvatars": "true"}, None, 401)
    assert first.authorization_present


def test_only_loopback_addresses_are_served(gong: SimulatedGong) -> None:
    """The simulated Gong is never reachable from another machine."""
    with pytest.raises(ValueError, match="loopback"), serve(gong.app, host="0.0.0.0"):
        pass


def test_recorded_responses_are_replayed_unchanged(company: Company) -> None:
    """Real responses of Gong can be loaded through the whole connector."""
    recorded = [call for call in company.calls if call.transcript_json][:5]
    extensive = {"calls": [call.record for call in recorded[:4]]}
    transcripts = {"callTranscripts": [{"callId": c.id, "transcript": c.transcript} for c in recorded[2:]]}
    gong = SimulatedGong(build_recorded_company(extensive, transcripts, until=UNTIL))
    flags = {key: value for key, value in FULL_SELECTOR["exposedFields"].items() if key != "media"}
    with open_client(gong) as client:
        calls = read_calls(client, selector=FULL_SELECTOR | {"exposedFields": flags})
        by_id = {call["metaData"]["id"]: call for call in calls}
        for call in recorded[:4]:
            assert by_id[call.id] == {key: block for key, block in call.record.items() if key != "media"}
        served = client.post(TRANSCRIPT, json={"filter": {}}).json()["callTranscripts"]
        assert {entry["callId"] for entry in served} == {call.id for call in recorded[2:]}
        assert client.get(USERS).json()["users"] == []
        assert client.get(FOLDERS).json()["folders"] == []
