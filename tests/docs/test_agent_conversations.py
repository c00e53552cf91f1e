"""The conversations in docs/how-to/ask-your-calls.md can be held again: same tools, arguments and keys."""

from __future__ import annotations

import pytest
from mcp import Client

from docs.generate.agent_conversations import CONVERSATIONS, Step, read_conversation
from tests.support.agents.mcp_client import ask_http, ask_stdio, run_http_server
from tests.support.workspace import Workspace


@pytest.mark.parametrize("transport", CONVERSATIONS)
def test_the_conversations_of_the_page_are_current(duckdb_marts: Workspace, transport: str) -> None:
    """A renamed argument or key is renamed on the page, by `python -m docs.generate.agent_conversations`."""
    ((account,),) = duckdb_marts.rows(
        "SELECT account_name FROM gong_analytics.calls_enriched WHERE has_transcript AND account_name IS NOT NULL"
        " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )

    async def hold(client: Client) -> list[Step]:
        return await CONVERSATIONS[transport](client, account)

    if transport == "stdio":
        held = ask_stdio(duckdb_marts, hold)
    else:
        with run_http_server(duckdb_marts) as server:
            held = ask_http(server.url, hold)
    shown = read_conversation(transport)
    assert len(shown) > 2
    assert [(step.tool, list(step.arguments), list(step.answer)) for step in shown] == [
        (step.tool, list(step.arguments), list(step.answer)) for step in held
    ]
