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
from ..extract.concurrency import together
from ..extract.pages import ONE_REQUEST, Reading, read_folders, read_library, read_records
from ..tables.record_mapper import Layout, itself, setting_aside
from ..tables.records import ShapeError, an_object, child, children, id_text, may_be_asked_for, named
from ..tables.rejects import Rejections
from ..tables.table_builder import ColumnTypes, Record, Sheet
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

LayOut = Callable[[Sequence[Any], ColumnTypes, Rejections], Mapping[str, pa.Table]]


@dataclass(frozen=True, slots=True)
class WholeList:
    """A resource that is read whole.

    Attributes:
        name: The dlt resource.
        read: Gives its records.
        lay_out: Makes tables of them.
        opt_in: Whether it is read only when it is selected by name.
        costs: How many requests it takes.
    """

    name: str
    read: Callable[[Reading], Awaitable[list[Any]]]
    lay_out: LayOut
    opt_in: bool = False
    costs: Callable[[Reading], Awaitable[int]] = ONE_REQUEST


def _reads(endpoint: Endpoint, *, of_workspace: bool = False) -> Callable[[Reading], Awaitable[list[Any]]]:
    async def read(reading: Reading) -> list[Any]:
        query = {"workspaceId": reading.workspace_id} if of_workspace and reading.workspace_id else None
        return await read_records(reading.client, endpoint, query)

    return read


async def _users(reading: Reading) -> list[Any]:
    return await reading.users.read(reading.client)


async def _pages_of_users(reading: Reading) -> int:
    page = await reading.client.send(USERS, query={"includeAvatars": "true"})
    total = page.total if page.total is not None else len(page.records)
    return max(1, math.ceil(total / PAGE_SIZE))


async def _of_each_folder(reading: Reading) -> int:
    folders = await read_folders(reading.client, reading.workspaces, reading.workspace_id)
    asked = [folder for folder in folders if named(folder)]
    return len(asked) + max(1, len({folder["workspaceId"] for folder in asked}))


async def _of_each_user(reading: Reading) -> int:
    return len(await reading.users.read(reading.client))


async def _of_each_owner(reading: Reading) -> int:
    return len(await _owners(reading))


async def _of_each_profile(reading: Reading) -> int:
    return len(await reading.workspace_ids()) + len(await _profiles(reading))


async def _workspaces(reading: Reading) -> list[Any]:
    return await reading.workspaces.read(reading.client)


async def _library(reading: Reading) -> list[Any]:
    return await read_library(reading.client, reading.workspaces, reading.workspace_id)


async def _permission_profiles(reading: Reading) -> list[Any]:
    """The profiles of each workspace with its id, each with its users under `users`."""

    async def with_users(profile: Any) -> Any:
        if not may_be_asked_for(own := named(profile)):
            return profile
        users = await read_records(reading.client, PERMISSION_PROFILE_USERS, {"profileId": own})
        return {**profile, "users": users}

    return list(await together(with_users(profile) for profile in await _profiles(reading)))


async def _profiles(reading: Reading) -> list[Any]:
    async def of_workspace(workspace_id: str) -> list[Any]:
        profiles = await read_records(reading.client, PERMISSION_PROFILES, {"workspaceId": workspace_id})
        return [{**one, "workspaceId": workspace_id} if isinstance(one, Mapping) else one for one in profiles]

    listed = await together(of_workspace(one) for one in await reading.workspace_ids())
    return [profile for profiles in listed for profile in profiles]


async def _owners(reading: Reading) -> list[str]:
    """Addresses of the users who can have something of their own."""
    users = await reading.users.read(reading.client)
    emails = [user.get("emailAddress") for user in users if isinstance(user, Mapping) and user.get("active")]
    return [email for email in emails if isinstance(email, str) and email]


def _for_each_owner(endpoint: Endpoint, parameter: str) -> Callable[[Reading], Awaitable[list[Any]]]:
    """Reads what Gong lists for one owner at a time; what belongs to the company comes with everybody's."""

    async def of_owner(reading: Reading, email: str) -> list[Any]:
        query = {parameter: email} | ({"workspaceId": reading.workspace_id} if reading.workspace_id else {})
        return await read_records(reading.client, endpoint, query)

    async def read(reading: Reading) -> list[Any]:
        listed = await together(of_owner(reading, email) for email in await _owners(reading))
        by_id: dict[str, Any] = {}
        others: list[Any] = []
        for record in (record for of_one in listed for record in of_one):
            if own := named(record):
                by_id.setdefault(own, record)
            else:
                others.append(record)
        return [*by_id.values(), *others]

    return read


async def _settings_histories(reading: Reading) -> list[Any]:
    """A record for each user: `id`, and Gong's list under `history`."""

    async def of_user(user_id: str) -> Record:
        return {"id": user_id, "history": await read_records(reading.client, SETTINGS_HISTORY.of(user_id))}

    users = await reading.users.read(reading.client)
    return list(await together(of_user(own) for user in users if may_be_asked_for(own := named(user))))


def _user(user: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    yield (), {**child(user, "settings"), **user}


def _keywords(tracker: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    position = 0
    for of_language in children(tracker, "languageKeywords"):
        keywords = of_language.get("keywords")
        if not isinstance(keywords, list | None):
            raise ShapeError("keywords is not a list")
        for keyword in keywords or ():
            yield (id_text(tracker["trackerId"]), position, keyword), of_language
            position += 1


def _questions(scorecard: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for position, question in enumerate(children(scorecard, "questions")):
        yield (id_text(scorecard["scorecardId"]), position), question


def _profile_users(profile: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for user in children(profile, "users"):
        yield (id_text(profile["id"]),), user


def _flow_folder(folder: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    # Gong writes an id that is absent as the text "null" here.
    yield (), {field: None if value == "null" else value for field, value in folder.items()}


def _settings_history(of_user: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for position, change in enumerate(children(of_user, "history")):
        yield (id_text(of_user["id"]), position), change


def library_tables(folders: Sequence[Any], types: ColumnTypes, rejections: Rejections) -> dict[str, pa.Table]:
    """Folders and the calls in them; a call that is in a folder twice stays there twice."""
    shelf, contents = Sheet(FOLDERS_TABLE, types), Sheet(LIBRARY_CALLS_TABLE, types)
    for folder in folders:
        with setting_aside("library", folder, rejections):
            if not (folder_id := named(an_object(folder))):
                raise ShapeError("id is missing or no id")
            if "calls" not in folder:
                raise ShapeError("id is none that Gong takes, so that its calls cannot be asked for")
            about = {name: value for name, value in folder.items() if name not in ("calls", "workspaceId")}
            shelf.add((folder.get("workspaceId"),), about)
            for position, call in enumerate(folder["calls"]):
                with setting_aside("library", call, rejections):
                    snippet = child(an_object(call), "snippet")
                    more = {
                        f"snippet__{name}": value for name, value in snippet.items() if name not in ("fromSec", "toSec")
                    }
                    ours = (folder_id, position, snippet.get("fromSec"), snippet.get("toSec"))
                    contents.add(ours, {**call, **more})
    return {FOLDERS_TABLE.name: shelf.arrow(), LIBRARY_CALLS_TABLE.name: contents.arrow()}


def _laid(name: str, *tables: Any, key: str = "id") -> LayOut:
    return Layout(name, tables, key).lay_out


LISTS = (
    WholeList("users", _users, _laid("users", (USERS_TABLE, _user)), costs=_pages_of_users),
    WholeList("workspaces", _workspaces, _laid("workspaces", (WORKSPACES_TABLE, itself))),
    WholeList("library", _library, library_tables, costs=_of_each_folder),
    WholeList(
        "trackers",
        _reads(TRACKERS, of_workspace=True),
        _laid("trackers", (TRACKERS_TABLE, itself), (TRACKER_KEYWORDS_TABLE, _keywords), key=TRACKERS.key),
    ),
    WholeList(
        "scorecards",
        _reads(SCORECARDS),
        _laid("scorecards", (SCORECARDS_TABLE, itself), (SCORECARD_QUESTIONS_TABLE, _questions), key=SCORECARDS.key),
    ),
    WholeList(
        "call_outcomes",
        _reads(CALL_OUTCOMES),
        _laid("call_outcomes", (CALL_OUTCOMES_TABLE, itself), key=CALL_OUTCOMES.key),
    ),
    WholeList("briefs", _reads(BRIEFS, of_workspace=True), _laid("briefs", (BRIEFS_TABLE, itself), key=BRIEFS.key)),
    WholeList(
        "permission_profiles",
        _permission_profiles,
        _laid(
            "permission_profiles",
            (PERMISSION_PROFILES_TABLE, itself),
            (PERMISSION_PROFILE_USERS_TABLE, _profile_users),
        ),
        opt_in=True,
        costs=_of_each_profile,
    ),
    WholeList(
        "flows",
        _for_each_owner(FLOWS, "flowOwnerEmail"),
        _laid("flows", (FLOWS_TABLE, itself)),
        opt_in=True,
        costs=_of_each_owner,
    ),
    WholeList(
        "flow_folders",
        _for_each_owner(FLOW_FOLDERS, "flowFolderOwnerEmail"),
        _laid("flow_folders", (FLOW_FOLDERS_TABLE, _flow_folder)),
        opt_in=True,
        costs=_of_each_owner,
    ),
    WholeList(
        "user_settings_history",
        _settings_histories,
        _laid("user_settings_history", (SETTINGS_HISTORY_TABLE, _settings_history)),
        opt_in=True,
        costs=_of_each_user,
    ),
)
"""Read at every run, in this order; those that are `opt_in` only where they are selected by name."""
