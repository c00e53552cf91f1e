"""Calls by the file: `gong-elt upload` and `add-media`, what is set aside, refused, killed, stopped, written down."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, reset_connection, respond
from pipelines.write.gong_writer import LARGEST_RECORDING
from tests.support.upload_files import build_upload_rows, write_csv, write_jsonl, write_parquet
from tests.support.workspace import Workspace

Rows = Sequence[dict[str, Any]]


def sent(gong: SimulatedGong) -> list[str]:
    posts = [request for request in gong.requests if (request.method, request.path) == ("POST", "/v2/calls")]
    return [request.body["clientUniqueId"] for request in posts]


def in_gong(gong: SimulatedGong) -> Counter[str]:
    named = (call.record["metaData"].get("clientUniqueId") or "" for call in gong.list_calls())
    return Counter(name for name in named if name.startswith("pbx-"))


def uploaded(workspace: Workspace) -> list[tuple[Any, ...]]:
    return workspace.rows("SELECT client_unique_id, row, status, call_id, error FROM _uploads ORDER BY row")


@pytest.mark.parametrize("written", [write_csv, write_jsonl, write_parquet])
def test_a_file_of_any_kind_is_added_once_and_written_down(
    gong: SimulatedGong, workspace: Workspace, written: Callable[[Path, Rows], str]
) -> None:
    file = written(workspace.folder, build_upload_rows(gong, 5))
    first, again = (workspace.run("upload", file, "--json") for _ in range(2))
    assert (first.code, first.json["added"], first.json["already_added"]) == (0, 5, 0), first.err
    assert (again.code, again.json["added"], again.json["already_added"], again.json["requests"]) == (0, 0, 5, 0)
    assert in_gong(gong) == Counter(f"pbx-{number}" for number in range(5))
    assert sent(gong) == [f"pbx-{number}" for number in range(5)]
    by_name = {call.record["metaData"].get("clientUniqueId"): call for call in gong.list_calls()}
    assert [row[:4] for row in uploaded(workspace)] == [
        (f"pbx-{number}", number + 1, "added", by_name[f"pbx-{number}"].id) for number in range(5)
    ]
    assert by_name["pbx-3"].record["metaData"]["title"] == "Call 3"
    assert workspace.rows("SELECT command, status, requests, calls FROM _runs ORDER BY started_at") == [
        ("upload", "done", 5, 5),
        ("upload", "done", 0, 0),
    ]


def test_a_sync_after_an_upload_and_an_upload_after_a_sync(gong: SimulatedGong, workspace: Workspace) -> None:
    file = write_csv(workspace.folder, build_upload_rows(gong, 2))
    assert workspace.run("upload", file).code == 0
    workspace.configure(requests_per_day=2)
    assert workspace.sync(code=3)["requests"] == 0
    workspace.configure(requests_per_day=400)
    synced = workspace.sync()
    assert {"pbx-0", "pbx-1"} <= {row[0] for row in workspace.rows("SELECT client_unique_id FROM calls")}
    file = write_csv(workspace.folder, build_upload_rows(gong, 3), "more.csv")
    assert workspace.run("upload", file, "--json").json["already_added"] == 2
    status = json.loads(workspace.run("status", "--json").out)
    assert status["requests_left"] == 400 - 2 - synced["requests"] - 1


def test_bad_rows_are_set_aside_with_all_their_faults_and_the_good_ones_are_added(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    rows = build_upload_rows(gong, 6)
    rows[1] |= {"direction": "Sideways", "actual_start": "yesterday", "title": "=1,\n2"}
    rows[2] |= {"client_unique_id": ""}
    rows[4] |= {"client_unique_id": "pbx-0"}
    file = write_csv(workspace.folder, rows)
    dry = workspace.run("upload", file, "--dry-run", "--json")
    assert (dry.code, len(dry.json["invalid"]), gong.requests) == (1, 3, [])
    assert not list(workspace.folder.glob("*.duckdb"))
    for _ in range(2):
        ended = workspace.run("upload", file, "--json")
        assert ended.code == 1
        aside = {row["row"]: row["faults"] for row in ended.json["invalid"]}
        assert [fault.partition(":")[0] for fault in aside[2]] == ["actual_start", "direction"]
        assert aside[3] == ["client_unique_id: is missing"]
        assert "row 1 too" in aside[5][0]
        assert in_gong(gong) == Counter(["pbx-0", "pbx-3", "pbx-5"])
        kept = uploaded(workspace)
        assert [(row[1], row[2]) for row in kept if row[2] == "invalid"] == [(n, "invalid") for n in (2, 3, 5)]
        assert [row[0] for row in kept if row[2] == "added"] == ["pbx-0", "pbx-3", "pbx-5"]
    told = workspace.run("upload", file)
    assert "row 2 (pbx-1) invalid: actual_start: yesterday is no date-time" in told.out
    rows[1] |= {"direction": "Inbound", "actual_start": "2026-05-20T10:00:00Z"}
    assert workspace.run("upload", write_csv(workspace.folder, rows), "--json").json["added"] == 1
    assert [row[1] for row in uploaded(workspace) if row[2] == "invalid"] == [3, 5]


def test_lines_that_are_no_rows_are_set_aside(gong: SimulatedGong, workspace: Workspace) -> None:
    good, other = (json.dumps(row) for row in build_upload_rows(gong, 2))
    (workspace.folder / "odd.jsonl").write_text(f'{good}\n[1]\n{{"a": \n{other[:-1]}, "colour": "red"}}\n')
    ended = workspace.run("upload", "odd.jsonl", "--json")
    assert (ended.code, ended.json["added"]) == (1, 1)
    assert [row["faults"] for row in ended.json["invalid"]] == [
        ["is no JSON object"],
        ["is no JSON object"],
        ["colour: is no field of a new call"],
    ]


def test_a_call_is_known_by_the_name_it_was_sent_with(gong: SimulatedGong, workspace: Workspace) -> None:
    row = {**build_upload_rows(gong, 1)[0], "client_unique_id": "", "clientUniqueId": " pbx-7 "}
    (workspace.folder / "odd.jsonl").write_text(json.dumps(row))
    first, again = (workspace.run("upload", "odd.jsonl", "--json") for _ in range(2))
    assert (first.json["added"], again.json["already_added"], sent(gong)) == (1, 1, ["pbx-7"])
    assert [row[0] for row in uploaded(workspace)] == ["pbx-7"]


def test_a_file_that_cannot_be_used_is_one_line_and_nothing_is_sent(gong: SimulatedGong, workspace: Workspace) -> None:
    row, folder = build_upload_rows(gong, 1)[0], workspace.folder
    (folder / "calls.xlsx").write_bytes(b"PK")
    (folder / "latin.csv").write_bytes(b"client_unique_id,actual_start,direction,primary_user,parties\nM\xfcller,,,,\n")
    (folder / "open.csv").write_text('client_unique_id,actual_start,direction,primary_user,parties\n"a,,,,\n')
    (folder / "broken.parquet").write_bytes(b"PAR1")
    write_csv(folder, [{**row, "tilte": "x"}], "tilte.csv")
    write_csv(folder, [{"client_unique_id": "a", "clientUniqueId": "b"}], "twice.csv")
    for file, said in (
        ("none.csv", "no such file"),
        ("calls.xlsx", ".csv, .jsonl or .parquet"),
        ("latin.csv", "no UTF-8 text"),
        ("open.csv", "cannot be read"),
        ("broken.parquet", "cannot be read"),
        ("tilte.csv", "'tilte' is no field of a new call: is it 'title'?"),
        ("twice.csv", "'client_unique_id' comes twice; 'actual_start' is missing"),
    ):
        ended = workspace.run("upload", file)
        assert ended.code == 2, file
        (line,) = ended.err.strip().splitlines()
        assert said in line
    assert not gong.requests


def test_a_killed_upload_is_made_good_by_the_next(gong: SimulatedGong, workspace: Workspace) -> None:
    file = write_csv(workspace.folder, build_upload_rows(gong, 60))
    gong.settings.latency_seconds = 0.02
    process = workspace.start("upload", file)
    while len(sent(gong)) < 20:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    before = len(sent(gong))
    ended = workspace.run("upload", file, "--json")
    assert (ended.code, ended.json["added"] + ended.json["already_added"]) == (0, 60), ended.err
    assert in_gong(gong) == Counter(f"pbx-{number}" for number in range(60))
    # The one whose answer nobody took is sent again, and no other.
    assert len(sent(gong)) - 60 <= 1
    assert before + ended.json["added"] == len(sent(gong))
    assert [row[0] for row in uploaded(workspace)] == [f"pbx-{number}" for number in range(60)]
    assert [row[0] for row in workspace.rows("SELECT status FROM _runs ORDER BY started_at")] == ["killed", "done"]


def test_what_gong_does_to_requests_loses_and_doubles_no_call(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults += [Fault(respond(500), nth=2), Fault(reset_connection(), nth=4), Fault(respond(429), nth=6)]
    ended = workspace.run("upload", write_csv(workspace.folder, build_upload_rows(gong, 6)), "--json")
    assert (ended.code, ended.json["added"], ended.json["requests"]) == (0, 6, 9), ended.err
    assert in_gong(gong) == Counter(f"pbx-{number}" for number in range(6))


def test_a_call_that_gong_refuses_stops_no_other(gong: SimulatedGong, workspace: Workspace) -> None:
    rows = build_upload_rows(gong, 3)
    rows[1] |= {"primary_user": "5", "parties": '[{"userId": "5"}]'}
    file = write_csv(workspace.folder, rows)
    ended = workspace.run("upload", file, "--json")
    assert (ended.code, ended.json["added"]) == (1, 2)
    (refused,) = ended.json["refused"]
    assert (refused["row"], refused["client_unique_id"]) == (2, "pbx-1")
    assert "Recording is not enabled" in refused["faults"][0]
    name, _, status, call_id, error = uploaded(workspace)[1]
    assert (name, status, call_id) == ("pbx-1", "refused", None)
    assert "Recording is not enabled" in error
    gong.requests.clear()
    assert workspace.run("upload", file).code == 1
    assert sent(gong) == ["pbx-1"]


def test_a_gong_that_is_down_ends_it_and_the_next_upload_sends_the_rest(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    file = write_csv(workspace.folder, build_upload_rows(gong, 8))
    workspace.settings["RUNTIME__REQUEST_BACKOFF_FACTOR"] = "0.01"
    gong.faults.append(Fault(respond(503), when=lambda request: request.body["clientUniqueId"] > "pbx-1"))
    ended = workspace.run("upload", file, "--json")
    assert (ended.code, ended.json["added"], len(ended.json["failed"]), ended.json["not_sent"]) == (1, 2, 2, 4)
    assert "no usable answer" in ended.json["reason"]
    gong.faults.clear()
    ended = workspace.run("upload", file, "--json")
    assert (ended.code, ended.json["added"], ended.json["already_added"]) == (0, 6, 2)
    assert [row[2] for row in uploaded(workspace)] == ["added"] * 8


def test_a_missing_scope_ends_it_at_once(gong: SimulatedGong, workspace: Workspace) -> None:
    (header, _), *_ = gong.settings.credentials.items()
    gong.settings.credentials[header] = frozenset({"api:calls:read:basic"})
    ended = workspace.run("upload", write_csv(workspace.folder, build_upload_rows(gong, 5)), "--json")
    assert (ended.code, ended.json["not_sent"], len(gong.requests)) == (1, 5, 1)
    assert "api:calls:create" in ended.json["reason"]


def test_a_spent_budget_stops_it_and_the_next_one_goes_on(gong: SimulatedGong, workspace: Workspace) -> None:
    file = write_csv(workspace.folder, build_upload_rows(gong, 5))
    workspace.configure(requests_per_day=3)
    ended = workspace.run("upload", file, "--json")
    assert (ended.code, ended.json["status"], ended.json["added"], ended.json["not_sent"]) == (3, "stopped", 3, 2)
    assert workspace.run("upload", file, "--json").code == 3
    workspace.configure(requests_per_day=100)
    ended = workspace.run("upload", file, "--json")
    assert (ended.code, ended.json["added"], ended.json["already_added"]) == (0, 2, 3)


def test_a_recording_is_added_as_it_is(gong: SimulatedGong, workspace: Workspace) -> None:
    file = write_csv(workspace.folder, build_upload_rows(gong, 1))
    assert workspace.run("upload", file).code == 0
    ((_, _, _, call_id, _),) = uploaded(workspace)
    recording = os.urandom(300_000)
    (workspace.folder / "call.mp3").write_bytes(recording)
    gong.faults += [Fault(respond(500), method="PUT", nth=1), Fault(reset_connection(), method="PUT", nth=2)]
    ended = workspace.run("add-media", call_id, "call.mp3")
    assert (ended.code, ended.json) == (0, {"callId": call_id}), ended.err
    kept = gong.company.recordings[call_id]
    assert (kept.size, kept.sha256) == (300_000, sha256(recording).hexdigest())


def test_a_recording_that_gong_would_not_take_is_refused_before_it_is_sent(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    rows = build_upload_rows(gong, 1)
    rows[0]["download_media_url"] = "https://media.example/1.mp3"
    assert workspace.run("upload", write_csv(workspace.folder, rows)).code == 0
    ((_, _, _, call_id, _),) = uploaded(workspace)
    gong.requests.clear()
    (workspace.folder / "empty.mp3").touch()
    with (workspace.folder / "large.mp3").open("wb") as large:
        large.truncate(LARGEST_RECORDING + 1)
    (workspace.folder / "call.mp3").write_bytes(b"x")
    for name, file, said in (
        ("123", "empty.mp3", "is empty"),
        ("123", "large.mp3", "1,500,000,001 bytes, and Gong takes 1,500,000,000"),
        ("123", "none.mp3", "no such file"),
        ("x", "call.mp3", "call_id"),
        (call_id, "call.mp3", "download_media_url"),
    ):
        ended = workspace.run("add-media", name, file)
        assert ended.code == 2, file
        (line,) = ended.err.strip().splitlines()
        assert said in line
    assert not gong.requests
