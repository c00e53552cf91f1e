"""The request bodies the simulated Gong accepts: exactly the documented keys, or null, and nothing else."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Context = Literal["None", "Basic", "Extended"]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A body whose unknown keys are an error."""


class CallFilter(_Strict, frozen=True):
    """`filter` of calls/extensive and calls/transcript; owners are allowed in the former only."""

    from_date_time: Instant | None = None
    to_date_time: Instant | None = None
    workspace_id: str | None = None
    call_ids: list[str] | None = None


class OwnedCallFilter(CallFilter, frozen=True):
    """`filter` of calls/extensive."""

    primary_user_ids: list[str] | None = None


class ContentFlags(_Strict, frozen=True):
    """`contentSelector.exposedFields.content`."""

    structure: bool | None = None
    topics: bool | None = None
    trackers: bool | None = None
    tracker_occurrences: bool | None = None
    points_of_interest: bool | None = None
    brief: bool | None = None
    outline: bool | None = None
    highlights: bool | None = None
    call_outcome: bool | None = None
    key_points: bool | None = None


class InteractionFlags(_Strict, frozen=True):
    """`contentSelector.exposedFields.interaction`."""

    speakers: bool | None = None
    video: bool | None = None
    person_interaction_stats: bool | None = None
    questions: bool | None = None


class CollaborationFlags(_Strict, frozen=True):
    """`contentSelector.exposedFields.collaboration`."""

    public_comments: bool | None = None


class ExposedFields(_Strict, frozen=True):
    """`contentSelector.exposedFields`."""

    parties: bool | None = None
    content: ContentFlags | None = None
    interaction: InteractionFlags | None = None
    collaboration: CollaborationFlags | None = None
    media: bool | None = None


class ContentSelector(_Strict, frozen=True):
    """`contentSelector` of calls/extensive."""

    context: Context | None = None
    context_timing: list[Literal["Now", "TimeOfCall"]] | None = None
    exposed_fields: ExposedFields | None = None


class ExtensiveBody(_Strict, frozen=True):
    """Body of POST /v2/calls/extensive."""

    filter: OwnedCallFilter | None = None
    content_selector: ContentSelector | None = None
    cursor: str | None = None


class TranscriptBody(_Strict, frozen=True):
    """Body of POST /v2/calls/transcript."""

    filter: CallFilter | None = None
    cursor: str | None = None


class UserFilter(_Strict, frozen=True):
    """`filter` of users/extensive."""

    user_ids: list[str] | None = None
    created_from_date_time: Instant | None = None
    created_to_date_time: Instant | None = None
    include_avatars: bool | None = None


class UsersBody(_Strict, frozen=True):
    """Body of POST /v2/users/extensive."""

    filter: UserFilter | None = None
    cursor: str | None = None


class ScorecardFilter(_Strict, frozen=True):
    """`filter` of stats/activity/scorecards: dates in the company's zone."""

    call_from_date: date | None = None
    call_to_date: date | None = None
    review_from_date: date | None = None
    review_to_date: date | None = None
    review_method: Literal["AUTOMATIC", "MANUAL", "BOTH"] | None = None
    reviewed_user_ids: list[str] | None = None
    scorecard_ids: list[str] | None = None


class ScorecardsBody(_Strict, frozen=True):
    """Body of POST /v2/stats/activity/scorecards."""

    filter: ScorecardFilter | None = None
    cursor: str | None = None


class StatsFilter(_Strict, frozen=True):
    """`filter` of the statistics: dates in the company's zone."""

    from_date: date | None = None
    to_date: date | None = None
    user_ids: list[str] | None = None
    created_from_date_time: Instant | None = None
    created_to_date_time: Instant | None = None


class StatsBody(_Strict, frozen=True):
    """Body of POST /v2/stats/activity/day-by-day and /v2/stats/interaction."""

    filter: StatsFilter | None = None
    cursor: str | None = None


class CallAccessFilter(_Strict, frozen=True):
    """`filter` of calls/users-access."""

    call_ids: list[str] | None = None


class CallAccessBody(_Strict, frozen=True):
    """Body of POST /v2/calls/users-access."""

    filter: CallAccessFilter | None = None


class NewCallBody(_Strict, frozen=True):
    """Body of POST /v2/calls; Gong tolerates unknown keys inside a party."""

    client_unique_id: str | None = None
    actual_start: Instant | None = None
    direction: Literal["Inbound", "Outbound", "Conference", "Unknown"] | None = None
    parties: list[dict[str, Any]] | None = None
    primary_user: str | None = None
    title: str | None = None
    purpose: str | None = None
    scheduled_start: Instant | None = None
    scheduled_end: Instant | None = None
    duration: float | None = None
    disposition: str | None = None
    context: list[dict[str, Any]] | None = None
    custom_data: str | None = None
    speakers_timeline: dict[str, Any] | None = None
    meeting_url: str | None = None
    call_provider_code: str | None = None
    download_media_url: str | None = None
    workspace_id: str | None = None
    language_code: str | None = None
    flow_context: dict[str, Any] | None = None
