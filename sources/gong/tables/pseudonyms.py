"""Pseudonyms: replace e-mail addresses, phone numbers and names by keyed hashes before records are processed.

The hash is HMAC-SHA-256 in hex over the normalised value, so that a person has the same pseudonym in every table, and
anyone with the key can compute it; docs/privacy.md has the recipe. Each resource declares its personal fields; fields
that Gong adds later are classified by name, in doubt as personal. Free text (titles, transcripts, comments) is kept.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal

import msgspec

from ..errors import ConfigurationError
from .records import Record, canonical_json, decode_record
from .table import PiiKind, Table

MIN_KEY_LENGTH = 16
"""Characters. A shorter `pii_key` could be found by trying."""

DEFAULT_CRM_FIELDS = tuple(
    f"{object_type}.{name}"
    for object_type in ("Contact", "Lead", "User")
    for name in (
        *("Name", "FirstName", "MiddleName", "LastName", "Username", "Alias", "CommunityNickname"),
        *("Email", "SenderEmail", "SenderName", "AssistantName", "AssistantPhone"),
        *("Phone", "MobilePhone", "HomePhone", "OtherPhone", "Extension", "Fax"),
    )
) + tuple(f"Account.Person{name}" for name in ("Email", "MobilePhone", "HomePhone", "OtherPhone", "AssistantName"))
"""Usual personal fields of people in a CRM, as `ObjectType.FieldName`; case-insensitive."""


@dataclass(frozen=True)
class PersonalFields:
    """Where a record holds personal values.

    Attributes:
        table: The table whose columns declare the record's fields; without it all fields are classified by name.
        is_person: Whether the record describes a person, so that each field `...name` is personal.
        objects: Fields that hold an object.
        lists: Fields that hold a list of objects.
    """

    table: Table | None = None
    is_person: bool = False
    objects: Mapping[str, PersonalFields] = field(default_factory=dict)
    lists: Mapping[str, PersonalFields] = field(default_factory=dict)


_CRM_OBJECT = PersonalFields()
CRM_CONTEXT = PersonalFields(lists={"objects": _CRM_OBJECT})
"""CRM objects linked to a call or party. Which of their fields are personal is a setting (`pii_crm_fields`)."""

_InferredKind = PiiKind | Literal["person"]
_DeclaredFields = Mapping[str, PiiKind | None]
_HashValue = Callable[[Any], Any]
_HashRecord = Callable[[Record], Record]

_NO_FIELDS: _DeclaredFields = {}
_NO_PARTS: Mapping[str, _HashValue] = {}
_CRM_OBJECT_FIELDS: _DeclaredFields = {"objectType": None, "objectId": None, "timing": None}

_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_ROLES = (
    "assistant|attendee|author|caller|commenter|contact|creator|employee|host|invitee|lead|manager|member|organi[sz]er"
    "|owner|participant|party|person|recipient|rep|sender|speaker|user"
)
_PERSON = re.compile(rf"(?:{_ROLES}|people|partie)s?")
_PERSON_NAME = re.compile(rf"(?:{_ROLES}|first|last|full|middle|given|family|fore|maiden|sur|nick)names?$")
_EMAIL = re.compile(r"\s*[^\s@]+@[^\s@]+\.[^\s@]+\s*")
_NOT_A_DIGIT = re.compile(r"[^0-9]")


class _Sentence(msgspec.Struct, forbid_unknown_fields=True):
    start: int | None = None
    end: int | None = None
    text: str | None = None


class _Monologue(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    speaker_id: str | int | None = None
    topic: str | None = None
    sentences: list[_Sentence] | None = None


class _Transcript(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    call_id: str | int
    transcript: list[_Monologue] | None = None


_DOCUMENTED_TRANSCRIPT = msgspec.json.Decoder(_Transcript)


def normalise(text: str, kind: PiiKind) -> str:
    """Return the form of a value that is hashed; "" if nothing is left.

    E-mail: trimmed, lower case. Phone: its digits, after a `+` if one precedes the first digit; without any digit, like
    a name. Name: trimmed, case-folded, white space inside as single spaces. Link: trimmed.
    """
    if kind == "email":
        return text.strip().lower()
    if kind == "link":
        return text.strip()
    if kind == "phone" and (digits := _NOT_A_DIGIT.sub("", text)):
        return "+" + digits if "+" in text[: text.index(digits[0])] else digits
    return " ".join(text.split()).casefold()


@lru_cache(maxsize=4096)
def infer_pii_kind(field: str, *, of_person: bool) -> _InferredKind | None:
    """Return the kind of personal value that an undeclared field holds, judged by its name.

    Args:
        field: The field as Gong writes it.
        of_person: Whether the field belongs to a person, where each `...name` is personal. Elsewhere topics, trackers,
            folders and workspaces have names too, and only names such as `ownerName` or `lastName` are personal.

    Returns:
        A kind of personal value; `person` if the field holds a person as a whole, such as `host` or an address as the
        key; else None.
    """
    words = [word for word in _WORD_BREAK.sub(" ", field).lower().split() if word]
    joined = "".join(words).replace("voicemail", "")
    if "email" in joined or "mail" in words:
        return "email"
    if "phone" in joined or not {"fax", "mobile", "msisdn"}.isdisjoint(words):
        return "phone"
    if _PERSON_NAME.search(joined) or (of_person and joined.endswith(("name", "names"))):
        return "name"
    return "person" if "@" in field or (words and _PERSON.fullmatch(words[-1])) else None


class Pseudonymizer:
    """Replaces personal values in Gong's records by pseudonyms.

    Args:
        key: Secret of the hash.
        personal_fields: Where the records of each dlt resource hold personal values.
        crm_fields: CRM fields whose values are personal, as `ObjectType.FieldName` or `FieldName`.
    """

    __slots__ = ("_crm_fields", "_hash_record", "_key")

    def __init__(
        self,
        key: str,
        personal_fields: Mapping[str, PersonalFields],
        crm_fields: Sequence[str] = DEFAULT_CRM_FIELDS,
    ) -> None:
        self._key = key.encode()
        self._crm_fields = frozenset(name.casefold() for name in crm_fields)
        self._hash_record = {resource: self._compile(fields) for resource, fields in personal_fields.items()}

    def apply(self, resource: str, record: Any) -> Any:
        """Return the record with pseudonyms; the order of its keys stays.

        Args:
            resource: dlt resource of the record.
            record: A decoded record. Where it is not an object, or holds anything but the documented objects with
                personal fields, a hash of the JSON text takes the value's place: no table accepts such a value, and
                `_rejected` must not reveal it.
        """
        return self._hash_one(self._hash_record.get(resource, self._hash_object), record)

    def apply_to_transcript(self, json: msgspec.Raw | bytes) -> msgspec.Raw | bytes:
        """Return a transcript's JSON unchanged if it has the documented fields only, which name speakers by id.

        Raises:
            InvalidRecordError: If it is not JSON that Python can decode.
        """
        try:
            _DOCUMENTED_TRANSCRIPT.decode(json)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.encode(self.apply("transcripts", decode_record(json)))
        return json

    def pseudonym(self, value: Any, kind: PiiKind) -> Any:
        """Return 64 hex digits for a value; null and empty values stay, each entry of a list is hashed by itself."""
        if value is None or value in ("", [], {}):
            return value
        if isinstance(value, list):
            return [self.pseudonym(entry, kind) for entry in value]
        if not isinstance(value, str):
            return self._hash_unexpected(value)
        text = normalise(value, kind)
        return self._hash(text.encode()) if text else ""

    def _compile(self, fields: PersonalFields) -> _HashRecord:
        if fields is _CRM_OBJECT:
            return self._hash_crm_object
        columns = fields.table.gong_columns if fields.table is not None else ()
        return partial(
            self._hash_object,
            declared={column.field: column.pii for column in columns if column.field},
            of_person=fields.is_person,
            parts={name: partial(self._hash_one, self._compile(part)) for name, part in fields.objects.items()}
            | {name: partial(self._hash_many, self._compile(part)) for name, part in fields.lists.items()},
        )

    def _hash(self, content: bytes) -> str:
        return hmac.digest(self._key, content, "sha256").hex()

    def _hash_unexpected(self, value: Any) -> Any:
        return None if value is None else self._hash(canonical_json(value))

    def _hash_one(self, hash_record: _HashRecord, value: Any) -> Any:
        return hash_record(value) if isinstance(value, dict) else self._hash_unexpected(value)

    def _hash_many(self, hash_record: _HashRecord, value: Any) -> Any:
        if not isinstance(value, list):
            return self._hash_unexpected(value)
        return [self._hash_one(hash_record, entry) for entry in value]

    def _hash_object(
        self,
        record: Record,
        declared: _DeclaredFields = _NO_FIELDS,
        *,
        of_person: bool = False,
        parts: Mapping[str, _HashValue] = _NO_PARTS,
    ) -> Record:
        hashed: dict[str, Any] = {}
        for name, value in record.items():
            if name in parts:
                hashed[name] = parts[name](value)
            elif name in declared:
                kind = declared[name]
                hashed[name] = self._scan_value(value, declared=True) if kind is None else self.pseudonym(value, kind)
            else:
                # A key that is an address would become the name of a column, or part of its JSON.
                key = self.pseudonym(name, "email") if "@" in name else name
                hashed[key] = self._hash_undeclared(infer_pii_kind(name, of_person=of_person), value, of_person)
        return hashed

    def _hash_undeclared(self, kind: _InferredKind | None, value: Any, of_person: bool) -> Any:
        if kind is None or isinstance(value, bool):
            return self._scan_value(value, of_person=of_person)
        if kind == "person":
            if isinstance(value, list):
                return [self._hash_undeclared(kind, entry, of_person) for entry in value]
            is_name = isinstance(value, str) and not value.isdecimal()
            return self.pseudonym(value, "name") if is_name else self._scan_value(value, of_person=True)
        # Numbers are counts, such as `emailsSent`, except in phone fields.
        is_count = isinstance(value, (int, float)) and kind != "phone"
        return value if is_count else self.pseudonym(value, kind)

    def _scan_value(self, value: Any, *, of_person: bool = False, declared: bool = False) -> Any:
        """Hash what is personal inside a value whose field is not; an undeclared e-mail address is recognised."""
        if isinstance(value, dict):
            return self._hash_object(value, of_person=of_person)
        if isinstance(value, list):
            return [self._scan_value(entry, of_person=of_person) for entry in value]
        is_email = isinstance(value, str) and not declared and _EMAIL.fullmatch(value)
        return self.pseudonym(value, "email") if is_email else value

    def _hash_crm_object(self, crm_object: Record) -> Record:
        object_type = crm_object.get("objectType")
        of_person = not isinstance(object_type, str) or infer_pii_kind(object_type, of_person=False) == "person"
        fields = partial(self._hash_many, partial(self._hash_crm_field, object_type))
        return self._hash_object(crm_object, _CRM_OBJECT_FIELDS, of_person=of_person, parts={"fields": fields})

    def _hash_crm_field(self, object_type: Any, crm_field: Record) -> Record:
        hash_value = partial(self._hash_crm_value, object_type, crm_field.get("name"))
        return self._hash_object(crm_field, parts={"name": self._scan_value, "value": hash_value})

    def _hash_crm_value(self, object_type: Any, name: Any, value: Any) -> Any:
        if not self._is_personal(object_type, name):
            return self._scan_value(value)
        kind = infer_pii_kind(name, of_person=True) if isinstance(name, str) else None
        return self.pseudonym(value, "name" if kind is None or kind == "person" else kind)

    def _is_personal(self, object_type: Any, name: Any) -> bool:
        """Return whether a CRM field is configured as personal; a field without name or type is, to be safe."""
        if not isinstance(name, str):
            return True
        folded = name.casefold()
        if folded in self._crm_fields:
            return True
        if isinstance(object_type, str):
            return f"{object_type.casefold()}.{folded}" in self._crm_fields
        return any(crm_field.endswith(f".{folded}") for crm_field in self._crm_fields)


def build_pseudonymizer(
    key: str | None, crm_fields: Sequence[str] | None, personal_fields: Mapping[str, PersonalFields]
) -> Pseudonymizer:
    """Return the pseudonymizer for `pii = "hash"`.

    Args:
        key: Setting `pii_key`.
        crm_fields: Setting `pii_crm_fields`; None for the default.
        personal_fields: Where the records of each dlt resource hold personal values.

    Raises:
        ConfigurationError: If the key is missing or too short, or a CRM field is invalid. The message does not contain
            the key.
    """
    # A secret from a file usually ends with a line break.
    key = (key or "").strip()
    if not key:
        raise ConfigurationError(
            'pii = "hash" needs the secret pii_key: set it under [sources.gong] in .dlt/secrets.toml, or'
            " SOURCES__GONG__PII_KEY in the environment"
        )
    if len(key) < MIN_KEY_LENGTH:
        raise ConfigurationError(f"pii_key must have at least {MIN_KEY_LENGTH} random characters")
    fields = DEFAULT_CRM_FIELDS if crm_fields is None else crm_fields
    if invalid := [name for name in fields if not isinstance(name, str) or not name.strip(" .")]:
        raise ConfigurationError(
            f"pii_crm_fields: invalid field {invalid[0]!r}; write ObjectType.FieldName or FieldName"
        )
    return Pseudonymizer(key, personal_fields, fields)
