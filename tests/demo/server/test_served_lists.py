"""Lists that the simulated Gong serves: calls with order, pages, windows and filters; users; the library."""

from __future__ import annotations

import httpx

from pipelines.demo.company.company import Company
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.call_index import parse_effective_time
from tests.support.gong_api import CALLS, EXTENSIVE, FOLDER_CONTENT, FOLDERS, TRANSCRIPT, USERS, Json
from tests.support.servers.gong_client import (
    NO_CALLS,
    read_call_ids,
    read_calls,
    read_error,
    read_get_pages,
    read_pages,
)


def test_calls_ascend_by_effective_time_and_not_by_id(client: httpx.Client) -> None:
    """Gong sorts neither by start nor by id, and a client must not rely on either."""
    metas = [call["metaData"] for call in read_calls(client)]
    times = [parse_effective_time(meta) for meta in metas]
    assert times == sorted(times)
    assert [meta["started"] for meta in metas] != sorted(meta["started"] for meta in metas)
    keys = [(time, int(meta["id"])) for time, meta in zip(times, metas, strict=True)]
    assert keys != sorted(keys)


def test_pages_share_the_total_of_the_first_page(gong: SimulatedGong, client: httpx.Client) -> None:
    """A call deleted between two pages changes neither the total nor the later pages; the last has no cursor."""
    body: Json = {"filter": {}}
    first = client.post(EXTENSIVE, json=body).json()
    assert (first["records"]["totalRecords"], first["records"]["currentPageSize"]) == (250, 100)
    assert first["records"]["currentPageNumber"] == 0
    gong.delete_call(first["calls"][3]["metaData"]["id"])
    second = client.post(EXTENSIVE, json=body | {"cursor": first["records"]["cursor"]}).json()
    third = client.post(EXTENSIVE, json=body | {"cursor": second["records"]["cursor"]}).json()
    assert third["records"] == {"totalRecords": 250, "currentPageSize": 50, "currentPageNumber": 2}
    assert len({call["metaData"]["id"] for page in (first, second, third) for call in page["calls"]}) == 250


def test_the_three_call_endpoints_return_the_same_calls(client: httpx.Client) -> None:
    """Metadata, extensive data and transcripts have one order; calls without a transcript are left out."""
    ids = [call["id"] for call in read_get_pages(client, CALLS, "calls", {})]
    assert ids == read_call_ids(client)
    pages = read_pages(client, TRANSCRIPT, {"filter": {}})
    transcribed = [entry["callId"] for page in pages for entry in page["callTranscripts"]]
    assert transcribed == [call_id for call_id in ids if call_id in set(transcribed)]
    assert 0 < len(transcribed) < len(ids)


def test_a_window_includes_its_start_and_excludes_its_end(client: httpx.Client) -> None:
    """Gong filters web conferences by their scheduled time, also if the ids are given."""
    metas = [call["metaData"] for call in read_calls(client)]
    late = next(meta for meta in metas if meta["system"] == "Zoom" and meta["started"] > meta["scheduled"])

    assert late["id"] in read_call_ids(client, {"fromDateTime": late["scheduled"], "toDateTime": late["started"]})
    window = {"fromDateTime": "2026-01-01T00:00:00Z", "toDateTime": late["scheduled"]}
    assert late["id"] not in read_call_ids(client, window)
    outside = {"callIds": [late["id"]], "toDateTime": late["scheduled"]}
    assert read_error(client.post(TRANSCRIPT, json={"filter": outside})) == (404, NO_CALLS)


def test_filters_by_user_workspace_and_ids(client: httpx.Client, company: Company) -> None:
    """Each filter limits the calls; unknown and repeated ids are ignored."""
    user_id = company.calls[0].record["metaData"]["primaryUserId"]
    hosted = read_calls(client, {"primaryUserIds": [user_id]})
    assert {call["metaData"]["primaryUserId"] for call in hosted} == {user_id}

    workspace_id = company.workspaces[1]["id"]
    page = client.get(CALLS, params={"workspaceId": workspace_id}).json()
    assert {call["workspaceId"] for call in page["calls"]} == {workspace_id}

    call_id = company.calls[5].id
    assert read_call_ids(client, {"callIds": ["123", call_id, call_id]}) == [call_id]


def test_an_empty_result_is_a_404_with_gongs_text(gong: SimulatedGong, client: httpx.Client) -> None:
    """Only this text means "no calls"; a key without access to any call gets it, too."""
    window = {"fromDateTime": "2030-01-01T00:00:00Z", "toDateTime": "2030-01-02T00:00:00Z"}
    assert read_error(client.get(CALLS, params=window)) == (404, NO_CALLS)
    for path in (EXTENSIVE, TRANSCRIPT):
        assert read_error(client.post(path, json={"filter": window})) == (404, NO_CALLS)
        assert read_error(client.post(path, json={"filter": {"callIds": ["5"]}})) == (404, NO_CALLS)
    assert read_error(client.get(f"{CALLS}/5")) == (404, ["Call ID 5 was not found"])
    gong.settings.hides_all_calls = True
    assert read_error(client.post(EXTENSIVE, json={"filter": {}})) == (404, NO_CALLS)


def test_users_are_paged_and_avatars_are_hidden_by_default(gong: SimulatedGong, client: httpx.Client) -> None:
    """Avatars appear only if `includeAvatars` is true."""
    gong.settings.page_size = 5
    ids = [user["id"] for user in read_get_pages(client, USERS, "users", {"includeAvatars": "false"})]
    assert len(ids) == len(set(ids)) == len(gong.company.users) - 1
    assert client.get(USERS).json()["records"]["totalRecords"] == len(ids)

    gong.settings.page_size = 100
    with_avatars = client.get(USERS, params={"includeAvatars": "true"}).json()
    assert len(with_avatars["users"]) == len(gong.company.users)


def test_users_are_filtered_by_id(gong: SimulatedGong, client: httpx.Client) -> None:
    """An unknown user is a 404 with a text of its own."""
    user_id = next(user["id"] for user in gong.company.users if user["active"])
    page = client.post(f"{USERS}/extensive", json={"filter": {"userIds": [user_id]}}).json()
    assert [user["id"] for user in page["users"]] == [user_id]
    unknown = client.post(f"{USERS}/extensive", json={"filter": {"userIds": ["9"]}})
    assert read_error(unknown) == (404, ["No users found corresponding to the provided filters"])


def test_library_requires_a_workspace_and_has_nested_and_empty_folders(client: httpx.Client, company: Company) -> None:
    """The connector lists folders per workspace."""
    assert client.get(FOLDERS).status_code == 400
    contents = []
    for workspace in company.workspaces:
        folders = client.get(FOLDERS, params={"workspaceId": workspace["id"]}).json()["folders"]
        ids = {folder["id"] for folder in folders}
        assert any(folder["parentFolderId"] in ids for folder in folders)
        contents += [client.get(FOLDER_CONTENT, params={"folderId": folder_id}).json() for folder_id in ids]
    assert [] in [content["calls"] for content in contents]
