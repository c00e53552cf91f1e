"""Serve an ASGI application on the loopback interface: in a thread for tests, in the foreground for the CLI.

The server is a few lines around h11, which httpx needs anyway, so that the demo needs no packages of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import struct
import threading
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import unquote

import h11

from pipelines.demo.server.asgi import ASGIApp, Message, Response, Scope
from pipelines.demo.server.faults import ABORT_EXTENSION

_LOGGER = logging.getLogger(__name__)

_START_TIMEOUT_SECONDS = 10.0
_STOP_TIMEOUT_SECONDS = 10.0
_IDLE_TIMEOUT_SECONDS = 30.0
_READ_BYTES = 256 * 1024
_MAX_HEADER_BYTES = 64 * 1024


@contextlib.contextmanager
def serve(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Run the application in a thread for the duration of the context; yield its base URL.

    Args:
        app: The ASGI application.
        host: Loopback address to listen on.
        port: Port to listen on; 0 chooses a free one.

    Raises:
        ValueError: If the host is not a loopback address.
        OSError: If the port is in use.
        RuntimeError: If the server does not start.
    """
    listener = _open_listener(host, port)
    server = _Server(app, listener)
    thread = threading.Thread(target=server.run, name="simulated-gong", daemon=True)
    thread.start()
    try:
        if not server.started.wait(_START_TIMEOUT_SECONDS):
            raise RuntimeError("the simulated Gong did not start")
        yield _build_base_url(listener)
    finally:
        server.stop()
        thread.join(_STOP_TIMEOUT_SECONDS)
        listener.close()


def serve_forever(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
    """Run the application until it is interrupted.

    Raises:
        ValueError: If the host is not a loopback address.
        OSError: If the port is in use.
    """
    listener = _open_listener(host, port)
    with contextlib.suppress(KeyboardInterrupt):
        _Server(app, listener).run()
    listener.close()


class _Server:
    """An event loop that accepts connections until it is stopped from another thread.

    Attributes:
        started: Set when connections are accepted.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self.started = threading.Event()
        self._app = app
        self._listener = listener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def run(self) -> None:
        """Serve until `stop` is called."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """Stop accepting connections and end those that are open."""
        if self._loop is not None:
            # The loop may have ended already.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        connections: set[asyncio.Task[None]] = set()

        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            connections.add(task)
            task.add_done_callback(connections.discard)
            await _Connection(self._app, reader, writer).serve()

        server = await asyncio.start_server(connect, sock=self._listener, backlog=128, limit=_READ_BYTES)
        self.started.set()
        await self._stopping.wait()
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


class _Connection:
    """One connection of a client, with one request after the other."""

    def __init__(self, app: ASGIApp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._app, self._reader, self._writer = app, reader, writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEADER_BYTES)
        self._start: Message = {}
        self._has_body = True

    async def serve(self) -> None:
        """Serve requests until one side closes the connection."""
        try:
            while isinstance(request := await self._next_event(), h11.Request):
                await self._respond(request)
                if self._http.our_state is not h11.DONE:
                    break
                # The rest of a body that the application has not read: closing now would discard the response.
                while self._http.their_state is h11.SEND_BODY:
                    await self._next_event()
                self._http.start_next_cycle()
        except h11.RemoteProtocolError:
            await self._refuse()
        except (OSError, TimeoutError, h11.LocalProtocolError, asyncio.CancelledError):
            # The client has gone, the server stops, or the application's response was not valid HTTP.
            pass
        finally:
            self._writer.close()

    async def _respond(self, request: h11.Request) -> None:
        self._has_body = True
        raw_path, _, query = request.target.partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": request.http_version.decode(),
            "method": request.method.decode(),
            "scheme": "http",
            "path": unquote(raw_path.decode("latin-1")),
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": list(request.headers),
            "client": self._writer.get_extra_info("peername")[:2],
            "server": self._writer.get_extra_info("sockname")[:2],
            "extensions": {ABORT_EXTENSION: self._abort},
        }
        try:
            await self._app(scope, self._receive, self._send)
        except (OSError, h11.ProtocolError):
            raise
        except Exception:
            # Only a fault of the application, so the client gets an error as from any other server.
            _LOGGER.exception("the simulated Gong failed on %s %s", scope["method"], scope["path"])
            if self._http.our_state is h11.SEND_RESPONSE:
                error = Response(b"Internal Server Error", HTTPStatus.INTERNAL_SERVER_ERROR)
                await error(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._http.they_are_waiting_for_100_continue:
            await self._write(h11.InformationalResponse(status_code=100, headers=[]))
        if self._has_body:
            event = await self._next_event()
            if isinstance(event, h11.Data):
                return {"type": "http.request", "body": bytes(event.data), "more_body": True}
            if isinstance(event, h11.EndOfMessage):
                self._has_body = False
                return {"type": "http.request", "body": b"", "more_body": False}
            return {"type": "http.disconnect"}
        while data := await self._reader.read(_READ_BYTES):
            self._http.receive_data(data)
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._write(h11.Response(status_code=message["status"], headers=message.get("headers", [])))
            return
        if body := message.get("body", b""):
            await self._write(h11.Data(data=body))
        if not message.get("more_body", False):
            await self._write(h11.EndOfMessage())

    async def _write(self, event: h11.Event) -> None:
        if data := self._http.send(event):
            self._writer.write(data)
            await self._writer.drain()

    async def _next_event(self) -> object:
        """Return the next part of a request; `ConnectionClosed` after the last one."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            is_idle = self._http.their_state is h11.IDLE
            read = self._reader.read(_READ_BYTES)
            data = await (asyncio.wait_for(read, _IDLE_TIMEOUT_SECONDS) if is_idle else read)
            self._http.receive_data(data)
        return event

    async def _refuse(self) -> None:
        """Answer a request that is not valid HTTP."""
        with contextlib.suppress(OSError, h11.LocalProtocolError):
            await self._write(h11.Response(status_code=400, headers=[("connection", "close"), ("content-length", "0")]))
            await self._write(h11.EndOfMessage())

    def _abort(self) -> None:
        # A linger time of zero makes the kernel send RST instead of FIN.
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


def _open_listener(host: str, port: int) -> socket.socket:
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not address.is_loopback:
        raise ValueError(
            f"{host} is not a loopback address: the simulated Gong serves this machine only; use 127.0.0.1"
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the socket names its protocol; without it each response takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((str(address), port))
    listener.listen(128)
    return listener


def _build_base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
