"""Gong Engage: flows and their folders, of the company and of each user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..api.endpoint import Endpoint
from ..extract.concurrency import gather_or_cancel
from ..extract.context import ExtractContext
from ..extract.pages import read_records
from ..extract.probe import query_probe
from ..tables.column_types import BOOL, TEXT, TIMESTAMP
from ..tables.records import ConnectorValues, Record, record_id
from ..tables.table import Column, Table
from .account import read_users
from .full_refresh import FullRefreshResource, RecordReader


async def owner_emails(context: ExtractContext) -> list[str]:
    """Return the e-mail addresses of all active users."""
    users = await read_users(context)
    emails = [user.get("emailAddress") for user in users if isinstance(user, Mapping) and user.get("active")]
    return [email for email in emails if isinstance(email, str) and email]


async def estimate_requests_per_owner(context: ExtractContext) -> int:
    """Return one request per active user."""
    return len(await owner_emails(context))


def reader_per_owner(endpoint: Endpoint, parameter: str) -> RecordReader:
    """Return a reader of an endpoint that lists by owner. Each response contains the company's records, too."""

    async def read_owner(context: ExtractContext, email: str) -> list[Any]:
        query = {parameter: email} | (
            {"workspaceId": context.settings.workspace_id} if context.settings.workspace_id else {}
        )
        return await read_records(context.client, endpoint, query)

    async def read(context: ExtractContext) -> list[Any]:
        lists = await gather_or_cancel(read_owner(context, email) for email in await owner_emails(context))
        by_id: dict[str, Any] = {}
        without_id: list[Any] = []
        for record in (record for records in lists for record in records):
            if text := record_id(record):
                by_id.setdefault(text, record)
            else:
                without_id.append(record)
        return [*by_id.values(), *without_id]

    return read


FLOWS_TABLE = Table(
    name="flows",
    description="Engage flows of the company and of each user",
    key=("id",),
    columns=(
        Column("id", TEXT, field="id"),
        Column("name", TEXT, field="name"),
        Column("folder_id", TEXT, field="folderId"),
        Column("folder_name", TEXT, field="folderName"),
        Column("visibility", TEXT, field="visibility"),
        Column("creation_date", TIMESTAMP, field="creationDate"),
        Column("exclusive", BOOL, field="exclusive"),
    ),
)

_FLOWS_ENDPOINT = Endpoint(
    "GET",
    "/v2/flows",
    records="flows",
    scope="api:flows:read",
    paged=True,
    description="Engage flows",
    note="one request per user",
)
FLOWS = FullRefreshResource(
    name="flows",
    endpoint=_FLOWS_ENDPOINT,
    tables=(FLOWS_TABLE,),
    opt_in=True,
    reader=reader_per_owner(_FLOWS_ENDPOINT, "flowOwnerEmail"),
    estimate_requests=estimate_requests_per_owner,
    probe_builder=lambda endpoint, samples: query_probe(endpoint, {"flowOwnerEmail": samples.email}, missing="a user"),
)


def folder_rows(folder: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield a folder as one row; Gong sends an absent id as the text "null"."""
    yield {}, {field: None if value == "null" else value for field, value in folder.items()}


FLOW_FOLDERS_TABLE = Table(
    name="flow_folders",
    description="folders of Engage flows",
    key=("id",),
    rows=folder_rows,
    columns=(
        Column("id", TEXT, field="id"),
        Column("name", TEXT, field="name"),
        Column("parent_folder_id", TEXT, field="parentFolderId"),
        Column("created_by_id", TEXT, field="createdById"),
        Column("visibility", TEXT, field="visibility"),
    ),
)

_FLOW_FOLDERS_ENDPOINT = Endpoint(
    "GET",
    "/v2/flows/folders",
    records="flowsFolders",
    scope="api:flows:read",
    paged=True,
    description="folders of Engage flows",
    note="one request per user; the response's key is `flowsFolders`, Gong's document has another",
)
FLOW_FOLDERS = FullRefreshResource(
    name="flow_folders",
    endpoint=_FLOW_FOLDERS_ENDPOINT,
    tables=(FLOW_FOLDERS_TABLE,),
    opt_in=True,
    reader=reader_per_owner(_FLOW_FOLDERS_ENDPOINT, "flowFolderOwnerEmail"),
    estimate_requests=estimate_requests_per_owner,
    probe_builder=lambda endpoint, samples: query_probe(
        endpoint, {"flowFolderOwnerEmail": samples.email}, missing="a user"
    ),
)
