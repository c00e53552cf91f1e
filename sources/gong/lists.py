"""What Gong returns whole: users, workspaces and the library. Read each run, written only when it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from .client import GongClient
from .endpoints import FOLDER_CONTENT, FOLDERS, USERS, WORKSPACES, Endpoint
from .errors import ScopeMissing
from .rejections import Rejections
from .rows import ColumnTypes, Record, Sheet
from .shape import ShapeError, an_object, child, decoded, may_be_asked_for, named
from .tables import FOLDERS_TABLE, LIBRARY_CALLS_TABLE, USERS_TABLE, WORKSPACES_TABLE, Table
from .tasks import together

# A cursor that expires while a list is paged: the list is read from its start again.
_STARTS_OVER = 2


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
    folders = await read_folders(client, workspaces, workspace_id)
    contents = await together(_content(client, folder) for folder in folders)
    return [
        folder if calls is None else {**folder, "calls": calls} for folder, calls in zip(folders, contents, strict=True)
    ]


async def read_folders(client: GongClient, workspaces: WorkspaceList, workspace_id: str | None) -> list[Record]:
    """All public folders of a workspace, or of every workspace, each with its `workspaceId`."""
    ids = [workspace_id] if workspace_id else await _workspace_ids(client, workspaces)
    listed = await together(_folders(client, one) for one in ids)
    return [folder for of_workspace in listed for folder in of_workspace]


def user_tables(users: Sequence[Any], types: ColumnTypes, rejections: Rejections) -> dict[str, pa.Table]:
    """Users, their settings as columns of their own."""

    def row(user: Record) -> Record:
        return {**child(user, "settings"), **user}

    return _one_table(USERS_TABLE, users, row, types, rejections)


def workspace_tables(workspaces: Sequence[Any], types: ColumnTypes, rejections: Rejections) -> dict[str, pa.Table]:
    """Workspaces."""
    return _one_table(WORKSPACES_TABLE, workspaces, lambda workspace: workspace, types, rejections)


def library_tables(folders: Sequence[Any], types: ColumnTypes, rejections: Rejections) -> dict[str, pa.Table]:
    """Folders and the calls in them; a call that is in a folder twice stays there twice."""
    shelf, contents = Sheet(FOLDERS_TABLE, types), Sheet(LIBRARY_CALLS_TABLE, types)
    for folder in folders:
        with _setting_aside("library", folder, rejections):
            folder_id = _id_of(folder)
            if "calls" not in folder:
                raise ShapeError("id is none that Gong takes, so that its calls cannot be asked for")
            about = {name: value for name, value in folder.items() if name not in ("calls", "workspaceId")}
            shelf.add((folder.get("workspaceId"),), about)
            for position, call in enumerate(folder["calls"]):
                with _setting_aside("library", call, rejections):
                    snippet = child(an_object(call), "snippet")
                    more = {
                        f"snippet__{name}": value for name, value in snippet.items() if name not in ("fromSec", "toSec")
                    }
                    ours = (folder_id, position, snippet.get("fromSec"), snippet.get("toSec"))
                    contents.add(ours, {**call, **more})
    return {FOLDERS_TABLE.name: shelf.arrow(), LIBRARY_CALLS_TABLE.name: contents.arrow()}


def _one_table(
    table: Table, records: Sequence[Any], row: Callable[[Record], Record], types: ColumnTypes, rejections: Rejections
) -> dict[str, pa.Table]:
    sheet = Sheet(table, types)
    for record in records:
        with _setting_aside(table.resource, record, rejections):
            _id_of(record)
            sheet.add((), row(record))
    return {table.name: sheet.arrow()}


@contextmanager
def _setting_aside(resource: str, record: Any, rejections: Rejections) -> Iterator[None]:
    """Does with a record what is inside; one that fits no table does not stop the others."""
    try:
        yield
    except ShapeError as problem:
        rejections.add(resource, record, problem)
    else:
        rejections.fits(resource, [named(record)])


def _id_of(record: Any) -> str:
    if not (own := named(an_object(record))):
        raise ShapeError("id is missing or no id")
    return own


async def _records(client: GongClient, endpoint: Endpoint, query: dict[str, str] | None = None) -> list[Any]:
    by_id: dict[str, Record] = {}
    others: list[Any] = []
    async for page in client.pages(endpoint, query=query, starts_over=_STARTS_OVER):
        for raw in page.records:
            try:
                record = decoded(raw)
            except ShapeError:
                record = bytes(raw).decode("utf-8", "replace")
            if endpoint.pages and (own := named(record)):
                # A list that changes while it is paged, or is read from its start again, shows a record twice.
                by_id[own] = record
            else:
                others.append(record)
    return [*by_id.values(), *others]


async def _workspace_ids(client: GongClient, workspaces: WorkspaceList) -> list[str | None]:
    try:
        return [own for workspace in await workspaces.read(client) if may_be_asked_for(own := named(workspace))]
    except ScopeMissing:
        # A company with one workspace is served without naming it.
        return [None]


async def _folders(client: GongClient, workspace_id: str | None) -> list[Record]:
    folders = await _records(client, FOLDERS, {"workspaceId": workspace_id} if workspace_id else None)
    return [{**folder, "workspaceId": workspace_id} if isinstance(folder, Mapping) else folder for folder in folders]


async def _content(client: GongClient, folder: Any) -> list[Any] | None:
    """The calls in a folder; None where they cannot be asked for."""
    own = named(folder)
    return await _records(client, FOLDER_CONTENT, {"folderId": own}) if may_be_asked_for(own) else None
