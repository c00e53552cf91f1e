"""Users and the library as the simulated Gong serves them."""

from __future__ import annotations

import httpx

from pipelines.demo.company.company import Company
from pipelines.demo.server.app import SimulatedGong
from tests.support.gong_api import FOLDER_CONTENT, FOLDERS, USERS
from tests.support.servers.gong_client import read_error, read_get_pages


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
