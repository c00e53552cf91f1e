"""Faults in paging: expired, repeated and missing cursors, wrong totals, repeated records."""

from __future__ import annotations

import base64
from collections.abc import Callable

import msgspec
import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.asgi import ASGIApp, Receive, Response, Scope, Send
from pipelines.demo.server.faults import (
    Fault,
    expired_cursor,
    respond,
    rewrite,
    run_before_response,
)
from pipelines.demo.server.messages.cursors import CursorPosition, encode_cursor
from pipelines.demo.server.request_log import RequestLogEntry
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.gong_api import (
    EXTENSIVE,
    TRANSCRIPT,
    USERS,
    Json,
)
from tests.support.workspace import Workspace


@pytest.mark.parametrize("text", ["Cursor has expired", "Failed to verify cursor"])
def test_a_rejected_cursor_restarts_its_window_or_list(gong: SimulatedGong, workspace: Workspace, text: str) -> None:
    """An expired cursor in the middle of pages costs a restart, and no row is duplicated."""
    gong.settings.page_size = 9
    act = respond(400, errors=[text])
    faults = [Fault(act, path, when=_is_third_page(gong, path), count=1) for path in (EXTENSIVE, TRANSCRIPT, USERS)]
    gong.faults.extend(faults)
    workspace.sync()
    assert [fault.hit_count for fault in faults] == [1, 1, 1]
    assert_all_tables_match(workspace, gong)


def test_an_altered_cursor_restarts_its_window(gong: SimulatedGong, workspace: Workspace) -> None:
    """A cursor that Gong cannot verify is handled like an expired one."""
    gong.settings.page_size = 20

    def tamper(page: Json) -> None:
        page["records"]["cursor"] += "x"

    gong.faults.append(Fault(rewrite(tamper), EXTENSIVE, nth=2))
    workspace.sync("--select", "calls,transcripts")
    assert 400 in [request.status for request in gong.requests]
    assert_warehouse_matches(workspace, gong)


def test_calls_added_or_deleted_between_pages_lose_no_other_call(gong: SimulatedGong, workspace: Workspace) -> None:
    """Pages shift when calls are added or deleted; the other calls are still read."""
    gong.settings.page_size = 20
    calls = sorted(public_calls(gong), key=lambda call: call.record["metaData"]["scheduled"])
    unchanged = {call.id for call in calls if call.id != calls[-2].id}

    def change() -> None:
        gong.delete_call(calls[-2].id)
        for number, model in enumerate((calls[0], calls[-1])):
            meta = {**model.record["metaData"], "id": f"777777777777777777{number}"}
            gong.add_call({**model.record, "metaData": meta}, model.transcript)
        gong.company.users.insert(0, {**gong.company.users[0], "id": "7777777777777777779"})

    gong.faults.append(Fault(run_before_response(change), EXTENSIVE, nth=2))

    workspace.sync()
    loaded = {row[0] for row in workspace.rows("SELECT id FROM calls")}
    assert loaded == unchanged | {"7777777777777777771"}

    workspace.sync("--since", "2020-01-01")
    assert_all_tables_match(workspace, gong)


def test_repeated_records_are_written_once(gong: SimulatedGong, workspace: Workspace) -> None:
    """Keys hold even if Gong repeats a record within or across pages."""
    gong.settings.page_size = 20
    first: dict[str, Json] = {}

    def double(page: Json) -> None:
        for name in ("calls", "callTranscripts", "users"):
            if name in page:
                page[name] += [page[name][0], first.setdefault(name, page[name][0])]

    gong.faults += [Fault(rewrite(double), path) for path in (EXTENSIVE, TRANSCRIPT, USERS)]
    workspace.sync()
    assert len([request for request in gong.requests if request.path == EXTENSIVE]) > 2
    assert_all_tables_match(workspace, gong)


def test_inconsistent_paging_information_is_tolerated(gong: SimulatedGong, workspace: Workspace) -> None:
    """Wrong totals, empty pages and null cursors lose no record."""
    gong.settings.page_size = 12

    def change_records(**changes: object) -> Callable[[Json], Json]:
        return lambda page: {**page, "records": {**page["records"], **changes}}

    def remove_calls(page: Json) -> Json:
        return {**change_records(cursor=_equivalent_cursor(page["records"]["cursor"]))(page), "calls": []}

    withheld: list[Json] = []

    def withhold_calls(page: Json) -> Json:
        withheld.extend(page["calls"])
        return remove_calls(page)

    def append_withheld_calls(page: Json) -> Json:
        return {**change_records(totalRecords=-7)(page), "calls": withheld + page["calls"]}

    last = rewrite(lambda page: change_records(cursor="")(page) if "cursor" not in page["records"] else page)
    for nth, act in enumerate(
        (
            rewrite(change_records(totalRecords="many")),
            rewrite(withhold_calls),
            rewrite(append_withheld_calls),
            rewrite(
                lambda page: change_records(totalRecords=10**9)(page) if page["records"].pop("totalRecords") else None
            ),
        ),
        1,
    ):
        gong.faults.append(Fault(act, EXTENSIVE, nth=nth))
    gong.faults.append(Fault(last, EXTENSIVE))
    gong.faults.append(Fault(rewrite(_omit_paging_on_last_page), USERS))
    gong.faults.append(Fault(rewrite(_send_null_cursor_on_last_page), TRANSCRIPT))

    workspace.sync()
    assert_all_tables_match(workspace, gong)


def test_an_absurd_total_does_not_split_a_window_into_thousands(make_gong: MakeGong, workspace: Workspace) -> None:
    """A wrong total must not spend the daily quota on empty windows."""
    gong = make_gong(calls=350)

    def inflate_total(page: Json) -> None:
        if "records" in page:
            page["records"]["totalRecords"] = 10**7

    gong.faults.append(Fault(rewrite(inflate_total), EXTENSIVE))
    workspace.configure(requests_per_day=100)
    assert workspace.sync("--select", "calls")["requests"] <= 30
    loaded = {row[0] for row in workspace.rows("SELECT id FROM calls")}
    assert loaded == {call.id for call in public_calls(gong)}


def test_a_full_page_without_paging_information_is_retried(make_gong: MakeGong, workspace: Workspace) -> None:
    """A full page without a cursor may have a successor, so it is not taken as the last one."""
    gong = make_gong(calls=150)
    without_paging = Fault(rewrite(lambda page: page.pop("records") and page), EXTENSIVE, nth=1)
    # The total is 150, the page has 100 calls and no cursor.
    without_cursor = Fault(rewrite(lambda page: page["records"].pop("cursor") and page), EXTENSIVE, nth=2)
    gong.faults += [without_paging, without_cursor]
    workspace.sync("--select", "calls,transcripts")
    assert (without_paging.hit_count, without_cursor.hit_count) == (1, 1)
    assert_warehouse_matches(workspace, gong)


def test_a_cursor_that_keeps_expiring_is_an_error(make_gong: MakeGong, workspace: Workspace) -> None:
    """The run fails instead of skipping the rest of the window, and the next run completes it."""
    gong = make_gong(calls=250)
    gong.faults.append(Fault(expired_cursor(), EXTENSIVE, when=_has_cursor))
    summary = workspace.sync("--select", "calls,transcripts", code=1)
    assert "cursor has expired" in summary["reason"].lower()
    gong.faults.clear()
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_endless_empty_pages_fail_before_the_quota_is_spent(gong: SimulatedGong, workspace: Workspace) -> None:
    """Cursors that lead from empty page to empty page end the run."""

    async def send_empty_page(_app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        cursor = str(len(gong.requests))
        records = {"totalRecords": 60, "currentPageSize": 0, "currentPageNumber": 0, "cursor": cursor}
        body = msgspec.json.encode({"requestId": "0", "records": records, "calls": []})
        await Response(body, headers={"content-type": "application/json"})(scope, receive, send)

    gong.faults.append(Fault(send_empty_page, EXTENSIVE))
    summary = workspace.sync("--select", "calls", code=1)
    assert "pages without a record" in summary["reason"]
    assert summary["requests"] < 100


def test_a_repeated_cursor_is_an_error(make_gong: MakeGong, workspace: Workspace) -> None:
    """A paging loop ends the run after two requests."""
    gong = make_gong(calls=350)
    first: list[str] = []

    def repeat(page: dict[str, dict[str, str]]) -> object:
        first.append(page["records"].get("cursor", ""))
        page["records"]["cursor"] = first[0]
        return page

    gong.faults.append(Fault(rewrite(repeat), EXTENSIVE))
    summary = workspace.sync("--select", "calls", code=1)
    assert "repeated a paging cursor" in summary["reason"]
    assert len([request for request in gong.requests if request.path == EXTENSIVE]) == 2


def test_an_empty_response_before_the_last_page_is_not_the_end(make_gong: MakeGong, workspace: Workspace) -> None:
    """Gong's text for an empty range on a later page must not end a window early."""
    gong = make_gong(calls=250)
    empty_range = respond(404, errors=["No calls found corresponding to the provided filters"])
    gong.faults.append(Fault(empty_range, EXTENSIVE, when=_has_cursor))

    summary = workspace.sync("--select", "calls", code=1)
    assert "after 100 of" in summary["reason"]
    assert workspace.count("calls") < len(public_calls(gong))

    gong.faults[:] = [Fault(empty_range, EXTENSIVE, when=_has_cursor, count=1)]
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)

    # Reconcile requests the window again and confirms no call by id.
    gong.faults[:] = [Fault(empty_range, EXTENSIVE, when=_has_cursor, count=1)]
    gong.requests.clear()
    assert workspace.run("reconcile").code == 0
    assert not [request for request in gong.requests if "callIds" in request.body["filter"]]

    def add_cursor_to_last_page(page: Json) -> None:
        page["records"].setdefault("cursor", "beyond")

    beyond = Fault(empty_range, EXTENSIVE, when=lambda request: request.cursor == "beyond")
    gong.faults[:] = [beyond, Fault(rewrite(add_cursor_to_last_page), EXTENSIVE)]
    assert workspace.sync("--since", "2020-01-01", "--select", "calls")["status"] == "done"
    assert beyond.hit_count == 1


def test_a_cursor_is_sent_in_the_body_with_the_same_filter(make_gong: MakeGong, workspace: Workspace) -> None:
    """Gong rejects a cursor in the query or with another filter."""
    gong = make_gong(calls=250)
    workspace.sync("--select", "calls")
    requests = [request for request in gong.requests if request.path == EXTENSIVE]
    assert [bool(request.body.get("cursor")) for request in requests] == [False, True, True]
    assert all(request.query == {} for request in requests)
    assert len({str(request.body["filter"]) for request in requests}) == 1


def _has_cursor(request: RequestLogEntry) -> bool:
    return request.cursor is not None


def _is_third_page(gong: SimulatedGong, path: str) -> Callable[[RequestLogEntry], bool]:
    return lambda request: _has_cursor(request) and sum(entry.path == path for entry in gong.requests) == 3


def _equivalent_cursor(cursor: str) -> str:
    """Return another cursor of the same page."""
    payload = cursor.split(".")[1]
    position = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=CursorPosition)
    return encode_cursor(msgspec.structs.replace(position, exp=position.exp + 1))


def _omit_paging_on_last_page(page: Json) -> Json:
    is_last = "cursor" not in page["records"]
    return {name: value for name, value in page.items() if name != "records" or not is_last}


def _send_null_cursor_on_last_page(page: Json) -> None:
    page["records"].setdefault("cursor", None)
