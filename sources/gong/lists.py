"""What Gong returns whole: users, workspaces and the library. Read each run, written only when it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pyarrow as pa

from .client import GongClient
from .endpoints import FOLDER_CONTENT, FOLDERS, USERS, WORKSPACES, Endpoint
from .errors import ScopeMissing
from .rows import ColumnTypes, Record, Sheet
from .shape import child, id_text
from .tables import FOLDERS_TABLE, LIBRARY_CALLS_TABLE, USERS_TABLE, WORKSPACES_TABLE, Table


async def read_users(client: GongClient) -> list[Record]:
    """All users, deactivated ones and Gong's own avatars included: calls and comments refer to them."""
    return await _records(client, USERS, {"includeAvatars": "true"})


class WorkspaceList:
    """All workspaces, asked for once a run: they are a resource, and the library needs them too."""

    def __init__(self) -> None:
        self._reading: asyncio.Task[list[Record]] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(self, client: GongClient) -> list[Record]:
        """The workspaces; whoever comes second waits for the first one's answer."""
        if self._loop is not (loop := asyncio.get_running_loop()) or self._reading is None:
            # dlt runs every extract in a loop of its own.
            self._loop, self._reading = loop, loop.create_task(_records(client, WORKSPACES))
        return await self._reading


async def read_library(client: GongClient, workspaces: WorkspaceList, workspace_id: str | None) -> list[Record]:
    """All public folders of a workspace, or of every workspace, each with its `calls` and `workspaceId`.

    Gong refuses the list without a workspace where a company has several, so they are asked for one by one.
    """
    ids = [workspace_id] if workspace_id else await _workspace_ids(client, workspaces)
    listed = await asyncio.gather(*(_folders(client, one) for one in ids))
    folders = [folder for of_workspace in listed for folder in of_workspace]
    contents = await asyncio.gather(
        *(_records(client, FOLDER_CONTENT, {"folderId": id_text(folder.get("id"))}) for folder in folders)
    )
    return [{**folder, "calls": calls} for folder, calls in zip(folders, contents, strict=True)]


def user_tables(users: Sequence[Record], types: ColumnTypes) -> dict[str, pa.Table]:
    """Users, their settings as columns of their own."""
    return _one_table(USERS_TABLE, [{**child(user, "settings"), **user} for user in users], types)


def workspace_tables(workspaces: Sequence[Record], types: ColumnTypes) -> dict[str, pa.Table]:
    """Workspaces."""
    return _one_table(WORKSPACES_TABLE, workspaces, types)


def library_tables(folders: Sequence[Record], types: ColumnTypes) -> dict[str, pa.Table]:
    """Folders and the calls in them; a call that is in a folder twice stays there twice."""
    shelf, contents = Sheet(FOLDERS_TABLE, types), Sheet(LIBRARY_CALLS_TABLE, types)
    for folder in folders:
        about = {name: value for name, value in folder.items() if name not in ("calls", "workspaceId")}
        shelf.add((folder.get("workspaceId"),), about)
        for position, call in enumerate(folder["calls"]):
            snippet = child(call, "snippet")
            more = {f"snippet__{name}": value for name, value in snippet.items() if name not in ("fromSec", "toSec")}
            ours = (id_text(folder.get("id")), position, snippet.get("fromSec"), snippet.get("toSec"))
            contents.add(ours, {**call, **more})
    return {FOLDERS_TABLE.name: shelf.arrow(), LIBRARY_CALLS_TABLE.name: contents.arrow()}


def _one_table(table: Table, records: Sequence[Record], types: ColumnTypes) -> dict[str, pa.Table]:
    sheet = Sheet(table, types)
    for record in records:
        sheet.add((), record)
    return {table.name: sheet.arrow()}


async def _records(client: GongClient, endpoint: Endpoint, query: dict[str, str] | None = None) -> list[Record]:
    by_id: dict[str, Record] = {}
    unnamed: list[Record] = []
    async for page in client.pages(endpoint, query=query):
        for raw in page.records:
            record: Record = msgspec.json.decode(raw)
            if endpoint.pages and (key := id_text(record.get("id"))):
                # A list that changes while it is paged can show a record on two pages.
                by_id[key] = record
            else:
                unnamed.append(record)
    return [*by_id.values(), *unnamed]


async def _workspace_ids(client: GongClient, workspaces: WorkspaceList) -> list[str | None]:
    try:
        return [id_text(workspace.get("id")) for workspace in await workspaces.read(client)]
    except ScopeMissing:
        # A company with one workspace is served without naming it.
        return [None]


async def _folders(client: GongClient, workspace_id: str | None) -> list[Record]:
    folders = await _records(client, FOLDERS, {"workspaceId": workspace_id} if workspace_id else None)
    return [{**folder, "workspaceId": workspace_id} for folder in folders]
