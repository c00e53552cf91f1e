"""`gong-elt upload` and `add-media`: validation, retries, kills, quota, and the table `_uploads`."""

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
from pipelines.write.gong_writer import MAX_RECORDING_BYTES
from tests.support.upload_files import build_upload_rows, write_csv, write_jsonl, write_parquet
from tests.support.workspace import Workspace

Rows = Sequence[dict[str, Any]]


def read_sent_ids(gong: SimulatedGong) -> list[str]:
    """Return the `clientUniqueId` of each request that adds a call."""
    posts = [request for request in gong.requests if (request.method, request.path) == ("POST", "/v2/calls")]
    return [request.body["clientUniqueId"] for request in posts]


def count_uploaded_calls(gong: SimulatedGong) -> Counter[str]:
    """Return how many calls with each `clientUniqueId` Gong has."""
    ids = (call.record["metaData"].get("clientUniqueId") or "" for call in gong.list_calls())
    return Counter(name for name in ids if name.startswith("pbx-"))


def read_upload_rows(workspace: Workspace) -> list[tuple[Any, ...]]:
    """Return the rows of `_uploads` in the order of the file."""
    return workspace.rows("SELECT client_unique_id, row, status, call_id, error FROM _uploads ORDER BY row")


@pytest.mark.parametrize("write_file", [write_csv, write_jsonl, write_parquet])
def test_a_file_of_each_format_is_uploaded_once_and_recorded(
    gong: SimulatedGong, workspace: Workspace, write_file: Callable[[Path, Rows], str]
) -> None:
    """A second upload of the same CSV, JSON lines or Parquet file sends nothing."""
    file = write_file(workspace.folder, build_upload_rows(gong, 5))
    first, again = (workspace.run("upload", file, "--json") for _ in range(2))
    assert (first.code, first.json["added"], first.json["already_added"]) == (0, 5, 0), first.err
    assert (again.code, again.json["added"], again.json["already_added"], again.json["requests"]) == (0, 0, 5, 0)
    assert count_uploaded_calls(gong) == Counter(f"pbx-{number}" for number in range(5))
    assert read_sent_ids(gong) == [f"pbx-{number}" for number in range(5)]

    by_name = {call.record["metaData"].get("clientUniqueId"): call for call in gong.list_calls()}
    assert [row[:4] for row in read_upload_rows(workspace)] == [
        (f"pbx-{number}", number + 1, "added", by_name[f"pbx-{number}"].id) for number in range(5)
    ]
    assert by_name["pbx-3"].record["metaData"]["title"] == "Call 3"
    assert workspace.rows("SELECT command, status, requests, calls FROM _runs ORDER BY started_at") == [
        ("upload", "done", 5, 5),
        ("upload", "done", 0, 0),
    ]


def test_uploads_and_syncs_share_warehouse_and_quota(gong: SimulatedGong, workspace: Workspace) -> None:
    """Requests of uploads count towards the daily quota of syncs, and the reverse."""
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


def test_invalid_rows_are_reported_and_valid_ones_uploaded(gong: SimulatedGong, workspace: Workspace) -> None:
    """All faults of a row are reported before anything is sent, and corrected rows are uploaded later."""
    rows = build_upload_rows(gong, 6)
    rows[1] |= {"direction": "Sideways", "actual_start": "yesterday", "title": "=1,\n2"}
    rows[2] |= {"client_unique_id": ""}
    rows[4] |= {"client_unique_id": "pbx-0"}
    file = write_csv(workspace.folder, rows)

    dry = workspace.run("upload", file, "--dry-run", "--json")
    assert (dry.code, len(dry.json["invalid"]), gong.requests) == (1, 3, [])
    assert not list(workspace.folder.glob("*.duckdb"))

    for _ in range(2):
        result = workspace.run("upload", file, "--json")
        assert result.code == 1
        faults = {row["row"]: row["faults"] for row in result.json["invalid"]}
        assert [fault.partition(":")[0] for fault in faults[2]] == ["actual_start", "direction"]
        assert faults[3] == ["client_unique_id: is missing"]
        assert "repeats row 1" in faults[5][0]
        assert count_uploaded_calls(gong) == Counter(["pbx-0", "pbx-3", "pbx-5"])
        rows_after = read_upload_rows(workspace)
        assert [(row[1], row[2]) for row in rows_after if row[2] == "invalid"] == [(n, "invalid") for n in (2, 3, 5)]
        assert [row[0] for row in rows_after if row[2] == "added"] == ["pbx-0", "pbx-3", "pbx-5"]

    printed = workspace.run("upload", file)
    assert "row 2 (pbx-1) invalid: actual_start: yesterday is not a date-time" in printed.out

    rows[1] |= {"direction": "Inbound", "actual_start": "2026-05-20T10:00:00Z"}
    assert workspace.run("upload", write_csv(workspace.folder, rows), "--json").json["added"] == 1
    assert [row[1] for row in read_upload_rows(workspace) if row[2] == "invalid"] == [3, 5]


def test_invalid_json_lines_are_reported(gong: SimulatedGong, workspace: Workspace) -> None:
    """A line that is not an object does not stop the lines after it."""
    good, other = (json.dumps(row) for row in build_upload_rows(gong, 2))
    (workspace.folder / "mixed.jsonl").write_text(f'{good}\n[1]\n{{"a": \n{other[:-1]}, "colour": "red"}}\n')
    result = workspace.run("upload", "mixed.jsonl", "--json")
    assert (result.code, result.json["added"]) == (1, 1)
    assert [row["faults"] for row in result.json["invalid"]] == [
        ["is not a JSON object"],
        ["is not a JSON object"],
        ["colour: is not a field of a new call"],
    ]


def test_a_call_is_identified_by_the_id_that_was_sent(gong: SimulatedGong, workspace: Workspace) -> None:
    """Gong's field name and surrounding spaces do not cause a second upload."""
    row = {**build_upload_rows(gong, 1)[0], "client_unique_id": "", "clientUniqueId": " pbx-7 "}
    (workspace.folder / "mixed.jsonl").write_text(json.dumps(row))
    first, again = (workspace.run("upload", "mixed.jsonl", "--json") for _ in range(2))
    assert (first.json["added"], again.json["already_added"], read_sent_ids(gong)) == (1, 1, ["pbx-7"])
    assert [row[0] for row in read_upload_rows(workspace)] == ["pbx-7"]


def test_an_unusable_file_is_a_usage_error_and_nothing_is_sent(gong: SimulatedGong, workspace: Workspace) -> None:
    """Missing, unreadable and misnamed columns end in one line with exit code 2."""
    row, folder = build_upload_rows(gong, 1)[0], workspace.folder
    (folder / "calls.xlsx").write_bytes(b"PK")
    (folder / "latin.csv").write_bytes(b"client_unique_id,actual_start,direction,primary_user,parties\nM\xfcller,,,,\n")
    (folder / "open.csv").write_text('client_unique_id,actual_start,direction,primary_user,parties\n"a,,,,\n')
    (folder / "broken.parquet").write_bytes(b"PAR1")
    write_csv(folder, [{**row, "tilte": "x"}], "tilte.csv")
    write_csv(folder, [{"client_unique_id": "a", "clientUniqueId": "b"}], "twice.csv")

    for file, message in (
        ("none.csv", "does not exist"),
        ("calls.xlsx", ".csv, .jsonl or .parquet"),
        ("latin.csv", "is not UTF-8 text"),
        ("open.csv", "cannot be read"),
        ("broken.parquet", "cannot be read"),
        ("tilte.csv", "'tilte' is not a field of a new call; did you mean 'title'?"),
        ("twice.csv", "'client_unique_id' occurs twice; 'actual_start' is missing"),
    ):
        result = workspace.run("upload", file)
        assert result.code == 2, file
        (line,) = result.err.strip().splitlines()
        assert message in line
    assert not gong.requests


def test_a_killed_upload_is_completed_by_the_next(gong: SimulatedGong, workspace: Workspace) -> None:
    """At most the call in flight is sent twice, and Gong has each call once."""
    file = write_csv(workspace.folder, build_upload_rows(gong, 60))
    gong.settings.latency_seconds = 0.02
    process = workspace.start("upload", file)
    while len(read_sent_ids(gong)) < 20:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()

    before = len(read_sent_ids(gong))
    result = workspace.run("upload", file, "--json")
    assert (result.code, result.json["added"] + result.json["already_added"]) == (0, 60), result.err
    assert count_uploaded_calls(gong) == Counter(f"pbx-{number}" for number in range(60))
    # Only the call whose response was not received is sent again.
    assert len(read_sent_ids(gong)) - 60 <= 1
    assert before + result.json["added"] == len(read_sent_ids(gong))
    assert [row[0] for row in read_upload_rows(workspace)] == [f"pbx-{number}" for number in range(60)]
    assert [row[0] for row in workspace.rows("SELECT status FROM _runs ORDER BY started_at")] == ["killed", "done"]


def test_temporary_faults_lose_and_duplicate_no_call(gong: SimulatedGong, workspace: Workspace) -> None:
    """Failed requests are retried with the same clientUniqueId."""
    gong.faults += [Fault(respond(500), nth=2), Fault(reset_connection(), nth=4), Fault(respond(429), nth=6)]
    result = workspace.run("upload", write_csv(workspace.folder, build_upload_rows(gong, 6)), "--json")
    assert (result.code, result.json["added"], result.json["requests"]) == (0, 6, 9), result.err
    assert count_uploaded_calls(gong) == Counter(f"pbx-{number}" for number in range(6))


def test_a_call_that_gong_refuses_does_not_stop_the_others(gong: SimulatedGong, workspace: Workspace) -> None:
    """The row is recorded with Gong's message and sent again by the next upload."""
    rows = build_upload_rows(gong, 3)
    rows[1] |= {"primary_user": "5", "parties": '[{"userId": "5"}]'}
    file = write_csv(workspace.folder, rows)

    result = workspace.run("upload", file, "--json")
    assert (result.code, result.json["added"]) == (1, 2)

    (refused,) = result.json["refused"]
    assert (refused["row"], refused["client_unique_id"]) == (2, "pbx-1")
    assert "Recording is not enabled" in refused["faults"][0]

    name, _, status, call_id, error = read_upload_rows(workspace)[1]
    assert (name, status, call_id) == ("pbx-1", "refused", None)
    assert "Recording is not enabled" in error

    gong.requests.clear()
    assert workspace.run("upload", file).code == 1
    assert read_sent_ids(gong) == ["pbx-1"]


def test_an_outage_ends_the_upload_and_the_next_one_sends_the_rest(gong: SimulatedGong, workspace: Workspace) -> None:
    """A few failed calls in a row stop the upload instead of retrying every row."""
    file = write_csv(workspace.folder, build_upload_rows(gong, 8))
    workspace.settings["RUNTIME__REQUEST_BACKOFF_FACTOR"] = "0.01"
    gong.faults.append(Fault(respond(503), when=lambda request: request.body["clientUniqueId"] > "pbx-1"))

    result = workspace.run("upload", file, "--json")
    assert (result.code, result.json["added"], len(result.json["failed"]), result.json["not_sent"]) == (1, 2, 2, 4)
    assert "no usable response" in result.json["reason"]

    gong.faults.clear()
    result = workspace.run("upload", file, "--json")
    assert (result.code, result.json["added"], result.json["already_added"]) == (0, 6, 2)
    assert [row[2] for row in read_upload_rows(workspace)] == ["added"] * 8


def test_a_missing_scope_ends_the_upload_after_one_request(gong: SimulatedGong, workspace: Workspace) -> None:
    """The scope is named, and no other call is sent."""
    (header, _), *_ = gong.settings.credentials.items()
    gong.settings.credentials[header] = frozenset({"api:calls:read:basic"})
    result = workspace.run("upload", write_csv(workspace.folder, build_upload_rows(gong, 5)), "--json")
    assert (result.code, result.json["not_sent"], len(gong.requests)) == (1, 5, 1)
    assert "api:calls:create" in result.json["reason"]


def test_a_used_up_quota_stops_the_upload_and_the_next_one_continues(gong: SimulatedGong, workspace: Workspace) -> None:
    """Exit code 3, and no call is sent twice."""
    file = write_csv(workspace.folder, build_upload_rows(gong, 5))
    workspace.configure(requests_per_day=3)
    result = workspace.run("upload", file, "--json")
    assert (result.code, result.json["status"], result.json["added"], result.json["not_sent"]) == (3, "stopped", 3, 2)
    assert workspace.run("upload", file, "--json").code == 3

    workspace.configure(requests_per_day=100)
    result = workspace.run("upload", file, "--json")
    assert (result.code, result.json["added"], result.json["already_added"]) == (0, 2, 3)


def test_a_recording_is_sent_unchanged(gong: SimulatedGong, workspace: Workspace) -> None:
    """`add-media` retries, and Gong receives the same bytes."""
    file = write_csv(workspace.folder, build_upload_rows(gong, 1))
    assert workspace.run("upload", file).code == 0

    ((_, _, _, call_id, _),) = read_upload_rows(workspace)
    recording = os.urandom(300_000)
    (workspace.folder / "call.mp3").write_bytes(recording)
    gong.faults += [Fault(respond(500), method="PUT", nth=1), Fault(reset_connection(), method="PUT", nth=2)]

    result = workspace.run("add-media", call_id, "call.mp3")
    assert (result.code, result.json) == (0, {"callId": call_id}), result.err

    received = gong.company.recordings[call_id]
    assert (received.size, received.sha256) == (300_000, sha256(recording).hexdigest())


def test_an_invalid_recording_is_refused_before_it_is_sent(gong: SimulatedGong, workspace: Workspace) -> None:
    """Empty and oversized files and calls with a download URL cost no request."""
    rows = build_upload_rows(gong, 1)
    rows[0]["download_media_url"] = "https://media.example/1.mp3"
    assert workspace.run("upload", write_csv(workspace.folder, rows)).code == 0

    ((_, _, _, call_id, _),) = read_upload_rows(workspace)
    gong.requests.clear()
    (workspace.folder / "empty.mp3").touch()
    with (workspace.folder / "large.mp3").open("wb") as large:
        large.truncate(MAX_RECORDING_BYTES + 1)
    (workspace.folder / "call.mp3").write_bytes(b"x")

    for name, file, message in (
        ("123", "empty.mp3", "is empty"),
        ("123", "large.mp3", "1,500,000,001 bytes; Gong accepts at most 1,500,000,000"),
        ("123", "none.mp3", "does not exist"),
        ("x", "call.mp3", "call_id"),
        (call_id, "call.mp3", "download_media_url"),
    ):
        result = workspace.run("add-media", name, file)
        assert result.code == 2, file
        (line,) = result.err.strip().splitlines()
        assert message in line
    assert not gong.requests
