"""The host that links to recordings lead to: bytes made from their path, parts of them, links that end.

host = MediaHost()
with serve(host.app) as base_url:
    gong.settings.media_host = base_url
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipelines.demo.server.faults import ABORT_EXTENSION

_PIECE = 64 * 1024


@dataclass(frozen=True)
class Fetched:
    """A request: its path, its headers (lower case), and the status of the answer."""

    path: str
    headers: dict[str, str]
    status: int


class MediaHost:
    """A media server that has a recording at every path.

    Attributes:
        size: Length of every recording in bytes.
        version: Changes the bytes and the ETag of every recording.
        abort_after_bytes: The next responses are aborted after this number of bytes, one item per response.
        expired_link_count: Number of the next requests to reject as if their link had expired.
        missing_paths: Paths that return 404.
        requests: Every request received.
        clock: Returns the current time, to which the expiry of links is compared.
    """

    def __init__(self, size: int = 200_000) -> None:
        self.size = size
        self.version = 1
        self.abort_after_bytes: list[int] = []
        self.expired_link_count = 0
        self.missing_paths: set[str] = set()
        self.requests: list[Fetched] = []
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def read_recording(self, path: str) -> bytes:
        """The bytes behind a path."""
        seed = sha256(f"{path} {self.version}".encode()).digest()
        return (seed * (self.size // len(seed) + 1))[: self.size]

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        version = f'"{self.version}-{self.size}"'
        first = self._first_byte(request, version)
        gone = request.url.path in self.missing_paths
        status = (
            404 if gone else 403 if self._has_ended(request) else 416 if first > self.size else 206 if first else 200
        )
        self.requests.append(Fetched(request.url.path, dict(request.headers), status))
        if status >= 400:
            await Response(status_code=status)(scope, receive, send)
            return
        body = self.read_recording(request.url.path)[first:]
        headers = {"content-length": str(len(body)), "etag": version, "accept-ranges": "bytes"}
        if status == 206:
            headers["content-range"] = f"bytes {first}-{self.size - 1}/{self.size}"
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        end = self.abort_after_bytes.pop(0) if self.abort_after_bytes else len(body)
        for begin in range(0, min(end, len(body)), _PIECE):
            piece = body[begin : min(begin + _PIECE, end)]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if end < len(body):
            # Give the client time to receive these bytes before the connection is reset.
            await asyncio.sleep(0.05)
            scope["extensions"][ABORT_EXTENSION]()
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _first_byte(self, request: Request, version: str) -> int:
        wanted = request.headers.get("range", "")
        if not wanted or request.headers.get("if-range", version) != version:
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def _has_ended(self, request: Request) -> bool:
        if self.expired_link_count:
            self.expired_link_count -= 1
            return True
        signed = datetime.strptime(request.query_params["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return self.clock() > signed + timedelta(seconds=int(request.query_params["X-Amz-Expires"]))
