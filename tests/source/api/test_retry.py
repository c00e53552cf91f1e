"""Retries on their own: what is retried, how often, after how long. No test waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx
import pytest
import stamina

from sources.gong.api import retry
from sources.gong.api.client import GongClient
from sources.gong.api.endpoint import Endpoint
from sources.gong.api.rate_limiter import RateLimiter
from sources.gong.api.responses import Page
from sources.gong.errors import (
    AuthenticationError,
    CursorExpiredError,
    HostUnreachableError,
    QuotaExceeded,
    RequestError,
    ServiceUnavailableError,
)
from sources.gong.metrics import RunMetrics

USERS = Endpoint("GET", "/v2/users", "users", "api:users:read", paged=True)
NO_USERS = httpx.Response(200, json={"requestId": "r1", "records": {}, "users": []})

Handler = Callable[[httpx.Request], httpx.Response]


class ScriptedGong:
    """A client whose requests get the given responses or errors in order, and then an empty page."""

    def __init__(self, *responses: httpx.Response | Exception) -> None:
        self._responses = iter(responses)
        self.requests = 0
        self.metrics = RunMetrics()

    def respond(self, _: httpx.Request) -> httpx.Response:
        """Return the next response or raise the next error."""
        self.requests += 1
        response = next(self._responses, NO_USERS)
        if isinstance(response, Exception):
            raise response
        return response

    def send(self, times: int = 1) -> Page:
        """Send a request, retried if necessary, that number of times; return the last page.

        Errors of all but the last time are ignored.
        """

        async def send() -> Page:
            client = GongClient(
                "https://api.gong.example",
                httpx.BasicAuth("key", "secret"),
                RateLimiter(100_000),
                self.metrics,
                transport=httpx.MockTransport(self.respond),
            )
            async with client.session():
                for _ in range(times - 1):
                    with suppress(ServiceUnavailableError):
                        await client.send(USERS)
                return await client.send(USERS)

        return asyncio.run(send())


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Switch the waits between attempts off and leave their number as it is."""
    with stamina.set_testing(True, attempts=1_000, cap=True):
        yield


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the waits between attempts instead of sleeping."""
    recorded: list[float] = []

    async def record(seconds: float) -> None:
        recorded.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", record)
    return recorded


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(500),
        httpx.Response(503),
        httpx.Response(408),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"requestId": "r1"}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("timeout"),
        httpx.RemoteProtocolError("peer closed connection"),
        httpx.DecodingError("invalid gzip"),
        TimeoutError(),
    ],
    ids=repr,
)
def test_a_temporary_failure_is_retried(failure: httpx.Response | Exception) -> None:
    """Network errors, 5xx and incomplete bodies cost one more request and nothing else."""
    gong = ScriptedGong(failure)

    assert gong.send().records == []
    assert (gong.requests, gong.metrics.requests, gong.metrics.retries) == (2, 2, 1)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(("status", "error"), [(400, RequestError), (401, AuthenticationError), (404, RequestError)])
def test_a_refused_request_is_not_retried(status: int, error: type[Exception]) -> None:
    """Repeating a request that Gong refused costs quota and changes nothing."""
    gong = ScriptedGong(httpx.Response(status, json={"requestId": "r1", "errors": ["refused"]}))

    with pytest.raises(error, match="requestId r1"):
        gong.send()
    assert gong.requests == 1


@pytest.mark.usefixtures("no_waiting")
def test_a_request_is_given_up_after_six_failures() -> None:
    """The error names the last failure."""
    gong = ScriptedGong(*[httpx.Response(500)] * 5, httpx.Response(503, text="maintenance"))

    with pytest.raises(ServiceUnavailableError, match=r"GET /v2/users: no usable response .* HTTP 503: maintenance"):
        gong.send()
    assert gong.requests == 6


@pytest.mark.usefixtures("no_waiting")
def test_a_429_is_not_a_failure() -> None:
    """Other programs share Gong's rate limit, so a 429 does not use up the six attempts."""
    throttled = httpx.Response(429, headers={"Retry-After": "0"})
    gong = ScriptedGong(*[throttled] * 20, *[httpx.Response(500)] * 5)

    assert gong.send().records == []
    assert gong.requests == 26


@pytest.mark.usefixtures("no_waiting")
def test_a_request_is_given_up_after_fifty_attempts() -> None:
    """A server that responds to everything with a 429 does not hold a run for ever."""
    gong = ScriptedGong(*[httpx.Response(429, headers={"Retry-After": "0"})] * 60)

    with pytest.raises(ServiceUnavailableError, match="HTTP 429"):
        gong.send()
    assert gong.requests == 50


@pytest.mark.usefixtures("no_waiting")
def test_a_long_retry_after_ends_the_run() -> None:
    """Gong's daily quota can ask for hours, which a run does not wait."""
    gong = ScriptedGong(httpx.Response(429, headers={"Retry-After": "301"}))

    with pytest.raises(QuotaExceeded, match="301 s"):
        gong.send()
    assert gong.requests == 1


def test_waits_double_and_the_backoff_factor_multiplies_them(waits: list[float]) -> None:
    """The waits are 0.5, 1, 2, 4 and 8 seconds with up to 0.5 seconds of jitter, times dlt's factor."""

    async def fail() -> None:
        async for attempt in retry.API_REQUESTS.attempts(backoff_factor=10.0):
            with attempt:
                raise retry.RetryableResponseError("HTTP 500")

    with pytest.raises(retry.RetryableResponseError):
        asyncio.run(fail())
    assert len(waits) == 5
    for wait, minimum in zip(waits, (5.0, 10.0, 20.0, 30.0, 30.0), strict=True):
        assert minimum <= wait <= min(minimum + 5.0, 30.0)


def test_the_wait_after_a_429_is_left_to_the_rate_limiter(waits: list[float]) -> None:
    """The rate limiter delays all requests by `Retry-After`; another wait would come on top."""

    async def be_throttled() -> None:
        async for attempt in retry.API_REQUESTS.attempts():
            with attempt:
                if attempt.num < 4:
                    raise retry.RateLimitError("HTTP 429")

    asyncio.run(be_throttled())
    assert waits == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("policy", "attempts"), [(retry.TOKEN_REQUESTS, 4), (retry.MEDIA_DOWNLOADS, 6)])
@pytest.mark.usefixtures("no_waiting")
def test_other_policies_have_their_number_of_attempts(policy: retry.RetryPolicy, attempts: int) -> None:
    """Tokens and recordings have policies of their own, also for code without an event loop."""
    numbers: list[int] = []

    def fail() -> None:
        for attempt in policy.attempts():
            with attempt:
                numbers.append(attempt.num)
                raise httpx.ReadTimeout("timeout")

    with pytest.raises(httpx.ReadTimeout):
        fail()
    assert numbers == list(range(1, attempts + 1))


@pytest.mark.parametrize("expired", [0, 1, 2, 3])
def test_a_window_restarts_twice_after_an_expired_cursor(expired: int) -> None:
    """A window is read three times at most; other errors are not retried."""
    errors = iter([CursorExpiredError("cursor has expired", status=400)] * expired)

    async def read() -> str:
        if (error := next(errors, None)) is not None:
            raise error
        return "complete"

    if expired <= retry.MAX_RESTARTS:
        assert asyncio.run(retry.restart_on_expired_cursor(read)) == "complete"
    else:
        with pytest.raises(CursorExpiredError):
            asyncio.run(retry.restart_on_expired_cursor(read))


@pytest.mark.usefixtures("no_waiting")
def test_a_host_that_never_responded_is_given_up_after_three_failures() -> None:
    """Its name is wrong or the network is down; the error names the setting, and no other request is sent."""
    gong = ScriptedGong(*[httpx.ConnectError("[Errno -2] Name or service not known")] * 10)

    with pytest.raises(HostUnreachableError, match=r"https://api\.gong\.example cannot be reached .*Name or service"):
        gong.send(times=2)
    assert gong.requests == 3


@pytest.mark.usefixtures("no_waiting")
def test_a_host_that_responded_once_gets_all_attempts() -> None:
    """An outage in the middle of a run is waited for."""
    gong = ScriptedGong(NO_USERS, *[httpx.ConnectError("refused")] * 5)

    assert gong.send(times=2).records == []
    assert gong.requests == 7


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectTimeout(""), "no connection in time"),
        (httpx.ReadTimeout(""), "no response in time"),
        (TimeoutError(), "no response in time"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (ExceptionGroup("attempts", [OSError(113, "No route to host")]), "No route to host"),
        (httpx.ProxyError("403 Forbidden"), "403 Forbidden"),
    ],
    ids=repr,
)
def test_a_network_error_is_described_by_its_innermost_cause(error: Exception, reason: str) -> None:
    """HTTP libraries wrap the reason, and a timeout has no text at all."""
    assert retry.describe_network_error(error) == reason
