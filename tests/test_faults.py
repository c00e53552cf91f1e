"""What networks and Gong do to requests: one run suffices for what ends, and the run says so for what does not."""

from __future__ import annotations

import pytest

from pipelines.demo.faults import (
    Act,
    Fault,
    corrupt_json,
    expired_cursor,
    html_page,
    redirect,
    reset_connection,
    respond,
    revoked_token,
    rewrite,
    rewrite_bytes,
    too_many_requests,
    truncate,
)
from pipelines.demo.received import ReceivedRequest
from pipelines.demo.simulated_gong import SimulatedGong
from tests.conftest import MakeGong
from tests.truth import assert_same, listed_calls
from tests.workspace import Workspace

EXTENSIVE, TRANSCRIPT = "/v2/calls/extensive", "/v2/calls/transcript"
DEMO_BASIC = "Basic ZGVtbzpkZW1vLXNlY3JldA=="


@pytest.mark.parametrize("path", [EXTENSIVE, TRANSCRIPT])
@pytest.mark.parametrize(
    "act",
    [
        too_many_requests(1),
        respond(500),
        respond(503),
        reset_connection(),
        truncate(),
        html_page(),
        corrupt_json(),
    ],
    ids=["429", "500", "503", "reset", "truncated", "html", "corrupt"],
)
def test_a_fault_that_ends_costs_one_more_request_and_nothing_else(
    gong: SimulatedGong, workspace: Workspace, act: Act, path: str
) -> None:
    fault = Fault(act, path, nth=1)
    gong.faults.append(fault)
    workspace.sync("--select", "calls,transcripts")
    assert fault.struck == 1
    assert_same(workspace, gong)


def test_an_expired_cursor_restarts_its_window(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=250)
    fault = Fault(expired_cursor(), EXTENSIVE, when=_pages_on, count=1)
    gong.faults.append(fault)
    workspace.sync("--select", "calls,transcripts")
    assert fault.struck == 1
    assert_same(workspace, gong)


def test_a_cursor_that_keeps_expiring_is_an_error_and_nothing_is_skipped(
    make_gong: MakeGong, workspace: Workspace
) -> None:
    gong = make_gong(calls=250)
    gong.faults.append(Fault(expired_cursor(), EXTENSIVE, when=_pages_on))
    summary = workspace.sync("--select", "calls,transcripts", code=1)
    assert "cursor has expired" in summary["reason"].lower()
    gong.faults.clear()
    workspace.sync("--select", "calls,transcripts")
    assert_same(workspace, gong)


def test_a_cursor_that_comes_twice_is_an_error(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=350)
    first: list[str] = []

    def repeat(answer: dict[str, dict[str, str]]) -> object:
        first.append(answer["records"].get("cursor", ""))
        answer["records"]["cursor"] = first[0]
        return answer

    gong.faults.append(Fault(rewrite(repeat), EXTENSIVE))
    summary = workspace.sync("--select", "calls", code=1)
    assert "repeated a paging cursor" in summary["reason"]
    assert len([request for request in gong.requests if request.path == EXTENSIVE]) == 2


def test_a_cursor_goes_into_the_body_and_the_filter_stays(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=250)
    workspace.sync("--select", "calls")
    requests = [request for request in gong.requests if request.path == EXTENSIVE]
    assert [bool(request.body.get("cursor")) for request in requests] == [False, True, True]
    assert all(request.query == {} for request in requests)
    assert len({str(request.body["filter"]) for request in requests}) == 1


def test_a_missing_scope_skips_its_resource_and_names_the_scope(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.rules.credentials[DEMO_BASIC] = frozenset(
        {"api:calls:read:extensive", "api:users:read", "api:workspaces:read", "api:library:read"}
    )
    summary = workspace.sync()
    transcripts = summary["resources"]["transcripts"]
    assert transcripts["status"] == "skipped"
    assert "api:calls:read:transcript" in transcripts["reason"]
    assert summary["calls"] == len(listed_calls(gong))
    gong.rules.credentials[DEMO_BASIC] = None
    assert workspace.sync()["resources"]["transcripts"]["status"] == "loaded"
    assert_same(workspace, gong)


def test_a_dead_credential_costs_exactly_one_request(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.configure(credentials__access_key_secret="wrong")
    summary = workspace.sync(code=1)
    assert len(gong.requests) == 1
    assert "does not accept the credential" in summary["reason"]
    assert not (workspace.folder / "warehouse.duckdb").exists()


def test_a_token_revoked_in_the_middle_ends_the_run_and_keeps_the_bookmark(
    make_gong: MakeGong, workspace: Workspace
) -> None:
    gong = make_gong(calls=250)
    gong.faults.append(Fault(revoked_token(), EXTENSIVE, when=_pages_on))
    summary = workspace.sync("--select", "calls,transcripts", code=1)
    assert "does not accept the credential" in summary["reason"]
    gong.faults.clear()
    workspace.sync("--select", "calls,transcripts")
    assert_same(workspace, gong)


def test_a_redirect_is_not_followed_and_names_the_right_host(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(redirect("https://us-12345.api.gong.example/v2/calls/extensive"), EXTENSIVE))
    summary = workspace.sync("--select", "calls", code=1)
    assert "https://us-12345.api.gong.example" in summary["reason"]
    assert "base_url" in summary["reason"]


def test_only_the_empty_range_is_an_empty_answer(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(respond(404, errors=["Not Found"]), EXTENSIVE))
    summary = workspace.sync("--select", "calls", code=1)
    assert summary["bookmark"] is None
    assert "404" in summary["reason"]


def test_one_resource_that_fails_does_not_stop_the_others(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(respond(400, errors=["Bad request"]), "/v2/library/folders"))
    summary = workspace.sync(code=1)
    assert {name for name, resource in summary["resources"].items() if resource["status"] == "failed"} == {"library"}
    assert_same(workspace, gong)


def test_an_error_carries_gongs_request_id(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(
        Fault(respond(400, errors=["Bad request"], headers={"x-traceid": "4al018gzaztcr8nbukw"}), EXTENSIVE)
    )
    assert "requestId 4al018gzaztcr8nbukw" in workspace.sync("--select", "calls", code=1)["reason"]


def test_a_wait_of_hours_ends_the_run_on_purpose(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=250)
    gong.faults.append(Fault(too_many_requests(7200), EXTENSIVE, when=_pages_on))
    summary = workspace.sync("--select", "calls,transcripts", code=3)
    assert summary["status"] == "stopped"
    assert summary["calls"] > 0
    assert summary["bookmark"] is not None
    gong.faults.clear()
    workspace.sync("--select", "calls,transcripts")
    assert_same(workspace, gong)


def test_a_spent_budget_stops_in_good_order_and_the_next_day_goes_on(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=450)
    workspace.configure(requests_per_day=5)
    summary = workspace.sync("--select", "calls,transcripts", code=3)
    assert len(gong.requests) == 5
    assert summary["status"] == "stopped"
    again = workspace.sync("--select", "calls,transcripts", code=3)
    assert again["requests"] == 0
    workspace.configure(requests_per_day=10_000)
    workspace.sync("--select", "calls,transcripts")
    assert_same(workspace, gong)


def test_the_limit_of_the_company_is_kept(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.rules.requests_per_second = 3
    workspace.configure(requests_per_second=3)
    workspace.sync()
    assert not [request for request in gong.requests if request.status == 429]


def test_a_lone_surrogate_does_not_stop_a_page(gong: SimulatedGong, workspace: Workspace) -> None:
    call = listed_calls(gong)[0]
    title = call.record["metaData"]["title"]
    gong.faults.append(Fault(rewrite_bytes(lambda body: body.replace(title.encode(), b"caf\\ud83d")), EXTENSIVE))
    workspace.sync("--select", "calls")
    assert workspace.rows("SELECT title FROM calls WHERE id = ?", [call.id]) == [("caf\ufffd",)]


def _pages_on(request: ReceivedRequest) -> bool:
    return request.cursor is not None
