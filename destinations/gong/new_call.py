"""Request body of Add New Call: its fields, and the validation of a row. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Kind = Literal["text", "id", "datetime", "seconds", "direction", "url", "objects", "object"]

DIRECTIONS = ("Inbound", "Outbound", "Conference", "Unknown")


@dataclass(frozen=True, slots=True)
class NewCallField:
    """One field of a new call.

    Attributes:
        name: Name in rows and options; Gong's name is the same in camelCase.
        kind: Type of the value. `objects` and `object` are JSON, as text or decoded.
        required: Whether Gong refuses a call without it.
        max_characters: Gong's limit; None if it documents none.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    max_characters: int | None = None

    @property
    def gong_name(self) -> str:
        """Return Gong's name of the field."""
        first, *others = self.name.split("_")
        return first + "".join(word.capitalize() for word in others)


NEW_CALL_FIELDS = (
    NewCallField("client_unique_id", required=True, max_characters=2048),
    NewCallField("actual_start", "datetime", required=True),
    NewCallField("direction", "direction", required=True),
    NewCallField("primary_user", "id", required=True),
    NewCallField("parties", "objects", required=True),
    NewCallField("title"),
    NewCallField("purpose", max_characters=255),
    NewCallField("scheduled_start", "datetime"),
    NewCallField("scheduled_end", "datetime"),
    NewCallField("duration", "seconds"),
    NewCallField("disposition", max_characters=255),
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
"""The fields of NewCallAddingRequest in Gong's OpenAPI document of July 2026."""

_FIELDS = {name: field for field in NEW_CALL_FIELDS for name in (field.name, field.gong_name)}
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)


class InvalidCallError(ValueError):
    """A row is not a valid call; nothing was sent.

    Attributes:
        faults: All faults of the row, each with the name of its field.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def new_call(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of POST /v2/calls for a row.

    Args:
        row: Values by field, in snake_case or with Gong's names. Null and empty text count as missing.

    Raises:
        InvalidCallError: If a value is invalid or missing. The message names all faults.
    """
    faults = [f"{name}: is not a field of a new call" for name in row if name not in _FIELDS]
    values = {_FIELDS[name].name: value for name, value in row.items() if name in _FIELDS and not _is_missing(value)}
    body: dict[str, Any] = {}
    for field in NEW_CALL_FIELDS:
        if field.name not in values:
            faults += [f"{field.name}: is missing"] if field.required else []
            continue
        try:
            body[field.gong_name] = _check_encodable(_parse(field, values[field.name]))
        except ValueError as fault:
            faults.append(f"{field.name}: {fault}")
    faults += _find_contradictions(body)
    if faults:
        raise InvalidCallError(faults)
    return body


def _is_missing(value: Any) -> bool:
    # Data frames write NaN for a missing value.
    return value is None or value != value or (isinstance(value, str) and not value.strip())  # noqa: PLR0124


def _check_encodable(value: Any) -> Any:
    """Return the value if it can be encoded as JSON in UTF-8: no lone surrogate, infinite number or endless nesting."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("cannot be encoded as JSON") from None
    return value


def _parse(field: NewCallField, value: Any) -> Any:
    match field.kind:
        case "datetime":
            return _parse_datetime(value)
        case "seconds":
            return _parse_seconds(value)
        case "objects" | "object":
            return _parse_json(value, dict if field.kind == "object" else list)
    text = str(value).strip()
    if field.kind == "id" and not _ID.fullmatch(text):
        raise ValueError(f"{text!r} is not a Gong id (expected at most 20 digits)")
    if field.kind == "direction":
        directions = {direction.lower(): direction for direction in DIRECTIONS}
        if text.lower() not in directions:
            raise ValueError(f"{text!r} is invalid: use {', '.join(DIRECTIONS)}")
        return directions[text.lower()]
    if field.kind == "url" and not re.match(r"https?://[^\s/]+", text):
        raise ValueError(f"{text[:80]!r} is not a URL")
    if field.max_characters is not None and len(text) > field.max_characters:
        raise ValueError(f"has {len(text)} characters; Gong accepts {field.max_characters}")
    return text


def _parse_datetime(value: Any) -> str:
    parsed = value
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value.strip())
        except ValueError:
            parsed = None
    match parsed:
        case datetime(tzinfo=None):
            raise ValueError(f"{value!s} has no time zone: write it like 2026-01-31T14:00:00Z")
        case datetime():
            return parsed.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case _:
            raise ValueError(f"{value!s} is not a date-time: write it like 2026-01-31T14:00:00Z")


def _parse_seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a number of seconds") from None
    if isinstance(value, bool) or not 0 <= seconds < float("inf"):
        raise ValueError(f"{value!r} is not a number of seconds")
    return seconds


def _parse_json(value: Any, json_type: type[list[Any]] | type[dict[str, Any]]) -> Any:
    type_name = "list of objects" if json_type is list else "object"
    decoded = value
    if isinstance(value, str):
        try:
            decoded = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"is not a JSON {type_name}") from None
    if not isinstance(decoded, json_type) or any(not isinstance(item, dict) for item in decoded if json_type is list):
        raise ValueError(f"is not a JSON {type_name}")
    if not decoded:
        raise ValueError("is empty")
    return decoded


def _find_contradictions(body: Mapping[str, Any]) -> list[str]:
    """Return faults between fields that are valid by themselves."""
    faults = []
    host, parties = body.get("primaryUser"), body.get("parties")
    if host and parties and host not in [str(party.get("userId")) for party in parties]:
        faults.append(f"parties: the primary user, userId {host}, is missing")
    start, end = body.get("scheduledStart"), body.get("scheduledEnd")
    if start and end and datetime.fromisoformat(start) >= datetime.fromisoformat(end):
        faults.append("scheduled_end: is not after scheduled_start")
    return faults
