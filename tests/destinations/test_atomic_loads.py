"""A load is committed in one transaction: readers, kills and errors meet the state before it or after it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from destinations.loading.atomic_load import load_atomically
from pipelines.demo.server.app import SimulatedGong
from tests.conformance.promises import promise
from tests.conftest import MakeGong
from tests.support.companies import change_calls, public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.process.patched_command import run_patched
from tests.support.process.waiting import wait_until
from tests.support.servers.postgres import PostgresServer, hold_transaction
from tests.support.servers.warehouses import ALL_WAREHOUSES, ICEBERGS, LAKES, MARIADB, build_workspace
from tests.support.whole_loads import is_iceberg, is_lake, is_mariadb, poll, read_state
from tests.support.workspace import Workspace

# All calls, not only those of the last day.
_ALL = ("--since", "2020-01-01")


@pytest.fixture(params=ALL_WAREHOUSES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty warehouse of each kind."""
    return build_workspace(request, tmp_path)


def pause_after_statements(workspace: Workspace, *tables: str) -> None:
    """Let the server wait after statements that change these tables, so that a poll falls between them."""
    if is_mariadb(workspace):
        for table, event in product(tables, ("INSERT", "DELETE")):
            workspace.execute(
                f"CREATE TRIGGER gong.{table}_{event} AFTER {event} ON gong.{table} FOR EACH ROW DO SLEEP(0.2)"
            )
        return
    workspace.execute(
        "CREATE FUNCTION gong.pause() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END'"
    )
    for table in tables:
        workspace.execute(
            f"CREATE TRIGGER pause AFTER INSERT OR DELETE ON gong.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION gong.pause()"
        )


@promise("whole loads")
@pytest.mark.parametrize(
    "workspace", ["postgres", MARIADB, *LAKES, *ICEBERGS, pytest.param("duckdb", marks=pytest.mark.slow)], indirect=True
)
def test_a_polling_reader_sees_only_whole_loads(make_gong: MakeGong, workspace: Workspace) -> None:
    """During a first sync of several loads, an edit, a shrink and a deletion, each load is seen whole or not at all."""
    gong = make_gong(calls=450)
    is_server = workspace.warehouse.destination != "duckdb"
    # A load begins every five seconds, so the first sync must take longer. Iceberg shows loads of a minute at once.
    workspace.configure(requests_per_second=1)
    with poll(workspace) as states:
        workspace.sync("--select", "calls,transcripts,users")
        first = len(states)
        workspace.configure(requests_per_second=1000)
        if is_server and not is_lake(workspace):
            pause_after_statements(workspace, "calls", "call_parties", "transcripts", "_dlt_pipeline_state")
        change_calls(gong)
        assert workspace.sync(*_ALL, "--select", "calls,transcripts,users")["calls"] == 1
    assert first > 1 or not is_server or is_iceberg(workspace)
    assert {load: len(seen) for load, seen in states.items()} == dict.fromkeys(states, 1)
    assert states.get(None, {(None, 0, None, None, None, None, 0)}) == {(None, 0, None, None, None, None, 0)}
    assert_warehouse_matches(workspace, gong)

    before = read_state(workspace)
    gong.delete_call(public_calls(gong)[0].id)
    with poll(workspace) as states:
        assert workspace.run("reconcile", "--json").json["erased"] == 1
    assert set().union(*states.values()) <= {before, read_state(workspace)}


def kill_at(workspace: Workspace, statement: str, *arguments: str, program: str = "") -> None:
    """Run a command that is killed when it is about to run a statement that contains this text."""
    program += (
        "import os, signal, sys\n"
        "from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient as Duck\n"
        "from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient as Postgres\n"
        "clients = [Duck, Postgres]\n"
        f"if {is_mariadb(workspace)}:\n"
        "    from destinations.kinds.mariadb.client import MariaDbSqlClient\n"
        "    clients.append(MariaDbSqlClient)\n"
        "for client in clients:\n"
        "    def execute(self, query, *args, _regular=client.execute_query, **kwargs):\n"
        f"        if {statement!r} in str(query).replace('\"', '').replace('`', ''):\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return _regular(self, query, *args, **kwargs)\n"
        "    client.execute_query = execute\n"
    )
    assert run_patched(workspace, program, *arguments).code == -signal.SIGKILL


@pytest.mark.parametrize(
    "statement",
    [
        "INTO gong._dlt_loads",
        pytest.param("INTO gong.transcript_sentences", marks=pytest.mark.slow),
        pytest.param("FROM gong.call_parties", marks=pytest.mark.slow),
    ],
)
def test_a_kill_inside_the_transaction_leaves_the_previous_state(
    gong: SimulatedGong, workspace: Workspace, statement: str
) -> None:
    """What the load has written by then is gone, and the next run writes it once."""
    workspace.sync()
    change_calls(gong)
    before = read_state(workspace)

    kill_at(workspace, statement, "sync", *_ALL)

    assert read_state(workspace) == before
    assert workspace.sync(*_ALL)["warning"] is None
    assert read_state(workspace) != before
    assert_all_tables_match(workspace, gong)


def test_a_kill_inside_the_first_load_leaves_empty_tables(gong: SimulatedGong, workspace: Workspace) -> None:
    """Nothing of a first load is visible until all of it is."""
    kill_at(workspace, "INTO gong._dlt_loads", "sync")
    assert read_state(workspace) == (None, 0, None, None, None, None, 0)

    workspace.sync()
    assert_all_tables_match(workspace, gong)


@pytest.mark.parametrize("workspace", ["duckdb"], indirect=True)
def test_a_killed_load_without_transactions_is_repaired(gong: SimulatedGong, workspace: Workspace) -> None:
    """Where dlt commits table by table, `_runs` shows from where rows may be missing, and hashes are not trusted."""
    program = (
        "from destinations.kinds.duckdb.warehouse import DuckDbWarehouse\n"
        "from destinations.kinds.duckdb.file import DuckDbFile\n"
        "from dlt.destinations.impl.duckdb.duck import DuckDbClient\n"
        "DuckDbWarehouse.has_transactions = property(lambda self: False)\n"
        "DuckDbFile.client_class = property(lambda self: DuckDbClient)\n"
    )
    workspace.sync()
    change_calls(gong)
    before = read_state(workspace)

    kill_at(workspace, "INTO gong._dlt_loads", "sync", *_ALL, program=program)
    assert read_state(workspace) != before
    last = "SELECT unfinished_since = window_since FROM gong._runs ORDER BY started_at DESC LIMIT 1"
    assert workspace.rows(last) == [(True,)]
    # As if the kill had come before this table was merged.
    workspace.execute("DELETE FROM gong.call_parties")

    assert workspace.sync(*_ALL)["warning"] is None
    assert_all_tables_match(workspace, gong)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("workspace", ["postgres"], indirect=True)
def test_a_signal_inside_the_transaction_rolls_it_back(
    gong: SimulatedGong, workspace: Workspace, postgres: PostgresServer, number: signal.Signals
) -> None:
    """The run waits for another session in its last table; readers see the previous state before and after the kill."""
    workspace.sync()
    change_calls(gong)
    before = read_state(workspace)
    with hold_transaction(str(workspace.postgres), "LOCK TABLE gong._dlt_loads IN SHARE MODE"):
        process = workspace.start("sync", *_ALL)
        wait_until(lambda: postgres.waiting_sessions() or process.poll() is not None)
        assert read_state(workspace) == before
        process.send_signal(number)
        process.wait(15)
        wait_until(lambda: not postgres.waiting_sessions())
    assert read_state(workspace) == before
    workspace.sync(*_ALL)
    assert_warehouse_matches(workspace, gong)


@pytest.mark.parametrize("workspace", ["postgres"], indirect=True)
def test_a_lock_timeout_inside_the_transaction_rolls_it_back(gong: SimulatedGong, workspace: Workspace) -> None:
    """The message names the session in the way, and the next run does it all."""
    workspace.sync()
    change_calls(gong)
    before = read_state(workspace)
    workspace.settings["DESTINATION__POSTGRES__LOCK_TIMEOUT"] = "1s"
    with hold_transaction(str(workspace.postgres), "LOCK TABLE gong.transcripts IN SHARE MODE") as pid:
        result = workspace.run("sync", *_ALL)
    assert (result.code, result.err.count("\n")) == (1, 1), result
    assert f"waited 1 s for a lock on gong.transcripts, held by pid {pid}" in result.err
    assert read_state(workspace) == before
    assert workspace.rows("SELECT status FROM gong._runs ORDER BY started_at DESC LIMIT 1") == [("failed",)]

    workspace.sync(*_ALL)
    assert_warehouse_matches(workspace, gong)


def test_an_error_inside_the_transaction_rolls_it_back(gong: SimulatedGong, workspace: Workspace) -> None:
    """Tables before the one that fails keep their rows, the run ends in one line, and the next one does it all."""
    workspace.sync()
    change_calls(gong)
    gong.company.users[0]["firstName"] = "Renamed"
    gong.clear_response_cache()
    before = read_state(workspace)
    workspace.execute("ALTER TABLE gong.users DROP COLUMN first_name")
    workspace.execute("ALTER TABLE gong.users ADD COLUMN first_name INTEGER")

    result = workspace.run("sync", *_ALL)
    assert (result.code, result.err.count("\n")) == (1, 1), result
    assert "first_name" in result.err or "INT32" in result.err
    assert read_state(workspace) == before

    workspace.execute("ALTER TABLE gong.users DROP COLUMN first_name")
    workspace.execute("ALTER TABLE gong.users ADD COLUMN first_name VARCHAR(100)")
    workspace.sync(*_ALL)
    assert_all_tables_match(workspace, gong)


@pytest.mark.parametrize("workspace", ["postgres"], indirect=True)
def test_a_deadlock_is_repeated_without_doubling_rows(gong: SimulatedGong, workspace: Workspace) -> None:
    """The whole transaction is repeated, appended rows included."""
    workspace.sync()
    change_calls(gong)
    workspace.execute("CREATE SEQUENCE gong.attempts")
    workspace.execute(
        "CREATE FUNCTION gong.deadlock() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN"
        " IF nextval(''gong.attempts'') = 1 THEN RAISE ''no'' USING ERRCODE = ''deadlock_detected''; END IF;"
        " RETURN NULL; END'"
    )
    workspace.execute(
        "CREATE TRIGGER deadlock AFTER INSERT ON gong.transcripts FOR EACH STATEMENT EXECUTE FUNCTION gong.deadlock()"
    )

    workspace.sync(*_ALL)
    assert workspace.rows("SELECT last_value FROM gong.attempts") == [(2,)]
    assert_all_tables_match(workspace, gong)
    for table in ("_dlt_pipeline_state", "_dlt_loads"):
        key = "load_id" if table == "_dlt_loads" else "_dlt_load_id"
        assert workspace.rows(f"SELECT count(DISTINCT {key}) FROM gong.{table}") == [(workspace.count(table),)]


@pytest.mark.parametrize("workspace", ["postgres"], indirect=True)
def test_a_commit_whose_answer_is_lost_is_not_repeated(gong: SimulatedGong, workspace: Workspace) -> None:
    """The server has committed, and then the connection breaks: appended rows must not arrive twice."""
    program = (
        "import psycopg2, sys\n"
        "from dlt.destinations.exceptions import DatabaseTransientException\n"
        "from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient as Client\n"
        "from destinations.loading.atomic_load import AtomicLoad\n"
        "completes, commit, failed = AtomicLoad.complete_load, Client.commit_transaction, []\n"
        "def complete(self, load_id):\n"
        "    Client.commit_transaction = lose_answer\n"
        "    completes(self, load_id)\n"
        "def lose_answer(self):\n"
        "    commit(self)\n"
        "    if not failed:\n"
        "        failed.append(True)\n"
        "        raise DatabaseTransientException(psycopg2.OperationalError('lost'))\n"
        "AtomicLoad.complete_load = complete\n"
    )
    assert run_patched(workspace, program, "sync").code == 0
    assert_all_tables_match(workspace, gong)
    assert workspace.count("_dlt_loads") == workspace.count("_dlt_pipeline_state") >= 1


def test_another_destination_with_transactions_loads_atomically(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a module of its own, appended rows go through the staging dataset, too."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    file = str(tmp_path / "lake.duckdb")
    destination = load_atomically(dlt.destinations.duckdb(file, replace_strategy="insert-from-staging"))
    pipeline = dlt.pipeline("p", destination=destination, dataset_name="d", pipelines_dir=str(tmp_path / "working"))
    assert destination.destination_type == "dlt.destinations.duckdb"

    def load(value: int) -> None:
        rows = [{"id": 1, "value": value}]
        pipeline.run(
            [
                dlt.resource(rows, name="appended", write_disposition="append"),
                dlt.resource(rows, name="merged", write_disposition="merge", primary_key="id"),
                dlt.resource(rows, name="replaced", write_disposition="replace"),
            ]
        )

    def read(run: Callable[[duckdb.DuckDBPyConnection], Any] | None = None) -> list[Any]:
        with duckdb.connect(file) as lake:
            if run:
                run(lake)
            tables = ("appended", "merged", "replaced")
            return [sorted(lake.execute(f"SELECT value FROM d.{table}").fetchall()) for table in tables]

    load(1)
    load(2)
    assert read() == [[(1,), (2,)], [(2,)], [(2,)]]

    read(lambda lake: lake.execute("ALTER TABLE d.replaced ALTER value TYPE DATE USING NULL"))
    with pytest.raises(Exception, match="DATE"):
        load(3)
    assert read() == [[(1,), (2,)], [(2,)], [(None,)]]
