"""What an answer of Gong says: a page of records, or why there is none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from ..errors import (
    AuthenticationError,
    CursorExpiredError,
    EmptyResultError,
    GongError,
    MissingScopeError,
    RequestError,
    UnexpectedRedirectError,
)
from ..json_repair import is_utf8, repair_json
from .endpoint import PAGE_SIZE, Endpoint

# Gong's texts, as recorded: an empty range, an unknown call, a missing scope, a paging cursor past its hour or
# tampered with.
_NOTHING_FOUND = re.compile(r"\bNo \w[^\"]* found corresponding to the provided filters", re.IGNORECASE)
_NO_DATA = re.compile(r"^\W*no\b", re.IGNORECASE)
_NO_SUCH_CALL = re.compile(r"\bCall ID\b.* was not found", re.IGNORECASE)
_SCOPE = re.compile(r"permission to use '([^']+)'", re.IGNORECASE)
_CURSOR = re.compile(r"cursor has expired|failed to verify cursor|cursor.*expired", re.IGNORECASE)
_RECORDS = "listed"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Behind an even number of backslashes: after an odd one it is the text `\u0000`, not the character.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_SECONDS = re.compile(r"\d+(\.\d+)?")
_LONGEST_COUNT = 12


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an endpoint.

    Attributes:
        records: The records, each as the JSON that Gong sent, not decoded yet.
        cursor: The next page's cursor; None on the last page, where Gong leaves the key out.
        total: Matches of the filter, counted by Gong at the first page and frozen from there on.
        request_id: Gong's name for this answer.
        answered_at: Gong's clock when it answered, to the second.
    """

    records: list[msgspec.Raw]
    cursor: str | None
    total: int | None
    request_id: str | None
    answered_at: datetime | None


# What msgspec (0.22) knows of a struct other threads see before it is whole, and who decodes with it then crashes
# the process. Answers are decoded in several threads, so decoders are made one at a time.
_ONE_AT_A_TIME = Lock()


class Position(msgspec.Struct, rename={"total": "totalRecords"}):
    """Where a page stands among its pages: Gong's object `records`."""

    cursor: str | None = None
    total: Any = None


class RetryableResponse(Exception):
    """An answer worth another try: a 5xx, a broken connection, a body that is not whole JSON."""


def decompress(answer: httpx.Response, body: bytes) -> httpx.Response:
    """An answer whose body came as its headers say, perhaps compressed, with its content.

    Raises:
        httpx.DecodingError: The body is not what the headers say.
    """
    return httpx.Response(answer.status_code, headers=answer.headers, content=body, request=answer.request)


def parse_page(endpoint: Endpoint, answer: httpx.Response, *, first: bool) -> Page:
    """The answer's records.

    Args:
        endpoint: What was asked.
        answer: A 200.
        first: It was asked without a cursor.

    Raises:
        Unusable: The body is no whole JSON object, it does not list records, or it does not say whether more follow.
    """
    with _ONE_AT_A_TIME:
        decoder = _decoder(endpoint.records, single=endpoint.single)
    try:
        envelope = _decoded(answer.content, decoder)
    except (msgspec.DecodeError, RecursionError) as failure:
        raise RetryableResponse(
            f"HTTP {answer.status_code} with a body that is not Gong's JSON ({failure})"
        ) from failure
    records = getattr(envelope, _RECORDS)
    if records is None:
        raise RetryableResponse(f"HTTP {answer.status_code} without {endpoint.records!r} in its body")
    if endpoint.paged and envelope.position is None and len(records) >= PAGE_SIZE:
        raise RetryableResponse(f"HTTP {answer.status_code} with a full page that does not say whether more follow")
    position = envelope.position or Position()
    total = _count(position.total)
    # Behind later pages calls can be deleted meanwhile; the first one and its total are of one moment.
    if first and endpoint.paged and not position.cursor and PAGE_SIZE <= len(records) < (total or 0):
        raise RetryableResponse(
            f"HTTP {answer.status_code} with {len(records)} of {total} records and no cursor to the others"
        )
    return Page(
        records=[records] if endpoint.single else records,
        cursor=position.cursor or None,
        total=total,
        request_id=answer.headers.get("x-traceid") or (envelope.request_id and str(envelope.request_id)),
        answered_at=_http_date(answer.headers.get("date", "")),
    )


def error_for(endpoint: Endpoint, answer: httpx.Response) -> GongError:  # noqa: PLR0911 - one for each kind
    """Why an answer of 3xx or 4xx (but 429) gives nothing, as the error to raise."""
    status, texts, request_id = answer.status_code, error_text(answer), request_id_of(answer)
    if status < 400:
        target = urlsplit(answer.headers.get("location", ""))
        return UnexpectedRedirectError(
            f"{endpoint}: Gong redirects to {target.scheme}://{target.netloc}: set sources.gong.base_url to"
            " this company's host (Gong > Company settings > API)",
            request_id=request_id,
            status=status,
        )
    if (scope := missing_scope(answer)) is not None:
        return MissingScopeError(
            f"{endpoint}: the credential lacks the scope {scope}: add it in Gong, or leave the resource"
            " out with --select",
            scope=scope,
            request_id=request_id,
            status=status,
        )
    if status == 403:
        return MissingScopeError(
            f"{endpoint}: Gong forbids it ({texts}): the scope {endpoint.scope or 'it asks for'}, a licence or a"
            " trusted IP address is missing",
            scope=endpoint.scope,
            request_id=request_id,
            status=status,
        )
    if status == 401:
        return AuthenticationError(
            f"{endpoint}: Gong does not accept the credential ({texts}): check the key and that"
            " base_url is this company's host",
            request_id=request_id,
            status=status,
        )
    # Only Gong itself can say so: a proxy's "no such host" is none of its answers.
    if status == 404 and _errors(answer) and _nothing(endpoint).search(texts):
        return EmptyResultError(f"{endpoint}: {texts}", request_id=request_id, status=status)
    if status == 400 and _CURSOR.search(texts):
        return CursorExpiredError(f"{endpoint}: {texts}", request_id=request_id, status=status)
    return RequestError(f"{endpoint}: HTTP {status}: {texts}", request_id=request_id, status=status)


def _nothing(endpoint: Endpoint) -> re.Pattern[str]:
    """What Gong says where a question of this kind has no answer; of statistics and logs no exact text is known."""
    if endpoint.single:
        return _NO_SUCH_CALL
    return _NO_DATA if endpoint.bound == "date" or endpoint.resource == "audit_logs" else _NOTHING_FOUND


@cache
def _decoder(records: str, *, single: bool = False) -> msgspec.json.Decoder[Any]:
    """For the envelope of an endpoint's answers: where it stands in its pages, and its records as they are."""
    envelope = msgspec.defstruct(
        "Envelope",
        [
            ("position", Position | None, None),
            # As `Raw | None` msgspec would take nothing but null.
            (_RECORDS, msgspec.Raw if single else list[msgspec.Raw] | None, None),
            ("request_id", Any, None),
        ],
        rename={"position": "records", _RECORDS: records, "request_id": "requestId"},
    )
    return msgspec.json.Decoder(envelope, strict=False)


def _decoded(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """The envelope; what one odd value makes unreadable is mended, so that it does not cost the whole page."""
    # Most pages of transcripts have no backslash at all, which is found out twenty times as fast.
    if b"\\" in body and rb"\u0000" in body:
        # JSON can say NUL, databases cannot store it.
        body = _NUL.sub(rb"\1\\ufffd", body)
    try:
        if is_utf8(body):
            return decoder.decode(body)
        raise msgspec.DecodeError("it is not UTF-8")
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, RecursionError):
        # Python's own decoder takes lone surrogates, which Gong can carry in from calendars and dialers;
        # no database stores them, so they become U+FFFD.
        try:
            lenient = repair_json(body)
        except (ValueError, RecursionError):
            lenient = None
        if not isinstance(lenient, dict):
            raise
        mended = json.dumps(lenient, ensure_ascii=False)
        return decoder.decode(_LONE_SURROGATE.sub("\ufffd", mended))


def _count(value: Any) -> int | None:
    """A number of records, however Gong wrote it; None if it is none."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < _LONGEST_COUNT else None


def error_text(answer: httpx.Response) -> str:
    """Gong's error texts in one line; the start of the body when it is not in Gong's error shape."""
    errors = _errors(answer)
    return "; ".join(errors) if errors else " ".join(answer.text[:200].split()) or "no body"


def _errors(answer: httpx.Response) -> list[str]:
    """Gong's error texts; none where the answer is not in Gong's error shape."""
    try:
        errors = msgspec.json.decode(answer.content).get("errors")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError):
        return []
    return [str(error) for error in errors] if isinstance(errors, list) else []


def missing_scope(answer: httpx.Response) -> str | None:
    """The scope that a 401 or 403 asks for; None if it names none."""
    named = _SCOPE.search(error_text(answer)) if answer.status_code in (401, 403) else None
    return named[1] if named else None


def request_id_of(answer: httpx.Response) -> str | None:
    if trace := answer.headers.get("x-traceid"):
        return str(trace)
    try:
        return str(msgspec.json.decode(answer.content)["requestId"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return None


def retry_after(answer: httpx.Response) -> float:
    """Seconds to wait after a 429; Gong sends whole seconds, the HTTP standard also allows a date."""
    value = answer.headers.get("retry-after", "")
    if _SECONDS.fullmatch(value):
        return float(value)
    at = _http_date(value)
    return 1.0 if at is None else max(0.0, (at - datetime.now(UTC)).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    # The standard's dates are UTC; one that says `-0000` comes without a zone.
    return at if at.tzinfo else at.replace(tzinfo=UTC)
