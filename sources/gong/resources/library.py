"""The library: public folders and the calls in them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import pyarrow as pa

from ..api.client import GongClient
from ..api.endpoint import Endpoint
from ..errors import MissingScopeError, RequestError
from ..extract.concurrency import gather_or_cancel
from ..extract.context import ExtractContext
from ..extract.pages import read_records
from ..extract.probe import Probe
from ..tables.column_types import BIGINT, DOUBLE, TEXT, TIMESTAMP, ColumnTypes
from ..tables.pseudonyms import PersonalFields
from ..tables.record_mapper import rejecting_invalid
from ..tables.records import InvalidRecordError, Record, is_valid_id, object_field, record_id, require_object
from ..tables.rejects import RejectCollector
from ..tables.table import Column, Table
from ..tables.table_builder import TableBuilder
from .account import read_workspaces
from .full_refresh import FullRefreshResource

T = TypeVar("T")

FOLDERS_TABLE = Table(
    name="library_folders",
    description="public folders of the library",
    key=("id",),
    columns=(
        Column("id", TEXT, field="id"),
        Column("name", TEXT, field="name"),
        Column("parent_folder_id", TEXT, field="parentFolderId"),
        Column("created_by", TEXT, field="createdBy"),
        Column("updated", TIMESTAMP, field="updated"),
        Column("workspace_id", TEXT),
    ),
)

LIBRARY_CALLS_TABLE = Table(
    name="library_calls",
    description="calls in each folder, with notes and snippets",
    key=("folder_id", "position"),
    mapped_fields=frozenset({"snippet"}),
    columns=(
        Column("folder_id", TEXT),
        Column("position", BIGINT),
        Column("call_id", TEXT, field="id"),
        Column("title", TEXT, field="title"),
        Column("note", TEXT, field="note"),
        Column("added_by", TEXT, field="addedBy"),
        Column("created", TIMESTAMP, field="created"),
        Column("url", TEXT, field="url"),
        Column("snippet_from_sec", DOUBLE),
        Column("snippet_to_sec", DOUBLE),
    ),
)


def library_tables(folders: Sequence[Any], types: ColumnTypes, rejects: RejectCollector) -> dict[str, pa.Table]:
    """Return folders and the calls in them as Arrow tables; a call that is in a folder twice has two rows."""
    folder_rows = TableBuilder(FOLDERS_TABLE, types, rejects.metrics.repeated)
    call_rows = TableBuilder(LIBRARY_CALLS_TABLE, types)
    for folder in folders:
        with rejecting_invalid("library", folder, rejects):
            if not (folder_id := record_id(require_object(folder))):
                raise InvalidRecordError("id is missing or not an id")
            if "calls" not in folder:
                raise InvalidRecordError("id is not an id that Gong accepts, so the folder's calls cannot be read")
            fields = {name: value for name, value in folder.items() if name not in ("calls", "workspaceId")}
            folder_rows.add_row({"workspace_id": folder.get("workspaceId")}, fields)
            for position, call in enumerate(folder["calls"]):
                with rejecting_invalid("library", call, rejects):
                    snippet = object_field(require_object(call), "snippet")
                    added = {
                        f"snippet__{name}": value for name, value in snippet.items() if name not in ("fromSec", "toSec")
                    }
                    values = {
                        "folder_id": folder_id,
                        "position": position,
                        "snippet_from_sec": snippet.get("fromSec"),
                        "snippet_to_sec": snippet.get("toSec"),
                    }
                    call_rows.add_row(values, {**call, **added})
    return {FOLDERS_TABLE.name: folder_rows.build(), LIBRARY_CALLS_TABLE.name: call_rows.build()}


async def read_library(context: ExtractContext) -> list[Record]:
    """Return all public folders, each with its `workspaceId` and its calls under `calls`.

    A folder whose calls cannot be read has no `calls`.
    """
    folders = await read_folders(context)
    contents = await gather_or_cancel(_read_folder_calls(context.client, folder) for folder in folders)
    return [
        folder if calls is None else {**folder, "calls": calls} for folder, calls in zip(folders, contents, strict=True)
    ]


async def read_folders(context: ExtractContext) -> list[Record]:
    """Return the public folders of one workspace, or of all, each with its `workspaceId`.

    In a company with several workspaces, Gong lists folders only per workspace.

    Raises:
        MissingScopeError: If the credential may not read folders; or not workspaces, and Gong requires one.
        GongError: If another request fails.
    """
    client = context.client
    if workspace_id := context.settings.workspace_id:
        return await _list_folders(client, workspace_id)
    try:
        ids = [text for workspace in await read_workspaces(context) if (text := record_id(workspace))]
    except MissingScopeError as missing:
        try:
            return await _list_folders(client, None)
        except RequestError as failure:
            if failure.status != HTTPStatus.BAD_REQUEST:
                raise
            raise missing from failure
    # A company with a single workspace need not name it.
    if not ids:
        return await _list_folders(client, None)
    lists = await gather_or_cancel(_none_if_invalid_id(text, _list_folders(client, text)) for text in ids)
    return [folder for folders in lists for folder in folders or ()]


async def estimate_library_requests(context: ExtractContext) -> int:
    """Return one request per folder and one per workspace."""
    folders = await read_folders(context)
    readable = [folder for folder in folders if record_id(folder)]
    return len(readable) + max(1, len({folder["workspaceId"] for folder in readable}))


async def _list_folders(client: GongClient, workspace_id: str | None) -> list[Record]:
    query = {"workspaceId": workspace_id} if workspace_id else None
    folders = await read_records(client, LIBRARY.endpoint, query)
    return [{**folder, "workspaceId": workspace_id} if isinstance(folder, Mapping) else folder for folder in folders]


async def _read_folder_calls(client: GongClient, folder: Any) -> list[Any] | None:
    """Return the calls in a folder, or None if they cannot be read."""
    folder_id = record_id(folder)
    if not folder_id:
        return None
    return await _none_if_invalid_id(folder_id, read_records(client, FOLDER_CONTENT, {"folderId": folder_id}))


async def _none_if_invalid_id(text: str, reading: Awaitable[T]) -> T | None:
    """Await a request, and return None if Gong rejects it because the id in it is invalid."""
    try:
        return await reading
    except RequestError as failure:
        if failure.status != HTTPStatus.BAD_REQUEST or is_valid_id(text):
            raise
        return None


FOLDER_CONTENT = Endpoint(
    "GET",
    "/v2/library/folder-content",
    records="calls",
    scope="api:library:read",
    description="the calls in a folder, with notes and snippets",
    note="one request per folder",
)
LIBRARY = FullRefreshResource(
    name="library",
    endpoint=Endpoint(
        "GET",
        "/v2/library/folders",
        records="folders",
        scope="api:library:read",
        description="public folders of the library",
        note="one request per workspace",
    ),
    tables=(FOLDERS_TABLE,),
    child_endpoint=FOLDER_CONTENT,
    child_tables=(LIBRARY_CALLS_TABLE,),
    reader=read_library,
    transformer=library_tables,
    estimate_requests=estimate_library_requests,
    probe_builder=lambda endpoint, samples: Probe(
        endpoint, query={"workspaceId": samples.workspace_id} if samples.workspace_id else None
    ),
    personal_fields=PersonalFields(FOLDERS_TABLE, lists={"calls": PersonalFields(LIBRARY_CALLS_TABLE)}),
)
