"""A call as Gong takes it in Add New Call: its fields as data, and all that is wrong with a row. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Kind = Literal["text", "id", "instant", "seconds", "direction", "url", "objects", "object"]

DIRECTIONS = ("Inbound", "Outbound", "Conference", "Unknown")


@dataclass(frozen=True, slots=True)
class NewCallField:
    """One field of a new call.

    Attributes:
        name: As rows and options call it; Gong's name is the same in camelCase.
        kind: What it holds. `objects` and `object` are JSON, as text or decoded.
        required: Whether Gong refuses a call without it.
        longest: The most characters that Gong takes; None where it names no limit.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    longest: int | None = None

    @property
    def gongs(self) -> str:
        """Gong's name for it."""
        first, *others = self.name.split("_")
        return first + "".join(word.capitalize() for word in others)


NEW_CALL_FIELDS = (
    NewCallField("client_unique_id", required=True, longest=2048),
    NewCallField("actual_start", "instant", required=True),
    NewCallField("direction", "direction", required=True),
    NewCallField("primary_user", "id", required=True),
    NewCallField("parties", "objects", required=True),
    NewCallField("title"),
    NewCallField("purpose", longest=255),
    NewCallField("scheduled_start", "instant"),
    NewCallField("scheduled_end", "instant"),
    NewCallField("duration", "seconds"),
    NewCallField("disposition", longest=255),
    NewCallField("context", "objects"),
    NewCallField("custom_data"),
    NewCallField("speakers_timeline", "object"),
    NewCallField("meeting_url", "url"),
    NewCallField("call_provider_code"),
    NewCallField("download_media_url", "url"),
    NewCallField("workspace_id", "id"),
    NewCallField("language_code"),
    NewCallField("flow_context", "object"),
)
"""Gong's NewCallAddingRequest (OpenAPI document, July 2026)."""

_BY_NAME = {name: field for field in NEW_CALL_FIELDS for name in (field.name, field.gongs)}
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)


class InvalidCallError(ValueError):
    """A row that Gong would refuse; nothing was sent.

    Attributes:
        faults: Everything that is wrong with it, each named by its field.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def new_call(row: Mapping[str, Any]) -> dict[str, Any]:
    """The body of POST /v2/calls for a row.

    Args:
        row: Values by field, in snake_case or by Gong's own names; null and empty text count as not given.

    Raises:
        InvalidCallError: It is not what Gong takes; all faults are named at once.
    """
    faults = [f"{name}: is no field of a new call" for name in row if name not in _BY_NAME]
    given = {_BY_NAME[name].name: value for name, value in row.items() if name in _BY_NAME and not _absent(value)}
    body: dict[str, Any] = {}
    for field in NEW_CALL_FIELDS:
        if field.name not in given:
            faults += [f"{field.name}: is missing"] if field.required else []
            continue
        try:
            body[field.gongs] = _sendable(_value(field, given[field.name]))
        except ValueError as fault:
            faults.append(f"{field.name}: {fault}")
    faults += _contradictions(body)
    if faults:
        raise InvalidCallError(faults)
    return body


def _absent(value: Any) -> bool:
    # Tables of numbers say NaN where they have none.
    return value is None or value != value or (isinstance(value, str) and not value.strip())  # noqa: PLR0124


def _sendable(value: Any) -> Any:
    """The value, if JSON in UTF-8 can say it: no half of a character, no number without end, no endless nesting."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("holds what JSON cannot say") from None
    return value


def _value(field: NewCallField, value: Any) -> Any:
    match field.kind:
        case "instant":
            return _instant(value)
        case "seconds":
            return _seconds(value)
        case "objects" | "object":
            return _json(value, dict if field.kind == "object" else list)
    text = str(value).strip()
    if field.kind == "id" and not _ID.fullmatch(text):
        raise ValueError(f"{text!r} is no id of Gong's, which are numbers of up to 20 digits")
    if field.kind == "direction":
        by_word = {word.lower(): word for word in DIRECTIONS}
        if text.lower() not in by_word:
            raise ValueError(f"{text!r} is none of {', '.join(DIRECTIONS)}")
        return by_word[text.lower()]
    if field.kind == "url" and not re.match(r"https?://[^\s/]+", text):
        raise ValueError(f"{text[:80]!r} is no URL")
    if field.longest is not None and len(text) > field.longest:
        raise ValueError(f"{len(text)} characters, and Gong takes {field.longest}")
    return text


def _instant(value: Any) -> str:
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            moment = None
    match moment:
        case datetime(tzinfo=None):
            raise ValueError(f"{value!s} has no zone: write it like 2026-01-31T14:00:00Z")
        case datetime():
            return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case _:
            raise ValueError(f"{value!s} is no date-time like 2026-01-31T14:00:00Z")


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no number of seconds") from None
    if isinstance(value, bool) or not 0 <= seconds < float("inf"):
        raise ValueError(f"{value!r} is no number of seconds")
    return seconds


def _json(value: Any, shape: type[list[Any]] | type[dict[str, Any]]) -> Any:
    named = "list of objects" if shape is list else "object"
    decoded = value
    if isinstance(value, str):
        try:
            decoded = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"is no JSON {named}") from None
    if not isinstance(decoded, shape) or any(not isinstance(one, dict) for one in decoded if shape is list):
        raise ValueError(f"is no {named}")
    if not decoded:
        raise ValueError("is empty")
    return decoded


def _contradictions(body: Mapping[str, Any]) -> list[str]:
    """What is wrong between fields that are right by themselves."""
    faults = []
    host, parties = body.get("primaryUser"), body.get("parties")
    if host and parties and host not in [str(party.get("userId")) for party in parties]:
        faults.append(f"parties: none of them is the primary user, userId {host}")
    begin, end = body.get("scheduledStart"), body.get("scheduledEnd")
    if begin and end and datetime.fromisoformat(begin) >= datetime.fromisoformat(end):
        faults.append("scheduled_end: is not after scheduled_start")
    return faults
