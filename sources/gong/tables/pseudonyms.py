"""People's e-mails, phones and names, replaced by keyed hashes before anything else sees a record.

The hash is HMAC-SHA-256 in hex over the normalised value, so one person has one pseudonym in every table and
whoever holds the key can compute it: docs/privacy.md has the recipe. What is personal is said by `tables.py`; what
Gong adds later is judged by its name, on the safe side. Free text (titles, transcripts, comments) is left as it is.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Literal

import msgspec

from ..calls.tables import TABLES
from ..errors import ConfigurationError
from .records import decode_record
from .table import PiiKind
from .table_builder import Record

SHORTEST_KEY = 16
"""Characters: a shorter `pii_key` could be found by trying."""

DEFAULT_CRM_FIELDS = tuple(
    f"{thing}.{field}"
    for thing in ("Contact", "Lead", "User")
    for field in (
        *("Name", "FirstName", "MiddleName", "LastName", "Username", "Alias", "CommunityNickname"),
        *("Email", "SenderEmail", "SenderName", "AssistantName", "AssistantPhone"),
        *("Phone", "MobilePhone", "HomePhone", "OtherPhone", "Extension", "Fax"),
    )
) + tuple(f"Account.Person{field}" for field in ("Email", "MobilePhone", "HomePhone", "OtherPhone", "AssistantName"))
"""Usual personal fields of people in a CRM, as `ObjectType.FieldName`; upper or lower case does not matter."""

_Guess = PiiKind | Literal["person"]
_Declared = Mapping[str, PiiKind | None]
_Change = Callable[[Any], Any]
_Lay = Callable[[Record], Record]

_DECLARED: dict[str, _Declared] = {
    table.name: {column.field: column.personal for column in table.gong_columns if column.field} for table in TABLES
}
_NOTHING: _Declared = {}
_NO_PARTS: Mapping[str, _Change] = {}
_CRM_OBJECT: _Declared = {"objectType": None, "objectId": None, "timing": None}

_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_OF_PERSON = (
    "assistant|attendee|author|caller|commenter|contact|creator|employee|host|invitee|lead|manager|member|organi[sz]er"
    "|owner|participant|party|person|recipient|rep|sender|speaker|user"
)
_PERSON = re.compile(rf"(?:{_OF_PERSON}|people|partie)s?")
_PERSONS_NAME = re.compile(rf"(?:{_OF_PERSON}|first|last|full|middle|given|family|fore|maiden|sur|nick)names?$")
_IS_AN_EMAIL = re.compile(r"\s*[^\s@]+@[^\s@]+\.[^\s@]+\s*")
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


_PLAIN_TRANSCRIPT = msgspec.json.Decoder(_Transcript)


def normalised(text: str, kind: PiiKind) -> str:
    """The form of a value that is hashed; empty if nothing is left.

    E-mail: trimmed, lower case. Phone: its digits, after a `+` if one stands before the first digit; without any
    digit, like a name. Name: trimmed, case-folded, white space inside as single spaces. Link: trimmed.
    """
    if kind == "email":
        return text.strip().lower()
    if kind == "link":
        return text.strip()
    if kind == "phone" and (digits := _NOT_A_DIGIT.sub("", text)):
        return "+" + digits if "+" in text[: text.index(digits[0])] else digits
    return " ".join(text.split()).casefold()


@lru_cache(maxsize=4096)
def infer_pii_kind(field: str, *, of_person: bool) -> _Guess | None:
    """What a field that no table declares says about a person, by its name.

    Args:
        field: As Gong writes it.
        of_person: The field belongs to a person, where every `…name` counts; elsewhere topics, trackers, folders
            and workspaces have names too, and only names like `ownerName` or `lastName` count.

    Returns:
        A kind of personal value; `person` where the field holds a person as a whole, such as `host` or an address
        as the key; else None.
    """
    words = [word for word in _WORD_BREAK.sub(" ", field).lower().split() if word]
    joined = "".join(words).replace("voicemail", "")
    if "email" in joined or "mail" in words:
        return "email"
    if "phone" in joined or not {"fax", "mobile", "msisdn"}.isdisjoint(words):
        return "phone"
    if _PERSONS_NAME.search(joined) or (of_person and joined.endswith(("name", "names"))):
        return "name"
    return "person" if "@" in field or (words and _PERSON.fullmatch(words[-1])) else None


class Pseudonymizer:
    """Puts pseudonyms in place of what is personal in Gong's records.

    Args:
        key: The secret of the hash.
        crm_fields: CRM fields whose values are personal, as `ObjectType.FieldName` or `FieldName`.
    """

    __slots__ = ("_crm_fields", "_key", "_of_resource")

    def __init__(self, key: str, crm_fields: Sequence[str] = DEFAULT_CRM_FIELDS) -> None:
        def laid(table: str = "", *, person: bool = False, **parts: _Change) -> _Lay:
            return partial(self._object, declared=_DECLARED.get(table, _NOTHING), of_person=person, parts=parts)

        def one(lay: _Lay) -> _Change:
            return partial(self._one, lay)

        def many(lay: _Lay) -> _Change:
            return partial(self._many, lay)

        self._key = key.encode()
        self._crm_fields = frozenset(field.casefold() for field in crm_fields)
        crm = many(laid(objects=many(self._crm_object)))
        speakers, comments = laid("call_speakers", person=True), laid("call_comments", person=True)
        self._of_resource: dict[str, _Lay] = {
            "calls": laid(
                metaData=one(laid("calls")),
                context=crm,
                parties=many(laid("call_parties", person=True, context=crm)),
                content=one(laid()),
                interaction=one(laid(speakers=many(speakers))),
                collaboration=one(laid(publicComments=many(comments))),
                media=one(laid("call_media")),
            ),
            "transcripts": laid("transcript_sentences"),
            "library": laid("library_folders", calls=many(laid("library_calls"))),
            "users": laid("users", person=True, settings=one(laid("users", person=True))),
            "workspaces": laid("workspaces"),
            "trackers": laid("trackers"),
            "scorecards": laid("scorecards", questions=many(laid("scorecard_questions"))),
            "answered_scorecards": laid("answered_scorecards", answers=many(laid("answered_scorecard_answers"))),
            "call_outcomes": laid("call_outcomes"),
            "briefs": laid("briefs"),
            "user_activity_daily": laid("user_activity_daily", person=True),
            "user_interaction_stats": laid(person=True, personInteractionStats=many(laid("user_interaction_stats"))),
            "audit_logs": laid("audit_logs", person=True),
            "permission_profiles": laid(
                "permission_profiles", users=many(laid("permission_profile_users", person=True))
            ),
            "flows": laid("flows"),
            "flow_folders": laid("flow_folders"),
            "user_settings_history": laid(history=many(laid("user_settings_history"))),
            "call_access": laid(users=many(laid("call_access"))),
        }

    def of(self, resource: str, record: Any) -> Any:
        """The record with pseudonyms; the order of its keys stays.

        Args:
            resource: dlt's resource that the record belongs to.
            record: A decoded record. One that is no object, or has something else where Gong documents objects
                that hold personal fields, gets a hash of its JSON text there: no table takes such a thing, and in
                `_rejected` it says nothing about anybody.
        """
        return self._one(self._of_resource.get(resource, self._object), record)

    def of_transcript(self, json: msgspec.Raw | bytes) -> msgspec.Raw | bytes:
        """A transcript as Gong sent it, if it is of the documented shape, which says who spoke by ids only.

        Raises:
            InvalidRecordError: It is no JSON that Python can hold.
        """
        try:
            _PLAIN_TRANSCRIPT.decode(json)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.encode(self.of("transcripts", decode_record(json)))
        return json

    def pseudonym(self, value: Any, kind: PiiKind) -> Any:
        """64 hex digits for a value; null and what is empty stay as they are, each entry of a list has its own."""
        if value is None or value in ("", [], {}):
            return value
        if isinstance(value, list):
            return [self.pseudonym(entry, kind) for entry in value]
        if not isinstance(value, str):
            return self._misfit(value)
        text = normalised(value, kind)
        return self._hex(text.encode()) if text else ""

    def _hex(self, content: bytes) -> str:
        return hmac.digest(self._key, content, "sha256").hex()

    def _misfit(self, value: Any) -> Any:
        return None if value is None else self._hex(msgspec.json.encode(value, order="sorted"))

    def _one(self, lay: _Lay, value: Any) -> Any:
        return lay(value) if isinstance(value, dict) else self._misfit(value)

    def _many(self, lay: _Lay, value: Any) -> Any:
        return [self._one(lay, entry) for entry in value] if isinstance(value, list) else self._misfit(value)

    def _object(
        self,
        record: Record,
        declared: _Declared = _NOTHING,
        *,
        of_person: bool = False,
        parts: Mapping[str, _Change] = _NO_PARTS,
    ) -> Record:
        shown: dict[str, Any] = {}
        for field, value in record.items():
            if field in parts:
                shown[field] = parts[field](value)
            elif field in declared:
                kind = declared[field]
                shown[field] = self._inside(value, known=True) if kind is None else self.pseudonym(value, kind)
            else:
                # A key that is an address would be a column's name, or stand in its JSON.
                name = self.pseudonym(field, "email") if "@" in field else field
                shown[name] = self._undeclared(infer_pii_kind(field, of_person=of_person), value, of_person)
        return shown

    def _undeclared(self, guess: _Guess | None, value: Any, of_person: bool) -> Any:
        if guess is None or isinstance(value, bool):
            return self._inside(value, of_person=of_person)
        if guess == "person":
            if isinstance(value, list):
                return [self._undeclared(guess, entry, of_person) for entry in value]
            named = isinstance(value, str) and not value.isdecimal()
            return self.pseudonym(value, "name") if named else self._inside(value, of_person=True)
        # Counts such as `emailsSent`: only telephones are numbers.
        counts = isinstance(value, (int, float)) and guess != "phone"
        return value if counts else self.pseudonym(value, guess)

    def _inside(self, value: Any, *, of_person: bool = False, known: bool = False) -> Any:
        """A value whose field says nothing: what is in it is judged in its turn; an e-mail address shows itself."""
        if isinstance(value, dict):
            return self._object(value, of_person=of_person)
        if isinstance(value, list):
            return [self._inside(entry, of_person=of_person) for entry in value]
        told = isinstance(value, str) and not known and _IS_AN_EMAIL.fullmatch(value)
        return self.pseudonym(value, "email") if told else value

    def _crm_object(self, thing: Record) -> Record:
        kind = thing.get("objectType")
        of_person = not isinstance(kind, str) or infer_pii_kind(kind, of_person=False) == "person"
        fields = partial(self._many, partial(self._crm_field, kind))
        return self._object(thing, _CRM_OBJECT, of_person=of_person, parts={"fields": fields})

    def _crm_field(self, kind: Any, field: Record) -> Record:
        name = field.get("name")
        return self._object(field, parts={"name": self._inside, "value": partial(self._crm_value, kind, name)})

    def _crm_value(self, kind: Any, name: Any, value: Any) -> Any:
        if not self._is_personal(kind, name):
            return self._inside(value)
        guess = infer_pii_kind(name, of_person=True) if isinstance(name, str) else None
        return self.pseudonym(value, "name" if guess is None or guess == "person" else guess)

    def _is_personal(self, kind: Any, name: Any) -> bool:
        """Whether a CRM field is one of those configured; without name or type that cannot be told, so it is."""
        if not isinstance(name, str):
            return True
        folded = name.casefold()
        if folded in self._crm_fields:
            return True
        if isinstance(kind, str):
            return f"{kind.casefold()}.{folded}" in self._crm_fields
        return any(field.endswith(f".{folded}") for field in self._crm_fields)


def pseudonyms(key: str | None, crm_fields: Sequence[str] | None) -> Pseudonymizer:
    """What `pii = "hash"` does, from its settings.

    Args:
        key: Setting `pii_key`.
        crm_fields: Setting `pii_crm_fields`; None for the default.

    Raises:
        ConfigurationError: The key is missing or too short, or a field is not written as it has to be; the key itself
        is
            never said.
    """
    if not key:
        raise ConfigurationError(
            'pii = "hash" needs the secret pii_key: set it under [sources.gong] in .dlt/secrets.toml, or'
            " SOURCES__GONG__PII_KEY in the environment"
        )
    if len(key) < SHORTEST_KEY:
        raise ConfigurationError(
            f"pii_key has fewer than {SHORTEST_KEY} characters: take a longer one, chosen at random"
        )
    wanted = DEFAULT_CRM_FIELDS if crm_fields is None else crm_fields
    if wrong := [field for field in wanted if not isinstance(field, str) or not field.strip(" .")]:
        raise ConfigurationError(f"pii_crm_fields {wrong[0]!r} is no field: write ObjectType.FieldName or FieldName")
    return Pseudonymizer(key, wanted)
