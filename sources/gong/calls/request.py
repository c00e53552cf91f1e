"""Parameters of a request for calls: which calls, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from ..api.endpoint import Endpoint
from ..datetimes import format_datetime
from ..incremental.windows import Window
from ..settings import CallDetail, ContextTiming, CrmContext, GongSettings
from .endpoints import CALLS, CALLS_EXTENSIVE


@dataclass(frozen=True, slots=True)
class CallRequest:
    """Which calls to read and how much of each. The attributes are the settings of the same name."""

    call_detail: CallDetail = "extensive"
    context: CrmContext = "Extended"
    context_timing: Sequence[ContextTiming] = ("Now", "TimeOfCall")
    include_parties: bool = True
    include_content: bool = True
    include_interaction: bool = True
    include_public_comments: bool = True
    include_media: bool = False
    workspace_id: str | None = None
    primary_user_ids: Sequence[str] = ()
    call_ids: Sequence[str] = field(default=())

    @classmethod
    def from_settings(cls, settings: GongSettings) -> CallRequest:
        """Return the request that a connection's settings describe."""
        return cls(
            call_detail=settings.call_detail,
            context=settings.context,
            context_timing=settings.context_timing or get_args(ContextTiming),
            include_parties=settings.include_parties,
            include_content=settings.include_content,
            include_interaction=settings.include_interaction,
            include_public_comments=settings.include_public_comments,
            include_media=settings.include_media,
            workspace_id=settings.workspace_id,
            primary_user_ids=settings.primary_user_ids or (),
            call_ids=settings.call_ids or (),
        )

    @classmethod
    def metadata_only(cls, call_detail: CallDetail, workspace_id: str | None = None) -> CallRequest:
        """Return a request for call metadata only."""
        return cls(
            call_detail=call_detail,
            context="None",
            include_parties=False,
            include_content=False,
            include_interaction=False,
            include_public_comments=False,
            workspace_id=workspace_id,
        )

    @property
    def endpoint(self) -> Endpoint:
        """Endpoint that the request is sent to."""
        return CALLS_EXTENSIVE if self.call_detail == "extensive" else CALLS

    def query(self, window: Window) -> dict[str, str] | None:
        """Return the query parameters of GET /v2/calls; None for the extensive endpoint."""
        return self._time_range(window) if self.call_detail == "basic" else None

    def body(self, window: Window) -> dict[str, Any] | None:
        """Return the body of POST /v2/calls/extensive; None for the basic endpoint."""
        if self.call_detail == "basic":
            return None
        filters: dict[str, Any] = dict(self._time_range(window))
        if self.primary_user_ids:
            filters["primaryUserIds"] = list(self.primary_user_ids)
        if self.call_ids:
            filters["callIds"] = list(self.call_ids)
        return {"filter": filters, "contentSelector": self.selector}

    def body_by_id(self, call_ids: Sequence[str]) -> dict[str, Any]:
        """Return the body of POST /v2/calls/extensive for calls by id, at any time and in any workspace."""
        return {"filter": {"callIds": list(call_ids)}, "contentSelector": self.selector}

    @property
    def selector(self) -> dict[str, Any]:
        """`contentSelector` of POST /v2/calls/extensive."""
        content = self.include_content
        selector: dict[str, Any] = {
            "context": self.context,
            "exposedFields": {
                "parties": self.include_parties,
                "content": {
                    "structure": content,
                    "topics": content,
                    "trackers": content,
                    "trackerOccurrences": content,
                    "brief": content,
                    "outline": content,
                    "highlights": content,
                    "callOutcome": content,
                    "keyPoints": content,
                },
                "interaction": {
                    "speakers": self.include_interaction,
                    "video": self.include_interaction,
                    "personInteractionStats": self.include_interaction,
                    "questions": self.include_interaction,
                },
                "collaboration": {"publicComments": self.include_public_comments},
                "media": self.include_media,
            },
        }
        if self.context == "Extended":
            # Gong rejects a timing with any other context.
            selector["contextTiming"] = list(self.context_timing)
        return selector

    def _time_range(self, window: Window) -> dict[str, str]:
        time_range = {"fromDateTime": format_datetime(window.since), "toDateTime": format_datetime(window.until)}
        return time_range | ({"workspaceId": self.workspace_id} if self.workspace_id else {})
