"""Users and workspaces: lists that other resources need as well."""

from __future__ import annotations

from typing import Any

from ..api.endpoint import USERS, WORKSPACES
from ..extract.context import ExtractContext
from ..tables.records import is_valid_id, record_id


async def read_users(context: ExtractContext) -> list[Any]:
    """Return all users, also deactivated ones and Gong's own avatars: calls and comments refer to them."""
    return await context.read_shared(USERS, {"includeAvatars": "true"})


async def read_workspaces(context: ExtractContext) -> list[Any]:
    """Return all workspaces."""
    return await context.read_shared(WORKSPACES)


async def read_workspace_ids(context: ExtractContext) -> list[str]:
    """Return the ids of the workspaces to read one by one, for operations that require a workspace."""
    if context.settings.workspace_id:
        return [context.settings.workspace_id]
    ids = [record_id(workspace) for workspace in await read_workspaces(context)]
    return [workspace_id for workspace_id in ids if is_valid_id(workspace_id)]
