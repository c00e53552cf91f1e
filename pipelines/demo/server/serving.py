"""Serve an ASGI application on the loopback interface: in a thread for tests, in the foreground for the CLI."""

import contextlib
import ipaddress
import logging
import socket
import struct
import threading
import time
from asyncio import BaseTransport, Transport
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipelines.demo.server.faults import ABORT_EXTENSION

_START_TIMEOUT_SECONDS = 10.0
_STOP_TIMEOUT_SECONDS = 10.0


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
    server = uvicorn.Server(_build_config(app))
    thread = threading.Thread(target=server.run, args=([listener],), name="simulated-gong", daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    try:
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the simulated Gong did not start")
            time.sleep(0.002)
        yield _build_base_url(listener)
    finally:
        server.should_exit = True
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
        uvicorn.Server(_build_config(app)).run([listener])
    listener.close()


class _AbortableProtocol(H11Protocol):
    """HTTP/1.1 with an extension by which the application can reset the connection of a request."""

    def connection_made(self, transport: BaseTransport) -> None:
        assert isinstance(transport, Transport)
        super().connection_made(transport)
        wrapped = self.app

        def abort() -> None:
            # A linger time of zero makes the kernel send RST instead of FIN.
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[ABORT_EXTENSION] = abort
            await wrapped(scope, receive, send)

        self.app = app


def _build_config(app: ASGIApp) -> uvicorn.Config:
    # uvicorn recognises ASGI 3 by a coroutine function; it takes a bound method for ASGI 2.
    async def run_app(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    # Faults close connections in ways that uvicorn would log as errors.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    return uvicorn.Config(
        run_app,
        http=_AbortableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # The application sends its own date, which may differ from this machine's.
        date_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )


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
