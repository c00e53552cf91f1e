"""The small request by which each endpoint tells whether the credential may use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sources.gong.api.endpoint import (
    ANSWERED_SCORECARDS,
    BRIEFS,
    CALL_ACCESS,
    CALL_OUTCOMES,
    CALLS,
    CALLS_EXTENSIVE,
    COACHING,
    DAILY_ACTIVITY,
    FLOW_FOLDERS,
    FLOWS,
    FOLDERS,
    INTERACTION_STATS,
    LOGS,
    PERMISSION_PROFILES,
    SCORECARDS,
    SETTINGS_HISTORY,
    TRACKERS,
    TRANSCRIPTS,
    Endpoint,
)
from sources.gong.api.responses import Page
from sources.gong.calls.request import CallRequest
from sources.gong.datetimes import format_datetime
from sources.gong.incremental.windows import Window
from sources.gong.resources.date_sliced import LOG_TYPES
from sources.gong.tables.records import InvalidRecordError, decode_record, is_valid_id, record_id

MEDIA = replace(CALLS_EXTENSIVE, scope="api:calls:read:media-url")
"""The same endpoint, asked for the URLs of recordings: they need a scope of their own."""

_WEST = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SampleIds:
    """What had to be asked before: some endpoints want something named. None for what Gong does not have.

    Attributes:
        window: Calls are looked for in it.
        workspace_id, user_id, manager_id, email, call_id: Any one.
    """

    window: Window
    workspace_id: str | None = None
    user_id: str | None = None
    manager_id: str | None = None
    email: str | None = None
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One request, of one page.

    Attributes:
        endpoint: What is asked.
        query, body: With what.
        lacks: What the question would have to name and Gong does not have; empty if it can be asked.
    """

    endpoint: Endpoint
    query: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    missing: str = ""


def of_calls(window: Window) -> Iterator[Probe]:
    """Calls, in both forms, and their transcripts."""
    span = {"fromDateTime": format_datetime(window.since), "toDateTime": format_datetime(window.until)}
    yield Probe(CALLS_EXTENSIVE, body={"filter": span})
    yield Probe(CALLS, query=span)
    yield Probe(TRANSCRIPTS, body={"filter": span})


def of_media(window: Window) -> Probe:
    """URLs of recordings, and nothing else of a call."""
    request = replace(CallRequest.metadata_only("extensive"), include_media=True)
    return Probe(MEDIA, body=request.body(window))


def of_lists(known: SampleIds) -> Iterator[Probe]:
    """What a sync reads besides, unless told otherwise."""
    yield Probe(FOLDERS, query={"workspaceId": known.workspace_id} if known.workspace_id else None)
    for endpoint in (TRACKERS, SCORECARDS, CALL_OUTCOMES, BRIEFS):
        yield Probe(endpoint)
    yield Probe(ANSWERED_SCORECARDS, body={"filter": {"reviewMethod": "BOTH"}})


def of_opt_in(known: SampleIds) -> Iterator[Probe]:
    """What is read only where it is selected by name."""
    now = known.window.until
    # Yesterday is over in every zone; of a day that is not, Gong gives no statistics.
    day = (now - _WEST).date()
    of_a_day = {"filter": {"fromDate": (day - timedelta(days=1)).isoformat(), "toDate": day.isoformat()}}
    begin = format_datetime(now - timedelta(days=1))
    yield Probe(DAILY_ACTIVITY, body=of_a_day)
    yield Probe(INTERACTION_STATS, body=of_a_day)
    yield Probe(LOGS, query={"logType": LOG_TYPES[0], "fromDateTime": begin, "toDateTime": format_datetime(now)})
    yield _named(PERMISSION_PROFILES, {"workspaceId": known.workspace_id}, "a workspace")
    of_manager = {"workspace-id": known.workspace_id, "manager-id": known.manager_id}
    yield _named(COACHING, of_manager | {"from": begin, "to": format_datetime(now)}, "a workspace and a manager")
    yield _named(FLOWS, {"flowOwnerEmail": known.email}, "a user")
    yield _named(FLOW_FOLDERS, {"flowFolderOwnerEmail": known.email}, "a user")
    yield Probe(SETTINGS_HISTORY.of(known.user_id or ""), missing="" if known.user_id else "a user")
    of_call = {"filter": {"callIds": [known.call_id]}}
    yield Probe(CALL_ACCESS, body=of_call, missing="" if known.call_id else "a call")


def known(window: Window, workspaces: Page | None, users: Page | None, calls: Page | None) -> SampleIds:
    """What these answers name, as far as it came."""
    people = list(_records(users))
    bosses = [own for user in people if is_valid_id(own := record_id(user, "managerId"))]
    emails = (user.get("emailAddress") for user in people if user.get("active"))
    return SampleIds(
        window,
        workspace_id=_first_id(_records(workspaces)),
        user_id=_first_id(people),
        manager_id=next(iter(bosses), None),
        email=next((email for email in emails if isinstance(email, str) and email), None),
        call_id=_first_id(meta for call in _records(calls) if isinstance(meta := call.get("metaData", call), Mapping)),
    )


def _named(endpoint: Endpoint, query: Mapping[str, str | None], what: str) -> Probe:
    given = {name: value for name, value in query.items() if value is not None}
    return Probe(endpoint, query=given, missing="" if len(given) == len(query) else what)


def _records(page: Page | None) -> Iterator[Mapping[str, Any]]:
    for raw in page.records if page is not None else ():
        try:
            record = decode_record(raw)
        except InvalidRecordError:
            continue
        if isinstance(record, Mapping):
            yield record


def _first_id(records: Any) -> str | None:
    return next((own for record in records if is_valid_id(own := record_id(record))), None)
