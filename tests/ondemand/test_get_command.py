"""The command `gong-elt get`: JSON lines on stdout, messages on stderr, exit codes, pipes and signals."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, too_many_requests
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.gong_api import DEMO_AUTHORIZATION, Json
from tests.support.on_demand import (
    monologues_of,
    parse_lines,
    private_call_ids,
    private_calls_phrase,
    visible_metadata,
)
from tests.support.workspace import COMMAND, Workspace


def test_calls_are_printed_unchanged_over_all_pages(gong: SimulatedGong, workspace: Workspace) -> None:
    """All visible calls are printed once, private ones are counted, and no file is created."""
    gong.settings.page_size = 25

    ended = workspace.run("get", "calls")

    assert ended.code == 0, ended.err
    printed = parse_lines(ended.out)
    assert {call["id"]: call for call in printed} == visible_metadata(gong)
    assert len(printed) == len(visible_metadata(gong))
    private = private_calls_phrase(private_call_ids(gong))
    assert ended.err == f"gong-elt: {private} left out: private_calls is 'exclude'\n"
    assert [request.cursor is None for request in gong.requests] == [True, False, False]
    assert {path.name for path in workspace.folder.iterdir()} <= {"home", "working"}
    assert not list(workspace.folder.rglob("*.duckdb"))


def test_reading_continues_at_the_printed_cursor(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--max-pages` prints a cursor and a period with which a second command reads the rest, nothing twice."""
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
    printed = [call["id"] for call in parse_lines(first.out) + parse_lines(second.out)]
    assert sorted(printed) == sorted(visible_metadata(gong))
    assert gong.requests[2].cursor == cursor[1]
    assert len(gong.requests) == 3


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (["extensive", "--context", "Basic", "--context-timing", "Now"], {}, "needs context Extended"),
        (["calls", "--since", "2026-02-01", "--until", "2026-01-01"], {}, "the period is invalid"),
        (["folders"], {"pii": "hash"}, "pii_key"),
        (["extensive"], {"include_media": "perhaps"}, "include_media"),
        (["transcripts", "--simplified"], {"call_detail": "basic"}, "need call_detail = 'extensive'"),
    ],
)
def test_a_usage_error_is_one_line_with_exit_code_2(
    gong: SimulatedGong, workspace: Workspace, arguments: list[str], settings: Json, message: str
) -> None:
    """Invalid options and settings are reported before any request is sent."""
    workspace.configure(**settings)

    ended = workspace.run("get", *arguments)

    assert ended.code == 2, ended.err
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert ended.out == ""
    assert gong.requests == []


def test_all_options_are_sent_to_gong(gong: SimulatedGong, workspace: Workspace) -> None:
    """Each option of `get extensive` arrives in the filter or the content selector of the request."""
    call = public_calls(gong)[0].record["metaData"]
    since, until = datetime.now(UTC) - timedelta(days=40), datetime.now(UTC) + timedelta(days=1)

    ended = workspace.run(
        *("get", "extensive", "--since", f"{since:%Y-%m-%dT%H:%M:%SZ}", "--until", f"{until:%Y-%m-%d}"),
        *("--workspace-id", call["workspaceId"], "--call-ids", f"{call['id']}, {call['id']}"),
        *("--primary-user-ids", call["primaryUserId"], "--context", "Extended", "--context-timing", "TimeOfCall"),
        *("--no-parties", "--no-content", "--include-media", "--no-public-comments"),
    )

    assert ended.code == 0, ended.err
    (printed,) = parse_lines(ended.out)
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


def test_transcripts_of_private_calls_are_neither_requested_nor_printed(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """By default only the transcripts of visible calls are read; calls without one are listed on stderr."""
    gong.settings.page_size = 25

    ended = workspace.run("get", "transcripts")

    assert ended.code == 0, ended.err
    expected = {
        call.id: {"callId": call.id, "transcript": monologues_of(gong, call.id)}
        for call in public_calls(gong)
        if call.transcript_json is not None
    }
    assert {record["callId"]: record for record in parse_lines(ended.out)} == expected
    assert ended.out.count("\n") == len(expected)
    private = private_call_ids(gong)
    assert f"{private_calls_phrase(private)} left out" in ended.err
    without_transcript = {call.id for call in public_calls(gong) if call.transcript_json is None}
    reported = re.search(r"no transcript: (.*)", ended.err)
    assert (set(reported[1].split(", ")) if reported else set()) == without_transcript
    requested = [request.body["filter"]["callIds"] for request in gong.requests if request.path.endswith("transcript")]
    assert not private & {call_id for ids in requested for call_id in ids}


def test_simplified_lines_name_speaker_side_and_time(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--simplified` prints one line per monologue, with values computed here from the server's data."""
    ended = workspace.run("get", "transcripts", "--simplified")

    assert ended.code == 0, ended.err
    printed: dict[str, list[Json]] = {}
    for line in parse_lines(ended.out):
        printed.setdefault(line.pop("callId"), []).append(line)
    expected: dict[str, list[Json]] = {}
    for call in public_calls(gong):
        if call.transcript_json is not None:
            parties = {party["speakerId"]: party for party in call.record["parties"] if party["speakerId"]}
            expected[call.id] = [
                {
                    "start": str(timedelta(seconds=monologue["sentences"][0]["start"] // 1000)).rjust(8, "0"),
                    "end": str(timedelta(seconds=monologue["sentences"][-1]["end"] // 1000)).rjust(8, "0"),
                    "speaker": party.get("name") or party.get("emailAddress") or "Unknown speaker",
                    "side": party.get("affiliation", "Unknown"),
                    "topic": monologue["topic"],
                    "text": " ".join(sentence["text"] for sentence in monologue["sentences"]),
                }
                for monologue in monologues_of(gong, call.id)
                for party in [parties.get(monologue["speakerId"], {})]
            ]
    assert printed == expected


def test_a_call_twice_in_a_folder_is_printed_twice(gong: SimulatedGong, workspace: Workspace) -> None:
    """The folder's entries are printed as Gong sends them, snippets of one call included."""
    shelf = gong.company.folders[0]
    ids = [entry["id"] for entry in shelf.calls]
    assert len(ids) > len(set(ids))

    ended = workspace.run("get", "folder-calls", "--folder-id", shelf.folder["id"])

    assert ended.code == 0, ended.err
    assert parse_lines(ended.out) == shelf.calls


def test_an_empty_period_prints_nothing_and_succeeds(gong: SimulatedGong, workspace: Workspace) -> None:
    """Gong's 404 for a period without calls is not an error."""
    ended = workspace.run("get", "extensive", "--since", "2020-01-01", "--until", "2020-02-01")

    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert len(gong.requests) == 1


def test_integers_beyond_64_bits_are_printed_unchanged(gong: SimulatedGong, workspace: Workspace) -> None:
    """Numbers that doubles and 64-bit integers cannot hold keep all digits."""
    call_id = next(iter(visible_metadata(gong)))
    gong.edit_call(call_id, customData=2271307570613351879123)

    ended = workspace.run("get", "extensive", "--call-ids", call_id)

    assert '"customData":2271307570613351879123' in ended.out
    assert f'"id":"{call_id}"' in ended.out


def test_a_rejected_credential_is_one_line(gong: SimulatedGong, workspace: Workspace) -> None:
    """A 401 ends the command after one request, without showing the secret."""
    workspace.configure(credentials__access_key_secret="wrong-secret-1234")

    ended = workspace.run("get", "transcripts")

    assert (ended.code, ended.out) == (1, "")
    assert "Gong does not accept the credential" in ended.err
    assert ended.err.count("\n") == 1
    assert "wrong-secret-1234" not in ended.err
    assert len(gong.requests) == 1


@pytest.mark.parametrize(
    ("scopes", "arguments", "message"),
    [
        ({"api:calls:read:extensive"}, ["--include-media"], "api:calls:read:media-url: add it in Gong, or omit"),
        ({"api:calls:read:basic"}, [], "api:calls:read:extensive: add it in Gong"),
    ],
)
def test_a_missing_scope_is_one_line(
    gong: SimulatedGong, workspace: Workspace, scopes: set[str], arguments: list[str], message: str
) -> None:
    """The message names the scope and an option to omit, not `--select`, which `get` does not have."""
    gong.settings.credentials = {DEMO_AUTHORIZATION: frozenset(scopes)}

    ended = workspace.run("get", "extensive", *arguments)

    assert (ended.code, ended.out) == (1, "")
    assert message in ended.err
    assert "--select" not in ended.err
    assert ended.err.count("\n") == 1


def test_an_exceeded_quota_ends_with_exit_code_3_and_the_cursor(gong: SimulatedGong, workspace: Workspace) -> None:
    """A long `Retry-After` stops the command, keeps what was printed, and shows how to continue."""
    gong.settings.page_size = 25
    gong.faults.append(Fault(too_many_requests(36_000), path="/v2/calls", nth=2))

    ended = workspace.run("get", "calls")

    assert ended.code == 3, ended.err
    assert "next cursor: " in ended.err
    assert "36000 s" in ended.err
    assert len(parse_lines(ended.out)) > 20


def test_a_closed_pipe_ends_the_command_quietly(make_gong: MakeGong, workspace: Workspace) -> None:
    """`gong-elt get … | head -1` succeeds without a message."""
    make_gong(calls=300)

    piped = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$0" get extensive | head -1', str(COMMAND)],
        cwd=workspace.folder,
        env=workspace.environment,
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert piped.stdout.count(b"\n") == 1
    assert piped.stderr == b""


def test_call_ids_are_read_from_stdin(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--call-ids -` reads ids from a pipe, one per line."""
    ids = sorted(visible_metadata(gong))[:3]

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

    assert sorted(call["metaData"]["id"] for call in parse_lines(piped.stdout)) == ids


def test_ctrl_c_prints_no_traceback(gong: SimulatedGong, workspace: Workspace) -> None:
    """SIGINT during a request ends the command with one line and exit code 1."""
    gong.settings.page_size = 10
    workspace.configure(requests_per_second=0.5)
    process = subprocess.Popen(
        [str(COMMAND), "get", "extensive"],
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    give_up_at = time.monotonic() + 30
    while not gong.requests and time.monotonic() < give_up_at:
        time.sleep(0.05)
    time.sleep(0.3)

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert err == "gong-elt: interrupted; nothing is lost, run again\n"


def test_a_named_connection_uses_its_own_credential(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--connection emea` reads `sources.gong.emea.credentials`, not the default connection's."""
    gong.settings.credentials = {"Bearer demo-token": None}
    workspace.settings["SOURCES__GONG__EMEA__CREDENTIALS__ACCESS_TOKEN"] = "demo-token"

    ended = workspace.run("get", "folders", "--connection", "emea")

    assert ended.code == 0, ended.err
    assert len(parse_lines(ended.out)) == len(gong.company.folders)
