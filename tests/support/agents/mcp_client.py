"""The MCP SDK's own client against the real command `gong-elt mcp`, over standard input and output or over HTTP."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Implementation

from tests.support.workspace import COMMAND, Workspace

T = TypeVar("T")
Action = Callable[[Client], Awaitable[T]]

CLIENT = Implementation(name="test-client", version="3.1")


def environment_without_gong(workspace: Workspace) -> dict[str, str]:
    """Return the variables of a workspace without credentials and without the address of Gong."""
    return {name: value for name, value in workspace.environment.items() if not name.startswith("SOURCES__GONG")}


def ask_stdio(workspace: Workspace, action: Action[T], *arguments: str, mode: str = "auto") -> T:
    """Return what `action` returns, given a client that has started the server.

    Args:
        workspace: Where the server runs.
        action: Uses the client.
        arguments: Arguments after `gong-elt mcp`.
        mode: `auto` for the newest version of the protocol, `legacy` for those with a handshake.
    """
    server = StdioServerParameters(
        command=str(COMMAND),
        args=["mcp", *arguments],
        env=environment_without_gong(workspace),
        cwd=workspace.folder,
    )

    async def run() -> T:
        with (workspace.folder / "mcp-stderr.txt").open("w") as errors:
            async with Client(stdio_client(server, errlog=errors), client_info=CLIENT, mode=mode) as client:
                return await action(client)

    return asyncio.run(run())


def ask_http(url: str, action: Action[T], token: str | None = None, mode: str = "auto") -> T:
    """Return what `action` returns, given a client of a running server."""

    async def run() -> T:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(url, http_client=http), client_info=CLIENT, mode=mode) as client,
        ):
            return await action(client)

    return asyncio.run(run())


def call_tool(name: str, **arguments: Any) -> Action[CallToolResult]:
    """Return an action that calls a tool."""

    async def call(client: Client) -> CallToolResult:
        return await client.call_tool(name, arguments)

    return call


def text_of(result: CallToolResult) -> str:
    """Return the text of an answer, which must be its only content."""
    (content,) = result.content
    assert content.type == "text"
    return content.text


@dataclass(frozen=True, slots=True)
class HttpServer:
    """A running server.

    Attributes:
        url: Its address.
        process: Its process, whose stderr is a pipe.
        warnings: Lines that it printed before the address.
    """

    url: str
    process: subprocess.Popen[str]
    warnings: list[str]


@contextmanager
def run_http_server(workspace: Workspace, *arguments: str) -> Iterator[HttpServer]:
    """Run `gong-elt mcp --http` on a free port, and end it with the block."""
    with subprocess.Popen(
        [str(COMMAND), "mcp", "--http", "--port", "0", *arguments],
        cwd=workspace.folder,
        env=environment_without_gong(workspace),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            warnings: list[str] = []
            assert process.stderr is not None
            while not (address := re.search(r"http://\S+/mcp", line := process.stderr.readline())):
                assert line, f"the server has ended: {warnings}"
                warnings.append(line.strip())
            yield HttpServer(address[0], process, warnings)
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Token:
    """A token for a policy file."""

    name: str
    secret: str
    section: str


def new_token(workspace: Workspace, name: str, *limits: str) -> Token:
    """Return a token that the command has made, with further lines for its section."""
    printed = workspace.run("mcp", "--new-token", name).out
    secret, section = re.findall(r"shown only now: (\S+)", printed)[0], printed[printed.index("[[tokens]]") :]
    return Token(name, secret, section + "".join(f"{line}\n" for line in limits))


def write_policy(file: Path, *tokens: Token) -> Path:
    """Write a policy file for its owner alone, and return its path."""
    file.write_text("\n".join(token.section for token in tokens))
    file.chmod(0o600)
    return file
