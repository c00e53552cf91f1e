"""`gong-elt get …` and the methods behind it: what is asked of Gong, what is printed, what is left out and told."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, expired_cursor, too_many_requests
from pipelines.ondemand.client import Gong
from pipelines.ondemand.simplified_transcript import clock, simplified, speakers
from pipelines.runtime.connection import UsageError
from sources.gong import ConfigurationError, GongApiKey, GongError
from sources.gong.errors import CursorExpiredError, RequestError
from tests.conftest import MakeGong
from tests.source.tables.test_pseudonyms import people_of
from tests.support.expected_warehouse import listed_calls
from tests.support.paths import OPENAPI
from tests.support.workspace import COMMAND, Workspace

Json = dict[str, Any]
Ask = Callable[..., Gong]

BASIC_KEY = "Basic ZGVtbzpkZW1vLXNlY3JldA=="
"""The header of the simulated Gong's key."""
PRIVATE_KEY = "a key that nobody would guess"


@pytest.fixture
def told() -> list[str]:
    """What the methods said beside their records."""
    return []


@pytest.fixture
def ask(gong: SimulatedGong, workspace: Workspace, told: list[str]) -> Iterator[Ask]:
    """Makes the object with the methods, for the simulated Gong."""
    made: list[Gong] = []

    def make(**given: Any) -> Gong:
        key = GongApiKey()
        key.access_key, key.access_key_secret = "demo", "demo-secret"
        base_url = workspace.settings["SOURCES__GONG__BASE_URL"]
        made.append(
            Gong(tell=told.append, **{"credentials": key, "base_url": base_url, "requests_per_second": 1000.0, **given})
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def lines(out: str) -> list[Json]:
    """What a command printed."""
    return [json.loads(line) for line in out.splitlines()]


def meta_of(gong: SimulatedGong) -> dict[str, Json]:
    """Meta data of the calls that are not private, by id."""
    return {call.id: call.record["metaData"] for call in listed_calls(gong)}


def transcript_of(gong: SimulatedGong, call_id: str) -> list[Json]:
    """The call's monologues as the server has them."""
    monologues: list[Json] = json.loads(gong.get_call(call_id).transcript_json or b"[]")
    return monologues


def private_ids(gong: SimulatedGong) -> set[str]:
    """The private calls, of which the company has some."""
    ids = {call.id for call in gong.list_calls() if call.record["metaData"]["isPrivate"]}
    assert ids
    return ids


def counted(private: set[str]) -> str:
    """How many private calls are told."""
    return f"{len(private)} private call{'s' if len(private) > 1 else ''}"


def test_calls_are_printed_as_gong_sent_them_over_all_pages(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.page_size = 25
    ended = workspace.run("get", "calls")
    assert ended.code == 0, ended.err
    printed = lines(ended.out)
    assert {call["id"]: call for call in printed} == meta_of(gong)
    assert len(printed) == len(meta_of(gong))
    assert ended.err == f"gong-elt: {counted(private_ids(gong))} left out: private_calls is 'exclude'\n"
    assert [request.cursor is None for request in gong.requests] == [True, False, False]
    assert {path.name for path in workspace.folder.iterdir()} <= {"home", "working"}
    assert not list(workspace.folder.rglob("*.duckdb"))


def test_reading_goes_on_from_the_cursor_that_is_told(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.page_size = 25
    first = workspace.run("get", "calls", "--max-pages", "2")
    assert first.code == 0, first.err
    cursor = re.search(r"^next cursor: (\S+)$", first.err, re.MULTILINE)
    period = re.search(r"repeat --since (\S+) --until (\S+) and add --cursor", first.err)
    assert cursor
    assert period
    second = workspace.run("get", "calls", "--since", period[1], "--until", period[2], "--cursor", cursor[1])
    assert second.code == 0, second.err
    assert "next cursor" not in second.err
    printed = [call["id"] for call in lines(first.out) + lines(second.out)]
    assert sorted(printed) == sorted(meta_of(gong))
    assert gong.requests[2].cursor == cursor[1]
    assert len(gong.requests) == 3


def test_pages_of_calls_carry_the_next_cursor_and_what_it_goes_with(gong: SimulatedGong, ask: Ask) -> None:
    gong.settings.page_size = 25
    whole = [page.calls for page in ask().call_pages(until=datetime.now(UTC))]
    (first,) = ask().call_pages(max_pages=1)
    rest = list(ask().call_pages(first.since, first.until, cursor=first.next_cursor))
    assert [page.calls for page in rest] == whole[1:]
    assert [page.next_cursor is None for page in rest] == [False, True]


def test_a_cursor_that_is_too_old_says_so(gong: SimulatedGong, ask: Ask) -> None:
    gong.settings.page_size = 25
    (first,) = ask().call_pages(max_pages=1)
    gong.faults.append(Fault(expired_cursor()))
    with pytest.raises(CursorExpiredError, match=r"good for about an hour.*begin again without it"):
        list(ask().calls(first.since, first.until, cursor=first.next_cursor))


@pytest.mark.parametrize(
    ("action", "arguments", "said"),
    [
        ("calls", {"since": "2026-02-01", "until": "2026-01-01"}, "the period would begin 2026-02-01"),
        ("extensive", {"since": "2999-01-01"}, "the period would begin 2999-01-01"),
        ("transcripts", {"since": "yesterday"}, "since 'yesterday' is not a date"),
        ("transcripts", {"since": ""}, "since '' is not a date"),
        ("calls", {"cursor": "eyJ"}, "a cursor goes with the period it came with"),
        ("calls", {"max_pages": 0}, "max_pages is 0"),
        ("calls", {"workspace_id": "sales"}, "workspace_id: 'sales' is no id"),
        ("extensive", {"call_ids": ["1", "two"]}, "call_ids: 'two' is no id"),
        ("extensive", {"primary_user_ids": ["9" * 20]}, "primary_user_ids: '9"),
        ("extensive", {"max_results": 0}, "max_results is 0"),
        ("extensive", {"context": "Full"}, "context 'Full' is unknown"),
        ("extensive", {"context_timing": ["Then"]}, "context_timing 'Then' is unknown"),
        ("extensive", {"context": "Basic", "context_timing": ["Now"]}, "goes with context Extended only"),
        ("folder_calls", {"folder_id": "mine"}, "folder_id: 'mine' is no id"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_sent(
    gong: SimulatedGong, ask: Ask, action: str, arguments: Json, said: str
) -> None:
    with pytest.raises((UsageError, ConfigurationError)) as refused:
        getattr(ask(), action)(**arguments)
    assert said in str(refused.value)
    assert gong.requests == []


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["extensive", "--context", "Basic", "--context-timing", "Now"], {}, "goes with context Extended only"),
        (["calls", "--since", "2026-02-01", "--until", "2026-01-01"], {}, "the period would begin"),
        (["folders"], {"pii": "hash"}, "needs the secret pii_key"),
        (["extensive"], {"include_media": "perhaps"}, "include_media"),
        (["transcripts", "--simplified"], {"call_detail": "basic"}, "need call_detail = 'extensive'"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_2(
    gong: SimulatedGong, workspace: Workspace, arguments: list[str], settings: Json, said: str
) -> None:
    workspace.configure(**settings)
    ended = workspace.run("get", *arguments)
    assert ended.code == 2, ended.err
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert ended.out == ""
    assert gong.requests == []


def test_all_that_is_asked_for_is_sent(gong: SimulatedGong, workspace: Workspace) -> None:
    call = listed_calls(gong)[0].record["metaData"]
    since, until = datetime.now(UTC) - timedelta(days=40), datetime.now(UTC) + timedelta(days=1)
    ended = workspace.run(
        *("get", "extensive", "--since", f"{since:%Y-%m-%dT%H:%M:%SZ}", "--until", f"{until:%Y-%m-%d}"),
        *("--workspace-id", call["workspaceId"], "--call-ids", f"{call['id']}, {call['id']}"),
        *("--primary-user-ids", call["primaryUserId"], "--context", "Extended", "--context-timing", "TimeOfCall"),
        *("--no-parties", "--no-content", "--include-media", "--no-public-comments"),
    )
    assert ended.code == 0, ended.err
    (printed,) = lines(ended.out)
    assert printed["metaData"] == call
    assert set(printed) <= {"metaData", "context", "interaction", "media"}
    (request,) = gong.requests
    selector = request.body["contentSelector"]
    assert request.body["filter"] == {
        "fromDateTime": f"{since:%Y-%m-%dT%H:%M:%S}.000Z",
        "toDateTime": f"{until:%Y-%m-%d}T00:00:00.000Z",
        "workspaceId": call["workspaceId"],
        "primaryUserIds": [call["primaryUserId"]],
        "callIds": [call["id"]],
    }
    assert (selector["context"], selector["contextTiming"]) == ("Extended", ["TimeOfCall"])
    exposed = selector["exposedFields"]
    assert (exposed["parties"], exposed["media"]) == (False, True)
    assert set(exposed["content"].values()) == {False}
    assert set(exposed["interaction"].values()) == {True}
    assert exposed["collaboration"] == {"publicComments": False}


def test_what_is_not_given_is_as_in_the_settings(gong: SimulatedGong, ask: Ask) -> None:
    workspace_id = gong.company.workspaces[0]["id"]
    settings = {"workspace_id": workspace_id, "start_date": "2026-01-02", "context": "Basic", "include_content": False}
    calls = list(ask(**settings).extensive())
    assert {call["metaData"]["workspaceId"] for call in calls} <= {workspace_id}
    body = gong.requests[0].body
    assert body["filter"]["fromDateTime"] == "2026-01-02T00:00:00.000Z"
    assert body["filter"]["workspaceId"] == workspace_id
    assert body["contentSelector"]["context"] == "Basic"
    assert "contextTiming" not in body["contentSelector"]
    assert "content" not in calls[0]


def test_ids_are_asked_for_by_the_hundred_and_unknown_ones_named(
    gong: SimulatedGong, ask: Ask, told: list[str]
) -> None:
    known = [call.id for call in listed_calls(gong)]
    unknown = [str(10**17 + number) for number in range(200)]
    calls = list(ask().extensive(call_ids=[*unknown, *known, *unknown[:5]]))
    assert [call["metaData"]["id"] for call in calls if call["metaData"]["id"] not in known] == []
    assert len(calls) == len(known)
    assert [len(request.body["filter"]["callIds"]) for request in gong.requests] == [100, 100, len(known)]
    assert all("fromDateTime" not in request.body["filter"] for request in gong.requests)
    assert told == [
        f"200 of {200 + len(known)} calls were not found: {', '.join(unknown[:10])} and 190 more",
    ]


def test_max_results_ends_the_reading(gong: SimulatedGong, ask: Ask) -> None:
    gong.settings.page_size = 10
    assert len(list(ask(private_calls="include").extensive(max_results=15))) == 15
    assert len(gong.requests) == 2
    assert len(list(ask(private_calls="include").extensive(max_results=10))) == 10
    assert len(gong.requests) == 3


def test_a_page_is_read_only_when_it_is_asked_for(gong: SimulatedGong, ask: Ask) -> None:
    gong.settings.page_size = 10
    reading = ask().extensive()
    assert gong.requests == []
    next(reading)
    assert len(gong.requests) == 1
    reading.close()
    assert len(gong.requests) == 1


def test_transcripts_are_those_of_calls_that_are_not_private(
    gong: SimulatedGong, workspace: Workspace, ask: Ask
) -> None:
    gong.settings.page_size = 25
    ended = workspace.run("get", "transcripts")
    assert ended.code == 0, ended.err
    wanted = {
        call.id: {"callId": call.id, "transcript": transcript_of(gong, call.id)}
        for call in listed_calls(gong)
        if call.transcript_json is not None
    }
    assert {record["callId"]: record for record in lines(ended.out)} == wanted
    assert ended.out.count("\n") == len(wanted)
    private = private_ids(gong)
    assert f"{counted(private)} left out" in ended.err
    silent = {call.id for call in listed_calls(gong) if call.transcript_json is None}
    named = re.search(r"no transcript: (.*)", ended.err)
    assert (set(named[1].split(", ")) if named else set()) == silent
    asked = [request.body["filter"]["callIds"] for request in gong.requests if request.path.endswith("transcript")]
    assert not private & {call_id for ids in asked for call_id in ids}
    # With nothing kept back, nobody has to be asked about the calls.
    gong.requests.clear()
    everything = {record["callId"] for record in ask(private_calls="include").transcripts()}
    assert everything == {call.id for call in gong.list_calls() if call.transcript_json is not None}
    assert {request.path for request in gong.requests} == {"/v2/calls/transcript"}


def test_transcripts_by_id_name_what_is_unknown_private_or_silent(
    gong: SimulatedGong, ask: Ask, told: list[str]
) -> None:
    private = next(call_id for call_id in private_ids(gong) if gong.get_call(call_id).transcript_json)
    spoken, silent = [call.id for call in listed_calls(gong) if call.transcript_json is not None][:2]
    gong.replace_transcript(silent, None)
    for detail in ("extensive", "basic"):
        told.clear()
        read = ask(call_detail=detail).transcripts(call_ids=[private, "123", silent, spoken])
        assert [record["callId"] for record in read] == [spoken]
        assert told == [
            "1 private call left out: private_calls is 'exclude'",
            f"1 call has no transcript: {silent}",
            "1 of 4 calls were not found: 123",
        ]
    told.clear()
    read = ask(private_calls="include").transcripts(call_ids=[private, "123", spoken])
    assert {record["callId"] for record in read} == {private, spoken}
    assert told == ["1 of 3 calls were not found or have no transcript: 123"]


def test_a_key_that_may_only_list_calls_reads_transcripts_too(gong: SimulatedGong, ask: Ask) -> None:
    gong.settings.credentials = {BASIC_KEY: frozenset({"api:calls:read:basic", "api:calls:read:transcript"})}
    read = {record["callId"] for record in ask(call_detail="basic").transcripts()}
    assert read == {call.id for call in listed_calls(gong) if call.transcript_json is not None}


def test_a_simplified_transcript_says_who_spoke_and_when(gong: SimulatedGong, workspace: Workspace) -> None:
    ended = workspace.run("get", "transcripts", "--simplified")
    assert ended.code == 0, ended.err
    printed: dict[str, list[Json]] = {}
    for line in lines(ended.out):
        printed.setdefault(line.pop("callId"), []).append(line)
    wanted: dict[str, list[Json]] = {}
    for call in listed_calls(gong):
        if call.transcript_json is not None:
            parties = {party["speakerId"]: party for party in call.record["parties"] if party["speakerId"]}
            wanted[call.id] = [
                {
                    "start": str(timedelta(seconds=monologue["sentences"][0]["start"] // 1000)).rjust(8, "0"),
                    "end": str(timedelta(seconds=monologue["sentences"][-1]["end"] // 1000)).rjust(8, "0"),
                    "speaker": party.get("name") or party.get("emailAddress") or "Unknown speaker",
                    "side": party.get("affiliation", "Unknown"),
                    "topic": monologue["topic"],
                    "text": " ".join(sentence["text"] for sentence in monologue["sentences"]),
                }
                for monologue in transcript_of(gong, call.id)
                for party in [parties.get(monologue["speakerId"], {})]
            ]
    assert printed == wanted


def test_a_transcript_that_nobody_could_simplify_is_named_and_stops_no_other(
    gong: SimulatedGong, ask: Ask, told: list[str]
) -> None:
    odd, *others = [call.id for call in listed_calls(gong) if call.transcript_json is not None]
    gong.replace_transcript(odd, [{"speakerId": "1", "topic": None, "sentences": "none"}])
    assert {line["callId"] for line in ask().transcripts(simplified=True)} == set(others)
    assert any(line.startswith(f"the transcript of call {odd} is left out") for line in told)


def test_folders_are_those_of_every_workspace_or_of_one(gong: SimulatedGong, workspace: Workspace, ask: Ask) -> None:
    shelves = {
        shelf.folder["id"]: {**shelf.folder, "workspaceId": shelf.workspace_id} for shelf in gong.company.folders
    }
    ended = workspace.run("get", "folders")
    assert ended.code == 0, ended.err
    assert {folder["id"]: folder for folder in lines(ended.out)} == shelves
    own = gong.company.workspaces[1]["id"]
    gong.requests.clear()
    assert {folder["id"] for folder in ask().folders(own)} == {
        folder_id for folder_id, folder in shelves.items() if folder["workspaceId"] == own
    }
    assert [request.path for request in gong.requests] == ["/v2/library/folders"]


def test_a_call_twice_in_a_folder_comes_twice(gong: SimulatedGong, workspace: Workspace) -> None:
    shelf = gong.company.folders[0]
    ids = [entry["id"] for entry in shelf.calls]
    assert len(ids) > len(set(ids))
    ended = workspace.run("get", "folder-calls", "--folder-id", shelf.folder["id"])
    assert ended.code == 0, ended.err
    assert lines(ended.out) == shelf.calls


def test_a_folder_that_is_not_there_and_an_empty_one_differ(gong: SimulatedGong, ask: Ask) -> None:
    assert list(ask().folder_calls(gong.company.folders[-1].folder["id"])) == []
    with pytest.raises(RequestError, match="Folder not found"):
        list(ask().folder_calls("123"))


def test_an_empty_range_prints_nothing_and_is_no_failure(gong: SimulatedGong, workspace: Workspace, ask: Ask) -> None:
    ended = workspace.run("get", "extensive", "--since", "2020-01-01", "--until", "2020-02-01")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert len(gong.requests) == 1
    for nothing in (
        ask().calls("2020-01-01", "2020-01-01"),
        ask().transcripts("2020-01-01", "2020-01-01"),
        ask().extensive(call_ids=[]),
        ask().extensive(primary_user_ids=[]),
    ):
        assert list(nothing) == []
    assert len(gong.requests) == 1


@pytest.mark.parametrize("setting", ["metadata", "include"])
def test_private_calls_are_shown_as_the_settings_say(
    gong: SimulatedGong, ask: Ask, told: list[str], setting: str
) -> None:
    private = private_ids(gong)
    calls = {call["metaData"]["id"]: call for call in ask(private_calls=setting).extensive()}
    assert len(calls) == len(gong.list_calls())
    assert all((set(calls[call_id]) == {"metaData"}) == (setting == "metadata") for call_id in private)
    shown_so = [f"{counted(private)} shown by meta data alone: private_calls is 'metadata'"]
    assert told == (shown_so if setting == "metadata" else [])
    assert {call["id"] for call in ask(private_calls=setting).calls()} == set(calls)
    transcripts = {record["callId"] for record in ask(private_calls=setting).transcripts()}
    assert bool(transcripts & private) == (setting == "include")


def test_a_cursor_that_expires_in_mid_reading_costs_and_doubles_nothing(gong: SimulatedGong, ask: Ask) -> None:
    gong.settings.page_size = 10
    late = Fault(expired_cursor(), when=lambda request: request.cursor is not None, nth=3)
    gong.faults.append(late)
    assert [call["id"] for call in ask().calls()] == [call["id"] for call in ask().calls()]
    assert late.hit_count == 1
    assert len(gong.requests) > 2 * 6


def test_numbers_beyond_what_others_can_hold_come_out_as_they_went_in(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    call_id = next(iter(meta_of(gong)))
    gong.edit_call(call_id, customData=2271307570613351879123)
    ended = workspace.run("get", "extensive", "--call-ids", call_id)
    assert '"customData":2271307570613351879123' in ended.out
    assert f'"id":"{call_id}"' in ended.out


def test_people_are_pseudonyms_where_the_settings_say_so(gong: SimulatedGong, workspace: Workspace, ask: Ask) -> None:
    adder = gong.company.users[0]
    gong.company.folders[0].calls[0]["creatorName"] = f"{adder['firstName']} {adder['lastName']}"
    hidden = ask(pii="hash", pii_key=PRIVATE_KEY)
    library = [
        dict(entry, title="", note="") for folder in hidden.folders() for entry in hidden.folder_calls(folder["id"])
    ]
    calls = list(hidden.extensive(include_content=False, include_public_comments=False))
    titled = [{**call, "metaData": {**call["metaData"], "title": ""}} for call in calls]
    listed = [dict(call, title="") for call in hidden.calls()]
    spoken = [dict(line, text="") for line in hidden.transcripts(simplified=True)]
    said = json.dumps([library, titled, listed, spoken]).lower()
    assert not [person for person in people_of(gong) if person and person.lower() in said]
    # Whoever spoke is the party of the call.
    parties = {party.get("name") for call in calls for party in call["parties"]}
    assert {line["speaker"] for line in spoken} - {"Unknown speaker"} <= parties | {
        party.get("emailAddress") for call in calls for party in call["parties"]
    }
    workspace.configure(pii="hash", pii_key=PRIVATE_KEY)
    printed = lines(workspace.run("get", "transcripts", "--simplified").out)
    assert {line["speaker"] for line in printed} == {line["speaker"] for line in spoken}


def test_a_rejected_credential_gets_one_line(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.configure(credentials__access_key_secret="wrong-secret-1234")
    ended = workspace.run("get", "transcripts")
    assert (ended.code, ended.out) == (1, "")
    assert "Gong does not accept the credential" in ended.err
    assert ended.err.count("\n") == 1
    assert "wrong-secret-1234" not in ended.err
    assert len(gong.requests) == 1


@pytest.mark.parametrize(
    ("scopes", "arguments", "said"),
    [
        ({"api:calls:read:extensive"}, ["--include-media"], "api:calls:read:media-url: add it in Gong, or leave"),
        ({"api:calls:read:basic"}, [], "api:calls:read:extensive: add it in Gong"),
    ],
)
def test_a_missing_scope_gets_one_line(
    gong: SimulatedGong, workspace: Workspace, scopes: set[str], arguments: list[str], said: str
) -> None:
    gong.settings.credentials = {BASIC_KEY: frozenset(scopes)}
    ended = workspace.run("get", "extensive", *arguments)
    assert (ended.code, ended.out) == (1, "")
    assert said in ended.err
    assert "--select" not in ended.err
    assert ended.err.count("\n") == 1


def test_a_spent_quota_ends_it_on_purpose_with_the_cursor_told(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.page_size = 25
    gong.faults.append(Fault(too_many_requests(36_000), path="/v2/calls", nth=2))
    ended = workspace.run("get", "calls")
    assert ended.code == 3, ended.err
    assert "next cursor: " in ended.err
    assert "Gong asks to wait 36000 s" in ended.err
    assert len(lines(ended.out)) > 20


def test_a_reader_that_leaves_ends_it_quietly(make_gong: MakeGong, workspace: Workspace) -> None:
    make_gong(calls=300)
    left = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$0" get extensive | head -1', str(COMMAND)],
        cwd=workspace.folder,
        env=workspace.environment,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert left.stdout.count(b"\n") == 1
    assert left.stderr == b""


def test_ids_can_come_through_a_pipe(gong: SimulatedGong, workspace: Workspace) -> None:
    ids = sorted(meta_of(gong))[:3]
    piped = subprocess.run(
        [str(COMMAND), "get", "extensive", "--call-ids", "-", "--context", "None"],
        input="\n".join(ids),
        text=True,
        cwd=workspace.folder,
        env=workspace.environment,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert sorted(call["metaData"]["id"] for call in lines(piped.stdout)) == ids


def test_ctrl_c_leaves_no_traceback(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.page_size = 10
    workspace.configure(requests_per_second=0.5)
    running = subprocess.Popen(
        [str(COMMAND), "get", "extensive"],
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    waited = time.monotonic() + 30
    while not gong.requests and time.monotonic() < waited:
        time.sleep(0.05)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 1
    assert err == "gong-elt: interrupted; nothing is lost, run again\n"


def test_a_named_connection_is_asked_with_its_own_credential(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.credentials = {"Bearer demo-token": None}
    workspace.settings["SOURCES__GONG__EMEA__CREDENTIALS__ACCESS_TOKEN"] = "demo-token"
    ended = workspace.run("get", "folders", "--connection", "emea")
    assert ended.code == 0, ended.err
    assert len(lines(ended.out)) == len(gong.company.folders)


def test_one_reading_goes_on_inside_another_and_in_a_running_loop(gong: SimulatedGong, ask: Ask) -> None:
    gong.settings.page_size = 10
    account = ask()

    def joined() -> dict[str, int]:
        return {
            call["id"]: sum(1 for _ in account.transcripts(call_ids=[call["id"]]))
            for call in account.calls(since=datetime.now(UTC) - timedelta(days=3))
        }

    async def as_in_a_notebook() -> dict[str, int]:
        return joined()

    assert joined() == asyncio.run(as_in_a_notebook()) != {}


def test_an_answer_that_never_comes_is_an_error_of_gongs(gong: SimulatedGong, ask: Ask) -> None:
    gong.settings.see_no_calls = True
    assert list(ask().calls()) == []
    gong.settings.credentials = {}
    with pytest.raises(GongError, match="does not accept the credential"):
        list(ask().folders())


@pytest.mark.skipif(not OPENAPI.exists(), reason=f"Gong's OpenAPI document is not at {OPENAPI}")
def test_what_is_sent_is_what_gongs_own_document_takes(gong: SimulatedGong, ask: Ask) -> None:
    account, ids = ask(), sorted(meta_of(gong))[:2]
    hosts = [user["id"] for user in gong.company.users[:2]]
    period = ("2026-01-01", datetime.now(UTC), gong.company.workspaces[0]["id"])
    list(account.calls(*period))
    list(account.extensive(*period, ids, hosts, 5, context_timing=["Now"], include_media=True))
    list(account.extensive(call_ids=ids, context="None"))
    list(account.transcripts(*period, ids, simplified=True))
    list(ask(private_calls="include").transcripts(*period))
    list(account.folder_calls(next(account.folders())["id"]))
    spec: Json = json.loads(OPENAPI.read_text())
    schemas = {
        name: {**schema, "additionalProperties": False} for name, schema in spec["components"]["schemas"].items()
    }
    for request in gong.requests:
        operation = spec["paths"][request.path][request.method.lower()]
        known = {parameter["name"]: parameter.get("required", False) for parameter in operation.get("parameters", ())}
        assert set(request.query) <= set(known)
        assert {name for name, required in known.items() if required} <= set(request.query)
        if request.method == "POST":
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            root = {"$ref": reference, "components": {"schemas": schemas}}
            assert not list(Draft202012Validator(root).iter_errors(request.body)), request.path
    assert len({request.path for request in gong.requests}) == 6


@given(st.integers(min_value=0, max_value=10**9))
def test_a_time_reads_as_hours_minutes_and_seconds(milliseconds: int) -> None:
    text = clock(milliseconds) or ""
    hours, minutes, seconds = text.split(":")
    assert re.fullmatch(r"\d{2,}:[0-5]\d:[0-5]\d", text)
    assert 0 <= milliseconds - 1000 * (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) < 1000


def test_a_time_that_is_none_has_no_text() -> None:
    assert clock(None) is None
    assert clock("12") is None
    assert clock(-5) == "00:00:00"


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
SENTENCES = st.fixed_dictionaries(
    {"start": st.integers(0, 10**8), "end": st.integers(0, 10**8)}, optional={"text": st.none() | TEXTS}
)
MONOLOGUES = st.fixed_dictionaries(
    {"speakerId": st.none() | st.sampled_from(["1", "2", "3"]), "topic": st.none() | TEXTS},
    optional={"sentences": st.none() | st.lists(SENTENCES, max_size=4)},
)
PARTIES = st.fixed_dictionaries(
    {"speakerId": st.none() | st.sampled_from(["1", "2", 3])},
    optional={
        "name": st.none() | st.sampled_from(["Ada", " "]),
        "emailAddress": st.none() | st.sampled_from(["ada@example.com", ""]),
        "affiliation": st.none() | st.sampled_from(["Internal", "External", "Unknown", "Martian"]),
    },
)


@given(st.none() | st.lists(MONOLOGUES, max_size=6), st.lists(PARTIES, max_size=4))
def test_a_simplified_transcript_has_every_sentence_once_in_order_and_a_line_a_monologue(
    monologues: list[Json] | None, parties: list[Json]
) -> None:
    told = simplified({"callId": "7", "transcript": monologues}, speakers(parties))
    assert len(told) == len(monologues or [])
    for line, monologue in zip(told, monologues or [], strict=True):
        texts = [sentence.get("text") or "" for sentence in monologue.get("sentences") or []]
        assert line["text"] == " ".join(text for text in texts if text.strip())
        assert line["callId"] == "7"
        # Of two parties with one speaker id the first one counts.
        spoke = next((party for party in parties if str(party["speakerId"]) == monologue["speakerId"]), {})
        name = (spoke.get("name") or "").strip() or spoke.get("emailAddress") or "Unknown speaker"
        side = spoke.get("affiliation")
        assert (line["speaker"], line["side"]) == (name, side if side in ("Internal", "External") else "Unknown")
