"""Write the conversations of docs/how-to/ask-your-calls.md: `python -m docs.generate.agent_conversations FOLDER`.

FOLDER has the warehouse of `gong-elt demo`. Each conversation is held by the MCP SDK's client with the real command,
and answers are shortened for the page. A test holds them again with other data and compares tools, arguments and keys.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

PAGE = Path(__file__).parents[1] / "how-to" / "ask-your-calls.md"
COMMAND = Path(sys.executable).parent / "gong-elt"

_MAX_TEXT = 70
_MAX_OBJECTS = 1
_MAX_VALUES = 6
_MAX_KEYS = 8
_MAX_LINE = 100
_DEMO_ACCOUNT = "Kestrel Hardware"


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a tool and its answer."""

    tool: str
    arguments: Mapping[str, Any]
    answer: Mapping[str, Any]


async def prepare_meeting(client: Client, account: str) -> list[Step]:
    """Hold the conversation on standard input and output: what a model asks before a meeting.

    Args:
        client: A client of a server that may read everything.
        account: Name of an account with calls.
    """
    steps = [await _call(client, "status"), await _call(client, "account_brief", account=account)]
    steps.append(await _call(client, "search", query="price", account=account, limit=1))
    (call, *_) = steps[1].answer["last_calls"]
    steps.append(await _call(client, "get_transcript", call_id=call["call_id"], side="customer", max_tokens=1_000))
    return steps


async def explain_losses(client: Client, account: str) -> list[Step]:
    """Hold the conversation over HTTP: figures first, then the calls behind them.

    Args:
        client: A client of a server that may read everything.
        account: Name of an account with calls.
    """
    sql = (
        "SELECT competitor, won_deal_count, lost_deal_count, win_rate, win_rate_without FROM competitor_outcomes"
        " ORDER BY won_deal_count + lost_deal_count DESC"
    )
    steps = [await _call(client, "describe_schema", table="competitor_outcomes")]
    steps.append(await _call(client, "query", sql=sql, limit=3))
    steps.append(await _call(client, "find_calls", account=account, limit=1))
    return steps


CONVERSATIONS: Mapping[str, Callable[[Client, str], Awaitable[list[Step]]]] = {
    "stdio": prepare_meeting,
    "http": explain_losses,
}
"""The conversations by their transport."""


def read_conversation(transport: str) -> list[Step]:
    """Return a conversation as the page has it, with its shortened answers."""
    text = _block(transport).search(PAGE.read_text("utf-8"))
    assert text is not None
    steps = re.findall(r"(?m)^> (\w+) (\{[^\n]*\})\n(\{\n.*?^\})$", text[0], re.DOTALL)
    return [Step(tool, json.loads(arguments), json.loads(answer)) for tool, arguments, answer in steps]


def main(folder: str) -> None:
    """Hold the conversations in the folder of the demo and write them to the page."""
    page = PAGE.read_text("utf-8")
    for transport, steps in asyncio.run(_converse(Path(folder))).items():
        shown = "\n\n".join(
            f"> {step.tool} {json.dumps(step.arguments)}\n{_format(_shorten(step.answer))}" for step in steps
        )
        text = f"<!-- {transport} -->\n```text\n{shown}\n```\n<!-- end -->"
        page = _block(transport).sub(lambda _, text=text: text, page)  # type: ignore[misc]
    PAGE.write_text(page, "utf-8")


async def _converse(folder: Path) -> dict[str, list[Step]]:
    parameters = StdioServerParameters(command=str(COMMAND), args=["mcp", "--folder", str(folder)])
    async with Client(parameters) as client:
        conversations = {"stdio": await prepare_meeting(client, _DEMO_ACCOUNT)}
    command = [str(COMMAND), "mcp", "--http", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            (url,) = re.findall(r"http://\S+/mcp", server.stderr.readline())
            async with httpx2.AsyncClient() as http, Client(streamable_http_client(url, http_client=http)) as client:
                conversations["http"] = await explain_losses(client, _DEMO_ACCOUNT)
        finally:
            server.terminate()
    return conversations


async def _call(client: Client, tool: str, **arguments: Any) -> Step:
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        raise RuntimeError(f"{tool}: {result.content}")
    return Step(tool, arguments, result.structured_content)


def _block(transport: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- {transport} -->\n.*?<!-- end -->", re.DOTALL)


def _format(value: Any, indent: str = "") -> str:
    """Return a value as JSON, in one line where that is short enough."""
    line = json.dumps(value, ensure_ascii=False)
    if (indent and len(line) <= _MAX_LINE) or not isinstance(value, dict | list):
        return line
    inner = f"{indent} "
    if isinstance(value, list):
        return "[" + f",\n{inner}".join(_format(item, inner) for item in value) + "]"
    items = (f"{json.dumps(key, ensure_ascii=False)}: {_format(item, inner)}" for key, item in value.items())
    return "{\n" + inner + f",\n{inner}".join(items) + f"\n{indent}}}"


def _shorten(value: Any, depth: int = 0) -> Any:
    """Return a value with the beginning of its lists and texts, and within lists of its objects."""
    if isinstance(value, str):
        return value if len(value) <= _MAX_TEXT else f"{value[:_MAX_TEXT]}…"
    if isinstance(value, list):
        limit = _MAX_OBJECTS if any(isinstance(item, dict) for item in value) else _MAX_VALUES
        items = [_shorten(item, depth + 1) for item in value[:limit]]
        return [*items, f"… {len(value) - len(items)} more"] if len(value) > len(items) else items
    if isinstance(value, dict):
        limit = _MAX_KEYS if depth else len(value)
        shown = {key: _shorten(item, depth + 1) for key, item in list(value.items())[:limit]}
        return {**shown, "…": f"{len(value) - limit} more"} if len(value) > limit else shown
    return value


if __name__ == "__main__":
    main(sys.argv[1])
