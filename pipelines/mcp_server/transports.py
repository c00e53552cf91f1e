"""How clients reach the server: standard input and output, or Streamable HTTP with tokens."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import anyio
import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..runtime.errors import UsageError, one_line
from .access.policy_file import Grant, find_grant

PATH = "/mcp"
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_CHUNK_BYTES = 65_536
_LOGGERS = ("mcp", "uvicorn", "asyncio")


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """Where the server listens.

    Attributes:
        host: Address or name of the interface.
        port: Port; 0 for any free one.
        allowed_hosts: Further names under which clients reach it, such as that of a proxy.
        grants: Tokens; empty if none is needed.
    """

    host: str
    port: int
    allowed_hosts: Sequence[str] = ()
    grants: Sequence[Grant] = ()


def configure_logging(report: Callable[[str], None]) -> None:
    """Print warnings of the SDK and of the web server as single lines, without tracebacks, which can have contents."""
    handler = _LineHandler(report)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(logging.WARNING)
    # It warns of SQL that is refused anyway, and repeats it.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)


class _LineHandler(logging.Handler):
    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__()
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record as one line."""
        kind = f" ({record.exc_info[0].__name__})" if record.exc_info and record.exc_info[0] else ""
        self._report(f"{record.name}: {one_line(record.getMessage(), 300)}{kind}")


def serve_stdio(server: Server[Any], report: Callable[[str], None]) -> None:
    """Serve one client over standard input and output, until it closes standard input or a signal ends the process.

    Args:
        server: The server.
        report: Prints a hint if a person has started it.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        report("waiting for an MCP client on standard input; Ctrl-C ends it, and --http serves HTTP")
    with suppress(BrokenPipeError):
        try:
            anyio.run(_serve_stdio, server)
        except BaseExceptionGroup as group:
            # The client has ended without closing standard input first.
            if group.split(BrokenPipeError)[1] is not None:
                raise


async def _serve_stdio(server: Server[Any]) -> None:
    lines: Any = _StandardInput()
    async with stdio_server(stdin=lines) as (received, sent):
        await server.run(received, sent, server.create_initialization_options())


class _StandardInput:
    """Lines of standard input. The SDK's reader blocks a thread until the next line, and would delay the end."""

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield each line."""
        if sys.stdin is None:
            return
        descriptor, rest = sys.stdin.fileno(), b""
        while True:
            # Files are always readable, and cannot be waited for.
            with suppress(PermissionError):
                await anyio.wait_readable(descriptor)
            chunk = os.read(descriptor, _CHUNK_BYTES)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines if chunk else filter(None, [rest]):
                yield line.decode("utf-8", "replace")
            if not chunk:
                return


def serve_http(server: Server[Any], options: HttpOptions, report: Callable[[str], None]) -> None:
    """Serve clients over Streamable HTTP until a signal ends the process.

    Args:
        server: The server.
        options: Where it listens.
        report: Prints the address.

    Raises:
        UsageError: If the address is not available, or others can reach it and no token is needed.
    """
    if not options.grants and not _is_loopback(options.host):
        raise UsageError(
            f"--host {options.host} can be reached from other machines: give each user a token with --policy FILE, or"
            " use --host 127.0.0.1"
        )
    if not options.grants and options.allowed_hosts:
        raise UsageError("--allowed-host lets in what a proxy forwards: give each user a token with --policy FILE")
    listener = _listen(options.host, options.port)
    host, port = options.host, listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    if not _is_loopback(options.host):
        report("tokens and answers are not encrypted on the network: let a proxy with TLS forward to this port")
    app = _WithoutEventStream(_build_app(server, options))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", server_header=False, timeout_graceful_shutdown=1
    )
    report(f"serving MCP at http://{shown}:{port}{PATH}; Ctrl-C ends it")
    anyio.run(uvicorn.Server(config).serve, [listener])


def _build_app(server: Server[Any], options: HttpOptions) -> ASGIApp:
    names = {*_LOOPBACK_NAMES, *options.allowed_hosts}
    if not _is_wildcard(options.host):
        names.add(f"[{options.host}]" if ":" in options.host else options.host)
    else:
        names |= {socket.gethostname(), socket.getfqdn()}
    security = TransportSecuritySettings(
        allowed_hosts=[*names, *(f"{name}:*" for name in names)],
        allowed_origins=[
            f"{scheme}://{name}{port}" for scheme in ("http", "https") for name in names for port in ("", ":*")
        ],
    )
    if not options.grants:
        return server.streamable_http_app(streamable_http_path=PATH, json_response=True, transport_security=security)
    return server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        transport_security=security,
        # Tokens are issued by the policy file; the SDK wants the address of an issuer all the same.
        auth=AuthSettings(issuer_url=AnyHttpUrl("http://127.0.0.1"), resource_server_url=None),
        token_verifier=_TokenVerifier(options.grants),
    )


class _TokenVerifier:
    """Looks up tokens among the grants."""

    def __init__(self, grants: Sequence[Grant]) -> None:
        self._grants = grants

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the name of a token for the SDK, or None if it is unknown."""
        grant = find_grant(self._grants, token)
        return None if grant is None else AccessToken(token="", client_id=grant.name, scopes=[])


class _WithoutEventStream:
    """Refuses GET: the server sends nothing by itself, and an open stream would delay its end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["method"] == "GET":
            await Response(status_code=405, headers={"Allow": "POST, DELETE"})(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return socket.create_server(address[:2], family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {host} port {port}: {reason}: choose another --host or --port") from error
