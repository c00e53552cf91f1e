"""Network and server faults: one run loads everything if the fault ends, and reports it if it does not."""

from __future__ import annotations

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import (
    Fault,
    FaultAction,
    corrupt_json,
    hang,
    html_page,
    proxy_response,
    reset_connection,
    respond,
    rewrite,
    rewrite_bytes,
    shorten_body,
    too_many_requests,
    truncate,
)
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.gong_api import (
    EXTENSIVE,
    FOLDER_CONTENT,
    FOLDERS,
    TRANSCRIPT,
    USERS,
    WORKSPACES,
)
from tests.support.workspace import Workspace

EVERYWHERE = (EXTENSIVE, TRANSCRIPT, USERS, WORKSPACES, FOLDERS, FOLDER_CONTENT)


RECORD_FIELDS = ("calls", "callTranscripts", "users", "workspaces", "folders")


def replace_records(value: object) -> FaultAction:
    """Return a fault that replaces the list of records of a page by another value."""
    return rewrite(lambda page: {name: value if name in RECORD_FIELDS else kept for name, kept in page.items()})


TEMPORARY_FAULTS: dict[str, FaultAction] = {
    "429": too_many_requests(1),
    "500": respond(500),
    "502": respond(502),
    "503": respond(503),
    "504": respond(504),
    "reset": reset_connection(),
    "truncated": truncate(),
    "cut short": shorten_body(),
    "html": html_page(),
    "corrupt": corrupt_json(),
    "errors in a 200": respond(200),
    "array": rewrite(lambda page: [page]),
    "null for records": replace_records(None),
    "object for records": replace_records({"1": {}}),
}


@pytest.mark.parametrize("act", TEMPORARY_FAULTS.values(), ids=TEMPORARY_FAULTS.keys())
def test_a_temporary_fault_costs_one_retry_at_any_endpoint(
    gong: SimulatedGong, workspace: Workspace, act: FaultAction
) -> None:
    """After one bad response per endpoint, the same run loads everything."""
    faults = [Fault(act, path, count=1) for path in EVERYWHERE]
    gong.faults.extend(faults)
    summary = workspace.sync()
    assert [fault.hit_count for fault in faults] == [1] * len(faults)
    assert summary["requests"] == len(gong.requests)
    assert_all_tables_match(workspace, gong)


def test_a_hanging_request_times_out_and_is_retried(gong: SimulatedGong, workspace: Workspace) -> None:
    """The setting `runtime.request_timeout` bounds every request."""
    workspace.settings["RUNTIME__REQUEST_TIMEOUT"] = "2"
    faults = [Fault(hang(60), path, count=1) for path in EVERYWHERE]
    gong.faults.extend(faults)
    summary = workspace.sync()
    assert [fault.hit_count for fault in faults] == [1] * len(faults)
    assert summary["duration_seconds"] < 60
    assert_all_tables_match(workspace, gong)


def test_a_404_without_gongs_text_deletes_no_day(gong: SimulatedGong, workspace: Workspace) -> None:
    """A proxy's 404 is an error and keeps the rows of date-sliced resources."""
    workspace.sync("--select", "answered_scorecards,audit_logs")
    before = workspace.count("answered_scorecards"), workspace.count("audit_logs")
    assert all(before)
    gong.faults += [
        Fault(proxy_response(404, ""), "/v2/stats/activity/scorecards"),
        Fault(proxy_response(404, "no available server"), "/v2/logs"),
    ]
    summary = workspace.sync("--select", "answered_scorecards,audit_logs", code=1)
    assert {resource["status"] for resource in summary["resources"].values()} == {"failed"}
    assert before == (workspace.count("answered_scorecards"), workspace.count("audit_logs"))


def test_only_gongs_empty_range_text_is_an_empty_result(gong: SimulatedGong, workspace: Workspace) -> None:
    """Any other 404 is an error and moves no bookmark."""
    gong.faults.append(Fault(respond(404, errors=["Not Found"]), EXTENSIVE))
    summary = workspace.sync("--select", "calls", code=1)
    assert summary["bookmark"] is None
    assert "404" in summary["reason"]


def test_a_failed_resource_does_not_stop_the_others(gong: SimulatedGong, workspace: Workspace) -> None:
    """The other resources are loaded, and the exit code is 1."""
    gong.faults.append(Fault(respond(400, errors=["Bad request"]), "/v2/library/folders"))
    summary = workspace.sync(code=1)
    assert {name for name, resource in summary["resources"].items() if resource["status"] == "failed"} == {"library"}
    assert_warehouse_matches(workspace, gong)


def test_an_error_includes_gongs_request_id(gong: SimulatedGong, workspace: Workspace) -> None:
    """Support at Gong needs the requestId of a failed request."""
    gong.faults.append(
        Fault(respond(400, errors=["Bad request"], headers={"x-traceid": "4al018gzaztcr8nbukw"}), EXTENSIVE)
    )
    assert "requestId 4al018gzaztcr8nbukw" in workspace.sync("--select", "calls", code=1)["reason"]


def test_a_lone_surrogate_is_replaced(gong: SimulatedGong, workspace: Workspace) -> None:
    """Invalid Unicode in one title does not fail its page."""
    call = public_calls(gong)[0]
    title = call.record["metaData"]["title"]
    gong.faults.append(Fault(rewrite_bytes(lambda body: body.replace(title.encode(), b"caf\\ud83d")), EXTENSIVE))
    workspace.sync("--select", "calls")
    assert workspace.rows("SELECT title FROM calls WHERE id = ?", [call.id]) == [("caf\ufffd",)]
