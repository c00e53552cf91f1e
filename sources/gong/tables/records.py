"""Looking into a record: its parts, its ids, its instants, its fingerprint."""

from __future__ import annotations

from types import NoneType
from typing import Any

import msgspec
from xxhash import xxh3_128_hexdigest

from ..json_repair import repair_json
from .table_builder import Record

LAYOUT = 1
"""Part of every content hash: a new number makes the next reads write everything again."""


class InvalidRecordError(ValueError):
    """A record has another shape than the tables can hold; says where."""


def decode_record(record: bytes | msgspec.Raw) -> Any:
    """A record's JSON; a number without end is its text.

    Raises:
        InvalidRecordError: It cannot be read even so.
    """
    try:
        return msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        try:
            return repair_json(bytes(record))
        except (ValueError, RecursionError):
            raise InvalidRecordError(f"it cannot be read: {failure}") from failure


def require_object(value: Any) -> Record:
    """The value, if it is an object.

    Raises:
        InvalidRecordError: It is something else.
    """
    if not isinstance(value, dict):
        raise InvalidRecordError(f"it is {type(value).__name__}, not an object")
    return value


def object_field(owner: Record, field: str) -> Record:
    """The object in a field; empty where the field is null or absent.

    Raises:
        InvalidRecordError: There is something else than an object.
    """
    value = owner.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRecordError(f"{field} is {type(value).__name__}, not an object")
    return value


def object_list_field(owner: Record, field: str) -> list[Record]:
    """The objects listed in a field; empty where the field is null or absent. Nulls in the list say nothing.

    Raises:
        InvalidRecordError: There is something else than a list of objects.
    """
    value = owner.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not (kinds := set(map(type, value))) <= {dict, NoneType}:
        raise InvalidRecordError(f"{field} is not a list of objects")
    return value if NoneType not in kinds else [item for item in value if item is not None]


def id_text(value: object) -> str:
    """An id as text, whether Gong sent it as a string or, as some endpoints do, as a number; empty if absent."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def record_id(record: object, key: str = "id") -> str:
    """The id by which a record calls itself, as text; empty if it has none."""
    own = record.get(key) if isinstance(record, dict) else None
    return id_text(own) if isinstance(own, str | int) and not isinstance(own, bool) else ""


def is_valid_id(an_id: str) -> bool:
    """Whether Gong takes an id in a request: one that is no number of 64 bits it refuses, and the others with it."""
    # Python reads no number of thousands of digits; 2**63 has nineteen.
    return an_id.isascii() and an_id.isdecimal() and len(an_id) < 20 and int(an_id) < 2**63


def hash_bytes(content: bytes | msgspec.Raw) -> str:
    """32 hex digits that stand for the content and for how this version lays it out.

    Nobody's secret depends on it, so it need not withstand one who makes up two contents with the same fingerprint; a
    hash that would takes a twelfth of a whole load's time.
    """
    return xxh3_128_hexdigest(content, seed=LAYOUT)
