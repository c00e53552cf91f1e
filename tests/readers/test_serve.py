"""`gong-elt serve`: other processes read the DuckDB file while it syncs, and can do nothing else."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, hang
from pipelines.serve.read_guard import CHECK, install_read_guard
from tests.support.companies import find_call, public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE
from tests.support.marts import build_models
from tests.support.process.waiting import wait_until
from tests.support.readers.copies import COPY, read_tables
from tests.support.readers.quack import QuackClient, open_client
from tests.support.workspace import Workspace

TOKEN = "token-of-these-tests"

READS = (
    "SELECT count(*) FROM gong.calls",
    "FROM gong.calls LIMIT 1",
    "VALUES (1)",
    "WITH one AS (SELECT 1 AS id) SELECT id FROM one UNION ALL SELECT 2",
    "SELECT row_number() OVER (PARTITION BY id) + lag(1) OVER () FROM gong.calls",
    "SELECT date_trunc('week', now()), upper('a') || 'b', [1, 2][1], {'a': 1}.a, 1 BETWEEN 0 AND 2, 'a' LIKE '%'",
    "SELECT list_transform([1], lambda x: x + 1), cast('1' AS integer), string_agg('a', ',' ORDER BY 1)",
    "SELECT * FROM range(3), generate_series(1, 2), unnest([1])",
    "SELECT 'read_csv(''/etc/passwd'')', '\"function_name\":\"read_csv\"' AS text",
    "DESCRIBE gong.calls",
    "SHOW ALL TABLES",
    "SELECT table_name FROM information_schema.tables",
    "SELECT id -- a comment\nFROM gong.calls;",
)

HOSTILE = (
    *("DROP TABLE gong.calls", "DELETE FROM gong.calls", "TRUNCATE gong.calls", "UPDATE gong.calls SET id = '1'"),
    *("INSERT INTO gong.calls (id) VALUES ('1') RETURNING id", "CREATE TABLE gong.x AS SELECT 1", "VACUUM"),
    *("WITH x AS (SELECT '1' AS id) INSERT INTO gong.calls (id) SELECT id FROM x", "CREATE SCHEMA x", "BEGIN"),
    *("SELECT 1; DROP TABLE gong.calls", "DROP TABLE gong.calls; SELECT 1", "CREATE TEMP TABLE x AS SELECT 1"),
    *("ALTER TABLE gong.calls ADD COLUMN x integer", "COMMENT ON TABLE gong.calls IS 'x'", "CHECKPOINT"),
    *("COPY gong.calls TO 'x.csv'", "COPY gong.calls FROM 'x.csv'", "EXPORT DATABASE 'x'", "IMPORT DATABASE 'x'"),
    *("COPY FROM DATABASE warehouse TO memory", "ATTACH 'x.duckdb'", "ATTACH ':memory:' AS x", "DETACH warehouse"),
    *("INSTALL httpfs", "LOAD httpfs", "SET threads = 1", "RESET ALL", "USE gong", "PRAGMA database_list"),
    *(
        "SET GLOBAL quack_authorization_function = 'quack_nop_authorization'",
        "CALL enable_logging()",
        "EXPLAIN SELECT 1",
    ),
    *("PREPARE x AS SELECT 1", "EXECUTE x", "SELECT * FROM read_csv('/etc/passwd')", "FROM read_text('/etc/passwd')"),
    *("FROM READ_BLOB('/etc/passwd')", "FROM \"read_csv\"('/etc/passwd')", "FROM main.read_csv('/etc/passwd')"),
    *("FROM '/etc/passwd'", 'FROM "working/x.parquet"', "FROM 'x.csv'", "SELECT (SELECT count(*) FROM 'x.parquet')"),
    *(
        "FROM glob('/*')",
        "FROM read_duckdb('warehouse.duckdb')",
        "FROM sniff_csv('/etc/passwd')",
        "FROM query('SELECT 1')",
    ),
    *(
        "FROM query_table('calls')",
        "FROM json_execute_serialized_sql('{}')",
        "FROM duckdb_settings()",
        "FROM pg_settings",
    ),
    *('FROM pg_catalog."PG_SETTINGS"', "SELECT current_setting('memory_limit')", "FROM duckdb_secrets()"),
    *("FROM duckdb_logs", "FROM enable_logging('Quack')", "SELECT write_log('x')", "FROM checkpoint()"),
    *("FROM quack_serve('quack:127.0.0.1:9')", "FROM quack_stop('quack:127.0.0.1:9')", "FROM quack_server_list()"),
    *("FROM quack_query('quack:127.0.0.1:9', 'SELECT 1')", "SELECT nextval('x')", "SELECT getvariable('x')"),
    *("SELECT 1 WHERE EXISTS (FROM read_text('/etc/passwd'))", "SELECT", "", ";"),
    *("FROM gong.calls, LATERAL (FROM read_text(id))", "WITH x AS (FROM read_text('/etc/passwd')) FROM x"),
)


@pytest.fixture
def port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def run_server(workspace: Workspace, port: int, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `gong-elt serve`, wait until it serves, and end it with the block."""
    workspace.settings.setdefault("GONG_ELT__SERVE_TOKEN", TOKEN)
    with subprocess.Popen(
        workspace.command("serve", "--port", str(port), *arguments),
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            assert f"at quack:127.0.0.1:{port} with " in server.stdout.readline()
            yield server
        finally:
            server.kill()


def wait_for_line(server: subprocess.Popen[str], words: str) -> str:
    """Return the next line of the server, which must have these words."""
    assert server.stdout is not None
    line = server.stdout.readline()
    assert words in line, line
    return line


def test_a_poller_reads_whole_states_while_the_server_syncs(
    gong: SimulatedGong, workspace: Workspace, port: int
) -> None:
    """Readers work during a sync, and see calls together with their people and sentences."""
    workspace.configure(lookback="30d / 30d / 30d")
    states = (
        "SELECT (SELECT count(*) FROM gong.calls), (SELECT count(DISTINCT call_id) FROM gong.call_parties),"
        " (SELECT count(*) FROM gong.transcripts), (SELECT count(DISTINCT call_id) FROM gong.transcript_sentences)"
    )
    late = [(call.record, call.transcript) for call in public_calls(gong)[:20]]
    for record, _ in late:
        gong.delete_call(record["metaData"]["id"])
    with (
        run_server(workspace, port, "--every", "1s") as server,
        open_client(f"quack:127.0.0.1:{port}", TOKEN) as client,
    ):
        wait_for_line(server, " sync done")
        seen = [client.ask(states)["rows"][0]]
        assert seen[0][0] == len(public_calls(gong)) > 0
        for record, transcript in late:
            gong.add_call(record, transcript)
        wait_until(lambda: _poll(client, states, seen)[0] == len(public_calls(gong)))
        wait_for_line(server, " sync done")
        _poll(client, states, seen)
        assert len(seen) == 2
        assert client.ask(states)["rows"] == [seen[1]]
        assert seen[1][1] - seen[0][1] == len(late)
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=10)
        assert (server.returncode, err) == (0, "")
        assert out.splitlines()[-1] == "ended by a signal; clients can no longer connect"


def test_reads_are_answered_while_gong_does_not_respond(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """A sync that waits for Gong keeps no reader waiting, and Ctrl-C ends it in time with one line."""
    workspace.sync()
    fault = Fault(hang(60), EXTENSIVE)
    gong.faults.append(fault)
    with run_server(workspace, port) as server, open_client(f"quack:127.0.0.1:{port}", TOKEN) as client:
        wait_until(lambda: fault.hit_count > 0)
        assert client.ask("SELECT count(*) FROM gong.calls")["rows"] == [[len(public_calls(gong))]]
        started = time.monotonic()
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=10)
        assert time.monotonic() - started < 4
        assert len((out + err).splitlines()) == 1
    gong.faults.clear()
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_only_reads_with_the_token_are_allowed(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """The server neither changes anything nor reads or writes a file, for any statement of a client."""
    workspace.sync()
    before = read_tables(workspace.folder / "warehouse.duckdb")
    files = sorted(path.name for path in workspace.folder.iterdir())
    address = f"quack:127.0.0.1:{port}"
    gong.faults.append(Fault(hang(60), "/v2/"))
    with run_server(workspace, port) as server:
        with open_client(address, "another-token-of-these-tests") as stranger:
            assert "Authentication failed" in stranger.ask("SELECT 1")["error"]
        with open_client(address, TOKEN) as client:
            assert [sql for sql in READS if "rows" not in client.ask(sql)] == []
            assert [sql for sql in HOSTILE if "rows" in client.ask(sql)] == []
            # An attached client inserts by another message than a query.
            client.ask(f"ATTACH '{address}' AS remote (TOKEN '{TOKEN}')", own=True)
            assert "error" in client.ask("INSERT INTO remote.gong.users (id) VALUES ('x')", own=True)
            assert "rows" in client.ask("SELECT 1")
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=10)
    tables = read_tables(workspace.folder / "warehouse.duckdb")
    assert {name: tables[name] for name in tables if name != "gong._runs"} == {
        name: before[name] for name in before if name != "gong._runs"
    }
    assert sorted(path.name for path in workspace.folder.iterdir()) == files


@pytest.mark.parametrize("statement", HOSTILE)
def test_the_check_refuses(guarded: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Each statement is refused by the check itself, before DuckDB executes it."""
    (row,) = guarded.execute(f"SELECT {CHECK}('x', ?)", [statement]).fetchall()
    assert row[0] is not True or statement in ("", ";")


@pytest.mark.parametrize("statement", READS)
def test_the_check_allows(guarded: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Analysts' queries are allowed."""
    assert guarded.execute(f"SELECT {CHECK}('x', ?)", [statement]).fetchall() == [(True,)]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a database with the check."""
    with duckdb.connect() as connection:
        install_read_guard(connection, tmp_path_factory.mktemp("working"), ())
        yield connection


def test_models_reconciles_and_copies_follow_the_schedule(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """While the file is served, no other command can open it, so the server does their work."""
    (workspace.folder / COPY).parent.mkdir()
    deleted = find_call(gong).id
    arguments = ("--every", "1s", "--models", "--reconcile", "1s", "--publish", COPY)
    with run_server(workspace, port, *arguments) as server, open_client(f"quack:127.0.0.1:{port}", TOKEN) as client:
        for name in ("sync", "models", "reconcile"):
            wait_for_line(server, f" {name} done")
        assert client.ask("SELECT count(*) > 0 FROM gong_analytics.calls_enriched")["rows"] == [[True]]
        gong.delete_call(deleted)
        for name in ("sync", "models", "reconcile"):
            wait_for_line(server, f" {name} done")
        gone = f"SELECT count(*) FROM gong_analytics.calls_enriched WHERE call_id = '{deleted}'"
        assert client.ask(gone)["rows"] == [[0]]
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=10)
    with duckdb.connect(str(workspace.folder / COPY), read_only=True) as copy:
        assert copy.execute(gone).fetchall() == [(0,)]
    assert build_models(workspace)["failed"] == []


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["--every", "often"], {}, "invalid duration 'often' for --every"),
        (["--reconcile", "0s"], {}, "invalid duration '0s' for --reconcile"),
        (["--port", "70000"], {}, "--port 70000 is invalid"),
        ([], {"GONG_ELT__SERVE_TOKEN": "short"}, "gong_elt.serve_token is too short"),
        (
            ["--destination", "postgres"],
            {"DESTINATION__POSTGRES__CREDENTIALS": "postgresql://x:y@localhost/z"},
            "has none",
        ),
        ([], {"SOURCES__GONG__CREDENTIALS__ACCESS_KEY": ""}, "access_key"),
    ],
)
def test_a_mistake_is_one_line(
    workspace: Workspace, arguments: list[str], settings: dict[str, str], words: str
) -> None:
    """The server does not start with an option that would fail later."""
    workspace.settings |= settings
    result = workspace.run("serve", *arguments)
    assert (result.code, result.out) == (2, "")
    assert words in result.err
    assert len(result.err.splitlines()) == 1
    assert not Path(workspace.folder, "warehouse.duckdb").exists()


def test_a_port_in_use_is_one_line(workspace: Workspace, port: int) -> None:
    """Two servers cannot share a port; the token is not printed."""
    workspace.settings["GONG_ELT__SERVE_TOKEN"] = TOKEN
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        result = workspace.run("serve", "--port", str(port))
    assert result.code == 2
    assert f"cannot be served at quack:127.0.0.1:{port}" in result.err
    assert len(result.err.splitlines()) == 1
    assert TOKEN not in result.out + result.err


def _poll(client: QuackClient, query: str, seen: list[list[int]]) -> list[int]:
    """Return the state that a query sees, and add it to the list if it is not in it."""
    state: list[int] = client.ask(query)["rows"][0]
    if state not in seen:
        seen.append(state)
    return state
