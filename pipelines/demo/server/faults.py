"""Faults for tests: what goes wrong, on which requests, down to the socket.

gong.faults.append(Fault(respond(503), path="/v2/calls/extensive", nth=2))
gong.faults.append(Fault(reset_connection(), path="/v2/users", count=1))
gong.faults.append(Fault(expired_cursor(), when=lambda request: request.cursor is not None, count=1))
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.demo.server.request_log import RequestLogEntry

FaultAction = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]

ABORT_EXTENSION = "pipelines.demo.abort_connection"


@dataclass
class Fault:
    """An act and the requests it strikes.

    A request matches by path prefix, method and `when`. Of the matching ones, only the `nth` (from 1) is struck,
    or the first `count`, or all. `struck` says how many were.
    """

    act: FaultAction
    path: str = "/"
    method: str | None = None
    nth: int | None = None
    count: int | None = None
    when: Callable[[RequestLogEntry], bool] | None = None
    match_count: int = field(default=0, init=False)
    hit_count: int = field(default=0, init=False)

    def applies(self, request: RequestLogEntry) -> bool:
        """Whether this request is to fail; counts it if it matches."""
        if not request.path.startswith(self.path) or self.method not in (None, request.method):
            return False
        if self.when is not None and not self.when(request):
            return False
        self.match_count += 1
        due = (
            self.match_count == self.nth
            if self.nth is not None
            else self.count is None or self.match_count <= self.count
        )
        self.hit_count += due
        return due


def respond(status: int, *, errors: list[str] | None = None, headers: Mapping[str, str] | None = None) -> FaultAction:
    """Answers with that status and Gong's error body."""
    body = {"requestId": "0simulated0fault00", "errors": errors or [f"Simulated fault: HTTP {status}"]}
    return _answer(status, msgspec.json.encode(body), {"content-type": "application/json;charset=UTF-8"}, headers)


def too_many_requests(retry_after: int = 1) -> FaultAction:
    """429 with `Retry-After` in seconds, which may be hours for a spent daily quota."""
    return respond(429, errors=["API rate limit exceeded"], headers={"Retry-After": str(retry_after)})


def redirect(location: str) -> FaultAction:
    """302 to another host, as from the generic host to the customer's."""
    return _answer(302, b"", {"Location": location})


def revoked_token() -> FaultAction:
    """401 as for an access token that was revoked or belongs to another region."""
    return respond(401, errors=["The access token was revoked"])


def expired_cursor() -> FaultAction:
    """400 as for a cursor whose chain is over an hour old."""
    return respond(400, errors=["Cursor has expired"])


def html_page() -> FaultAction:
    """200 with a web page, as from a proxy or a login wall."""
    return _answer(200, b"<!DOCTYPE html><html><body>Please sign in</body></html>", {"content-type": "text/html"})


def proxy_response(status: int, text: str) -> FaultAction:
    """That status with a text, or nothing, that is not of Gong, as from a proxy before it."""
    return _answer(status, text.encode(), {"content-type": "text/plain"})


def corrupt_json() -> FaultAction:
    """200 whose JSON breaks off although the body is complete."""
    return _answer(200, b'{"requestId":"0simulated0fault00","calls":[{"id"', {"content-type": "application/json"})


def hang(seconds: float) -> FaultAction:
    """Says nothing for that long, then answers as usual."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return act


def reset_connection() -> FaultAction:
    """Drops the connection with a TCP reset instead of an answer (a `ConnectionResetError` without a socket)."""

    async def act(_app: ASGIApp, scope: Scope, receive: Receive, _send: Send) -> None:
        abort = scope.get("extensions", {}).get(ABORT_EXTENSION)
        if abort is None:
            raise ConnectionResetError("simulated reset")
        abort()
        while (await receive())["type"] != "http.disconnect":
            pass

    return act


def run_before_response(change: Callable[[], object]) -> FaultAction:
    """Lets something happen to the company just before the answer, which is as usual."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        change()
        await app(scope, receive, send)

    return act


def shorten_body(keep: float = 0.5) -> FaultAction:
    """Sends a share of the answer, compressed or not, as if that were all of it."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await _captured(app, scope, receive)
        await _send_whole(send, start, body[: int(len(body) * keep)])

    return act


def truncate(keep: float = 0.5) -> FaultAction:
    """Promises the whole answer, sends that share of it, and closes the connection."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await _captured(app, scope, receive)
        await send(start)
        await send({"type": "http.response.body", "body": body[: int(len(body) * keep)], "more_body": True})
        # Returning with more announced makes the server close the connection.

    return act


def rewrite(change: Callable[[Any], Any]) -> FaultAction:
    """Passes the decoded JSON answer through `change`, which returns the new body or edits it in place."""

    def changed(body: bytes) -> bytes:
        document = msgspec.json.decode(body)
        returned = change(document)
        return msgspec.json.encode(document if returned is None else returned)

    return rewrite_bytes(changed)


def rewrite_bytes(change: Callable[[bytes], bytes]) -> FaultAction:
    """Passes the answer's body through `change`, for what no JSON encoder would write."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start, body = await _captured(app, {**scope, "headers": plain}, receive)
        await _send_whole(send, start, change(body))

    return act


def _answer(status: int, body: bytes, *headers: Mapping[str, str] | None) -> FaultAction:
    named = {name: value for group in headers if group for name, value in group.items()}
    named["content-length"] = str(len(body))
    raw = [(name.lower().encode(), value.encode()) for name, value in named.items()]

    async def act(_app: ASGIApp, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    return act


async def _send_whole(send: Send, start: Message, body: bytes) -> None:
    """Sends an answer with another body, whose length it announces."""
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


async def _captured(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """The app's answer, held back: its start message and its whole body."""
    starts: list[Message] = []
    body = bytearray()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            starts.append(message)
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, keep)
    return starts[0], bytes(body)
