"""Typed, validated access to the fields of a decoded record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any

import msgspec
from xxhash import xxh3_128_hexdigest

from ..json_repair import repair_json

Record = Mapping[str, Any]
"""A JSON object as Gong sent it."""

ConnectorValues = Mapping[str, Any]
"""Values of the columns that the connector fills, by column name."""

LAYOUT = 1
"""Part of every content hash. A new number makes the next reads write every record again."""


class InvalidRecordError(ValueError):
    """A record that the tables cannot hold; the message names the field."""


def decode_record(record: bytes | msgspec.Raw) -> Any:
    """Return the decoded JSON of a record; a number beyond the limits of JSON becomes text.

    Raises:
        InvalidRecordError: If the record is not JSON, even after repair.
    """
    try:
        return msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        try:
            return repair_json(bytes(record))
        except (ValueError, RecursionError):
            raise InvalidRecordError(f"it cannot be read: {failure}") from failure


def require_object(value: Any) -> Record:
    """Return the value, which has to be an object.

    Raises:
        InvalidRecordError: If it is of another type.
    """
    if not isinstance(value, dict):
        raise InvalidRecordError(f"it is {type(value).__name__}, not an object")
    return value


def object_field(parent: Record, field: str) -> Record:
    """Return the object in a field, or an empty one if the field is null or absent.

    Raises:
        InvalidRecordError: If the field holds a value of another type.
    """
    value = parent.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRecordError(f"{field} is {type(value).__name__}, not an object")
    return value


def object_list_field(parent: Record, field: str) -> list[Record]:
    """Return the objects in a list field without nulls, or an empty list if the field is null or absent.

    Raises:
        InvalidRecordError: If the field holds anything but a list of objects and nulls.
    """
    value = parent.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not (types := set(map(type, value))) <= {dict, NoneType}:
        raise InvalidRecordError(f"{field} is not a list of objects")
    return value if NoneType not in types else [item for item in value if item is not None]


def id_text(value: object) -> str:
    """Return an id as text, or "" if it is absent. Some endpoints send ids as numbers."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def record_id(record: object, id_field: str = "id") -> str:
    """Return the record's id as text, or "" if it has none."""
    value = record.get(id_field) if isinstance(record, dict) else None
    return id_text(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def is_valid_id(text: str) -> bool:
    """Return whether the id is valid. Gong ids are 64-bit integers, and one invalid id fails the whole request."""
    # Python refuses to read integers of thousands of digits; 2**63 has nineteen.
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < 2**63


def hash_bytes(content: bytes | msgspec.Raw) -> str:
    """Return a hash of the content and of this version's table layout, as 32 hex digits.

    No secret depends on it, so it need not be cryptographic. A cryptographic hash would take a twelfth of the time of a
    whole load.
    """
    return xxh3_128_hexdigest(content, seed=LAYOUT)


def canonical_json(value: Any) -> bytes:
    """Return a value as JSON with sorted keys."""
    return msgspec.json.encode(value, order="sorted")


def hash_records(records: Iterable[Any]) -> str:
    """Return a hash of the records that depends neither on their order nor on the order of their keys."""
    return hash_bytes(b"\n".join(sorted(map(canonical_json, records))))
