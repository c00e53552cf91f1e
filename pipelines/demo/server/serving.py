"""Serves an ASGI application on the loopback interface: in a thread for tests, in the foreground for the CLI."""

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

_START_SECONDS = 10.0


@contextlib.contextmanager
def serve(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Runs the application in a thread while the context lasts, and yields its base URL.

    Raises `ValueError` for a host that is not loopback, and `OSError` if the port is taken.
    """
    bound = _bound_socket(host, port)
    server = uvicorn.Server(_config(app))
    thread = threading.Thread(target=server.run, args=([bound],), name="simulated-gong", daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    try:
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the simulated Gong did not start")
            time.sleep(0.002)
        yield _base_url(bound)
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)
        bound.close()


def serve_forever(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
    """Runs the application until interrupted. Same errors as `serve`."""
    bound = _bound_socket(host, port)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(_config(app)).run([bound])
    bound.close()


class _AbortableProtocol(H11Protocol):
    """HTTP/1.1 that tells the application how to reset the connection a request came on."""

    def connection_made(self, transport: BaseTransport) -> None:
        assert isinstance(transport, Transport)
        super().connection_made(transport)
        wrapped = self.app

        def abort() -> None:
            # A linger time of zero makes the kernel send RST instead of FIN.
            opened = transport.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[ABORT_EXTENSION] = abort
            await wrapped(scope, receive, send)

        self.app = app


def _config(app: ASGIApp) -> uvicorn.Config:
    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    # Faults end connections in ways that uvicorn would report as errors.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    return uvicorn.Config(
        plain,
        http=_AbortableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )


def _bound_socket(host: str, port: int) -> socket.socket:
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not address.is_loopback:
        raise ValueError(f"{host} is not a loopback address; the simulated Gong is for this machine only")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only where the protocol is named: otherwise each answer takes 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((str(address), port))
    bound.listen(128)
    return bound


def _base_url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
