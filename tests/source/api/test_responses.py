"""Responses as pages or exceptions, also when several threads parse them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import msgspec
import pytest

from sources.gong import errors
from sources.gong.api.endpoint import PAGE_SIZE, Endpoint
from sources.gong.api.responses import Page, error_for, parse_page, retry_after_seconds
from sources.gong.api.retry import RetryableResponseError
from tests.support.paths import REPOSITORY

CALLS = Endpoint("GET", "/v2/calls", "calls", "api:calls:read:basic", paged=True, bound="date-time")
CALL = Endpoint("GET", "/v2/calls/{id}", "call", "api:calls:read:basic", single=True)

FULL_PAGE = [{"id": str(number)} for number in range(PAGE_SIZE)]

# In a process of its own: the error under test is a crash.
_DECODE_IN_THREADS = """
import importlib, sys, threading, httpx
from sources.gong.api import responses
from sources.gong.api.endpoint import Endpoint

TRANSCRIPTS = Endpoint("POST", "/v2/calls/transcript", "callTranscripts", "", paged=True)
sys.setswitchinterval(1e-6)
response = httpx.Response(
    200, content=b'{"requestId": "r", "records": {"totalRecords": 1}, "callTranscripts": [{"callId": "1"}]}'
)
counts = []
for _ in range(1_000):
    # As in a new process: no decoder exists yet.
    importlib.reload(responses)
    barrier = threading.Barrier(6)

    def parse():
        barrier.wait()
        counts.append(len(responses.parse_page(TRANSCRIPTS, response, is_first_page=True).records))

    threads = [threading.Thread(target=parse) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert counts == [1] * 6_000
"""


def parse(body: Any, *, endpoint: Endpoint = CALLS, is_first_page: bool = True, **headers: str) -> Page:
    """Return the page of a 200 response with this body."""
    return parse_page(endpoint, httpx.Response(200, json=body, headers=headers), is_first_page=is_first_page)


def test_a_page_has_records_cursor_total_and_request_id() -> None:
    """Records stay JSON until they are converted."""
    page = parse(
        {"requestId": "r1", "records": {"totalRecords": 7, "cursor": "c1"}, "calls": [{"id": "1"}]},
        date="Wed, 21 Oct 2026 07:28:00 GMT",
    )

    assert [bytes(record) for record in page.records] == [b'{"id":"1"}']
    assert (page.cursor, page.total, page.request_id) == ("c1", 7, "r1")
    assert page.server_time == datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


def test_a_single_record_is_a_page_of_one() -> None:
    """`GET /v2/calls/{id}` returns an object instead of a list."""
    assert [bytes(record) for record in parse({"call": {"id": "1"}}, endpoint=CALL).records] == [b'{"id":"1"}']


@pytest.mark.parametrize(
    ("total", "expected"), [(12, 12), ("12", 12), (None, None), ("many", None), (-7, None), ("9" * 12, None)]
)
def test_an_invalid_total_is_ignored(total: object, expected: int | None) -> None:
    """The total only splits windows and detects truncated pages; records count more."""
    assert parse({"records": {"totalRecords": total}, "calls": []}).total == expected


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        {"requestId": "r1"},
        {"calls": None},
        {"calls": {"1": {}}},
        {"calls": FULL_PAGE},
        {"calls": FULL_PAGE, "records": {"totalRecords": 150}},
    ],
    ids=["array", "null", "no records", "null records", "object", "no position", "no cursor"],
)
def test_an_incomplete_page_is_retried(body: object) -> None:
    """A page that may hide records must not be taken for a complete one."""
    with pytest.raises(RetryableResponseError, match="HTTP 200"):
        parse(body)


def test_a_later_page_may_have_fewer_records_than_announced() -> None:
    """Calls can be deleted while pages are read."""
    body = {"calls": FULL_PAGE, "records": {"totalRecords": 150}}
    assert len(parse(body, is_first_page=False).records) == PAGE_SIZE


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (rb'"a\u0000b"', "a\ufffdb"),
        (rb'"a\\u0000b"', r"a\u0000b"),
        (rb'"a\ud800b"', "a\ufffdb"),
        (b'"a\xffb"', "a\ufffdb"),
        (b"NaN", "NaN"),
    ],
    ids=["NUL", "text of NUL", "lone surrogate", "invalid UTF-8", "NaN"],
)
def test_an_invalid_value_is_replaced_and_the_page_is_kept(content: bytes, title: str) -> None:
    """One invalid character costs neither its record nor the page."""
    response = httpx.Response(200, content=b'{"records":{},"calls":[{"title":' + content + b"}]}")

    (record,) = parse_page(CALLS, response, is_first_page=True).records
    assert msgspec.json.decode(record) == {"title": title}


@pytest.mark.parametrize(
    ("status", "text", "endpoint", "error"),
    [
        (302, "", CALLS, errors.UnexpectedRedirectError),
        (400, "Cursor has expired", CALLS, errors.CursorExpiredError),
        (400, "Failed to verify cursor", CALLS, errors.CursorExpiredError),
        (400, "Bad request", CALLS, errors.RequestError),
        (401, "Unauthorized", CALLS, errors.AuthenticationError),
        (401, "requires permission to use 'api:calls:read:basic'", CALLS, errors.MissingScopeError),
        (403, "Forbidden", CALLS, errors.MissingScopeError),
        (404, "No calls found corresponding to the provided filters", CALLS, errors.EmptyResultError),
        (404, "Not found", CALLS, errors.RequestError),
        (404, "Call ID '1' was not found", CALL, errors.EmptyResultError),
        (404, "No calls found corresponding to the provided filters", CALL, errors.RequestError),
    ],
)
def test_a_status_and_its_text_decide_the_exception(
    status: int, text: str, endpoint: Endpoint, error: type[errors.GongError]
) -> None:
    """Callers react to the type: skip the resource, restart the window, treat the range as empty, or fail."""
    response = httpx.Response(
        status, json={"requestId": "r1", "errors": [text]}, headers={"Location": "https://other.example/v2"}
    )

    found = error_for(endpoint, response)
    assert type(found) is error
    assert (found.status, found.request_id) == (status, "r1")


def test_a_404_of_a_proxy_is_not_an_empty_range() -> None:
    """Only Gong's error format can state that a range is empty."""
    response = httpx.Response(404, text="No calls found corresponding to the provided filters")
    assert type(error_for(CALLS, response)) is errors.RequestError


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-5", 1.0),
        ("soon", 1.0),
        (None, 1.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
    ],
    ids=["seconds", "fraction", "negative", "text", "missing", "past date"],
)
def test_retry_after_is_parsed_in_every_format(header: str | None, expected: float) -> None:
    """HTTP allows seconds and dates; anything else means one second."""
    response = httpx.Response(429, headers={} if header is None else {"Retry-After": header})
    assert retry_after_seconds(response) == expected


def test_retry_after_may_be_a_future_date() -> None:
    """The wait ends at the date."""
    retry_at = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    response = httpx.Response(429, headers={"Retry-After": retry_at})
    assert retry_after_seconds(response) == pytest.approx(3600, abs=300)


def test_first_responses_can_be_parsed_by_several_threads_at_once() -> None:
    """The decoder of an endpoint is complete before a second thread uses it."""
    process = subprocess.run(
        [sys.executable, "-c", _DECODE_IN_THREADS], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
