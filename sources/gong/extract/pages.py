"""Lists that Gong gives whole: users, workspaces, folders and what is in them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from ..api.client import GongClient
from ..api.endpoint import FOLDER_CONTENT, FOLDERS, USERS, WORKSPACES, Endpoint
from ..api.retry import MAX_RESTARTS
from ..errors import MissingScopeError, RequestError
from ..tables.records import InvalidRecordError, decode_record, is_valid_id, record_id
from ..tables.table_builder import Record
from .concurrency import gather_or_cancel

T = TypeVar("T")


class SharedList:
    """A list that is asked for once a run, whoever needs it.

    Args:
        endpoint: What to read.
        query: Its query parameters.
    """

    def __init__(self, endpoint: Endpoint, query: dict[str, str] | None = None) -> None:
        self._endpoint = endpoint
        self._query = query
        self._reading: asyncio.Task[list[Record]] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(self, client: GongClient) -> list[Record]:
        """Its records; whoever comes second waits for the first one's answer."""
        if self._loop is not (loop := asyncio.get_running_loop()) or self._reading is None:
            # A task belongs to one event loop, and the next read may come in a new one.
            self._loop, self._reading = loop, loop.create_task(read_records(client, self._endpoint, self._query))
        # Who is cancelled while it waits does not end the others' list.
        return await asyncio.shield(self._reading)


class WorkspaceList(SharedList):
    """All workspaces: a resource, and what the library and others are asked for one by one."""

    def __init__(self) -> None:
        super().__init__(WORKSPACES)


class UserList(SharedList):
    """All users, deactivated ones and Gong's own avatars included: calls and comments refer to them."""

    def __init__(self) -> None:
        super().__init__(USERS, {"includeAvatars": "true"})


@dataclass(frozen=True, slots=True)
class ExtractContext:
    """What the lists of one run share.

    Attributes:
        client: Talks to Gong, inside `connected()`.
        workspaces, users: Read once for all.
        workspace_id: Only what belongs to this workspace, where Gong can narrow it so.
        private_calls_too: Whether private calls are read.
    """

    client: GongClient
    workspaces: WorkspaceList
    users: UserList
    workspace_id: str | None = None
    private_calls_too: bool = False

    async def workspace_ids(self) -> list[str]:
        """The workspaces to ask for one by one, where Gong wants one named."""
        if self.workspace_id:
            return [self.workspace_id]
        return [own for one in await self.workspaces.read(self.client) if is_valid_id(own := record_id(one))]


def constant(requests: int) -> Callable[[ExtractContext], Awaitable[int]]:
    """The costs of what takes so many requests whatever the company is like."""

    async def estimate(_: ExtractContext) -> int:
        return requests

    return estimate


ONE_REQUEST = constant(1)
"""What a list costs that is asked for as a whole."""


async def read_library(client: GongClient, workspaces: WorkspaceList, workspace_id: str | None) -> list[Record]:
    """All public folders of a workspace, or of every workspace, each with its `calls` and `workspaceId`.

    Gong refuses the list without a workspace where a company has several, so they are asked for one by one.
    """
    folders = await read_folders(client, workspaces, workspace_id)
    contents = await gather_or_cancel(_content(client, folder) for folder in folders)
    return [
        folder if calls is None else {**folder, "calls": calls} for folder, calls in zip(folders, contents, strict=True)
    ]


async def read_folders(client: GongClient, workspaces: WorkspaceList, workspace_id: str | None) -> list[Record]:
    """All public folders of a workspace, or of every workspace, each with its `workspaceId`.

    Raises:
        MissingScopeError: The credential may not read folders; or not workspaces, and Gong wants one named.
        GongError: Gong's answers did not come to their end.
    """
    if workspace_id:
        return await _folders(client, workspace_id)
    try:
        ids = [own for one in await workspaces.read(client) if (own := record_id(one))]
    except MissingScopeError as missing:
        try:
            return await _folders(client, None)
        except RequestError as refused:
            if refused.status != HTTPStatus.BAD_REQUEST:
                raise
            raise missing from refused
    # A company with one workspace is served without naming it.
    if not ids:
        return await _folders(client, None)
    listed = await gather_or_cancel(_unless_refused(one, _folders(client, one)) for one in ids)
    return [folder for of_workspace in listed for folder in of_workspace or ()]


async def read_records(
    client: GongClient, endpoint: Endpoint, query: dict[str, str] | None = None, body: dict[str, Any] | None = None
) -> list[Any]:
    """All records of an endpoint, decoded; one that comes on two pages comes once, as it came last.

    Raises:
        GongError: Gong's answers did not come to their end.
    """
    by_id: dict[str, Record] = {}
    others: list[Any] = []
    max_restarts = MAX_RESTARTS if endpoint.key else 0
    async for page in client.paginate(endpoint, query=query, body=body, max_restarts=max_restarts):
        for raw in page.records:
            try:
                record = decode_record(raw)
            except InvalidRecordError:
                record = bytes(raw).decode("utf-8", "replace")
            if endpoint.paged and endpoint.key and (own := record_id(record, endpoint.key)):
                # A list that changes while it is paged, or is read from its start again, shows a record twice.
                by_id[own] = record
            else:
                others.append(record)
    return [*by_id.values(), *others]


async def _folders(client: GongClient, workspace_id: str | None) -> list[Record]:
    folders = await read_records(client, FOLDERS, {"workspaceId": workspace_id} if workspace_id else None)
    return [{**folder, "workspaceId": workspace_id} if isinstance(folder, Mapping) else folder for folder in folders]


async def _content(client: GongClient, folder: Any) -> list[Any] | None:
    """The calls in a folder; None where they cannot be asked for."""
    own = record_id(folder)
    return await _unless_refused(own, read_records(client, FOLDER_CONTENT, {"folderId": own})) if own else None


async def _unless_refused(own: str, reading: Awaitable[T]) -> T | None:
    """What is read by an id; None where Gong refuses it for an id that is no number of 64 bits."""
    try:
        return await reading
    except RequestError as refused:
        if refused.status != HTTPStatus.BAD_REQUEST or is_valid_id(own):
            raise
        return None
