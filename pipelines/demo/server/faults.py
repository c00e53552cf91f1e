"""Faults for tests: what goes wrong and on which requests, down to the socket.

gong.faults.append(Fault(respond(503), path="/v2/calls/extensive", nth=2))
gong.faults.append(Fault(reset_connection(), path="/v2/users", count=1))
gong.faults.append(Fault(expired_cursor(), when=lambda request: request.cursor is not None, count=1))
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pipelines.demo.server.asgi import ASGIApp, Message, Receive, Scope, Send
from pipelines.demo.server.request_log import RequestLogEntry

FaultAction = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]
"""Responds in place of the application, which it receives with the request."""

ABORT_EXTENSION = "pipelines.demo.abort_connection"
"""ASGI extension of our server: a function that resets the connection of the request."""


@dataclass
class Fault:
    """A fault action and the requests it applies to.

    A request matches by path prefix, method and `when`. Of the matching requests, the fault applies to the `nth`
    (from 1), else to the first `count`, else to all.

    Attributes:
        action: What happens instead of the normal response.
        path: Prefix of the path.
        method: HTTP method; None for any.
        nth: Number of the only matching request to apply to.
        count: Number of the first matching requests to apply to.
        when: Additional condition.
        match_count: Number of requests that matched.
        hit_count: Number of requests that the fault applied to.
    """

    action: FaultAction
    path: str = "/"
    method: str | None = None
    nth: int | None = None
    count: int | None = None
    when: Callable[[RequestLogEntry], bool] | None = None
    match_count: int = field(default=0, init=False)
    hit_count: int = field(default=0, init=False)

    def applies(self, request: RequestLogEntry) -> bool:
        """Return whether the fault applies to the request, and count it."""
        if not request.path.startswith(self.path) or self.method not in (None, request.method):
            return False
        if self.when is not None and not self.when(request):
            return False
        self.match_count += 1
        if self.nth is not None:
            is_hit = self.match_count == self.nth
        else:
            is_hit = self.count is None or self.match_count <= self.count
        self.hit_count += is_hit
        return is_hit


def respond(status: int, *, errors: list[str] | None = None, headers: Mapping[str, str] | None = None) -> FaultAction:
    """Respond with the status and Gong's error body."""
    body = {"requestId": "0simulated0fault00", "errors": errors or [f"Simulated fault: HTTP {status}"]}
    return _send_fixed(status, msgspec.json.encode(body), {"content-type": "application/json;charset=UTF-8"}, headers)


def too_many_requests(retry_after: int = 1) -> FaultAction:
    """Respond with 429 and `Retry-After` in seconds, which can be hours for an exceeded daily quota."""
    return respond(429, errors=["API rate limit exceeded"], headers={"Retry-After": str(retry_after)})


def redirect(location: str) -> FaultAction:
    """Respond with a 302 to another host, as the generic host does for the customer's host."""
    return _send_fixed(302, b"", {"Location": location})


def revoked_token() -> FaultAction:
    """Respond with the 401 of an access token that was revoked or belongs to another region."""
    return respond(401, errors=["The access token was revoked"])


def expired_cursor() -> FaultAction:
    """Respond with the 400 of a cursor whose chain of pages is more than an hour old."""
    return respond(400, errors=["Cursor has expired"])


def html_page() -> FaultAction:
    """Respond with 200 and a web page, as a proxy or a login page does."""
    return _send_fixed(200, b"<!DOCTYPE html><html><body>Please sign in</body></html>", {"content-type": "text/html"})


def proxy_response(status: int, text: str) -> FaultAction:
    """Respond with a status and a plain text or an empty body, as a proxy in front of Gong does."""
    return _send_fixed(status, text.encode(), {"content-type": "text/plain"})


def corrupt_json() -> FaultAction:
    """Respond with 200 and JSON that breaks off although the body has its announced length."""
    return _send_fixed(200, b'{"requestId":"0simulated0fault00","calls":[{"id"', {"content-type": "application/json"})


def hang(seconds: float) -> FaultAction:
    """Wait, then respond as usual."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return act


def reset_connection() -> FaultAction:
    """Drop the connection with a TCP reset; raise `ConnectionResetError` if the request has no socket."""

    async def act(_app: ASGIApp, scope: Scope, receive: Receive, _send: Send) -> None:
        abort = scope.get("extensions", {}).get(ABORT_EXTENSION)
        if abort is None:
            raise ConnectionResetError("simulated reset")
        abort()
        while (await receive())["type"] != "http.disconnect":
            pass

    return act


def run_before_response(change: Callable[[], object]) -> FaultAction:
    """Call a function, for example one that edits the company, then respond as usual."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        change()
        await app(scope, receive, send)

    return act


def shorten_body(keep: float = 0.5) -> FaultAction:
    """Send a share of the body, compressed or not, and announce that length."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await _capture_response(app, scope, receive)
        await _send_body(send, start, body[: int(len(body) * keep)])

    return act


def truncate(keep: float = 0.5) -> FaultAction:
    """Announce the whole body, send a share of it and close the connection."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await _capture_response(app, scope, receive)
        await send(start)
        # Returning while `more_body` is set makes the server close the connection.
        await send({"type": "http.response.body", "body": body[: int(len(body) * keep)], "more_body": True})

    return act


def rewrite(change: Callable[[Any], Any]) -> FaultAction:
    """Pass the decoded JSON body through `change`, which returns the new body or edits it in place."""

    def rewrite_json(body: bytes) -> bytes:
        document = msgspec.json.decode(body)
        returned = change(document)
        return msgspec.json.encode(document if returned is None else returned)

    return rewrite_bytes(rewrite_json)


def rewrite_bytes(change: Callable[[bytes], bytes]) -> FaultAction:
    """Pass the uncompressed body through `change`, for content that a JSON encoder would not write."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start, body = await _capture_response(app, {**scope, "headers": headers}, receive)
        await _send_body(send, start, change(body))

    return act


def _send_fixed(status: int, body: bytes, *header_groups: Mapping[str, str] | None) -> FaultAction:
    headers = {name: value for group in header_groups if group for name, value in group.items()}
    headers["content-length"] = str(len(body))
    raw_headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def act(_app: ASGIApp, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": raw_headers})
        await send({"type": "http.response.body", "body": body})

    return act


async def _send_body(send: Send, start: Message, body: bytes) -> None:
    """Send a response with another body and the matching Content-Length."""
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


async def _capture_response(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """Return the start message and the whole body of the application's response without sending them."""
    starts: list[Message] = []
    body = bytearray()

    async def capture(message: Message) -> None:
        if message["type"] == "http.response.start":
            starts.append(message)
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, capture)
    return starts[0], bytes(body)
