"""The Python class `Gong`: arguments, paging, private calls, pseudonyms and messages."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from jsonschema import Draft202012Validator

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, expired_cursor
from pipelines.runtime.errors import UsageError
from sources.gong import ConfigurationError, GongError
from sources.gong.errors import CursorExpiredError, RequestError
from tests.ondemand.conftest import OpenGong
from tests.support.companies import personal_values, public_calls
from tests.support.gong_api import DEMO_AUTHORIZATION, Json
from tests.support.on_demand import (
    parse_lines,
    private_call_ids,
    private_calls_phrase,
    visible_metadata,
)
from tests.support.paths import OPENAPI
from tests.support.workspace import Workspace

PII_KEY = "a key that cannot be guessed"


def test_pages_of_calls_return_the_cursor_of_the_next_page(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """Reading can stop after a page and continue at its cursor with its period."""
    gong.settings.page_size = 25
    all_pages = [page.calls for page in open_gong().call_pages(until=datetime.now(UTC))]

    (first,) = open_gong().call_pages(max_pages=1)
    rest = list(open_gong().call_pages(first.since, first.until, cursor=first.next_cursor))

    assert [page.calls for page in rest] == all_pages[1:]
    assert [page.next_cursor is None for page in rest] == [False, True]


def test_an_expired_cursor_of_the_caller_is_an_error(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """The client cannot restart a list from a cursor that the caller passed, so the error explains its lifetime."""
    gong.settings.page_size = 25
    (first,) = open_gong().call_pages(max_pages=1)
    gong.faults.append(Fault(expired_cursor()))

    with pytest.raises(CursorExpiredError, match=r"valid for about an hour.*start again without it"):
        list(open_gong().calls(first.since, first.until, cursor=first.next_cursor))


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("calls", {"since": "2026-02-01", "until": "2026-01-01"}, "the period is invalid: it starts at 2026-02-01"),
        ("extensive", {"since": "2999-01-01"}, "the period is invalid: it starts at 2999-01-01"),
        ("transcripts", {"since": "yesterday"}, "since 'yesterday' is not a date"),
        ("transcripts", {"since": ""}, "since '' is not a date"),
        ("calls", {"cursor": "eyJ"}, "a cursor needs the period of its page"),
        ("calls", {"max_pages": 0}, "max_pages is 0"),
        ("calls", {"workspace_id": "sales"}, "workspace_id: 'sales' is not a Gong id"),
        ("extensive", {"call_ids": ["1", "two"]}, "call_ids: 'two' is not a Gong id"),
        ("extensive", {"primary_user_ids": ["9" * 20]}, "primary_user_ids: '9"),
        ("extensive", {"max_results": 0}, "max_results is 0"),
        ("extensive", {"context": "Full"}, "context 'Full' is invalid"),
        ("extensive", {"context_timing": ["Then"]}, "context_timing 'Then' is invalid"),
        ("extensive", {"context": "Basic", "context_timing": ["Now"]}, "needs context Extended"),
        ("folder_calls", {"folder_id": "mine"}, "folder_id: 'mine' is not a Gong id"),
    ],
)
def test_invalid_arguments_are_rejected_before_a_request(
    gong: SimulatedGong, open_gong: OpenGong, method: str, arguments: Json, message: str
) -> None:
    """The method itself raises, not the first iteration, and nothing is sent."""
    with pytest.raises((UsageError, ConfigurationError)) as error:
        getattr(open_gong(), method)(**arguments)

    assert message in str(error.value)
    assert gong.requests == []


def test_arguments_default_to_the_settings(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """Workspace, start date, CRM context and content are taken from the connection's settings."""
    workspace_id = gong.company.workspaces[0]["id"]
    settings = {"workspace_id": workspace_id, "start_date": "2026-01-02", "context": "Basic", "include_content": False}

    calls = list(open_gong(**settings).extensive())

    assert {call["metaData"]["workspaceId"] for call in calls} <= {workspace_id}
    body = gong.requests[0].body
    assert body["filter"]["fromDateTime"] == "2026-01-02T00:00:00.000Z"
    assert body["filter"]["workspaceId"] == workspace_id
    assert body["contentSelector"]["context"] == "Basic"
    assert "contextTiming" not in body["contentSelector"]
    assert "content" not in calls[0]


def test_ids_are_requested_in_batches_of_100_and_unknown_ones_reported(
    gong: SimulatedGong, open_gong: OpenGong, messages: list[str]
) -> None:
    """Repeated ids are sent once, without a period, and the message lists the first ten unknown ids."""
    existing = [call.id for call in public_calls(gong)]
    unknown = [str(10**17 + number) for number in range(200)]

    calls = list(open_gong().extensive(call_ids=[*unknown, *existing, *unknown[:5]]))

    assert [call["metaData"]["id"] for call in calls if call["metaData"]["id"] not in existing] == []
    assert len(calls) == len(existing)
    assert [len(request.body["filter"]["callIds"]) for request in gong.requests] == [100, 100, len(existing)]
    assert all("fromDateTime" not in request.body["filter"] for request in gong.requests)
    assert messages == [
        f"200 of {200 + len(existing)} calls were not found: {', '.join(unknown[:10])} and 190 more",
    ]


def test_max_results_stops_reading(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """No page is requested beyond the one that completes the number of results."""
    gong.settings.page_size = 10

    assert len(list(open_gong(private_calls="include").extensive(max_results=15))) == 15
    assert len(gong.requests) == 2
    assert len(list(open_gong(private_calls="include").extensive(max_results=10))) == 10
    assert len(gong.requests) == 3


def test_pages_are_requested_on_demand(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """Creating the generator sends nothing, and closing it stops reading."""
    gong.settings.page_size = 10
    calls = open_gong().extensive()
    assert gong.requests == []

    next(calls)
    assert len(gong.requests) == 1

    calls.close()
    assert len(gong.requests) == 1


def test_transcripts_are_read_without_calls_if_private_ones_are_included(
    gong: SimulatedGong, open_gong: OpenGong
) -> None:
    """With `private_calls = "include"` only the transcript endpoint is requested."""
    received = {record["callId"] for record in open_gong(private_calls="include").transcripts()}

    assert received == {call.id for call in gong.list_calls() if call.transcript_json is not None}
    assert {request.path for request in gong.requests} == {"/v2/calls/transcript"}


def test_transcripts_by_id_report_unknown_private_and_missing_ones(
    gong: SimulatedGong, open_gong: OpenGong, messages: list[str]
) -> None:
    """Each id without a transcript is accounted for in a message, with both kinds of credentials."""
    private = next(call_id for call_id in private_call_ids(gong) if gong.get_call(call_id).transcript_json)
    complete, without = [call.id for call in public_calls(gong) if call.transcript_json is not None][:2]
    gong.replace_transcript(without, None)

    for detail in ("extensive", "basic"):
        messages.clear()
        transcripts = open_gong(call_detail=detail).transcripts(call_ids=[private, "123", without, complete])
        assert [record["callId"] for record in transcripts] == [complete]
        assert messages == [
            "1 private call left out: private_calls is 'exclude'",
            f"1 call has no transcript: {without}",
            "1 of 4 calls were not found: 123",
        ]

    messages.clear()
    transcripts = open_gong(private_calls="include").transcripts(call_ids=[private, "123", complete])
    assert {record["callId"] for record in transcripts} == {private, complete}
    assert messages == ["1 of 3 calls were not found or have no transcript: 123"]


def test_a_key_with_the_basic_scope_reads_transcripts(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """`call_detail = "basic"` lists calls with GET /v2/calls, so the extensive scope is not needed."""
    gong.settings.credentials = {DEMO_AUTHORIZATION: frozenset({"api:calls:read:basic", "api:calls:read:transcript"})}

    received = {record["callId"] for record in open_gong(call_detail="basic").transcripts()}

    assert received == {call.id for call in public_calls(gong) if call.transcript_json is not None}


def test_an_invalid_transcript_is_reported_and_the_others_simplified(
    gong: SimulatedGong, open_gong: OpenGong, messages: list[str]
) -> None:
    """One malformed transcript does not stop the others."""
    malformed, *others = [call.id for call in public_calls(gong) if call.transcript_json is not None]
    gong.replace_transcript(malformed, [{"speakerId": "1", "topic": None, "sentences": "none"}])

    lines = list(open_gong().transcripts(simplified=True))

    assert {line["callId"] for line in lines} == set(others)
    assert any(message.startswith(f"the transcript of call {malformed} is left out") for message in messages)


def test_folders_of_all_workspaces_or_of_one(gong: SimulatedGong, workspace: Workspace, open_gong: OpenGong) -> None:
    """Folders carry their workspace id; one workspace costs one request."""
    expected = {
        shelf.folder["id"]: {**shelf.folder, "workspaceId": shelf.workspace_id} for shelf in gong.company.folders
    }
    ended = workspace.run("get", "folders")
    assert ended.code == 0, ended.err
    assert {folder["id"]: folder for folder in parse_lines(ended.out)} == expected

    workspace_id = gong.company.workspaces[1]["id"]
    gong.requests.clear()
    folder_ids = {folder["id"] for folder in open_gong().folders(workspace_id)}

    assert folder_ids == {key for key, folder in expected.items() if folder["workspaceId"] == workspace_id}
    assert [request.path for request in gong.requests] == ["/v2/library/folders"]


def test_an_unknown_folder_is_an_error_and_an_empty_one_is_not(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """Gong's 404 for a missing folder is not taken for an empty list."""
    assert list(open_gong().folder_calls(gong.company.folders[-1].folder["id"])) == []

    with pytest.raises(RequestError, match="Folder not found"):
        list(open_gong().folder_calls("123"))


def test_empty_selections_send_no_request(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """Gong rejects empty periods and lists, so the client answers them itself."""
    for records in (
        open_gong().calls("2020-01-01", "2020-01-01"),
        open_gong().transcripts("2020-01-01", "2020-01-01"),
        open_gong().extensive(call_ids=[]),
        open_gong().extensive(primary_user_ids=[]),
    ):
        assert list(records) == []

    assert gong.requests == []


@pytest.mark.parametrize("setting", ["metadata", "include"])
def test_private_calls_follow_the_setting(
    gong: SimulatedGong, open_gong: OpenGong, messages: list[str], setting: str
) -> None:
    """`metadata` reduces private calls and hides their transcripts; `include` returns all."""
    private = private_call_ids(gong)

    calls = {call["metaData"]["id"]: call for call in open_gong(private_calls=setting).extensive()}

    assert len(calls) == len(gong.list_calls())
    assert all((set(calls[call_id]) == {"metaData"}) == (setting == "metadata") for call_id in private)
    reduced = [f"{private_calls_phrase(private)} reduced to metadata: private_calls is 'metadata'"]
    assert messages == (reduced if setting == "metadata" else [])
    assert {call["id"] for call in open_gong(private_calls=setting).calls()} == set(calls)
    transcripts = {record["callId"] for record in open_gong(private_calls=setting).transcripts()}
    assert bool(transcripts & private) == (setting == "include")


def test_an_expired_cursor_restarts_the_list_without_duplicates(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """The list is read again from page one, and calls that were already returned are dropped."""
    gong.settings.page_size = 10
    fault = Fault(expired_cursor(), when=lambda request: request.cursor is not None, nth=3)
    gong.faults.append(fault)

    assert [call["id"] for call in open_gong().calls()] == [call["id"] for call in open_gong().calls()]

    assert fault.hit_count == 1
    assert len(gong.requests) > 2 * 6


def test_personal_values_are_pseudonyms_with_pii_hash(
    gong: SimulatedGong, workspace: Workspace, open_gong: OpenGong
) -> None:
    """No name, e-mail address or phone number is returned outside of free text, and pseudonyms are stable."""
    user = gong.company.users[0]
    gong.company.folders[0].calls[0]["creatorName"] = f"{user['firstName']} {user['lastName']}"
    client = open_gong(pii="hash", pii_key=PII_KEY)

    library = [
        dict(entry, title="", note="") for folder in client.folders() for entry in client.folder_calls(folder["id"])
    ]
    calls = list(client.extensive(include_content=False, include_public_comments=False))
    extensive = [{**call, "metaData": {**call["metaData"], "title": ""}} for call in calls]
    basic = [dict(call, title="") for call in client.calls()]
    lines = [dict(line, text="") for line in client.transcripts(simplified=True)]

    output = json.dumps([library, extensive, basic, lines]).lower()
    assert [value for value in personal_values(gong) if value in output] == []
    names = {party.get(field) for call in calls for party in call["parties"] for field in ("name", "emailAddress")}
    assert {line["speaker"] for line in lines} - {"Unknown speaker"} <= names
    workspace.configure(pii="hash", pii_key=PII_KEY)
    printed = parse_lines(workspace.run("get", "transcripts", "--simplified").out)
    assert {line["speaker"] for line in printed} == {line["speaker"] for line in lines}


def test_reads_can_be_nested_and_run_inside_an_event_loop(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """A notebook runs cells inside an event loop; one generator may be consumed while another is open."""
    gong.settings.page_size = 10
    client = open_gong()

    def transcripts_per_call() -> dict[str, int]:
        return {
            call["id"]: sum(1 for _ in client.transcripts(call_ids=[call["id"]]))
            for call in client.calls(since=datetime.now(UTC) - timedelta(days=3))
        }

    async def run_in_event_loop() -> dict[str, int]:
        return transcripts_per_call()

    assert transcripts_per_call() == asyncio.run(run_in_event_loop()) != {}


def test_a_rejected_credential_raises_while_iterating(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """A key that sees no calls returns an empty list; a rejected key is an error."""
    gong.settings.hides_all_calls = True
    assert list(open_gong().calls()) == []

    gong.settings.credentials = {}
    with pytest.raises(GongError, match="does not accept the credential"):
        list(open_gong().folders())


@pytest.mark.skipif(not OPENAPI.exists(), reason=f"Gong's OpenAPI document is not at {OPENAPI}")
def test_requests_match_the_openapi_document(gong: SimulatedGong, open_gong: OpenGong) -> None:
    """Every query parameter and request body that the client sends is valid in Gong's own specification."""
    client, ids = open_gong(), sorted(visible_metadata(gong))[:2]
    hosts = [user["id"] for user in gong.company.users[:2]]
    period = ("2026-01-01", datetime.now(UTC), gong.company.workspaces[0]["id"])

    list(client.calls(*period))
    list(client.extensive(*period, ids, hosts, 5, context_timing=["Now"], include_media=True))
    list(client.extensive(call_ids=ids, context="None"))
    list(client.transcripts(*period, ids, simplified=True))
    list(open_gong(private_calls="include").transcripts(*period))
    list(client.folder_calls(next(client.folders())["id"]))

    spec: Json = json.loads(OPENAPI.read_text())
    schemas = {
        name: {**schema, "additionalProperties": False} for name, schema in spec["components"]["schemas"].items()
    }
    for request in gong.requests:
        operation = spec["paths"][request.path][request.method.lower()]
        parameters = {
            parameter["name"]: parameter.get("required", False) for parameter in operation.get("parameters", ())
        }
        assert set(request.query) <= set(parameters)
        assert {name for name, required in parameters.items() if required} <= set(request.query)
        if request.method == "POST":
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            root = {"$ref": reference, "components": {"schemas": schemas}}
            assert not list(Draft202012Validator(root).iter_errors(request.body)), request.path
    assert len({request.path for request in gong.requests}) == 6
