"""The simulated Gong through its front door: HTTP against a served application."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from pipelines.demo.company.company import Company, build_company
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.call_index import parse_effective_time
from pipelines.demo.server.faults import (
    Fault,
    FaultAction,
    corrupt_json,
    expired_cursor,
    hang,
    html_page,
    redirect,
    reset_connection,
    respond,
    revoked_token,
    rewrite,
    too_many_requests,
    truncate,
)
from pipelines.demo.server.replay import build_recorded_company
from pipelines.demo.server.serving import serve

UNTIL = datetime(2026, 6, 1, 18, tzinfo=UTC)
NO_CALLS = ["No calls found corresponding to the provided filters"]
EVERYTHING: dict[str, Any] = {
    "context": "Extended",
    "contextTiming": ["Now", "TimeOfCall"],
    "exposedFields": {
        "parties": True,
        "content": {
            "structure": True,
            "topics": True,
            "trackers": True,
            "trackerOccurrences": True,
            "brief": True,
            "outline": True,
            "highlights": True,
            "callOutcome": True,
            "keyPoints": True,
        },
        "interaction": {"speakers": True, "video": True, "personInteractionStats": True, "questions": True},
        "collaboration": {"publicComments": True},
        "media": True,
    },
}


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(calls=250, seed=3, until=UNTIL)


@contextlib.contextmanager
def client_of(gong: SimulatedGong, authorization: str | None = "Bearer demo-token") -> Iterator[httpx.Client]:
    headers = {"Authorization": authorization} if authorization else {}
    with serve(gong.app) as base_url, httpx.Client(base_url=base_url, headers=headers, timeout=5) as client:
        yield client


@pytest.fixture
def gong(company: Company) -> SimulatedGong:
    # Each test gets its own lists, so that edits stay within it.
    return SimulatedGong(Company(**{**vars(company), "calls": list(company.calls)}))


@pytest.fixture
def client(gong: SimulatedGong) -> Iterator[httpx.Client]:
    with client_of(gong) as opened:
        yield opened


def pages(client: httpx.Client, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Every page of a POST endpoint."""
    answers: list[dict[str, Any]] = []
    cursor = None
    while not answers or cursor:
        answer = client.post(path, json=body | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        answers.append(answer.json())
        cursor = answers[-1]["records"].get("cursor")
    return answers


def stopped_at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def errors(answer: httpx.Response) -> tuple[int, list[str]]:
    return answer.status_code, answer.json()["errors"]


def all_ids(client: httpx.Client) -> list[str]:
    found = pages(client, "/v2/calls/extensive", {"filter": {}})
    return [call["metaData"]["id"] for page in found for call in page["calls"]]


# The company


def test_the_same_arguments_build_the_same_company(company: Company) -> None:
    again = build_company(calls=250, seed=3, until=UNTIL)
    assert [(c.record, c.transcript_json) for c in again.calls] == [
        (c.record, c.transcript_json) for c in company.calls
    ]
    assert [f.calls for f in again.folders] == [f.calls for f in company.folders]
    assert again.users == company.users
    assert again.settings == company.settings


def _out_of_time(value: Any, until: datetime) -> Any:
    """The value with every instant as its distance from `until`, in whole milliseconds; a date is only known as one."""
    if isinstance(value, dict):
        return {key: _out_of_time(inner, until) for key, inner in value.items()}
    if isinstance(value, list):
        return [_out_of_time(inner, until) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return date
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return (datetime.fromisoformat(value) - until) // timedelta(milliseconds=1)
    return value


def test_without_office_hours_another_hour_moves_the_company_and_changes_nothing_else() -> None:
    def at(until: datetime) -> Any:
        company = build_company(calls=60, days=20, until=until, office_hours=False)
        calls = [[call.record, call.transcript] for call in company.calls]
        shelves = [[shelf.folder, shelf.calls] for shelf in company.folders]
        return _out_of_time([company.users, calls, shelves, company.settings.answered_scorecards], until)

    told = at(UNTIL)
    # A night, a Sunday, and days after clocks were set, so that calls are on both sides of that.
    for hours in (1, 13, 24 * 6, 24 * 290 + 7):
        assert at(UNTIL + timedelta(hours=hours)) == told


def test_a_fixed_number_of_sentences_is_kept_by_every_call() -> None:
    for call in build_company(calls=40, until=UNTIL, sentences=37).calls:
        assert sum(len(turn["sentences"]) for turn in call.transcript or []) == 37


def test_no_call_ends_after_the_companys_present(company: Company) -> None:
    for days in (1, 2, 120):
        for call in build_company(calls=50, until=UNTIL, days=days).calls if days < 120 else company.calls:
            meta = call.record["metaData"]
            assert datetime.fromisoformat(meta["started"]) + timedelta(seconds=meta["duration"]) <= UNTIL


def test_tracker_phrases_are_really_said_at_their_time(company: Company) -> None:
    checked = 0
    for call in company.calls[:60]:
        said = [(turn["speakerId"], s) for turn in call.transcript or [] for s in turn["sentences"]]
        for tracker in call.record.get("content", {}).get("trackers", []):
            assert tracker["count"] == len(tracker["occurrences"])
            for phrase in tracker["phrases"]:
                for occurrence in phrase["occurrences"]:
                    at = occurrence["startTime"] * 1000
                    # Times are cut to milliseconds, so an occurrence may round just past its sentence.
                    there = [s["text"].lower() for who, s in said if s["start"] - 1 <= at <= s["end"] + 1]
                    assert any(phrase["phrase"] in text for text in there)
                    checked += 1
    assert checked > 100


def test_sentences_rise_without_overlap_and_belong_to_parties_of_the_call(company: Company) -> None:
    for call in company.calls:
        speakers = {party["speakerId"] for party in call.record["parties"]}
        clock = 0
        for turn in call.transcript or []:
            assert turn["speakerId"] in speakers
            for sentence in turn["sentences"]:
                assert clock <= sentence["start"] <= sentence["end"]
                clock = sentence["end"]


def test_the_company_has_the_oddities_of_a_real_one(company: Company) -> None:
    calls = [call.record for call in company.calls]
    metas = [record["metaData"] for record in calls]
    parties = [party for record in calls for party in record["parties"]]
    assert any("content" not in record for record in calls)
    assert any(call.transcript_json is None for call in company.calls)
    assert any(meta["isPrivate"] for meta in metas)
    assert any("name" not in party for party in parties)
    assert any(party["speakerId"] is None for party in parties)
    assert {len(meta["started"].partition(".")[2].split("-")[0]) for meta in metas} == {0, 2, 3, 6}
    assert {meta["started"][-6:] for meta in metas} == {"-07:00", "-08:00"}
    assert {len(meta["id"]) for meta in metas} <= {17, 18, 19}
    assert any(record["collaboration"]["publicComments"] for record in calls)
    assert any(tracker["count"] == 0 for record in calls for tracker in record.get("content", {}).get("trackers", []))
    assert not all(user["active"] for user in company.users)
    assert any(not folder.calls for folder in company.folders)
    assert any(
        len({entry["id"] for entry in folder.calls}) < len(folder.calls) for folder in company.folders if folder.calls
    )


# Lists and pages


def test_calls_come_in_ascending_effective_time_but_not_by_id_within_a_tie(client: httpx.Client) -> None:
    found = pages(client, "/v2/calls/extensive", {"filter": {}})
    metas = [call["metaData"] for page in found for call in page["calls"]]
    times = [parse_effective_time(meta) for meta in metas]
    assert times == sorted(times)
    assert [m["started"] for m in metas] != sorted(m["started"] for m in metas)
    keys = [(moment, int(meta["id"])) for moment, meta in zip(times, metas, strict=True)]
    assert keys != sorted(keys)


def test_three_pages_of_a_hundred_share_a_frozen_total_and_the_last_has_no_cursor(
    gong: SimulatedGong, client: httpx.Client
) -> None:
    body: dict[str, Any] = {"filter": {}}
    first = client.post("/v2/calls/extensive", json=body).json()
    assert (first["records"]["totalRecords"], first["records"]["currentPageSize"]) == (250, 100)
    assert first["records"]["currentPageNumber"] == 0
    gong.delete_call(first["calls"][3]["metaData"]["id"])
    second = client.post("/v2/calls/extensive", json=body | {"cursor": first["records"]["cursor"]}).json()
    third = client.post("/v2/calls/extensive", json=body | {"cursor": second["records"]["cursor"]}).json()
    assert third["records"] == {"totalRecords": 250, "currentPageSize": 50, "currentPageNumber": 2}
    seen = {call["metaData"]["id"] for page in (first, second, third) for call in page["calls"]}
    assert len(seen) == 250


def test_the_three_call_endpoints_agree(client: httpx.Client) -> None:
    listed: list[str] = []
    query: dict[str, str] = {}
    while True:
        page = client.get("/v2/calls", params=query).json()
        listed += [call["id"] for call in page["calls"]]
        if "cursor" not in page["records"]:
            break
        query["cursor"] = page["records"]["cursor"]
    assert listed == all_ids(client)
    spoken = pages(client, "/v2/calls/transcript", {"filter": {}})
    ids = [entry["callId"] for page in spoken for entry in page["callTranscripts"]]
    assert ids == [call_id for call_id in listed if call_id in set(ids)]
    assert 0 < len(ids) < len(listed)


def test_a_period_includes_its_start_and_excludes_its_end_by_scheduled_time(client: httpx.Client) -> None:
    metas = [c["metaData"] for p in pages(client, "/v2/calls/extensive", {"filter": {}}) for c in p["calls"]]
    late = next(m for m in metas if m["system"] == "Zoom" and m["started"] > m["scheduled"])
    period = {"fromDateTime": late["scheduled"], "toDateTime": late["started"]}
    found = pages(client, "/v2/calls/extensive", {"filter": period})
    assert late["id"] in [call["metaData"]["id"] for page in found for call in page["calls"]]
    before = {"fromDateTime": "2026-01-01T00:00:00Z", "toDateTime": late["scheduled"]}
    ids = [c["metaData"]["id"] for p in pages(client, "/v2/calls/extensive", {"filter": before}) for c in p["calls"]]
    assert late["id"] not in ids
    outside = {"callIds": [late["id"]], "toDateTime": late["scheduled"]}
    assert errors(client.post("/v2/calls/transcript", json={"filter": outside})) == (404, NO_CALLS)


def test_filters_by_workspace_owner_and_ids_combine(client: httpx.Client, company: Company) -> None:
    owner = company.calls[0].record["metaData"]["primaryUserId"]
    owned = pages(client, "/v2/calls/extensive", {"filter": {"primaryUserIds": [owner]}})
    assert {c["metaData"]["primaryUserId"] for p in owned for c in p["calls"]} == {owner}
    workspace = company.workspaces[1]["id"]
    within = client.get("/v2/calls", params={"workspaceId": workspace}).json()
    assert {call["workspaceId"] for call in within["calls"]} == {workspace}
    known = company.calls[5].id
    some = client.post("/v2/calls/extensive", json={"filter": {"callIds": ["123", known, known]}}).json()
    assert [call["metaData"]["id"] for call in some["calls"]] == [known]


def test_nothing_found_is_a_404_with_gongs_text(gong: SimulatedGong, client: httpx.Client) -> None:
    period = {"fromDateTime": "2030-01-01T00:00:00Z", "toDateTime": "2030-01-02T00:00:00Z"}
    assert errors(client.get("/v2/calls", params=period)) == (404, NO_CALLS)
    for path in ("/v2/calls/extensive", "/v2/calls/transcript"):
        assert errors(client.post(path, json={"filter": period})) == (404, NO_CALLS)
        assert errors(client.post(path, json={"filter": {"callIds": ["5"]}})) == (404, NO_CALLS)
    assert errors(client.get("/v2/calls/5")) == (404, ["Call ID 5 was not found"])
    gong.settings.see_no_calls = True
    assert errors(client.post("/v2/calls/extensive", json={"filter": {}})) == (404, NO_CALLS)


def test_a_cursor_in_the_query_of_a_post_is_ignored(client: httpx.Client) -> None:
    first = client.post("/v2/calls/extensive", json={"filter": {}}).json()
    again = client.post(
        "/v2/calls/extensive", params={"cursor": first["records"]["cursor"]}, json={"filter": {}, "cursor": None}
    ).json()
    assert again["calls"] == first["calls"]


def test_users_page_and_hide_avatars_unless_asked(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.settings.page_size = 5
    names: list[str] = []
    query = {"includeAvatars": "false"}
    while True:
        page = client.get("/v2/users", params=query).json()
        names += [user["id"] for user in page["users"]]
        if "cursor" not in page["records"]:
            break
        query["cursor"] = page["records"]["cursor"]
    assert len(names) == len(set(names)) == page["records"]["totalRecords"] == len(gong.company.users) - 1
    gong.settings.page_size = 100
    with_avatars = client.get("/v2/users", params={"includeAvatars": "true"}).json()
    assert len(with_avatars["users"]) == len(gong.company.users)
    one = client.post("/v2/users/extensive", json={"filter": {"userIds": names[:1]}}).json()
    assert [user["id"] for user in one["users"]] == names[:1]
    nobody = client.post("/v2/users/extensive", json={"filter": {"userIds": ["9"]}})
    assert errors(nobody) == (404, ["No users found corresponding to the provided filters"])


def test_library_wants_a_workspace_and_shows_nested_folders(client: httpx.Client, company: Company) -> None:
    assert client.get("/v2/library/folders").status_code == 400
    seen = []
    for workspace in company.workspaces:
        folders = client.get("/v2/library/folders", params={"workspaceId": workspace["id"]}).json()["folders"]
        ids = {folder["id"] for folder in folders}
        assert any(folder["parentFolderId"] in ids for folder in folders)
        seen += [client.get("/v2/library/folder-content", params={"folderId": known}).json() for known in ids]
    assert [] in [content["calls"] for content in seen]


# Cursors


def test_a_chain_of_cursors_ends_an_hour_after_its_first_request(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.settings.page_size = 50
    gong.clock = lambda: UNTIL
    first = client.post("/v2/calls/extensive", json={"filter": {}}).json()["records"]["cursor"]
    gong.clock = lambda: UNTIL + timedelta(minutes=59)
    second = client.post("/v2/calls/extensive", json={"filter": {}, "cursor": first}).json()["records"]["cursor"]
    gong.clock = lambda: UNTIL + timedelta(minutes=61)
    for cursor in (first, second):
        answer = client.post("/v2/calls/extensive", json={"filter": {}, "cursor": cursor})
        assert errors(answer) == (400, ["Cursor has expired"])


@pytest.mark.parametrize("cursor", ["nonsense", "a.b.c", "", "é.é.é"])
def test_a_forged_cursor_fails(client: httpx.Client, cursor: str) -> None:
    for answer in (
        client.post("/v2/calls/extensive", json={"filter": {}, "cursor": cursor}),
        client.get("/v2/users", params={"cursor": cursor}),
    ):
        assert errors(answer) == (400, ["Failed to verify cursor"])


def test_a_tampered_cursor_fails(client: httpx.Client) -> None:
    cursor = client.post("/v2/calls/extensive", json={"filter": {}}).json()["records"]["cursor"]
    head, payload, signature = cursor.split(".")
    forged = f"{head}.{payload[:-4]}AAAA.{signature}"
    answer = client.post("/v2/calls/extensive", json={"filter": {}, "cursor": forged})
    assert errors(answer) == (400, ["Failed to verify cursor"])


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/v2/calls/extensive", {"filter": {"toDateTime": "2026-05-01T00:00:00Z"}}),
        ("/v2/calls/extensive", {"filter": {}, "contentSelector": {"context": "Basic"}}),
        ("/v2/calls/transcript", {"filter": {}}),
    ],
)
def test_a_cursor_used_with_another_request_fails(client: httpx.Client, path: str, changed: dict[str, Any]) -> None:
    cursor = client.post("/v2/calls/extensive", json={"filter": {}}).json()["records"]["cursor"]
    assert client.post(path, json=changed | {"cursor": cursor}).status_code == 400


# The content selector


def test_without_a_selector_only_meta_data_is_sent(client: httpx.Client) -> None:
    page = client.post("/v2/calls/extensive", json={"filter": {}}).json()
    assert {key for call in page["calls"] for key in call} == {"metaData"}


def test_each_flag_exposes_its_block_and_nothing_else(client: httpx.Client) -> None:
    for group in ("content", "interaction"):
        for flag in EVERYTHING["exposedFields"][group]:
            if flag == "trackerOccurrences":
                continue
            selector = {"exposedFields": {group: {flag: True}}}
            found = pages(client, "/v2/calls/extensive", {"filter": {}, "contentSelector": selector})
            keys = {key for page in found for call in page["calls"] for key in call}
            blocks = {key for page in found for call in page["calls"] for key in call.get(group, {})}
            assert keys == {"metaData", group}
            assert blocks == {"interactionStats" if flag == "personInteractionStats" else flag}


def test_context_honours_detail_and_timing(client: httpx.Client) -> None:
    def opportunities(selector: dict[str, Any]) -> list[list[dict[str, Any]]]:
        page = client.post("/v2/calls/extensive", json={"filter": {}, "contentSelector": selector}).json()
        contexts = [c["objects"] for call in page["calls"] for c in call["context"]]
        return [[o for o in objects if o["objectType"] == "Opportunity"] for objects in contexts]

    assert all(len(found) == 1 and "fields" not in found[0] for found in opportunities({"context": "Basic"}))
    assert {found[0]["timing"] for found in opportunities({"context": "Extended"})} == {"Now"}
    both = opportunities({"context": "Extended", "contextTiming": ["Now", "TimeOfCall"]})
    assert all([o["timing"] for o in found] == ["Now", "TimeOfCall"] for found in both)
    assert any(found[0]["fields"] != found[1]["fields"] for found in both)
    bare = client.post("/v2/calls/extensive", json={"filter": {}, "contentSelector": {"context": "None"}}).json()
    assert all("context" not in call for call in bare["calls"])


def test_tracker_occurrences_are_left_out_unless_asked_for(client: httpx.Client) -> None:
    for flags, expected in (({"trackers": True}, False), ({"trackers": True, "trackerOccurrences": True}, True)):
        selector = {"exposedFields": {"content": flags}}
        page = client.post("/v2/calls/extensive", json={"filter": {}, "contentSelector": selector}).json()
        trackers = [t for call in page["calls"] for t in call.get("content", {}).get("trackers", [])]
        assert any(t["occurrences"] for t in trackers) is expected


def test_media_addresses_are_signed_anew(gong: SimulatedGong, client: httpx.Client) -> None:
    body = {"filter": {}, "contentSelector": {"exposedFields": {"media": True}}}
    first = client.post("/v2/calls/extensive", json=body).json()["calls"][0]["media"]
    gong.clock = lambda: UNTIL + timedelta(days=400)
    assert client.post("/v2/calls/extensive", json=body).json()["calls"][0]["media"] != first


# Strictness


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "filter: must not be null"),
        ({"filter": {"callIds": []}}, 400, "filter.callIds: must not be empty"),
        ({"filter": {"callIds": ["99999999999999999999"]}}, 400, "Bad request"),
        ({"filter": {"unknown": 1}}, 400, "Json parse error"),
        ({"filter": {}, "limit": 5}, 400, "Json parse error"),
        ({"filter": {"fromDateTime": "2026-05-01"}}, 400, "Json parse error"),
        ({"filter": {"fromDateTime": "2026-05-01T00:00:00"}}, 400, "Json parse error"),
        (
            {"filter": {"fromDateTime": "2026-05-01T00:00:00Z", "toDateTime": "2026-05-01T00:00:00Z"}},
            400,
            "filter.fromDateTime: must be before toDateTime",
        ),
        ({"filter": {}, "contentSelector": {"context": "Full"}}, 400, "Json parse error"),
    ],
)
def test_a_bad_body_is_refused(client: httpx.Client, body: dict[str, Any], status: int, text: str) -> None:
    assert errors(client.post("/v2/calls/extensive", json=body)) == (status, [text])


def test_context_timing_requires_extended_context(client: httpx.Client) -> None:
    body = {"filter": {}, "contentSelector": {"context": "Basic", "contextTiming": ["Now"]}}
    assert client.post("/v2/calls/extensive", json=body).status_code == 400


def test_wrong_paths_verbs_and_types_get_gongs_error_body(client: httpx.Client) -> None:
    assert client.get("/v2/nothing").status_code == 404
    assert errors(client.get("/v2/calls/extensive")) == (405, ["Method Not Allowed"])
    assert errors(client.delete("/v2/users")) == (405, ["Method Not Allowed"])
    assert errors(client.post("/v2/calls/transcript")) == (415, ["Unsupported Media Type"])
    wrong_type = client.post("/v2/calls/transcript", content=b'{"filter":{}}', headers={"content-type": "text/plain"})
    assert errors(wrong_type) == (415, ["Unsupported Media Type"])
    broken = client.post("/v2/calls/transcript", content=b'{"filter"', headers={"content-type": "application/json"})
    assert errors(broken) == (400, ["Json parse error"])


def test_every_answer_carries_its_request_id_twice(client: httpx.Client) -> None:
    for answer in (client.get("/v2/workspaces"), client.get("/v2/nothing")):
        assert answer.headers["x-traceid"] == answer.json()["requestId"]
        assert 18 <= len(answer.json()["requestId"]) <= 19
        assert answer.headers["content-type"] == "application/json;charset=UTF-8"


def test_answers_are_gzipped_only_when_accepted(client: httpx.Client) -> None:
    body = {"filter": {}, "contentSelector": EVERYTHING | {"exposedFields": {"parties": True}}}
    packed = client.post("/v2/calls/extensive", json=body)
    plain = client.post("/v2/calls/extensive", json=body, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json()["calls"] == plain.json()["calls"]


# Credentials and limits


def test_credentials_and_scopes_fail_with_different_texts(gong: SimulatedGong) -> None:
    gong.settings.credentials["Bearer narrow"] = frozenset({"api:calls:read:extensive"})
    with client_of(gong, "Bearer narrow") as narrow:
        assert narrow.post("/v2/calls/extensive", json={"filter": {}}).status_code == 200
        denied = (401, ["You don't have permission to use 'api:users:read' in your app."])
        assert errors(narrow.get("/v2/users")) == denied
        media = {"filter": {}, "contentSelector": {"exposedFields": {"media": True}}}
        denied = (401, ["You don't have permission to use 'api:calls:read:media-url' in your app."])
        assert errors(narrow.post("/v2/calls/extensive", json=media)) == denied
        unknown = narrow.get("/v2/users", headers={"Authorization": "Bearer nobody"})
        assert unknown.status_code == 401
        assert "permission" not in unknown.text
        assert narrow.get("/v2/users", headers={"Authorization": ""}).status_code == 401
        assert narrow.get("/v2/users", auth=("demo", "demo-secret")).status_code == 200


def test_the_rate_limit_slides_and_names_a_second(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.settings.requests_per_second = 3
    answers = [client.get("/v2/workspaces") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[0].json()["requestId"] != answers[1].json()["requestId"]
    time.sleep(1.05)
    assert client.get("/v2/workspaces").status_code == 200


def test_a_spent_daily_quota_asks_for_hours(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.clock = lambda: UNTIL
    gong.settings.requests_per_day = 2
    statuses = [client.get("/v2/workspaces").status_code for _ in range(2)]
    spent = client.get("/v2/workspaces")
    assert [*statuses, spent.status_code] == [200, 200, 429]
    assert int(spent.headers["retry-after"]) == 6 * 3600 + 1
    gong.clock = lambda: UNTIL + timedelta(days=1)
    assert client.get("/v2/workspaces").status_code == 200


def test_requests_are_noted_with_what_was_sent_and_answered(gong: SimulatedGong, client: httpx.Client) -> None:
    client.post("/v2/calls/transcript", json={"filter": {"callIds": ["5"]}})
    client.get("/v2/users", params={"includeAvatars": "true"}, headers={"Authorization": "Basic no"})
    first, second = gong.requests
    assert (first.method, first.path, first.status) == ("POST", "/v2/calls/transcript", 404)
    assert first.body == {"filter": {"callIds": ["5"]}}
    assert (second.query, second.body, second.status) == ({"includeAvatars": "true"}, None, 401)
    assert first.authorization_present


# Lifecycle


def test_calls_content_and_transcripts_appear_after_their_delays(gong: SimulatedGong, client: httpx.Client) -> None:
    last = max(gong.company.calls, key=lambda c: c.record["metaData"]["started"] if c.transcript_json else "")
    meta = last.record["metaData"]
    end = datetime.fromisoformat(meta["started"]) + timedelta(seconds=meta["duration"])
    gong.settings.call_visible_after = timedelta(hours=1)
    gong.settings.content_visible_after = timedelta(hours=2)
    gong.settings.transcript_visible_after = timedelta(hours=3)
    body = {"filter": {"callIds": [last.id]}}
    selector = {"contentSelector": {"exposedFields": {"content": {"topics": True}}}}
    seen = []
    for hours in (0.9, 1.1, 2.1, 3.1):
        moment = end + timedelta(hours=hours)
        gong.clock = stopped_at(moment)
        call = client.post("/v2/calls/extensive", json=body | selector)
        transcript = client.post("/v2/calls/transcript", json=body)
        blocks = call.json()["calls"][0].keys() - {"metaData"} if call.status_code == 200 else None
        seen.append((call.status_code, blocks, transcript.status_code))
    content = {"content"} if "content" in last.record else set()
    assert seen == [(404, None, 404), (200, set(), 404), (200, content, 404), (200, content, 200)]


def test_edits_additions_and_deletions_show_at_once(gong: SimulatedGong, client: httpx.Client) -> None:
    call_id = next(call.id for call in gong.company.calls if call.transcript_json)
    before = all_ids(client)
    gong.edit_call(call_id, title="Renamed", scheduled="2020-01-01T10:00:00-08:00", system="Zoom")
    assert client.get(f"/v2/calls/{call_id}").json()["call"]["title"] == "Renamed"
    assert all_ids(client)[0] == call_id
    with pytest.raises(KeyError):
        gong.edit_call(call_id, tittle="no such key")
    words = [{"speakerId": "1", "topic": None, "sentences": [{"start": 0, "end": 5, "text": "New."}]}]
    gong.replace_transcript(call_id, words)
    body = {"filter": {"callIds": [call_id]}}
    assert client.post("/v2/calls/transcript", json=body).json()["callTranscripts"][0]["transcript"] == words
    gong.replace_transcript(call_id, None)
    assert client.post("/v2/calls/transcript", json=body).status_code == 404
    record = gong.get_call(call_id).record
    gong.add_call({**record, "metaData": {**record["metaData"], "id": "77"}}, words, UNTIL + timedelta(days=9999))
    assert client.get("/v2/calls/77").status_code == 404
    gong.clock = lambda: UNTIL + timedelta(days=9999)
    assert client.get("/v2/calls/77").status_code == 200
    gong.delete_call(call_id)
    gong.delete_call("77")
    assert client.get(f"/v2/calls/{call_id}").status_code == 404
    assert all_ids(client) == [known for known in before if known != call_id]


def test_an_added_call_is_validated_and_deduplicated(gong: SimulatedGong, client: httpx.Client) -> None:
    answer = client.post("/v2/calls", json={"clientUniqueId": "a"})
    assert answer.status_code == 400
    assert "parties: must not be null" in answer.json()["errors"]
    owner = next(user["id"] for user in gong.company.users if user["active"])
    body = {
        "clientUniqueId": "a",
        "actualStart": "2026-05-20T10:00:00Z",
        "direction": "Inbound",
        "parties": [{"userId": owner, "speakerId": "7"}],
        "primaryUser": owner,
    }
    first, second = (client.post("/v2/calls", json=body).json()["callId"] for _ in range(2))
    assert first == second
    assert client.get(f"/v2/calls/{first}").json()["call"]["clientUniqueId"] == "a"


# Faults


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (respond(503), 503),
        (too_many_requests(7200), 429),
        (redirect("http://elsewhere.example/v2/calls"), 302),
        (revoked_token(), 401),
        (expired_cursor(), 400),
    ],
)
def test_a_fault_answers_instead_of_gong(
    gong: SimulatedGong, client: httpx.Client, act: FaultAction, status: int
) -> None:
    fault = Fault(act, path="/v2/work", nth=2)
    gong.faults.append(fault)
    answers = [client.get("/v2/workspaces") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, status, 200]
    assert client.get("/v2/users").status_code == 200
    assert (fault.match_count, fault.hit_count) == (3, 1)
    assert [request.status for request in gong.requests] == [200, status, 200, 200]


def test_too_many_requests_names_the_seconds(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.faults.append(Fault(too_many_requests(7200)))
    assert client.get("/v2/workspaces").headers["retry-after"] == "7200"


def test_a_fault_can_wait_for_a_cursor_and_a_verb(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.faults.append(Fault(expired_cursor(), method="POST", when=lambda request: bool(request.cursor), count=1))
    first = client.post("/v2/calls/extensive", json={"filter": {}})
    following = {"filter": {}, "cursor": first.json()["records"]["cursor"]}
    assert errors(client.post("/v2/calls/extensive", json=following)) == (400, ["Cursor has expired"])
    assert client.post("/v2/calls/extensive", json=following).status_code == 200


@pytest.mark.parametrize("act", [html_page(), corrupt_json()])
def test_a_200_may_not_be_json(gong: SimulatedGong, client: httpx.Client, act: FaultAction) -> None:
    gong.faults.append(Fault(act))
    answer = client.get("/v2/workspaces")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="line 1"):
        answer.json()


def test_a_reset_reaches_the_socket(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.faults.append(Fault(reset_connection(), count=1))
    with pytest.raises(httpx.ReadError):
        client.get("/v2/workspaces")
    assert gong.requests[0].status is None
    assert client.get("/v2/workspaces").status_code == 200


def test_a_truncated_body_ends_early(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.faults.append(Fault(truncate(0.5), count=1))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        client.post("/v2/calls/extensive", json={"filter": {}})
    assert client.post("/v2/calls/extensive", json={"filter": {}}).status_code == 200


def test_a_hang_outlasts_a_timeout(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.faults.append(Fault(hang(0.4), count=1))
    with pytest.raises(httpx.ReadTimeout):
        client.get("/v2/workspaces", timeout=0.1)
    assert client.get("/v2/workspaces").status_code == 200


def test_a_rewrite_changes_the_answer(gong: SimulatedGong, client: httpx.Client) -> None:
    gong.faults.append(Fault(rewrite(lambda body: body["workspaces"][0].update(name="New field", extra=2**60))))
    workspace = client.get("/v2/workspaces").json()["workspaces"][0]
    assert (workspace["name"], workspace["extra"]) == ("New field", 2**60)


# Serving and replay


def test_only_loopback_is_served(gong: SimulatedGong) -> None:
    with pytest.raises(ValueError, match="loopback"), serve(gong.app, host="0.0.0.0"):
        pass


def test_recorded_documents_are_replayed_as_they_were(company: Company) -> None:
    recorded = [call for call in company.calls if call.transcript_json][:5]
    extensive = {"calls": [call.record for call in recorded[:4]]}
    transcripts = {"callTranscripts": [{"callId": c.id, "transcript": c.transcript} for c in recorded[2:]]}
    gong = SimulatedGong(build_recorded_company(extensive, transcripts, until=UNTIL))
    with client_of(gong) as client:
        selector = {k: v for k, v in EVERYTHING.items() if k != "exposedFields"}
        flags = {k: v for k, v in EVERYTHING["exposedFields"].items() if k != "media"}
        body = {"filter": {}, "contentSelector": {**selector, "exposedFields": flags}}
        answered = client.post("/v2/calls/extensive", json=body).json()["calls"]
        by_id = {call["metaData"]["id"]: call for call in answered}
        for call in recorded[:4]:
            assert by_id[call.id] == {key: block for key, block in call.record.items() if key != "media"}
        said = client.post("/v2/calls/transcript", json={"filter": {}}).json()["callTranscripts"]
        assert {entry["callId"] for entry in said} == {call.id for call in recorded[2:]}
        assert client.get("/v2/users").json()["users"] == []
        assert client.get("/v2/library/folders").json()["folders"] == []
