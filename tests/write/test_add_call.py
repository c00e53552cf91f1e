"""`gong-elt add-call`: fields, validation before anything is sent, refusals by Gong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.gong.new_call import NEW_CALL_FIELDS, InvalidCallError, new_call
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, reset_connection, respond, rewrite
from tests.support.paths import OPENAPI
from tests.support.workspace import Workspace

PARTIES = [{"userId": "1"}, {"name": "Ana Bell", "emailAddress": "ana.bell@acme.example"}]
ROW: dict[str, Any] = {
    "client_unique_id": "pbx-1",
    "actual_start": "2026-05-20T10:00:00+02:00",
    "direction": "Outbound",
    "primary_user": "1",
    "parties": json.dumps(PARTIES),
}


def build_options(gong: SimulatedGong, **changes: str | None) -> list[str]:
    """Return the options of a valid call with these changes."""
    host = next(user["id"] for user in gong.company.users if user["active"])
    row = ROW | {"primary_user": host, "parties": json.dumps([{"userId": host}, PARTIES[1]])} | changes
    return [part for name, value in row.items() if value is not None for part in (f"--{name.replace('_', '-')}", value)]


def read_sent_bodies(gong: SimulatedGong) -> list[Any]:
    """Return the body of each request that adds a call."""
    return [request.body for request in gong.requests if (request.method, request.path) == ("POST", "/v2/calls")]


def test_a_call_is_added_with_all_its_fields(gong: SimulatedGong, workspace: Workspace) -> None:
    """Every option reaches Gong under its field name, and no warehouse is created."""
    more = {
        "title": "Renewal",
        "purpose": "Renewal call",
        "scheduled_start": "2026-05-20T08:00:00Z",
        "scheduled_end": "2026-05-20T09:00:00Z",
        "duration": "125.5",
        "disposition": "Answered",
        "meeting_url": "https://meet.example/ana",
        "call_provider_code": "zoom",
        "download_media_url": "https://media.example/1.mp3",
        "workspace_id": gong.company.workspaces[0]["id"],
        "language_code": "en-US",
        "custom_data": "from the PBX",
    }
    result = workspace.run("add-call", *build_options(gong, **more))
    assert result.code == 0, result.err

    (body,) = read_sent_bodies(gong)
    assert body["actualStart"] == "2026-05-20T08:00:00.000Z"
    assert body["duration"] == 125.5
    assert body["parties"][1] == PARTIES[1]
    assert (body["title"], body["purpose"], body["languageCode"]) == ("Renewal", "Renewal call", "en-US")

    added = gong.get_call(result.json["callId"]).record["metaData"]
    assert (added["clientUniqueId"], added["title"]) == ("pbx-1", "Renewal")
    assert not list(workspace.folder.glob("*.duckdb"))


def test_a_call_added_twice_exists_once(gong: SimulatedGong, workspace: Workspace) -> None:
    """The same clientUniqueId returns the same call id."""
    before = len(gong.list_calls())
    ids = [workspace.run("add-call", *build_options(gong)).json["callId"] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(gong.list_calls()) == before + 1


def test_failed_requests_are_retried_and_the_call_exists_once(gong: SimulatedGong, workspace: Workspace) -> None:
    """Retries are safe because Gong recognises the clientUniqueId."""
    before = len(gong.list_calls())
    gong.faults += [Fault(respond(500), count=1), Fault(reset_connection(), nth=2), Fault(respond(429), nth=3)]
    result = workspace.run("add-call", *build_options(gong))
    assert result.code == 0, result.err
    assert len(gong.list_calls()) == before + 1


def test_all_faults_are_reported_at_once_and_nothing_is_sent(gong: SimulatedGong, workspace: Workspace) -> None:
    """One line names every invalid field."""
    wrong = build_options(
        gong, direction="Sideways", actual_start="2026-05-20T10:00:00", purpose="x" * 256, parties='[{"name": "Ana"}]'
    )
    result = workspace.run("add-call", *wrong)
    assert result.code == 2
    (line,) = result.err.strip().splitlines()
    for field in ("direction", "actual_start", "purpose", "parties"):
        assert f"{field}: " in line
    assert not gong.requests


def test_a_refusal_by_gong_is_one_line_and_exit_code_1(gong: SimulatedGong, workspace: Workspace) -> None:
    """Gong's reason is printed to stderr, and stdout stays empty."""
    stranger = build_options(gong, primary_user="5", parties='[{"userId": "5"}]')
    result = workspace.run("add-call", *stranger)
    assert result.code == 1
    (line,) = result.err.strip().splitlines()
    assert "Recording is not enabled" in line
    assert result.out == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("parties", '[{"userId": "1", "weight": NaN}]'),
        ("parties", '[{"userId": "1", "weight": 1e999}]'),
        ("parties", "[" * 100_000),
        ("context", "[" * 900 + "]" * 900),
        ("title", "half \ud83d"),
    ],
)
def test_values_that_json_cannot_represent_are_faults(field: str, value: str) -> None:
    """NaN, infinity, deep nesting and lone surrogates are refused with the field name."""
    with pytest.raises(InvalidCallError) as refused:
        new_call(ROW | {field: value})
    (fault,) = refused.value.faults
    assert fault.startswith(f"{field}: ")


def test_a_response_without_an_id_is_an_error(gong: SimulatedGong, workspace: Workspace) -> None:
    """An upload without a call id cannot be recorded, so it must not count as done."""
    gong.faults.append(Fault(rewrite(lambda body: {**body, "callId": None})))
    result = workspace.run("add-call", *build_options(gong))
    assert (result.code, result.out) == (1, "")
    assert "returned no call id" in result.err


def test_a_missing_scope_is_named(gong: SimulatedGong, workspace: Workspace) -> None:
    """The message names the scope and suggests no option of another command."""
    (header, _), *_ = gong.settings.credentials.items()
    gong.settings.credentials[header] = frozenset({"api:calls:read:basic"})
    result = workspace.run("add-call", *build_options(gong))
    assert result.code == 1
    assert "api:calls:create" in result.err
    assert "--select" not in result.err


@pytest.mark.skipif(not OPENAPI.exists(), reason=f"Gong's OpenAPI document is not at {OPENAPI}")
def test_the_fields_are_those_of_gongs_document() -> None:
    """Names, required fields and maximum lengths are those of Gong's OpenAPI document."""
    document = json.loads(OPENAPI.read_text())["components"]["schemas"]["NewCallAddingRequest"]
    assert {field.gong_name for field in NEW_CALL_FIELDS} == set(document["properties"])
    assert {field.gong_name for field in NEW_CALL_FIELDS if field.required} == set(document["required"])
    for field in NEW_CALL_FIELDS:
        assert field.max_characters == document["properties"][field.gong_name].get("maxLength"), field.name


@given(
    st.dictionaries(st.sampled_from([field.name for field in NEW_CALL_FIELDS]), st.text() | st.integers() | st.none())
)
def test_a_row_is_valid_or_each_fault_names_its_field(row: dict[str, Any]) -> None:
    """No input raises another exception."""
    faults: list[str] = []
    body: dict[str, Any] = {}
    try:
        body = new_call(row)
    except InvalidCallError as refused:
        faults = refused.faults
    assert {fault.partition(":")[0] for fault in faults} <= {field.name for field in NEW_CALL_FIELDS}
    assert faults or {field.gong_name for field in NEW_CALL_FIELDS if field.required} <= set(body)


def test_gongs_field_names_and_decoded_json_are_accepted() -> None:
    """Rows of JSON lines may use camelCase and nested objects."""
    by_gong = {field.gong_name: ROW[field.name] for field in NEW_CALL_FIELDS if field.name in ROW}
    assert new_call(by_gong | {"parties": PARTIES, "title": "", "duration": float("nan")}) == new_call(ROW)
    with pytest.raises(InvalidCallError, match="colour: is not a field"):
        new_call(ROW | {"colour": "red"})
