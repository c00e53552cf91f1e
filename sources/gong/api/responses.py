"""Parse Gong's responses into pages of records or exceptions."""

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
from .retry import RetryableResponseError

# Gong's error texts, as recorded: an empty range, an unknown call, a missing scope, an expired or invalid cursor.
_NOTHING_FOUND = re.compile(r"\bNo \w[^\"]* found corresponding to the provided filters", re.IGNORECASE)
_NO_DATA = re.compile(r"^\W*no\b", re.IGNORECASE)
_NO_SUCH_CALL = re.compile(r"\bCall ID\b.* was not found", re.IGNORECASE)
_SCOPE = re.compile(r"permission to use '([^']+)'", re.IGNORECASE)
_CURSOR = re.compile(r"cursor has expired|failed to verify cursor|cursor.*expired", re.IGNORECASE)
_RECORDS_FIELD = "listed"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# After an even number of backslashes. After an odd number it is the text `\u0000`, not the character.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_SECONDS = re.compile(r"\d+(\.\d+)?")
_MAX_COUNT_DIGITS = 11
_DEFAULT_RETRY_AFTER_SECONDS = 1.0

# msgspec 0.22 publishes a new struct type to other threads before it is initialised; decoding with it then
# segfaults. Build decoders under a lock.
_DECODER_LOCK = Lock()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an endpoint.

    Attributes:
        records: The records as Gong's JSON, not decoded yet.
        cursor: Cursor of the next page; None on the last page.
        total: Number of records that match the request. Gong counts them for the first page and does not update it.
        request_id: Gong's `requestId` of the response.
        server_time: Gong's clock at the time of the response, in whole seconds; None if it was not sent.
        is_first: Whether it is the first page of the list.
    """

    records: list[msgspec.Raw]
    cursor: str | None
    total: int | None
    request_id: str | None
    server_time: datetime | None
    is_first: bool = False


class Position(msgspec.Struct, rename={"total": "totalRecords"}):
    """Position of a page: the object `records` of Gong's responses."""

    cursor: str | None = None
    total: Any = None


def decompress(response: httpx.Response, body: bytes) -> httpx.Response:
    """Return the response with its decompressed content.

    Args:
        response: A streamed response.
        body: Its raw content, encoded as its headers declare.

    Raises:
        httpx.DecodingError: If the body does not have that encoding.
    """
    return httpx.Response(response.status_code, headers=response.headers, content=body, request=response.request)


def parse_page(endpoint: Endpoint, response: httpx.Response, *, is_first_page: bool) -> Page:
    """Return the page of a 200 response.

    Args:
        endpoint: The endpoint that was called.
        response: Its response.
        is_first_page: The request had no cursor.

    Raises:
        RetryableResponseError: If the body is not a complete JSON object, has no records, or does not have the
            cursor that its number of records requires.
    """
    with _DECODER_LOCK:
        decoder = _envelope_decoder(endpoint.records, single=endpoint.single)
    try:
        envelope = _decode_envelope(response.content, decoder)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RetryableResponseError(f"HTTP {response.status_code} with invalid JSON ({error})") from error
    records = getattr(envelope, _RECORDS_FIELD)
    if records is None:
        raise RetryableResponseError(f"HTTP {response.status_code} without the field {endpoint.records!r}")
    if endpoint.paged and envelope.position is None and len(records) >= PAGE_SIZE:
        raise RetryableResponseError(f"HTTP {response.status_code} with a full page and no field 'records'")
    position = envelope.position or Position()
    total = _parse_count(position.total)
    # Only on the first page: calls can be deleted while later pages are read, and the total is not updated.
    if is_first_page and endpoint.paged and not position.cursor and PAGE_SIZE <= len(records) < (total or 0):
        raise RetryableResponseError(
            f"HTTP {response.status_code} with {len(records)} of {total} records and no cursor to the others"
        )
    return Page(
        records=[records] if endpoint.single else records,
        cursor=position.cursor or None,
        total=total,
        request_id=response.headers.get("x-traceid") or (envelope.request_id and str(envelope.request_id)),
        server_time=server_time(response),
        is_first=is_first_page,
    )


def error_for(endpoint: Endpoint, response: httpx.Response) -> GongError:  # noqa: PLR0911 - one return per error
    """Return the exception for a 3xx or 4xx response, except 408 and 429.

    Args:
        endpoint: The endpoint that was called.
        response: Its response.
    """
    status, texts, request_id = response.status_code, error_text(response), parse_request_id(response)
    if status < 400:
        target = urlsplit(response.headers.get("location", ""))
        return UnexpectedRedirectError(
            f"{endpoint}: Gong redirects to {target.scheme}://{target.netloc}: set sources.gong.base_url to"
            " this company's host (Gong > Company settings > API)",
            request_id=request_id,
            status=status,
        )
    if (scope := missing_scope(response)) is not None:
        return MissingScopeError(
            f"{endpoint}: the credential lacks the scope {scope}: add it in Gong, or leave the resource"
            " out with --select",
            scope=scope,
            request_id=request_id,
            status=status,
        )
    if status == 403:
        return MissingScopeError(
            f"{endpoint}: Gong denies access ({texts}): {_required_scope(endpoint)}, a licence or a trusted IP address"
            " is missing",
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
    # Only in Gong's error format: a 404 of a proxy does not mean an empty range.
    if status == 404 and _parse_errors(response) and _empty_result_pattern(endpoint).search(texts):
        return EmptyResultError(f"{endpoint}: {texts}", request_id=request_id, status=status)
    if status == 400 and _CURSOR.search(texts):
        return CursorExpiredError(f"{endpoint}: {texts}", request_id=request_id, status=status)
    return RequestError(f"{endpoint}: HTTP {status}: {texts}", request_id=request_id, status=status)


def error_text(response: httpx.Response) -> str:
    """Return Gong's error messages in one line, or the start of a body that is not in Gong's error format."""
    errors = _parse_errors(response)
    return "; ".join(errors) if errors else " ".join(response.text[:200].split()) or "no body"


def missing_scope(response: httpx.Response) -> str | None:
    """Return the scope that a 401 or 403 names as missing; None if it names none."""
    match = _SCOPE.search(error_text(response)) if response.status_code in (401, 403) else None
    return match[1] if match else None


def parse_request_id(response: httpx.Response) -> str | None:
    """Return Gong's `requestId` of any response; None if it has none."""
    if trace_id := response.headers.get("x-traceid"):
        return str(trace_id)
    try:
        return str(msgspec.json.decode(response.content)["requestId"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return None


def server_time(response: httpx.Response) -> datetime | None:
    """Return Gong's clock at the time of a response, in whole seconds; None if it was not sent."""
    return _parse_http_date(response.headers.get("date", ""))


def retry_after_seconds(response: httpx.Response) -> float:
    """Return the `Retry-After` of a 429 in seconds; one second if it is missing or invalid.

    Gong sends whole seconds. HTTP also allows a date.
    """
    value = response.headers.get("retry-after", "")
    if _SECONDS.fullmatch(value):
        return float(value)
    retry_at = _parse_http_date(value)
    if retry_at is None:
        return _DEFAULT_RETRY_AFTER_SECONDS
    return max(0.0, (retry_at - datetime.now(UTC)).total_seconds())


@cache
def _envelope_decoder(records: str, *, single: bool = False) -> msgspec.json.Decoder[Any]:
    """Return a decoder for an endpoint's responses that leaves the records undecoded."""
    envelope = msgspec.defstruct(
        "Envelope",
        [
            ("position", Position | None, None),
            # `Raw | None` would decode to nothing but None.
            (_RECORDS_FIELD, msgspec.Raw if single else list[msgspec.Raw] | None, None),
            ("request_id", Any, None),
        ],
        rename={"position": "records", _RECORDS_FIELD: records, "request_id": "requestId"},
    )
    return msgspec.json.Decoder(envelope, strict=False)


def _decode_envelope(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Return the decoded envelope. A single invalid value is repaired, so that it does not cost the page."""
    # Most pages of transcripts have no backslash, and searching for one is 20 times as fast.
    if b"\\" in body and rb"\u0000" in body:
        # Databases cannot store NUL.
        body = _NUL.sub(rb"\1\\ufffd", body)
    try:
        if is_utf8(body):
            return decoder.decode(body)
        raise msgspec.DecodeError("it is not UTF-8")
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, RecursionError):
        try:
            repaired = repair_json(body)
        except (ValueError, RecursionError):
            repaired = None
        if not isinstance(repaired, dict):
            raise
        # Lone surrogates can get into Gong from calendars and dialers. Databases cannot store them.
        return decoder.decode(_LONE_SURROGATE.sub("\ufffd", json.dumps(repaired, ensure_ascii=False)))


def _required_scope(endpoint: Endpoint) -> str:
    return f"the scope {endpoint.scope}" if endpoint.scope else "a scope"


def _empty_result_pattern(endpoint: Endpoint) -> re.Pattern[str]:
    """Return the pattern of Gong's text for an empty result. For statistics and logs, the exact text is unknown."""
    if endpoint.single:
        return _NO_SUCH_CALL
    return _NOTHING_FOUND if endpoint.empty_text_known else _NO_DATA


def _parse_errors(response: httpx.Response) -> list[str]:
    """Return Gong's error messages; an empty list if the body is not in Gong's error format."""
    try:
        errors = msgspec.json.decode(response.content).get("errors")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError):
        return []
    return [str(error) for error in errors] if isinstance(errors, list) else []


def _parse_count(value: Any) -> int | None:
    """Parse a record count sent as number or string; None if invalid."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) <= _MAX_COUNT_DIGITS else None


def _parse_http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    # HTTP dates are UTC; parsedate_to_datetime returns `-0000` without a time zone.
    return date if date.tzinfo else date.replace(tzinfo=UTC)
