"""Invalid credentials, missing scopes, redirects, rate limits and the daily quota."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.call_index import parse_effective_time
from pipelines.demo.server.faults import (
    Fault,
    redirect,
    respond,
    revoked_token,
    rewrite,
    too_many_requests,
)
from pipelines.demo.server.request_log import RequestLogEntry
from pipelines.demo.server.serving import serve
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.gong_api import (
    DEMO_AUTHORIZATION,
    EXTENSIVE,
    FOLDER_CONTENT,
    FOLDERS,
    TRANSCRIPT,
    USERS,
    WORKSPACES,
)
from tests.support.workspace import Workspace, days_ago

EVERYWHERE = (EXTENSIVE, TRANSCRIPT, USERS, WORKSPACES, FOLDERS, FOLDER_CONTENT)


def test_retry_after_is_honoured_in_every_format(gong: SimulatedGong, workspace: Workspace) -> None:
    """Seconds, fractions, dates and invalid values of Retry-After lead to a wait, not to an error."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    past = "Wed, 21 Oct 2015 07:28:00 -0000"
    for nth, value in enumerate(("1", "0", "0.5", soon, past, "soon", "-5", None), 1):
        headers = {} if value is None else {"Retry-After": value}
        gong.faults.append(Fault(respond(429, headers=headers), EXTENSIVE, nth=nth))
    summary = workspace.sync("--select", "calls,transcripts")
    assert len([request for request in gong.requests if request.path == EXTENSIVE]) == 9
    assert summary["duration_seconds"] > 3.5
    assert_warehouse_matches(workspace, gong)


@pytest.mark.parametrize(
    ("path", "wait"),
    [
        (EXTENSIVE, "7200"),
        (TRANSCRIPT, format_datetime(datetime.now(UTC) + timedelta(hours=30), usegmt=True)),
        (USERS, "7200.5"),
        (FOLDER_CONTENT, "9" * 30),
    ],
    # The date in a generated id would differ between the workers that collect the tests.
    ids=["seconds", "date", "fraction", "unbounded"],
)
def test_a_wait_of_hours_does_not_block_the_process(
    gong: SimulatedGong, workspace: Workspace, path: str, wait: str
) -> None:
    """A Retry-After of hours ends the run with exit code 3 instead of a sleeping process."""
    fault = Fault(respond(429, headers={"Retry-After": wait}), path)
    gong.faults.append(fault)
    started_at = time.monotonic()

    summary = workspace.sync(code=3)
    assert time.monotonic() - started_at < 60
    assert "run again" in summary["reason"]
    assert fault.hit_count >= 1

    gong.faults.clear()
    workspace.sync()
    assert_all_tables_match(workspace, gong)


def test_a_missing_scope_skips_its_resource(gong: SimulatedGong, workspace: Workspace) -> None:
    """The scope is reported, the other resources are loaded, and transcripts follow without re-reading calls."""
    gong.settings.credentials[DEMO_AUTHORIZATION] = frozenset(
        {"api:calls:read:extensive", "api:users:read", "api:workspaces:read", "api:library:read"}
    )
    summary = workspace.sync()
    transcripts = summary["resources"]["transcripts"]
    assert transcripts["status"] == "skipped"
    assert "api:calls:read:transcript" in transcripts["reason"]
    assert summary["calls"] == len(public_calls(gong))

    read_until = datetime.fromisoformat(summary["bookmark"])
    gong.requests.clear()
    assert workspace.sync("--select", "calls,transcripts")["resources"]["transcripts"]["status"] == "skipped"

    gong.settings.credentials[DEMO_AUTHORIZATION] = None
    assert workspace.sync("--select", "calls,transcripts")["resources"]["transcripts"]["status"] == "loaded"
    assert_warehouse_matches(workspace, gong)

    starts = [entry.body["filter"]["fromDateTime"] for entry in gong.requests if entry.path == EXTENSIVE]
    assert len(starts) == 2, "calls were read again for their transcripts"
    assert all(datetime.fromisoformat(begin) >= read_until - timedelta(days=1) for begin in starts)


def test_a_library_without_the_workspaces_scope_is_skipped_or_read_without_workspaces(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """A company with one workspace needs no workspace id; one with several skips the library."""
    gong.settings.credentials[DEMO_AUTHORIZATION] = frozenset({"api:library:read"})
    assert len(gong.company.workspaces) > 1

    summary = workspace.sync("--select", "library")
    assert summary["status"] == "done"
    assert summary["resources"]["library"]["status"] == "skipped"
    assert "api:workspaces:read" in summary["resources"]["library"]["reason"]

    workspace_id = gong.company.workspaces[0]["id"]
    expected_folders = sum(shelf.workspace_id == workspace_id for shelf in gong.company.folders)
    del gong.company.workspaces[1:]
    gong.company.folders[:] = [shelf for shelf in gong.company.folders if shelf.workspace_id == workspace_id]
    assert workspace.sync("--select", "library")["resources"]["library"]["status"] == "loaded"
    assert workspace.count("library_folders") == expected_folders

    # An empty list of workspaces is implausible: the library is kept.
    gong.settings.credentials[DEMO_AUTHORIZATION] = None
    gong.faults.append(Fault(rewrite(lambda page: {**page, "workspaces": []}), "/v2/workspaces"))
    workspace.sync("--select", "library")
    assert workspace.count("library_folders") == expected_folders


def test_an_invalid_credential_costs_exactly_one_request(gong: SimulatedGong, workspace: Workspace) -> None:
    """A rejected credential is not retried, and no warehouse is created."""
    workspace.configure(credentials__access_key_secret="wrong")
    summary = workspace.sync(code=1)
    assert len(gong.requests) == 1
    assert "does not accept the credential" in summary["reason"]
    assert not (workspace.folder / "warehouse.duckdb").exists()


@pytest.mark.parametrize("path", [EXTENSIVE, TRANSCRIPT, FOLDER_CONTENT])
def test_a_token_revoked_during_a_run_keeps_complete_pages(
    make_gong: MakeGong, workspace: Workspace, path: str
) -> None:
    """The bookmark covers only calls that are loaded, and the next run loads the rest."""
    gong = make_gong(calls=250)
    first_bookmark = workspace.sync("--until", days_ago(10))["bookmark"]
    gong.requests.clear()
    gong.faults.append(Fault(revoked_token(), path, when=lambda _: len(gong.requests) > 1))

    summary = workspace.sync(code=1)
    assert "does not accept the credential" in summary["reason"]
    assert summary["bookmark"] >= first_bookmark

    covered = datetime.fromisoformat(summary["bookmark"])
    loaded = {call_id for (call_id,) in workspace.rows("SELECT id FROM calls")}
    assert {call.id for call in public_calls(gong) if parse_effective_time(call.record["metaData"]) < covered} <= loaded

    gong.faults.clear()
    workspace.sync()
    assert_all_tables_match(workspace, gong)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_redirect_is_not_followed_and_names_the_right_host(
    gong: SimulatedGong, workspace: Workspace, path: str
) -> None:
    """No request and no credential is sent to the host of a redirect."""
    other = SimulatedGong(gong.company)
    with serve(other.app) as url:
        gong.faults.append(Fault(redirect(f"{url}{path}"), path))
        summary = workspace.sync(code=1)
    assert url in summary["reason"]
    assert "base_url" in summary["reason"]
    assert other.requests == []


def test_a_wait_of_hours_stops_the_run_after_its_complete_pages(make_gong: MakeGong, workspace: Workspace) -> None:
    """Complete pages are loaded, the bookmark moves, and the next run continues."""
    gong = make_gong(calls=250)
    gong.faults.append(Fault(too_many_requests(7200), EXTENSIVE, when=_has_cursor))
    summary = workspace.sync("--select", "calls,transcripts", code=3)
    assert summary["status"] == "stopped"
    assert summary["calls"] > 0
    assert summary["bookmark"] is not None

    gong.faults.clear()
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_a_used_up_quota_stops_the_run_and_the_next_day_continues(make_gong: MakeGong, workspace: Workspace) -> None:
    """The daily quota is never exceeded, within a run and across runs."""
    gong = make_gong(calls=450)
    workspace.configure(requests_per_day=5)
    summary = workspace.sync("--select", "calls,transcripts", code=3)
    assert len(gong.requests) == 5
    assert summary["status"] == "stopped"

    again = workspace.sync("--select", "calls,transcripts", code=3)
    assert again["requests"] == 0

    workspace.configure(requests_per_day=10_000)
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_the_rate_limit_is_never_exceeded(gong: SimulatedGong, workspace: Workspace) -> None:
    """With three requests per second, Gong answers no request with 429."""
    gong.settings.requests_per_second = 3
    workspace.configure(requests_per_second=3)
    workspace.sync()
    assert not [request for request in gong.requests if request.status == 429]


def _has_cursor(request: RequestLogEntry) -> bool:
    return request.cursor is not None
