"""How we talk to Gong: send, wait, try again, turn pages. Knows HTTP, knows nothing of tables."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from .endpoints import Endpoint
from .errors import (
    CredentialRejected,
    CursorExpired,
    GongError,
    NothingFound,
    PagingBroken,
    RedirectRefused,
    RequestRefused,
    ScopeMissing,
    SettingRefused,
    Unreachable,
)
from .limiter import Limiter
from .tally import Tally

# Gong's texts, as recorded: an empty range, a missing scope, a paging cursor past its hour or tampered with.
_NOTHING_FOUND = re.compile(r"\bNo \w[^\"]* found corresponding to the provided filters", re.IGNORECASE)
_SCOPE = re.compile(r"permission to use '([^']+)'", re.IGNORECASE)
_CURSOR = re.compile(r"cursor has expired|failed to verify cursor|cursor.*expired", re.IGNORECASE)

_TRIES = 6
_BACKOFF = wait_exponential_jitter(initial=0.5, max=30.0, jitter=0.5)
_PATIENCE_WITH_429 = 50
_WHOLE_REQUEST = 180.0
_TIMEOUT = httpx.Timeout(connect=15.0, read=90.0, write=30.0, pool=None)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an endpoint.

    Attributes:
        records: The records, each as the JSON bytes that Gong sent.
        cursor: The next page's cursor; None on the last page, where Gong leaves the key out.
        total: Matches of the filter, counted by Gong at the first page and frozen from there on.
        request_id: Gong's name for this answer.
        answered_at: Gong's clock when it answered, to the second.
    """

    records: list[bytes]
    cursor: str | None
    total: int | None
    request_id: str | None
    answered_at: datetime | None


class _Unusable(Exception):
    """An answer worth another try: a 5xx, a broken connection, a body that is not whole JSON."""


class _Throttled(_Unusable):
    """A 429: Gong wants a pause, which the limiter keeps for all requests."""


class GongClient:
    """Gong's API for one credential. Requests of all resources share its connection and its limits.

    Args:
        base_url: The customer's host, https only; plain http is taken for loopback addresses.
        auth: Puts the credential on a request.
        limiter: When a request may leave.
        tally: Where requests are counted.

    Raises:
        SettingRefused: `base_url` is neither https nor loopback.
    """

    def __init__(self, base_url: str, auth: httpx.Auth, limiter: Limiter, tally: Tally) -> None:
        self._base_url = checked_base_url(base_url)
        self._auth = auth
        self._limiter = limiter
        self._tally = tally
        self._http: httpx.AsyncClient | None = None
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._first = asyncio.Lock()
        self._greeted = False
        self._rejection: GongError | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Keeps one connection pool open for everybody inside; the last one out closes it."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            # A pool belongs to the event loop it was opened in, and dlt makes a new loop for every extract.
            self._loop, self._users, self._http = loop, 0, None
            self._first, self._greeted, self._rejection = asyncio.Lock(), False, None
        if self._http is None:
            self._http = httpx.AsyncClient(
                base_url=self._base_url,
                auth=self._auth,
                timeout=_TIMEOUT,
                follow_redirects=False,
                trust_env=not _is_loopback(self._base_url),
                headers={"Accept": "application/json", "User-Agent": "gong-elt"},
            )
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._users == 0 and self._http is not None:
                http, self._http = self._http, None
                await http.aclose()

    async def pages(
        self, endpoint: Endpoint, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[Page, None]:
        """Every page of an endpoint, following its cursor; an empty range yields no page.

        Args:
            endpoint: What to read.
            query: Query parameters, repeated unchanged for every page as Gong demands.
            body: JSON body of a POST, repeated likewise; the cursor is put beside the filter.

        Raises:
            CursorExpired: The cursor outlived its hour; start over.
            PagingBroken: A cursor came twice.
            GongError: As `send` raises, except that an empty range is no error.
        """
        seen: set[str] = set()
        cursor: str | None = None
        while True:
            try:
                page = await self.send(endpoint, query=query, body=body, cursor=cursor)
            except NothingFound:
                return
            yield page
            if page.cursor is None or not endpoint.pages:
                return
            if page.cursor in seen:
                raise PagingBroken(
                    f"{endpoint}: Gong repeated a paging cursor; the window was not read to its end, run again",
                    request_id=page.request_id,
                )
            seen.add(cursor := page.cursor)

    async def send(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        cursor: str | None = None,
    ) -> Page:
        """One page, asked for until a usable answer comes.

        Tried again: 429 (after `Retry-After`), 5xx, network errors and bodies that are not whole JSON. All
        requests sent this way only read, so repeating one is safe.

        Raises:
            CredentialRejected: 401 without a scope; no further request is sent with this credential.
            ScopeMissing: 401/403 for this endpoint.
            NothingFound: 404 for an empty range.
            CursorExpired: 400 about the cursor.
            RequestRefused: Any other 4xx.
            RedirectRefused: 3xx.
            QuotaSpent: The budget is used up, or the wait asked for is too long.
            Unreachable: No usable answer after six tries.
        """
        parameters = dict(query or {})
        content: dict[str, Any] | None = None
        if endpoint.method == "POST":
            content = dict(body or {})
            if cursor is not None:
                content["cursor"] = cursor
        elif cursor is not None:
            parameters["cursor"] = cursor
        async with self._first:
            # The first request goes alone: a dead credential costs one request, not one a resource.
            if not self._greeted:
                self._greeted = True
                return await self._insist(endpoint, parameters, content)
        return await self._insist(endpoint, parameters, content)

    async def _insist(self, endpoint: Endpoint, parameters: dict[str, str], content: dict[str, Any] | None) -> Page:
        failures = 0

        def enough(state: RetryCallState) -> bool:
            nonlocal failures
            failures += not isinstance(_failure(state), _Throttled)
            return failures >= _TRIES or state.attempt_number >= _PATIENCE_WITH_429

        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type((httpx.TransportError, httpx.DecodingError, TimeoutError, _Unusable)),
                wait=_wait,
                stop=enough,
                reraise=True,
            ):
                with attempt:
                    self._tally.retries += attempt.retry_state.attempt_number > 1
                    return await self._once(endpoint, parameters, content)
        except (httpx.TransportError, httpx.DecodingError, TimeoutError, _Unusable) as failure:
            raise Unreachable(
                f"{endpoint}: no usable answer, tried again and again; last: {str(failure) or type(failure).__name__};"
                " nothing is lost, run again later"
            ) from failure
        raise AssertionError("tenacity ends with an answer or an exception")

    async def _once(self, endpoint: Endpoint, parameters: dict[str, str], content: dict[str, Any] | None) -> Page:
        if self._rejection is not None:
            raise self._rejection
        if self._http is None:
            raise RuntimeError("requests are sent inside `async with client.connected()`")
        slot = await self._limiter.turn()
        self._tally.requests += 1

        async def note_leaving(event: str, _: Mapping[str, Any]) -> None:
            if event.endswith("send_request_body.complete"):
                slot.left()

        try:
            async with asyncio.timeout(_WHOLE_REQUEST):
                answer = await self._http.request(
                    endpoint.method,
                    endpoint.path,
                    params=parameters,
                    json=content,
                    extensions={"trace": note_leaving},
                )
        finally:
            slot.left()
        if answer.status_code == 429:
            self._limiter.pause(_retry_after(answer), _request_id(answer))
            raise _Throttled(f"HTTP 429: {_texts(answer)}")
        if answer.status_code >= 500 or answer.status_code == 408:
            raise _Unusable(f"HTTP {answer.status_code}: {_texts(answer)}")
        if answer.status_code >= 300:
            self._refuse(endpoint, answer)
        return _page(endpoint, answer)

    def _refuse(self, endpoint: Endpoint, answer: httpx.Response) -> NoReturn:
        status, texts, request_id = answer.status_code, _texts(answer), _request_id(answer)
        if status < 400:
            target = urlsplit(answer.headers.get("location", ""))
            raise RedirectRefused(
                f"{endpoint}: Gong redirects to {target.scheme}://{target.netloc}: set sources.gong.base_url to"
                " this company's host (Gong > Company settings > API)",
                request_id=request_id,
                status=status,
            )
        if status in (401, 403) and (scope := _SCOPE.search(texts)):
            raise ScopeMissing(
                f"{endpoint}: the credential lacks the scope {scope[1]}: add it in Gong, or leave the resource"
                " out with --select",
                scope=scope[1],
                request_id=request_id,
                status=status,
            )
        if status == 403:
            raise ScopeMissing(
                f"{endpoint}: Gong forbids it ({texts}): the scope {endpoint.scope}, a licence or a trusted"
                " IP address is missing",
                scope=endpoint.scope,
                request_id=request_id,
                status=status,
            )
        if status == 401:
            self._rejection = CredentialRejected(
                f"{endpoint}: Gong does not accept the credential ({texts}): check the key and that"
                f" {self._base_url} is this company's host",
                request_id=request_id,
                status=status,
            )
            raise self._rejection
        if status == 404 and _NOTHING_FOUND.search(texts):
            raise NothingFound(f"{endpoint}: {texts}", request_id=request_id, status=status)
        if status == 400 and _CURSOR.search(texts):
            raise CursorExpired(f"{endpoint}: {texts}", request_id=request_id, status=status)
        raise RequestRefused(f"{endpoint}: HTTP {status}: {texts}", request_id=request_id, status=status)


def checked_base_url(base_url: str) -> str:
    """The base URL without its trailing slash.

    Raises:
        SettingRefused: It is not an https URL, nor http on a loopback address.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingRefused(f"base_url {base_url!r} is not a URL: write it like https://api.gong.io")
    if parts.scheme == "http" and not _is_loopback(base_url):
        raise SettingRefused(f"base_url {base_url!r} would send the credential in clear: use https")
    return base_url.rstrip("/").removesuffix("/v2")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _page(endpoint: Endpoint, answer: httpx.Response) -> Page:
    """The answer's records.

    Raises:
        _Unusable: The body is no whole JSON object, or the key of the records is missing from it.
    """
    try:
        envelope = _envelope(answer.content)
        position = msgspec.json.decode(envelope.get("records", b"{}"))
        raw_records = envelope.get(endpoint.records)
        records = [] if raw_records is None else msgspec.json.decode(raw_records, type=list[msgspec.Raw] | None) or []
    except (msgspec.DecodeError, msgspec.ValidationError) as failure:
        raise _Unusable(f"HTTP {answer.status_code} with a body that is not Gong's JSON ({failure})") from failure
    if raw_records is None:
        raise _Unusable(f"HTTP {answer.status_code} without {endpoint.records!r} in its body")
    position = position if isinstance(position, dict) else {}
    cursor, total = position.get("cursor"), position.get("totalRecords")
    return Page(
        records=[bytes(record) for record in records],
        cursor=str(cursor) if cursor else None,
        total=total if isinstance(total, int) else None,
        request_id=_request_id(answer),
        answered_at=_http_date(answer.headers.get("date", "")),
    )


def _envelope(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        return msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        # Python's own decoder takes lone surrogates, which Gong can carry in from calendars and dialers;
        # no database stores them, so they become U+FFFD.
        try:
            lenient = json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            lenient = None
        if not isinstance(lenient, dict):
            raise
        mended = json.dumps(lenient, ensure_ascii=False)
        return msgspec.json.decode(_LONE_SURROGATE.sub("\ufffd", mended), type=dict[str, msgspec.Raw])


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _texts(answer: httpx.Response) -> str:
    """Gong's error texts in one line; the start of the body when it is not in Gong's error shape."""
    try:
        errors = msgspec.json.decode(answer.content).get("errors")
        return "; ".join(map(str, errors)) if isinstance(errors, list) else str(errors)
    except (msgspec.DecodeError, AttributeError):
        return " ".join(answer.text[:200].split()) or "no body"


def _request_id(answer: httpx.Response) -> str | None:
    if trace := answer.headers.get("x-traceid"):
        return str(trace)
    try:
        return str(msgspec.json.decode(answer.content)["requestId"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return None


def _retry_after(answer: httpx.Response) -> float:
    """Seconds to wait after a 429; Gong sends whole seconds, the HTTP standard also allows a date."""
    value = answer.headers.get("retry-after", "")
    if value.isdecimal():
        return float(value)
    at = _http_date(value)
    return 1.0 if at is None else max(0.0, (at - datetime.now(UTC)).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        return parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _wait(state: RetryCallState) -> float:
    # After a 429 the limiter holds everybody back already.
    return 0.0 if isinstance(_failure(state), _Throttled) else _BACKOFF(state)
