"""The account: users, workspaces, permission profiles and the history of users' settings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ..api.endpoint import PAGE_SIZE, Endpoint
from ..extract.concurrency import gather_or_cancel
from ..extract.context import ExtractContext
from ..extract.pages import read_records
from ..extract.probe import Probe, SampleIds, query_probe
from ..tables.column_types import BIGINT, BOOL, JSON, TEXT, TIMESTAMP
from ..tables.pseudonyms import PersonalFields
from ..tables.records import ConnectorValues, Record, id_text, is_valid_id, object_field, object_list_field, record_id
from ..tables.table import Column, Table
from .full_refresh import FullRefreshResource

_USERS_QUERY = {"includeAvatars": "true"}


def user_rows(user: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield a user as one row, with the settings as columns."""
    yield {}, {**object_field(user, "settings"), **user}


USERS_TABLE = Table(
    name="users",
    description="users, with their settings as columns",
    key=("id",),
    rows=user_rows,
    mapped_fields=frozenset({"settings"}),
    columns=(
        Column("id", TEXT, field="id"),
        Column("email_address", TEXT, field="emailAddress", pii="email"),
        Column("created", TIMESTAMP, field="created"),
        Column("active", BOOL, field="active"),
        Column("email_aliases", JSON, field="emailAliases", pii="email"),
        Column("trusted_email_address", TEXT, field="trustedEmailAddress", pii="email"),
        Column("first_name", TEXT, field="firstName", pii="name"),
        Column("last_name", TEXT, field="lastName", pii="name"),
        Column("title", TEXT, field="title"),
        Column("phone_number", TEXT, field="phoneNumber", pii="phone"),
        Column("extension", TEXT, field="extension", pii="phone"),
        Column("personal_meeting_urls", JSON, field="personalMeetingUrls", pii="link"),
        Column("web_conferences_recorded", BOOL, field="webConferencesRecorded"),
        Column("prevent_web_conference_recording", BOOL, field="preventWebConferenceRecording"),
        Column("telephony_calls_imported", BOOL, field="telephonyCallsImported"),
        Column("emails_imported", BOOL, field="emailsImported"),
        Column("prevent_email_import", BOOL, field="preventEmailImport"),
        Column("non_recorded_meetings_imported", BOOL, field="nonRecordedMeetingsImported"),
        Column("gong_connect_enabled", BOOL, field="gongConnectEnabled"),
        Column("manager_id", TEXT, field="managerId"),
        Column("meeting_consent_page_url", TEXT, field="meetingConsentPageUrl", pii="link"),
        Column("conferencing_providers", JSON, field="conferencingProviders"),
        Column("spoken_languages", JSON, field="spokenLanguages"),
    ),
)


async def read_users(context: ExtractContext) -> list[Any]:
    """Return all users, including deactivated ones and Gong's avatars: calls and comments refer to them."""
    return await context.read_shared(USERS.endpoint, _USERS_QUERY)


async def estimate_user_requests(context: ExtractContext) -> int:
    """Return the number of pages of users."""
    page = await context.client.send(USERS.endpoint, query=_USERS_QUERY)
    total = page.total if page.total is not None else len(page.records)
    return max(1, math.ceil(total / PAGE_SIZE))


USERS = FullRefreshResource(
    name="users",
    endpoint=Endpoint(
        "GET",
        "/v2/users",
        records="users",
        scope="api:users:read",
        paged=True,
        description="users and their settings",
        note="including avatars of Gong's staff, because comments refer to them",
    ),
    tables=(USERS_TABLE,),
    reader=read_users,
    estimate_requests=estimate_user_requests,
    personal_fields=PersonalFields(
        USERS_TABLE, is_person=True, objects={"settings": PersonalFields(USERS_TABLE, is_person=True)}
    ),
)


WORKSPACES_TABLE = Table(
    name="workspaces",
    description="workspaces",
    key=("id",),
    columns=(
        Column("id", TEXT, field="id"),
        Column("name", TEXT, field="name"),
        Column("description", TEXT, field="description"),
    ),
)


async def read_workspaces(context: ExtractContext) -> list[Any]:
    """Return all workspaces."""
    return await context.read_shared(WORKSPACES.endpoint)


WORKSPACES = FullRefreshResource(
    name="workspaces",
    endpoint=Endpoint(
        "GET", "/v2/workspaces", records="workspaces", scope="api:workspaces:read", description="workspaces"
    ),
    tables=(WORKSPACES_TABLE,),
    reader=read_workspaces,
)


async def read_workspace_ids(context: ExtractContext) -> list[str]:
    """Return the ids of the workspaces to read one by one, for endpoints that require a workspace."""
    if context.settings.workspace_id:
        return [context.settings.workspace_id]
    ids = [record_id(workspace) for workspace in await read_workspaces(context)]
    return [workspace_id for workspace_id in ids if is_valid_id(workspace_id)]


def profile_user_rows(profile: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield one row per user of a permission profile."""
    for user in object_list_field(profile, "users"):
        yield {"profile_id": id_text(profile["id"])}, user


PERMISSION_PROFILES_TABLE = Table(
    name="permission_profiles",
    description="permission profiles: who may do what",
    key=("id",),
    mapped_fields=frozenset({"users"}),
    columns=(
        Column("id", TEXT, field="id"),
        Column("workspace_id", TEXT, field="workspaceId"),
        Column("name", TEXT, field="name"),
        Column("description", TEXT, field="description"),
        Column("calls_access", JSON, field="callsAccess"),
        Column("library_folder_access", JSON, field="libraryFolderAccess"),
        Column("deals_access", JSON, field="dealsAccess"),
        Column("forecast_permissions", JSON, field="forecastPermissions"),
        Column("coaching_access", JSON, field="coachingAccess"),
        Column("insights_access", JSON, field="insightsAccess"),
        Column("usage_access", JSON, field="usageAccess"),
        Column("emails_access", JSON, field="emailsAccess"),
    ),
)

PERMISSION_PROFILE_USERS_TABLE = Table(
    name="permission_profile_users",
    description="users of each permission profile",
    key=("profile_id", "user_id"),
    rows=profile_user_rows,
    columns=(
        Column("profile_id", TEXT),
        Column("user_id", TEXT, field="id"),
        Column("full_name", TEXT, field="fullName", pii="name"),
        Column("email_address", TEXT, field="emailAddress", pii="email"),
    ),
)


async def list_profiles(context: ExtractContext) -> list[Any]:
    """Return the permission profiles of all workspaces, each with its `workspaceId`."""

    async def list_in_workspace(workspace_id: str) -> list[Any]:
        profiles = await read_records(context.client, PERMISSION_PROFILES.endpoint, {"workspaceId": workspace_id})
        return [
            {**profile, "workspaceId": workspace_id} if isinstance(profile, Mapping) else profile
            for profile in profiles
        ]

    lists = await gather_or_cancel(list_in_workspace(text) for text in await read_workspace_ids(context))
    return [profile for profiles in lists for profile in profiles]


async def read_profiles(context: ExtractContext) -> list[Any]:
    """Return the permission profiles of all workspaces, each with its `workspaceId` and its users under `users`."""

    async def with_users(profile: Any) -> Any:
        if not is_valid_id(profile_id := record_id(profile)):
            return profile
        return {**profile, "users": await read_records(context.client, PROFILE_USERS, {"profileId": profile_id})}

    return list(await gather_or_cancel(with_users(profile) for profile in await list_profiles(context)))


async def estimate_profile_requests(context: ExtractContext) -> int:
    """Return one request per workspace and one per profile."""
    return len(await read_workspace_ids(context)) + len(await list_profiles(context))


PROFILE_USERS = Endpoint(
    "GET",
    "/v2/permission-profile/users",
    records="users",
    scope="api:users:read",
    description="the users of a permission profile",
    note="one request per profile",
)
PERMISSION_PROFILES = FullRefreshResource(
    name="permission_profiles",
    endpoint=Endpoint(
        "GET",
        "/v2/all-permission-profiles",
        records="profiles",
        scope="",
        description="permission profiles",
        note="one request per workspace",
    ),
    tables=(PERMISSION_PROFILES_TABLE,),
    child_endpoint=PROFILE_USERS,
    child_tables=(PERMISSION_PROFILE_USERS_TABLE,),
    opt_in=True,
    reader=read_profiles,
    estimate_requests=estimate_profile_requests,
    probe_builder=lambda endpoint, samples: query_probe(
        endpoint, {"workspaceId": samples.workspace_id}, missing="a workspace"
    ),
    personal_fields=PersonalFields(
        PERMISSION_PROFILES_TABLE, lists={"users": PersonalFields(PERMISSION_PROFILE_USERS_TABLE, is_person=True)}
    ),
)


def settings_change_rows(user: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield one row per change of a user's settings."""
    for position, change in enumerate(object_list_field(user, "history")):
        yield {"user_id": id_text(user["id"]), "position": position}, change


USER_SETTINGS_HISTORY_TABLE = Table(
    name="user_settings_history",
    description="when recording and imports of a user were switched on and off",
    key=("user_id", "position"),
    rows=settings_change_rows,
    columns=(
        Column("user_id", TEXT),
        Column("position", BIGINT),
        Column("setting", TEXT, field="setting"),
        Column("value", BOOL, field="value"),
        Column("time", TIMESTAMP, field="time"),
    ),
)


async def read_settings_history(context: ExtractContext) -> list[Any]:
    """Return one record per user: `id`, and Gong's list under `history`."""

    async def read_history(user_id: str) -> Record:
        endpoint = USER_SETTINGS_HISTORY.endpoint.with_id(user_id)
        return {"id": user_id, "history": await read_records(context.client, endpoint)}

    users = await read_users(context)
    return list(await gather_or_cancel(read_history(text) for user in users if is_valid_id(text := record_id(user))))


async def estimate_settings_history_requests(context: ExtractContext) -> int:
    """Return one request per user."""
    return len(await read_users(context))


def settings_history_probe(endpoint: Endpoint, samples: SampleIds) -> Probe:
    """Return the probe for one user."""
    return Probe(endpoint.with_id(samples.user_id or ""), missing="" if samples.user_id else "a user")


USER_SETTINGS_HISTORY = FullRefreshResource(
    name="user_settings_history",
    endpoint=Endpoint(
        "GET",
        "/v2/users/{id}/settings-history",
        records="userSettingsHistory",
        scope="api:users:read",
        id_field="",
        description="when a user's recording and imports were switched on and off",
        note="one request per user",
    ),
    tables=(USER_SETTINGS_HISTORY_TABLE,),
    opt_in=True,
    id_field="id",
    reader=read_settings_history,
    estimate_requests=estimate_settings_history_requests,
    probe_builder=settings_history_probe,
    personal_fields=PersonalFields(lists={"history": PersonalFields(USER_SETTINGS_HISTORY_TABLE)}),
)
