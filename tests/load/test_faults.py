"""What networks and Gong do to requests: one run suffices for what ends, and the run says so for what does not."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.call_index import effective_time
from pipelines.demo.server.faults import (
    Fault,
    FaultAction,
    corrupt_json,
    expired_cursor,
    hang,
    html_page,
    proxy_response,
    redirect,
    reset_connection,
    respond,
    revoked_token,
    rewrite,
    rewrite_bytes,
    run_before_response,
    shorten_body,
    too_many_requests,
    truncate,
)
from pipelines.demo.server.messages.cursors import CursorPosition, encode_cursor
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
    Json,
)
from tests.support.paths import REPOSITORY
from tests.support.workspace import Workspace, days_ago

EVERYWHERE = (EXTENSIVE, TRANSCRIPT, USERS, WORKSPACES, FOLDERS, FOLDER_CONTENT)
FULL_REFRESH = ("calls", "callTranscripts", "users", "workspaces", "folders")


def instead_of_records(value: object) -> FaultAction:
    """An answer whose list of records is something else."""
    return rewrite(lambda answer: {name: value if name in FULL_REFRESH else held for name, held in answer.items()})


ENDING: dict[str, FaultAction] = {
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
    "array": rewrite(lambda answer: [answer]),
    "null for records": instead_of_records(None),
    "object for records": instead_of_records({"1": {}}),
}


@pytest.mark.parametrize("act", ENDING.values(), ids=ENDING.keys())
def test_a_fault_that_ends_costs_one_more_request_at_any_endpoint_and_nothing_else(
    gong: SimulatedGong, workspace: Workspace, act: FaultAction
) -> None:
    faults = [Fault(act, path, count=1) for path in EVERYWHERE]
    gong.faults.extend(faults)
    summary = workspace.sync()
    assert [fault.hit_count for fault in faults] == [1] * len(faults)
    assert summary["requests"] == len(gong.requests)
    assert_all_tables_match(workspace, gong)


def test_a_server_that_says_nothing_is_given_up_after_dlts_own_timeout(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    workspace.settings["RUNTIME__REQUEST_TIMEOUT"] = "2"
    faults = [Fault(hang(60), path, count=1) for path in EVERYWHERE]
    gong.faults.extend(faults)
    summary = workspace.sync()
    assert [fault.hit_count for fault in faults] == [1] * len(faults)
    assert summary["duration_seconds"] < 60
    assert_all_tables_match(workspace, gong)


def test_a_retry_after_of_any_form_is_waited_for(gong: SimulatedGong, workspace: Workspace) -> None:
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
    # A name that tells the time would not be the same in each worker that collects the tests.
    ids=["seconds", "date", "fraction", "for ever"],
)
def test_a_wait_of_hours_does_not_hold_the_process(
    gong: SimulatedGong, workspace: Workspace, path: str, wait: str
) -> None:
    fault = Fault(respond(429, headers={"Retry-After": wait}), path)
    gong.faults.append(fault)
    began = time.monotonic()
    summary = workspace.sync(code=3)
    assert time.monotonic() - began < 60
    assert "run again" in summary["reason"]
    assert fault.hit_count >= 1
    gong.faults.clear()
    workspace.sync()
    assert_all_tables_match(workspace, gong)


@pytest.mark.parametrize("text", ["Cursor has expired", "Failed to verify cursor"])
def test_a_cursor_that_fails_restarts_its_window_or_list(gong: SimulatedGong, workspace: Workspace, text: str) -> None:
    gong.settings.page_size = 9
    act = respond(400, errors=[text])
    faults = [Fault(act, path, when=_is_third_page(gong, path), count=1) for path in (EXTENSIVE, TRANSCRIPT, USERS)]
    gong.faults.extend(faults)
    workspace.sync()
    assert [fault.hit_count for fault in faults] == [1, 1, 1]
    assert_all_tables_match(workspace, gong)


def test_a_cursor_that_was_tampered_with_restarts_its_window(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.page_size = 20

    def tamper(answer: Json) -> None:
        answer["records"]["cursor"] += "x"

    gong.faults.append(Fault(rewrite(tamper), EXTENSIVE, nth=2))
    workspace.sync("--select", "calls,transcripts")
    assert 400 in [request.status for request in gong.requests]
    assert_warehouse_matches(workspace, gong)


def test_calls_that_come_and_go_while_pages_are_turned_cost_no_other(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.page_size = 20
    calls = sorted(public_calls(gong), key=lambda call: call.record["metaData"]["scheduled"])
    throughout = {call.id for call in calls if call.id != calls[-2].id}

    def change() -> None:
        gong.delete_call(calls[-2].id)
        for number, model in enumerate((calls[0], calls[-1])):
            meta = {**model.record["metaData"], "id": f"777777777777777777{number}"}
            gong.add_call({**model.record, "metaData": meta}, model.transcript)
        gong.company.users.insert(0, {**gong.company.users[0], "id": "7777777777777777779"})

    gong.faults.append(Fault(run_before_response(change), EXTENSIVE, nth=2))
    workspace.sync()
    held = {row[0] for row in workspace.rows("SELECT id FROM calls")}
    assert held == throughout | {"7777777777777777771"}
    workspace.sync("--since", "2020-01-01")
    assert_all_tables_match(workspace, gong)


def test_records_that_come_twice_are_written_once(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.page_size = 20
    first: dict[str, Json] = {}

    def double(answer: Json) -> None:
        for name in ("calls", "callTranscripts", "users"):
            if name in answer:
                answer[name] += [answer[name][0], first.setdefault(name, answer[name][0])]

    gong.faults += [Fault(rewrite(double), path) for path in (EXTENSIVE, TRANSCRIPT, USERS)]
    workspace.sync()
    assert len([request for request in gong.requests if request.path == EXTENSIVE]) > 2
    assert_all_tables_match(workspace, gong)


def test_what_pages_say_of_themselves_may_be_odd(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.page_size = 12

    def say(**changes: object) -> Callable[[Json], Json]:
        return lambda answer: {**answer, "records": {**answer["records"], **changes}}

    def empty(answer: Json) -> Json:
        return {**say(cursor=_same_place(answer["records"]["cursor"]))(answer), "calls": []}

    kept: list[Json] = []

    def hold_back(answer: Json) -> Json:
        kept.extend(answer["calls"])
        return empty(answer)

    def give_back(answer: Json) -> Json:
        return {**say(totalRecords=-7)(answer), "calls": kept + answer["calls"]}

    last = rewrite(lambda answer: say(cursor="")(answer) if "cursor" not in answer["records"] else answer)
    for nth, act in enumerate(
        (
            rewrite(say(totalRecords="many")),
            rewrite(hold_back),
            rewrite(give_back),
            rewrite(lambda answer: say(totalRecords=10**9)(answer) if answer["records"].pop("totalRecords") else None),
        ),
        1,
    ):
        gong.faults.append(Fault(act, EXTENSIVE, nth=nth))
    gong.faults.append(Fault(last, EXTENSIVE))
    gong.faults.append(Fault(rewrite(_without_records_at_the_end), USERS))
    gong.faults.append(Fault(rewrite(_null_cursor_at_the_end), TRANSCRIPT))
    workspace.sync()
    assert_all_tables_match(workspace, gong)


def test_an_absurd_total_does_not_cut_a_window_into_thousands(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=350)

    def announce(answer: Json) -> None:
        if "records" in answer:
            answer["records"]["totalRecords"] = 10**7

    gong.faults.append(Fault(rewrite(announce), EXTENSIVE))
    workspace.configure(requests_per_day=100)
    assert workspace.sync("--select", "calls")["requests"] <= 30
    held = {row[0] for row in workspace.rows("SELECT id FROM calls")}
    assert held == {call.id for call in public_calls(gong)}


def test_a_full_page_that_does_not_say_whether_more_follow_is_asked_for_again(
    make_gong: MakeGong, workspace: Workspace
) -> None:
    gong = make_gong(calls=150)
    unsaid = Fault(rewrite(lambda answer: answer.pop("records") and answer), EXTENSIVE, nth=1)
    # One hundred of a hundred and fifty, and no cursor.
    contradiction = Fault(rewrite(lambda answer: answer["records"].pop("cursor") and answer), EXTENSIVE, nth=2)
    gong.faults += [unsaid, contradiction]
    workspace.sync("--select", "calls,transcripts")
    assert (unsaid.hit_count, contradiction.hit_count) == (1, 1)
    assert_warehouse_matches(workspace, gong)


def test_a_cursor_that_keeps_expiring_is_an_error_and_nothing_is_skipped(
    make_gong: MakeGong, workspace: Workspace
) -> None:
    gong = make_gong(calls=250)
    gong.faults.append(Fault(expired_cursor(), EXTENSIVE, when=_pages_on))
    summary = workspace.sync("--select", "calls,transcripts", code=1)
    assert "cursor has expired" in summary["reason"].lower()
    gong.faults.clear()
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_cursors_that_never_lead_to_a_record_end_the_run_before_the_quota(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    async def lead_on(_app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        cursor = str(len(gong.requests))
        records = {"totalRecords": 60, "currentPageSize": 0, "currentPageNumber": 0, "cursor": cursor}
        await JSONResponse({"requestId": "0", "records": records, "calls": []})(scope, receive, send)

    gong.faults.append(Fault(lead_on, EXTENSIVE))
    summary = workspace.sync("--select", "calls", code=1)
    assert "pages without a record" in summary["reason"]
    assert summary["requests"] < 100


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


def test_an_empty_answer_in_the_middle_of_pages_is_not_taken_for_their_end(
    make_gong: MakeGong, workspace: Workspace
) -> None:
    gong = make_gong(calls=250)
    nothing = respond(404, errors=["No calls found corresponding to the provided filters"])
    always = Fault(nothing, EXTENSIVE, when=_pages_on)
    gong.faults.append(always)
    summary = workspace.sync("--select", "calls", code=1)
    assert "after 100 of" in summary["reason"]
    assert workspace.count("calls") < len(public_calls(gong))
    gong.faults[:] = [Fault(nothing, EXTENSIVE, when=_pages_on, count=1)]
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)
    # A reconcile neither takes the rest for gone nor asks for it by id.
    gong.faults[:] = [Fault(nothing, EXTENSIVE, when=_pages_on, count=1)]
    gong.requests.clear()
    assert workspace.run("reconcile").code == 0
    assert not [request for request in gong.requests if "callIds" in request.body["filter"]]

    def go_on(answer: Json) -> None:
        # The cursor of a page that is the last one in truth.
        answer["records"].setdefault("cursor", "beyond")

    beyond = Fault(nothing, EXTENSIVE, when=lambda request: request.cursor == "beyond")
    gong.faults[:] = [beyond, Fault(rewrite(go_on), EXTENSIVE)]
    assert workspace.sync("--since", "2020-01-01", "--select", "calls")["status"] == "done"
    assert beyond.hit_count == 1


def test_a_404_without_gongs_text_empties_no_day(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync("--select", "answered_scorecards,audit_logs")
    held = workspace.count("answered_scorecards"), workspace.count("audit_logs")
    assert all(held)
    gong.faults += [
        Fault(proxy_response(404, ""), "/v2/stats/activity/scorecards"),
        Fault(proxy_response(404, "no available server"), "/v2/logs"),
    ]
    summary = workspace.sync("--select", "answered_scorecards,audit_logs", code=1)
    assert {one["status"] for one in summary["resources"].values()} == {"failed"}
    assert held == (workspace.count("answered_scorecards"), workspace.count("audit_logs"))


def test_a_cursor_goes_into_the_body_and_the_filter_stays(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=250)
    workspace.sync("--select", "calls")
    requests = [request for request in gong.requests if request.path == EXTENSIVE]
    assert [bool(request.body.get("cursor")) for request in requests] == [False, True, True]
    assert all(request.query == {} for request in requests)
    assert len({str(request.body["filter"]) for request in requests}) == 1


def test_a_missing_scope_skips_its_resource_and_names_the_scope(gong: SimulatedGong, workspace: Workspace) -> None:
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
    begun = [one.body["filter"]["fromDateTime"] for one in gong.requests if one.path == EXTENSIVE]
    assert len(begun) == 2, "calls were read again for their transcripts"
    assert all(datetime.fromisoformat(begin) >= read_until - timedelta(days=1) for begin in begun)


def test_a_library_whose_workspaces_may_not_be_read_is_skipped_or_asked_for_without_them(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    gong.settings.credentials[DEMO_AUTHORIZATION] = frozenset({"api:library:read"})
    assert len(gong.company.workspaces) > 1
    summary = workspace.sync("--select", "library")
    assert summary["status"] == "done"
    assert summary["resources"]["library"]["status"] == "skipped"
    assert "api:workspaces:read" in summary["resources"]["library"]["reason"]
    workspace_id = gong.company.workspaces[0]["id"]
    own = sum(shelf.workspace_id == workspace_id for shelf in gong.company.folders)
    del gong.company.workspaces[1:]
    gong.company.folders[:] = [shelf for shelf in gong.company.folders if shelf.workspace_id == workspace_id]
    assert workspace.sync("--select", "library")["resources"]["library"]["status"] == "loaded"
    assert workspace.count("library_folders") == own
    # A company without any workspace is none: its library stays.
    gong.settings.credentials[DEMO_AUTHORIZATION] = None
    gong.faults.append(Fault(rewrite(lambda answer: {**answer, "workspaces": []}), "/v2/workspaces"))
    workspace.sync("--select", "library")
    assert workspace.count("library_folders") == own


def test_a_dead_credential_costs_exactly_one_request(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.configure(credentials__access_key_secret="wrong")
    summary = workspace.sync(code=1)
    assert len(gong.requests) == 1
    assert "does not accept the credential" in summary["reason"]
    assert not (workspace.folder / "warehouse.duckdb").exists()


@pytest.mark.parametrize("path", [EXTENSIVE, TRANSCRIPT, FOLDER_CONTENT])
def test_a_token_revoked_in_the_middle_ends_the_run_and_keeps_what_was_read(
    make_gong: MakeGong, workspace: Workspace, path: str
) -> None:
    gong = make_gong(calls=250)
    before = workspace.sync("--until", days_ago(10))["bookmark"]
    gong.requests.clear()
    gong.faults.append(Fault(revoked_token(), path, when=lambda _: len(gong.requests) > 1))
    summary = workspace.sync(code=1)
    assert "does not accept the credential" in summary["reason"]
    assert summary["bookmark"] >= before
    covered = datetime.fromisoformat(summary["bookmark"])
    held = {call_id for (call_id,) in workspace.rows("SELECT id FROM calls")}
    assert {call.id for call in public_calls(gong) if effective_time(call.record["metaData"]) < covered} <= held
    gong.faults.clear()
    workspace.sync()
    assert_all_tables_match(workspace, gong)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_redirect_is_not_followed_and_names_the_right_host(
    gong: SimulatedGong, workspace: Workspace, path: str
) -> None:
    other = SimulatedGong(gong.company)
    with serve(other.app) as url:
        gong.faults.append(Fault(redirect(f"{url}{path}"), path))
        summary = workspace.sync(code=1)
    assert url in summary["reason"]
    assert "base_url" in summary["reason"]
    assert other.requests == []


def test_only_the_empty_range_is_an_empty_answer(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(respond(404, errors=["Not Found"]), EXTENSIVE))
    summary = workspace.sync("--select", "calls", code=1)
    assert summary["bookmark"] is None
    assert "404" in summary["reason"]


def test_one_resource_that_fails_does_not_stop_the_others(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(respond(400, errors=["Bad request"]), "/v2/library/folders"))
    summary = workspace.sync(code=1)
    assert {name for name, resource in summary["resources"].items() if resource["status"] == "failed"} == {"library"}
    assert_warehouse_matches(workspace, gong)


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
    assert_warehouse_matches(workspace, gong)


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
    assert_warehouse_matches(workspace, gong)


def test_the_limit_of_the_company_is_kept(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.requests_per_second = 3
    workspace.configure(requests_per_second=3)
    workspace.sync()
    assert not [request for request in gong.requests if request.status == 429]


def test_a_lone_surrogate_does_not_stop_a_page(gong: SimulatedGong, workspace: Workspace) -> None:
    call = public_calls(gong)[0]
    title = call.record["metaData"]["title"]
    gong.faults.append(Fault(rewrite_bytes(lambda body: body.replace(title.encode(), b"caf\\ud83d")), EXTENSIVE))
    workspace.sync("--select", "calls")
    assert workspace.rows("SELECT title FROM calls WHERE id = ?", [call.id]) == [("caf\ufffd",)]


def test_every_row_of_the_fault_matrix_names_tests_that_exist() -> None:
    tests = {file.name: file for file in (REPOSITORY / "tests").rglob("test_*.py")}
    rows = [row.split("|") for row in (REPOSITORY / "docs" / "faults.md").read_text().splitlines() if row[:1] == "|"]
    shown = [cells for cells in rows if cells[1].strip("- ") not in ("", "fault")]
    assert len(shown) > 40
    for _, fault, _, cell, _ in shown:
        named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", cell)
        assert named, f"no test is named for: {fault}"
        for file, test in named:
            assert f"def {test}(" in tests[file].read_text(), f"{file} has no {test}"


def _pages_on(request: RequestLogEntry) -> bool:
    return request.cursor is not None


def _is_third_page(gong: SimulatedGong, path: str) -> Callable[[RequestLogEntry], bool]:
    return lambda request: _pages_on(request) and sum(one.path == path for one in gong.requests) == 3


def _same_place(cursor: str) -> str:
    """Another cursor that leads to the same page."""
    payload = cursor.split(".")[1]
    position = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=CursorPosition)
    return encode_cursor(msgspec.structs.replace(position, exp=position.exp + 1))


def _without_records_at_the_end(answer: Json) -> Json:
    at_the_end = "cursor" not in answer["records"]
    return {name: value for name, value in answer.items() if name != "records" or not at_the_end}


def _null_cursor_at_the_end(answer: Json) -> None:
    answer["records"].setdefault("cursor", None)
