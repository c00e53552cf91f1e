"""What is asked of Gong about calls: which calls, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..api.endpoint import CALLS, CALLS_EXTENSIVE, Endpoint
from ..datetimes import format_datetime
from ..errors import ConfigurationError
from ..incremental.windows import Window

CallDetail = Literal["extensive", "basic"]
Context = Literal["None", "Basic", "Extended"]
ContextTiming = Literal["Now", "TimeOfCall"]
PrivateCalls = Literal["exclude", "metadata", "include"]


@dataclass(frozen=True, slots=True)
class CallRequest:
    """Which calls to read and how much of each; the fields are the settings of the same name.

    Raises:
        ConfigurationError: The settings contradict each other or Gong's rules.
    """

    call_detail: CallDetail = "extensive"
    context: Context = "Extended"
    context_timing: Sequence[ContextTiming] = ("Now", "TimeOfCall")
    include_parties: bool = True
    include_content: bool = True
    include_interaction: bool = True
    include_public_comments: bool = True
    include_media: bool = False
    workspace_id: str | None = None
    primary_user_ids: Sequence[str] = ()
    call_ids: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        if self.call_detail == "basic" and (self.primary_user_ids or self.call_ids):
            raise ConfigurationError(
                "primary_user_ids and call_ids need call_detail = 'extensive': GET /v2/calls has none"
            )

    @classmethod
    def bare(cls, call_detail: CallDetail, workspace_id: str | None = None) -> CallRequest:
        """For who wants to know which calls there are and nothing of what they hold."""
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
        """The endpoint that answers it."""
        return CALLS_EXTENSIVE if self.call_detail == "extensive" else CALLS

    def query(self, window: Window) -> dict[str, str] | None:
        """Query parameters of GET /v2/calls; None for the extensive endpoint."""
        return self._range(window) if self.call_detail == "basic" else None

    def body(self, window: Window) -> dict[str, Any] | None:
        """Body of POST /v2/calls/extensive; None for the basic endpoint."""
        if self.call_detail == "basic":
            return None
        narrowed: dict[str, Any] = dict(self._range(window))
        if self.primary_user_ids:
            narrowed["primaryUserIds"] = list(self.primary_user_ids)
        if self.call_ids:
            narrowed["callIds"] = list(self.call_ids)
        return {"filter": narrowed, "contentSelector": self.selector}

    def body_by_id(self, call_ids: Sequence[str]) -> dict[str, Any]:
        """Body of POST /v2/calls/extensive for calls whenever and wherever they took place."""
        return {"filter": {"callIds": list(call_ids)}, "contentSelector": self.selector}

    @property
    def selector(self) -> dict[str, Any]:
        """The `contentSelector` of POST /v2/calls/extensive."""
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
            # Gong refuses a timing with any other context.
            selector["contextTiming"] = list(self.context_timing)
        return selector

    def _range(self, window: Window) -> dict[str, str]:
        of_range = {"fromDateTime": format_datetime(window.since), "toDateTime": format_datetime(window.until)}
        return of_range | ({"workspaceId": self.workspace_id} if self.workspace_id else {})
