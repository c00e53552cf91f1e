"""The library: public folders and the calls in them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from ..api.client import GongClient
from ..api.endpoint import FOLDER_CONTENT, FOLDERS
from ..errors import MissingScopeError, RequestError
from ..extract.concurrency import gather_or_cancel
from ..extract.context import ExtractContext
from ..extract.pages import read_records
from ..tables.records import is_valid_id, record_id
from ..tables.table_builder import Record
from .account import read_workspaces

T = TypeVar("T")


async def read_library(context: ExtractContext) -> list[Record]:
    """All public folders of a workspace, or of every workspace, each with its `calls` and `workspaceId`.

    Gong refuses the list without a workspace where a company has several, so they are asked for one by one.
    """
    folders = await read_folders(context)
    contents = await gather_or_cancel(_content(context.client, folder) for folder in folders)
    return [
        folder if calls is None else {**folder, "calls": calls} for folder, calls in zip(folders, contents, strict=True)
    ]


async def read_folders(context: ExtractContext) -> list[Record]:
    """All public folders of a workspace, or of every workspace, each with its `workspaceId`.

    Raises:
        MissingScopeError: The credential may not read folders; or not workspaces, and Gong wants one named.
        GongError: Gong's answers did not come to their end.
    """
    client = context.client
    if workspace_id := context.settings.workspace_id:
        return await _folders(client, workspace_id)
    try:
        ids = [own for one in await read_workspaces(context) if (own := record_id(one))]
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
