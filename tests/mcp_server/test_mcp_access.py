"""`gong-elt mcp --http`: tokens, what each may read, the audit log, and options that are refused."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client

from tests.support.agents.mcp_client import (
    Token,
    ask_http,
    ask_stdio,
    call_tool,
    new_token,
    run_http_server,
    text_of,
    write_policy,
)
from tests.support.workspace import Workspace

HASH = "a" * 64
VALID = f'[[tokens]]\nname = "anna"\nsha256 = "{HASH}"\n'

INVALID_POLICIES = {
    "": "it has no section [[tokens]]",
    "tokens = []": "it has no section [[tokens]]",
    "tokens = 5": "it has no section [[tokens]]",
    "tokens = [5]": "tokens[1] must be a section [[tokens]]",
    "[[tokens]": "not valid TOML",
    f'{VALID}[[tokens]]\nname = "anna"\nsha256 = "{"b" * 64}"': "tokens[2].name is the same as tokens[1].name",
    f'{VALID}[[tokens]]\nname = "ben"\nsha256 = "{HASH}"': "tokens[2].sha256 is the same as tokens[1].sha256",
    f'[[tokens]]\nsha256 = "{HASH}"': "tokens[1].name is missing",
    f'[[tokens]]\nname = ""\nsha256 = "{HASH}"': "tokens[1].name is invalid",
    f'[[tokens]]\nname = "a b"\nsha256 = "{HASH}"': "tokens[1].name is invalid",
    '[[tokens]]\nname = "anna"': "tokens[1].sha256 is missing: gong-elt mcp --new-token NAME",
    '[[tokens]]\nname = "anna"\nsha256 = "secret-token-itself"': "tokens[1].sha256 is invalid",
    f'[[tokens]]\nname = "anna"\nsha256 = "{HASH.upper()}"': "tokens[1].sha256 is invalid",
    f'{VALID}token = "x"': "tokens[1].token is unknown",
    f'{VALID}workspace = ["a"]': "tokens[1].workspace is unknown: did you mean 'workspaces'?",
    f'{VALID}teams = "EMEA"': "tokens[1].teams must be a list of names",
    f"{VALID}teams = [5]": "tokens[1].teams must be a list of names",
    f'{VALID}teams = [" "]': "tokens[1].teams must be a list of names",
    f"{VALID}accounts = []": "tokens[1].accounts is empty",
    f'{VALID}query = "false"': "tokens[1].query must be true or false",
    f"{VALID}transcripts = 0": "tokens[1].transcripts must be true or false",
    f'title = "x"\n{VALID}': "title is unknown",
    f'{VALID}workspaces = ["Nowhere"]': "token 'anna': workspace 'Nowhere' is not in the marts",
    f'{VALID}teams = ["Nowhere"]': "token 'anna': team 'Nowhere' is not in the marts",
    f'{VALID}accounts = ["Nowhere"]': "token 'anna': account 'Nowhere' is not in the marts",
}
"""Content of a policy file, and a part of the line that refuses it."""


@pytest.fixture
def anna_and_ben(duckdb_marts: Workspace, tmp_path: Path) -> tuple[Token, Token, Path, str]:
    """Return a token that sees one account, one without limits, their policy file and the account."""
    ((account,),) = duckdb_marts.rows(
        "SELECT account_name FROM gong_analytics.calls_enriched WHERE account_name IS NOT NULL GROUP BY 1"
        " HAVING count(*) > 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    limits = (f"accounts = [{json.dumps(account)}]", "query = false", "transcripts = false")
    anna, ben = new_token(duckdb_marts, "anna", *limits), new_token(duckdb_marts, "ben")
    return anna, ben, write_policy(tmp_path / "policy.toml", anna, ben), account


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_two_tokens_see_different_calls(
    duckdb_marts: Workspace, anna_and_ben: tuple[Token, Token, Path, str], mode: str
) -> None:
    """A policy limits calls and tools of its token, and the other one sees everything at the same server."""
    anna, ben, policy, account = anna_and_ben

    async def look(client: Client) -> tuple[set[str], set[str | None], dict[str, bool]]:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        calls = (await client.call_tool("find_calls", {"limit": 100})).structured_content["calls"]
        requests: dict[str, dict[str, Any]] = {"query": {"sql": "SELECT 1"}, "search": {"query": "price"}}
        refused = {name: (await client.call_tool(name, given)).is_error for name, given in requests.items()}
        return tools, {call["account"] for call in calls}, refused

    with run_http_server(duckdb_marts, "--policy", str(policy)) as server:
        tools, accounts, refused = ask_http(server.url, look, anna.secret, mode)
        assert tools == {"status", "find_calls", "account_brief", "deal_brief", "describe_schema"}
        assert accounts == {account}
        assert refused == {"query": True, "search": True}

        tools, accounts, refused = ask_http(server.url, look, ben.secret, mode)
        assert {"query", "search", "get_transcript"} <= tools
        assert account in accounts
        assert len(accounts) > 2
        assert refused == {"query": False, "search": False}


def test_a_session_belongs_to_its_token(duckdb_marts: Workspace, anna_and_ben: tuple[Token, Token, Path, str]) -> None:
    """The id of another user's session is of no use."""
    anna, ben, policy, _ = anna_and_ben
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    accept = {"Accept": "application/json, text/event-stream"}
    with run_http_server(duckdb_marts, "--policy", str(policy)) as server:

        def post(body: object, token: str, **headers: str) -> httpx2.Response:
            return httpx2.post(server.url, json=body, headers={**accept, **headers, "Authorization": f"Bearer {token}"})

        session = {"Mcp-Session-Id": post(hello, ben.secret).headers["mcp-session-id"]}
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        assert post(listing, ben.secret, **session).status_code == 200
        assert post(listing, anna.secret, **session).status_code == 404


def test_a_request_without_a_known_token_is_refused(
    duckdb_marts: Workspace, anna_and_ben: tuple[Token, Token, Path, str]
) -> None:
    """A missing, unknown, empty or cut token is answered with 401; so is the SHA-256 from the file."""
    anna, _, policy, _ = anna_and_ben
    sha256 = anna.section.partition('sha256 = "')[2][:64]
    with run_http_server(duckdb_marts, "--policy", str(policy)) as server:
        for header in (None, "", "Bearer", "Bearer x", f"Bearer {anna.secret[:-1]}", f"Bearer {sha256}"):
            headers = {} if header is None else {"Authorization": header}
            answer = httpx2.post(server.url, json={"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers=headers)
            assert answer.status_code == 401, header
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_other_hosts_and_origins_are_refused(
    duckdb_marts: Workspace, anna_and_ben: tuple[Token, Token, Path, str]
) -> None:
    """A web page whose name leads to this machine cannot reach the server; with tokens, a proxy's name is allowed."""
    anna, _, policy, _ = anna_and_ben
    limits = ("--policy", str(policy), "--allowed-host", "mcp.example.com")
    with run_http_server(duckdb_marts) as server, run_http_server(duckdb_marts, *limits) as limited:

        def status(url: str = server.url, **headers: str) -> int:
            body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
            headers["Authorization"] = f"Bearer {anna.secret}"
            return httpx2.post(url, json=body, headers=headers).status_code

        assert status(Host="attacker.example") == 421
        assert status(Origin="https://attacker.example") == 403
        assert httpx2.get(server.url).status_code == 405
        assert status(Host="mcp.example.com") == 421
        assert status(limited.url, Host="mcp.example.com", Origin="https://mcp.example.com") not in (401, 403, 421)
        assert status(limited.url, Host="attacker.example") == 421
        assert ask_http(server.url, call_tool("status")).is_error is False


def test_the_audit_log_has_a_line_per_answer(
    duckdb_marts: Workspace, anna_and_ben: tuple[Token, Token, Path, str], tmp_path: Path
) -> None:
    """Who asked which tool with which arguments, and how many rows it returned, without their content."""
    anna, _, policy, account = anna_and_ben
    log = tmp_path / "audit.jsonl"

    async def ask(client: Client) -> None:
        await client.call_tool("find_calls", {"account": account, "limit": 2})
        await client.call_tool("query", {"sql": "SELECT 1"})
        await client.call_tool("nothing", {"x": "y" * 30_000})
        await client.read_resource("gong://schema")

    with run_http_server(duckdb_marts, "--policy", str(policy), "--audit-log", str(log)) as server:
        ask_http(server.url, ask, anna.secret)
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        log.rename(tmp_path / "audit.1.jsonl")
        ask_http(server.url, call_tool("status"), anna.secret)

    entries = [json.loads(line) for line in (tmp_path / "audit.1.jsonl").read_text().splitlines()]
    assert [(entry["tool"], entry["rows"], entry["outcome"]) for entry in entries] == [
        ("find_calls", 2, "done"),
        ("query", 0, "refused"),
        ("nothing", 0, "refused"),
        ("resources/read", 1, "done"),
    ]
    assert entries[0]["arguments"] == {"account": account, "limit": 2}
    assert len(entries[2]["arguments"]) < 11_000
    for entry in entries:
        keys = ["time", "token", "client", "tool", "arguments", "rows", "milliseconds", "outcome"]
        assert list(entry) == keys
        assert (entry["token"], entry["client"]) == ("anna", "test-client 3.1")
        assert entry["time"].endswith("Z")
        assert entry["milliseconds"] >= 0
    assert json.loads(log.read_text())["tool"] == "status"


def test_an_answer_that_cannot_be_logged_is_not_sent(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """A full disk does not turn off the log."""
    log = tmp_path / "logs" / "audit.jsonl"
    log.parent.mkdir()

    async def ask(client: Client) -> tuple[str, str]:
        first = text_of(await client.call_tool("status", {}))
        log.unlink()
        log.parent.rmdir()
        return first, text_of(await client.call_tool("status", {}))

    first, second = ask_stdio(duckdb_marts, ask, "--audit-log", str(log))
    assert "freshness" in first
    assert second == "the audit log cannot be written, so the request is refused"
    errors = (duckdb_marts.folder / "mcp-stderr.txt").read_text()
    assert errors == "gong-elt: the audit log cannot be written: No such file or directory\n"


def test_a_policy_applies_on_standard_input_too(
    duckdb_marts: Workspace, anna_and_ben: tuple[Token, Token, Path, str], tmp_path: Path
) -> None:
    """A desktop client can be limited to what one token may read; the settings name the files."""
    _, _, policy, account = anna_and_ben
    log = tmp_path / "audit.jsonl"
    settings = {"GONG_ELT__MCP_POLICY": str(policy), "GONG_ELT__MCP_AUDIT_LOG": str(log)}
    place = Workspace(duckdb_marts.folder, settings=settings)
    answer = ask_stdio(place, call_tool("find_calls", limit=100), "--as", "anna").structured_content
    assert {call["account"] for call in answer["calls"]} == {account}
    assert json.loads(log.read_text())["token"] == "anna"


@pytest.mark.parametrize(("content", "message"), INVALID_POLICIES.items(), ids=range(len(INVALID_POLICIES)))
def test_an_invalid_policy_refuses_to_start(
    duckdb_marts: Workspace, tmp_path: Path, content: str, message: str
) -> None:
    """A mistake in the file does not open the server further than it was meant; one line names file and key."""
    policy = tmp_path / "policy.toml"
    policy.write_text(content)
    policy.chmod(0o600)
    ended = duckdb_marts.run("mcp", "--http", "--port", "0", "--policy", str(policy))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"gong-elt: policy {policy}: ")
    assert message in ended.err
    assert ended.err.count("\n") == 1


def test_a_policy_that_others_can_change_is_refused(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Who can write the file could grant themselves access; who can read it is only warned of."""
    token = new_token(duckdb_marts, "anna")
    policy = write_policy(tmp_path / "policy.toml", token)
    policy.chmod(0o644)
    with run_http_server(duckdb_marts, "--policy", str(policy)) as server:
        assert server.warnings == [
            f"gong-elt: policy {policy}: other users of this machine can read it: chmod 600 {policy}"
        ]
    policy.chmod(0o620)
    ended = duckdb_marts.run("mcp", "--http", "--port", "0", "--policy", str(policy))
    assert ended.code == 2
    assert "others can change it" in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda _: ["--http", "--host", "0.0.0.0"], "--host 0.0.0.0 can be reached from other machines"),
        (lambda _: ["--http", "--host", "::"], "--host :: can be reached from other machines"),
        (lambda _: ["--http", "--allowed-host", "mcp.example.com"], "--allowed-host lets in what a proxy forwards"),
        (lambda _: ["--http", "--port", "70000"], "'--port'"),
        (lambda folder: ["--policy", str(folder / "p.toml")], "--policy without --http needs --as NAME"),
        (lambda folder: ["--policy", str(folder / "p.toml"), "--as", "ben"], "--as 'ben' is not a token"),
        (lambda _: ["--as", "anna"], "--as needs --policy FILE"),
        (lambda _: ["--http", "--as", "anna"], "--as is for standard input and output"),
        (lambda folder: ["--http", "--policy", str(folder / "missing.toml")], "cannot be read: No such file"),
        (lambda folder: ["--audit-log", str(folder / "missing" / "log")], "cannot be written: No such file"),
        (lambda folder: ["--audit-log", str(folder)], "cannot be written: Is a directory"),
        (lambda folder: ["--folder", str(folder / "missing")], "No such file or directory"),
        (lambda folder: ["--folder", str(folder)], "nothing loaded yet"),
        (lambda _: ["--new-token", "a b"], "--new-token 'a b' is invalid"),
    ],
)
def test_an_invalid_option_refuses_to_start(
    duckdb_marts: Workspace, tmp_path: Path, arguments: Callable[[Path], list[str]], message: str
) -> None:
    """One line names the option; nothing is served meanwhile."""
    (tmp_path / "p.toml").write_text(VALID)
    (tmp_path / "p.toml").chmod(0o600)
    ended = duckdb_marts.run("mcp", *arguments(tmp_path))
    assert (ended.code, ended.out) == (2, ""), ended.err
    assert message in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write every file")
def test_a_log_without_rights_refuses_to_start(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """The file belongs to another user, or is read-only."""
    log = tmp_path / "audit.jsonl"
    log.touch(mode=0o400)
    ended = duckdb_marts.run("mcp", "--audit-log", str(log))
    assert ended.code == 2
    assert "cannot be written: Permission denied" in ended.err


def test_a_new_token_is_not_stored(workspace: Workspace) -> None:
    """Each token is random, and the file has its SHA-256 only."""
    first, second = new_token(workspace, "anna"), new_token(workspace, "anna")
    assert first.secret != second.secret
    assert len(first.secret) > 40
    assert first.secret not in first.section
