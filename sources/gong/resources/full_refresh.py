"""Resources that are read whole at every run, and replaced where they changed: who reads them, how they become rows."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ..api.endpoint import (
    BRIEFS,
    CALL_OUTCOMES,
    FLOW_FOLDERS,
    FLOWS,
    PAGE_SIZE,
    PERMISSION_PROFILE_USERS,
    PERMISSION_PROFILES,
    SCORECARDS,
    SETTINGS_HISTORY,
    TRACKERS,
    USERS,
    Endpoint,
)
from ..extract.concurrency import gather_or_cancel
from ..extract.context import ExtractContext
from ..extract.estimates import ONE_REQUEST
from ..extract.pages import read_records
from ..tables.record_mapper import RecordMapper, identity_row, rejecting_invalid
from ..tables.records import (
    InvalidRecordError,
    id_text,
    is_valid_id,
    object_field,
    object_list_field,
    record_id,
    require_object,
)
from ..tables.rejects import RejectCollector
from ..tables.table_builder import ColumnTypes, Record, TableBuilder
from .account import read_users, read_workspace_ids, read_workspaces
from .company_tables import (
    BRIEFS_TABLE,
    CALL_OUTCOMES_TABLE,
    FLOW_FOLDERS_TABLE,
    FLOWS_TABLE,
    FOLDERS_TABLE,
    LIBRARY_CALLS_TABLE,
    PERMISSION_PROFILE_USERS_TABLE,
    PERMISSION_PROFILES_TABLE,
    SCORECARD_QUESTIONS_TABLE,
    SCORECARDS_TABLE,
    SETTINGS_HISTORY_TABLE,
    TRACKER_KEYWORDS_TABLE,
    TRACKERS_TABLE,
    USERS_TABLE,
    WORKSPACES_TABLE,
)
from .library import read_folders, read_library

RecordTransformer = Callable[[Sequence[Any], ColumnTypes, RejectCollector], Mapping[str, pa.Table]]


@dataclass(frozen=True, slots=True)
class FullRefreshResource:
    """A resource that is read whole.

    Attributes:
        name: The dlt resource.
        read: Gives its records.
        lay_out: Makes tables of them.
        opt_in: Whether it is read only when it is selected by name.
        estimate_requests: How many requests it takes.
    """

    name: str
    read: Callable[[ExtractContext], Awaitable[list[Any]]]
    to_tables: RecordTransformer
    opt_in: bool = False
    estimate_requests: Callable[[ExtractContext], Awaitable[int]] = ONE_REQUEST


def _reads(endpoint: Endpoint, *, of_workspace: bool = False) -> Callable[[ExtractContext], Awaitable[list[Any]]]:
    async def read(context: ExtractContext) -> list[Any]:
        query = (
            {"workspaceId": context.settings.workspace_id} if of_workspace and context.settings.workspace_id else None
        )
        return await read_records(context.client, endpoint, query)

    return read


async def _users(context: ExtractContext) -> list[Any]:
    return await read_users(context)


async def _requests_for_users(context: ExtractContext) -> int:
    page = await context.client.send(USERS, query={"includeAvatars": "true"})
    total = page.total if page.total is not None else len(page.records)
    return max(1, math.ceil(total / PAGE_SIZE))


async def _requests_per_folder(context: ExtractContext) -> int:
    folders = await read_folders(context)
    asked = [folder for folder in folders if record_id(folder)]
    return len(asked) + max(1, len({folder["workspaceId"] for folder in asked}))


async def _requests_per_user(context: ExtractContext) -> int:
    return len(await read_users(context))


async def _requests_per_owner(context: ExtractContext) -> int:
    return len(await _owners(context))


async def _requests_per_profile(context: ExtractContext) -> int:
    return len(await read_workspace_ids(context)) + len(await _profiles(context))


async def _workspaces(context: ExtractContext) -> list[Any]:
    return await read_workspaces(context)


async def _library(context: ExtractContext) -> list[Any]:
    return await read_library(context)


async def _permission_profiles(context: ExtractContext) -> list[Any]:
    """The profiles of each workspace with its id, each with its users under `users`."""

    async def with_users(profile: Any) -> Any:
        if not is_valid_id(own := record_id(profile)):
            return profile
        users = await read_records(context.client, PERMISSION_PROFILE_USERS, {"profileId": own})
        return {**profile, "users": users}

    return list(await gather_or_cancel(with_users(profile) for profile in await _profiles(context)))


async def _profiles(context: ExtractContext) -> list[Any]:
    async def of_workspace(workspace_id: str) -> list[Any]:
        profiles = await read_records(context.client, PERMISSION_PROFILES, {"workspaceId": workspace_id})
        return [{**one, "workspaceId": workspace_id} if isinstance(one, Mapping) else one for one in profiles]

    listed = await gather_or_cancel(of_workspace(one) for one in await read_workspace_ids(context))
    return [profile for profiles in listed for profile in profiles]


async def _owners(context: ExtractContext) -> list[str]:
    """Addresses of the users who can have something of their own."""
    users = await read_users(context)
    emails = [user.get("emailAddress") for user in users if isinstance(user, Mapping) and user.get("active")]
    return [email for email in emails if isinstance(email, str) and email]


def _for_each_owner(endpoint: Endpoint, parameter: str) -> Callable[[ExtractContext], Awaitable[list[Any]]]:
    """Reads what Gong lists for one owner at a time; what belongs to the company comes with everybody's."""

    async def of_owner(context: ExtractContext, email: str) -> list[Any]:
        query = {parameter: email} | (
            {"workspaceId": context.settings.workspace_id} if context.settings.workspace_id else {}
        )
        return await read_records(context.client, endpoint, query)

    async def read(context: ExtractContext) -> list[Any]:
        listed = await gather_or_cancel(of_owner(context, email) for email in await _owners(context))
        by_id: dict[str, Any] = {}
        others: list[Any] = []
        for record in (record for of_one in listed for record in of_one):
            if own := record_id(record):
                by_id.setdefault(own, record)
            else:
                others.append(record)
        return [*by_id.values(), *others]

    return read


async def _settings_histories(context: ExtractContext) -> list[Any]:
    """A record for each user: `id`, and Gong's list under `history`."""

    async def of_user(user_id: str) -> Record:
        return {"id": user_id, "history": await read_records(context.client, SETTINGS_HISTORY.of(user_id))}

    users = await read_users(context)
    return list(await gather_or_cancel(of_user(own) for user in users if is_valid_id(own := record_id(user))))


def _user(user: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    yield (), {**object_field(user, "settings"), **user}


def _keywords(tracker: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    position = 0
    for of_language in object_list_field(tracker, "languageKeywords"):
        keywords = of_language.get("keywords")
        if not isinstance(keywords, list | None):
            raise InvalidRecordError("keywords is not a list")
        for keyword in keywords or ():
            yield (id_text(tracker["trackerId"]), position, keyword), of_language
            position += 1


def _questions(scorecard: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for position, question in enumerate(object_list_field(scorecard, "questions")):
        yield (id_text(scorecard["scorecardId"]), position), question


def _profile_users(profile: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for user in object_list_field(profile, "users"):
        yield (id_text(profile["id"]),), user


def _flow_folder(folder: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    # Gong writes an id that is absent as the text "null" here.
    yield (), {field: None if value == "null" else value for field, value in folder.items()}


def _settings_history(of_user: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for position, change in enumerate(object_list_field(of_user, "history")):
        yield (id_text(of_user["id"]), position), change


def library_tables(folders: Sequence[Any], types: ColumnTypes, rejects: RejectCollector) -> dict[str, pa.Table]:
    """Folders and the calls in them; a call that is in a folder twice stays there twice."""
    shelf, contents = TableBuilder(FOLDERS_TABLE, types), TableBuilder(LIBRARY_CALLS_TABLE, types)
    for folder in folders:
        with rejecting_invalid("library", folder, rejects):
            if not (folder_id := record_id(require_object(folder))):
                raise InvalidRecordError("id is missing or no id")
            if "calls" not in folder:
                raise InvalidRecordError("id is none that Gong takes, so that its calls cannot be asked for")
            about = {name: value for name, value in folder.items() if name not in ("calls", "workspaceId")}
            shelf.add((folder.get("workspaceId"),), about)
            for position, call in enumerate(folder["calls"]):
                with rejecting_invalid("library", call, rejects):
                    snippet = object_field(require_object(call), "snippet")
                    more = {
                        f"snippet__{name}": value for name, value in snippet.items() if name not in ("fromSec", "toSec")
                    }
                    ours = (folder_id, position, snippet.get("fromSec"), snippet.get("toSec"))
                    contents.add(ours, {**call, **more})
    return {FOLDERS_TABLE.name: shelf.build(), LIBRARY_CALLS_TABLE.name: contents.build()}


def _transformer_for(name: str, *tables: Any, key: str = "id") -> RecordTransformer:
    return RecordMapper(name, tables, key).to_tables


FULL_REFRESH = (
    FullRefreshResource(
        "users", _users, _transformer_for("users", (USERS_TABLE, _user)), estimate_requests=_requests_for_users
    ),
    FullRefreshResource("workspaces", _workspaces, _transformer_for("workspaces", (WORKSPACES_TABLE, identity_row))),
    FullRefreshResource("library", _library, library_tables, estimate_requests=_requests_per_folder),
    FullRefreshResource(
        "trackers",
        _reads(TRACKERS, of_workspace=True),
        _transformer_for(
            "trackers", (TRACKERS_TABLE, identity_row), (TRACKER_KEYWORDS_TABLE, _keywords), key=TRACKERS.key
        ),
    ),
    FullRefreshResource(
        "scorecards",
        _reads(SCORECARDS),
        _transformer_for(
            "scorecards", (SCORECARDS_TABLE, identity_row), (SCORECARD_QUESTIONS_TABLE, _questions), key=SCORECARDS.key
        ),
    ),
    FullRefreshResource(
        "call_outcomes",
        _reads(CALL_OUTCOMES),
        _transformer_for("call_outcomes", (CALL_OUTCOMES_TABLE, identity_row), key=CALL_OUTCOMES.key),
    ),
    FullRefreshResource(
        "briefs",
        _reads(BRIEFS, of_workspace=True),
        _transformer_for("briefs", (BRIEFS_TABLE, identity_row), key=BRIEFS.key),
    ),
    FullRefreshResource(
        "permission_profiles",
        _permission_profiles,
        _transformer_for(
            "permission_profiles",
            (PERMISSION_PROFILES_TABLE, identity_row),
            (PERMISSION_PROFILE_USERS_TABLE, _profile_users),
        ),
        opt_in=True,
        estimate_requests=_requests_per_profile,
    ),
    FullRefreshResource(
        "flows",
        _for_each_owner(FLOWS, "flowOwnerEmail"),
        _transformer_for("flows", (FLOWS_TABLE, identity_row)),
        opt_in=True,
        estimate_requests=_requests_per_owner,
    ),
    FullRefreshResource(
        "flow_folders",
        _for_each_owner(FLOW_FOLDERS, "flowFolderOwnerEmail"),
        _transformer_for("flow_folders", (FLOW_FOLDERS_TABLE, _flow_folder)),
        opt_in=True,
        estimate_requests=_requests_per_owner,
    ),
    FullRefreshResource(
        "user_settings_history",
        _settings_histories,
        _transformer_for("user_settings_history", (SETTINGS_HISTORY_TABLE, _settings_history)),
        opt_in=True,
        estimate_requests=_requests_per_user,
    ),
)
"""Read at every run, in this order; those that are `opt_in` only where they are selected by name."""
