"""MariaDB: what differs from other warehouses. Its promises are in tests/conformance."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dlt
import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite
from tests.support.companies import find_call, public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, Json, edit_call_in_page
from tests.support.process.waiting import wait_until
from tests.support.servers.mariadb import MariaDbConnection, MariaDbServer, connect
from tests.support.servers.postgres import PASSWORD
from tests.support.servers.warehouses import MARIADB, build_workspace
from tests.support.workspace import COMMAND, Workspace

pytestmark = pytest.mark.mariadb

ALL_CALLS = ("--since", "2020-01-01")
_CREDENTIALS = "DESTINATION__SQLALCHEMY__CREDENTIALS"
_DATASETS = ("gong", "gong_staging")


@pytest.fixture(params=[MARIADB])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty server."""
    return build_workspace(request, tmp_path)


@pytest.fixture
def server(workspace: Workspace) -> MariaDbConnection:
    """Return the server of the workspace."""
    assert isinstance(workspace.warehouse, MariaDbConnection)
    return workspace.warehouse


@contextmanager
def global_variable(server: MariaDbConnection, name: str, value: str) -> Iterator[None]:
    """Set a default of the server for new sessions within a `with` block."""
    ((before,),) = server.rows(f"SELECT @@GLOBAL.{name}")
    server.execute(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        server.execute(f"SET GLOBAL {name} = {before if isinstance(before, int) else repr(before)}")


def assert_fails_in_one_line(workspace: Workspace, command: str, *texts: str, code: int = 1) -> None:
    """Run a command and check its exit code and message."""
    result = workspace.run(command)
    assert (result.code, result.err.count("\n")) == (code, 1), result
    assert [text for text in texts if text not in result.err] == []
    assert PASSWORD not in result.out + result.err
    assert "Traceback" not in result.out + result.err


def run_patched(workspace: Workspace, program: str, *arguments: str) -> int:
    """Run a command in a process that first runs a program, which knows the SQL client as `Client`."""
    program = (
        "import os, signal, sys\n"
        "from destinations.kinds.mariadb.client import MariaDbSqlClient as Client\n"
        f"{program}"
        "from pipelines.cli.app import main\n"
        "sys.argv[0] = 'gong-elt'\n"
        "main()\n"
    )
    _, *options = workspace.command(*arguments)
    command = [sys.executable, "-c", program, *options]
    return subprocess.run(command, cwd=workspace.folder, env=workspace.environment, check=False).returncode


def run_until_statement(workspace: Workspace, statement: str, *arguments: str) -> int:
    """Run a command that is killed when it is about to run a statement that begins so; return its exit code."""
    program = (
        "def execute(self, sql, *args, regular=Client.execute_sql, **kwargs):\n"
        f"    if str(sql).replace('`', '').startswith({statement!r}):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return regular(self, sql, *args, **kwargs)\n"
        "Client.execute_sql = execute\n"
    )
    return run_patched(workspace, program, *arguments)


@pytest.mark.parametrize("command", ["check", "sync", "status", "reconcile"])
def test_a_wrong_password_is_one_line(gong: SimulatedGong, workspace: Workspace, command: str) -> None:
    """The line names the user, and neither of the passwords."""
    workspace.settings[_CREDENTIALS] = workspace.warehouse.environment[_CREDENTIALS].replace(PASSWORD, "a-wrong-one")
    assert_fails_in_one_line(workspace, command, "Access denied for user 'loader'@'127.0.0.1'", "(error 1045)")
    assert "a-wrong-one" not in workspace.run(command).err


def test_a_server_that_is_down_is_named(gong: SimulatedGong, workspace: Workspace) -> None:
    """The driver's cause alone, `Connection refused`, does not lead to the setting."""
    workspace.settings |= workspace.warehouse.unreachable_environment
    for command in ("check", "sync", "status"):
        assert_fails_in_one_line(workspace, command, "Can't connect to MySQL server on '127.0.0.1'", "refused")


def test_a_server_that_never_responds_is_given_up(gong: SimulatedGong, workspace: Workspace) -> None:
    """A proxy without a server behind it accepts connections, and the driver would wait for its greeting."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        workspace.settings[_CREDENTIALS] = MariaDbServer(silent.getsockname()[1]).url()
        start = time.monotonic()
        assert_fails_in_one_line(workspace, "status", "timed out")
        assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("mysql://loader:secret@db.example/gong", "write mysql+pymysql://"),
        ("mariadb+mariadbconnector://loader:secret@db.example/gong", "write mysql+pymysql://"),
        ("loader:secret@db.example", "is not a URL like mysql+pymysql://user:password@host"),
    ],
)
def test_a_url_that_is_not_tested_is_refused(workspace: Workspace, url: str, text: str) -> None:
    """The line has the scheme that works, and shows nothing of the URL."""
    workspace.settings[_CREDENTIALS] = url
    assert_fails_in_one_line(workspace, "status", text, code=2)
    assert "secret" not in workspace.run("status").err


def test_an_invalid_lock_timeout_is_refused(workspace: Workspace) -> None:
    """The line names the setting."""
    workspace.settings["DESTINATION__SQLALCHEMY__LOCK_TIMEOUT"] = "soon"
    assert_fails_in_one_line(workspace, "status", "destination.sqlalchemy.lock_timeout 'soon'", code=2)


def test_a_database_of_the_server_is_refused(workspace: Workspace) -> None:
    """A load would write into the server's own tables."""
    for name in ("mysql", "sys", "performance_schema"):
        result = workspace.run("sync", "--dataset", name)
        assert (result.code, result.err.count("\n")) == (2, 1), result
        assert "reserved" in result.err


@pytest.mark.parametrize("privilege", ["CREATE", "ALTER", "INSERT", "UPDATE", "DELETE"])
def test_a_missing_privilege_is_named_by_check(
    gong: SimulatedGong, workspace: Workspace, server: MariaDbConnection, privilege: str
) -> None:
    """The line has the GRANT; with it, the same user may write. The check itself changes nothing."""
    needed = {"SELECT", "CREATE", "ALTER", "INSERT", "UPDATE", "DELETE"}
    server.create_user("writer", *(f"{', '.join(sorted(needed - {privilege}))} ON {name}.*" for name in _DATASETS))
    workspace.settings |= server.environment_of("writer")
    assert_fails_in_one_line(workspace, "check", f"may not {privilege} in database gong", "GRANT SELECT,")
    assert server.rows("SHOW DATABASES LIKE 'gong%'") == [("gong",)]
    assert server.rows("SHOW TABLES FROM gong") == []

    server.execute(f"GRANT {privilege} ON gong.* TO writer@'127.0.0.1'")
    assert_fails_in_one_line(workspace, "check", f"may not {privilege} in database gong_staging")
    server.execute(f"GRANT {privilege} ON gong_staging.* TO writer@'127.0.0.1'")
    assert workspace.run("check").code == 0


def test_the_privileges_that_check_names_are_enough(
    gong: SimulatedGong, workspace: Workspace, server: MariaDbConnection
) -> None:
    """A user with them alone creates the databases, loads, erases and maintains."""
    privileges = "SELECT, CREATE, ALTER, INSERT, UPDATE, DELETE"
    server.create_user("writer", *(f"{privileges} ON {name}.*" for name in _DATASETS))
    server.execute("DROP DATABASE gong")
    workspace.settings |= server.environment_of("writer")
    workspace.sync()
    gong.delete_call(public_calls(gong)[0].id)
    for command in ("reconcile", "maintain", "migrate", "check"):
        result = workspace.run(command)
        assert (result.code, result.err) == (0, ""), result
    assert_warehouse_matches(workspace, gong)


def test_a_user_who_may_only_read_is_told_so_by_sync(
    gong: SimulatedGong, workspace: Workspace, server: MariaDbConnection
) -> None:
    """Nothing is requested from Gong, and `status` works for such a user."""
    workspace.sync()
    server.create_user("reader", "SELECT ON gong.*")
    workspace.settings |= server.environment_of("reader")
    gong.requests.clear()
    assert_fails_in_one_line(workspace, "sync", "command denied to user 'reader'@'127.0.0.1'")
    assert gong.requests == []
    assert workspace.run("status").code == 0


def test_models_is_refused_in_one_line(gong: SimulatedGong, workspace: Workspace) -> None:
    """The line names what to do instead, and a sync does not propose the command."""
    last = workspace.run("sync").out.splitlines()[-1]
    assert last == "done: sqlalchemy 127.0.0.1, dataset gong"
    assert_fails_in_one_line(workspace, "models", "does not support sqlalchemy", "sync into duckdb or postgres", code=2)


def test_the_defaults_of_the_server_do_not_count(
    gong: SimulatedGong, workspace: Workspace, server: MariaDbConnection
) -> None:
    """Engine, character set, collation, mode and time zone are those of gong-elt."""
    with (
        global_variable(server, "default_storage_engine", "Aria"),
        global_variable(server, "sql_mode", "''"),
        global_variable(server, "time_zone", "'+05:00'"),
        global_variable(server, "tx_isolation", "'SERIALIZABLE'"),
    ):
        workspace.sync()
        gong.settings.latency_seconds = 1.0
        process = workspace.start("sync", *ALL_CALLS)
        try:
            wait_until(lambda: workspace.count("_locks") == 1 or process.poll() is not None)
            ((since,),) = server.rows("SELECT since FROM gong._locks")
        finally:
            process.kill()
            process.wait()
    assert abs((datetime.now(UTC) - since).total_seconds()) < 60
    assert server.rows("SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema LIKE 'gong%'") == [
        ("InnoDB",)
    ]
    assert server.rows(
        "SELECT DISTINCT collation_name FROM information_schema.columns"
        " WHERE table_schema LIKE 'gong%' AND collation_name IS NOT NULL"
    ) == [("utf8mb4_nopad_bin",)]
    gong.settings.latency_seconds = 0.0
    assert_all_tables_match(workspace, gong)


def test_a_text_that_does_not_fit_is_never_cut(
    gong: SimulatedGong, workspace: Workspace, server: MariaDbConnection
) -> None:
    """Also if the server's mode is lax and a user has shortened a column: the run fails and is rolled back."""
    workspace.sync()
    server.execute("UPDATE gong.calls SET title = left(title, 10)")
    server.execute("ALTER TABLE gong.calls MODIFY title VARCHAR(10)")
    call = public_calls(gong)[0]
    gong.edit_call(call.id, title="Longer than ten characters")
    before = server.rows("SELECT id, title FROM gong.calls ORDER BY id")
    with global_variable(server, "sql_mode", "''"):
        result = workspace.run("sync", *ALL_CALLS)
    assert (result.code, result.err.count("\n")) == (1, 1), result
    assert "table gong.calls: Data too long for column 'title'" in result.err
    assert server.rows("SELECT id, title FROM gong.calls ORDER BY id") == before


def test_a_text_longer_than_a_packet_is_named(
    gong: SimulatedGong, workspace: Workspace, server: MariaDbConnection
) -> None:
    """The server ends the connection of a statement that is too long; the line has the variable to raise."""
    call = public_calls(gong)[0]
    gong.edit_call(call.id, title="word " * 400_000)
    with global_variable(server, "max_allowed_packet", "1048576"):
        result = workspace.run("sync")
    assert (result.code, result.err.count("\n")) == (1, 1), result
    assert "max_allowed_packet" in result.err
    workspace.sync()
    assert_all_tables_match(workspace, gong)


def test_json_of_any_depth_arrives(gong: SimulatedGong, workspace: Workspace) -> None:
    """MariaDB's type JSON refuses more than 32 levels, and such a value would fail every later load."""
    depth = 60
    nested: object = "core"
    for _ in range(depth):
        nested = [nested]
    call = find_call(gong, "topics")

    def add(record: Json) -> None:
        record["content"]["sentiment"] = nested

    gong.faults.append(Fault(rewrite(edit_call_in_page(call.id, add)), EXTENSIVE))
    workspace.sync()
    ((text,),) = workspace.rows("SELECT content__sentiment FROM gong.calls WHERE id = ?", [call.id])
    assert json.loads(text) == nested


def test_texts_are_compared_as_they_are(gong: SimulatedGong, workspace: Workspace) -> None:
    """Case and spaces at the end count, as in other warehouses: ids that differ in them are two rows."""
    workspace.sync()
    call = public_calls(gong)[0]
    gong.edit_call(call.id, title="Renewal")
    workspace.sync(*ALL_CALLS)
    for title, count in (("Renewal", 1), ("renewal", 0), ("Renewal ", 0), ("Rénewal", 0)):
        assert workspace.rows("SELECT count(*) FROM gong.calls WHERE title = ?", [title]) == [(count,)], title


@pytest.mark.parametrize("table", ["calls", "transcripts", "_runs", "_dlt_loads", "_dlt_pipeline_state"])
def test_a_run_that_is_killed_while_tables_are_created(gong: SimulatedGong, workspace: Workspace, table: str) -> None:
    """The server commits each CREATE TABLE, so some tables exist and others do not; the next run completes them."""
    program = (
        "def create(self, table, regular=Client.create_table):\n"
        f"    if (table.schema, table.name) == ('gong', {table!r}):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    regular(self, table)\n"
        "Client.create_table = create\n"
    )
    assert run_patched(workspace, program, "sync") == -signal.SIGKILL

    workspace.delete_working_folder()
    workspace.sync()
    assert_all_tables_match(workspace, gong)
    assert workspace.sync()["warning"] is None


def test_a_statement_that_would_commit_a_load_is_refused(
    workspace: Workspace, server: MariaDbConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MariaDB commits before CREATE, ALTER and DROP, so a load with one of them would become visible in parts."""
    from destinations.kinds.mariadb.client import ImplicitCommitError  # noqa: PLC0415 - imports the driver
    from destinations.registry import open_warehouse  # noqa: PLC0415

    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    destination = open_warehouse("sqlalchemy", "gong").destination
    pipeline = dlt.pipeline("p", destination=destination, dataset_name="gong", pipelines_dir=str(workspace.folder))
    pipeline.run([{"id": 1}], table_name="numbers")
    with pipeline.destination_client() as client, client.transaction():  # type: ignore[attr-defined]
        sql = client.sql_client  # type: ignore[attr-defined]
        sql.execute_sql("INSERT INTO gong.numbers (id, _dlt_load_id, _dlt_id) VALUES (2, 'x', 'y')")
        with pytest.raises(ImplicitCommitError, match="CREATE would commit the load"):
            sql.execute_sql("CREATE TABLE gong.letters (letter INT)")
        sql.execute_sql("CREATE TEMPORARY TABLE gong.letters (letter INT)")
        assert server.rows("SELECT id FROM gong.numbers") == [(1,)]
    assert server.rows("SELECT id FROM gong.numbers ORDER BY id") == [(1,), (2,)]


def test_a_row_that_another_session_holds_ends_a_sync_in_time(
    gong: SimulatedGong, workspace: Workspace, server: MariaDbConnection
) -> None:
    """The load is rolled back after `lock_timeout`, and the next run does it all."""
    workspace.sync()
    gong.edit_call(public_calls(gong)[0].id, title="Renamed")
    workspace.settings["DESTINATION__SQLALCHEMY__LOCK_TIMEOUT"] = "1s"
    with closing(connect(server.port)) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM gong.calls FOR UPDATE")
        start = time.monotonic()
        result = workspace.run("sync", *ALL_CALLS)
        assert time.monotonic() - start < 30
    assert (result.code, result.err.count("\n")) == (1, 1), result
    assert "Lock wait timeout exceeded" in result.err

    workspace.sync(*ALL_CALLS)
    assert_all_tables_match(workspace, gong)


def test_a_named_destination_can_be_called_mariadb(gong: SimulatedGong, workspace: Workspace) -> None:
    """The name `sqlalchemy` is that of a library; users may choose one that names the product."""
    workspace.settings["DESTINATION__MARIADB__DESTINATION_TYPE"] = "sqlalchemy"
    workspace.settings["DESTINATION__MARIADB__CREDENTIALS"] = workspace.warehouse.environment[_CREDENTIALS]
    command = [str(COMMAND), "sync", "--destination", "mariadb"]
    assert subprocess.run(command, cwd=workspace.folder, env=workspace.environment, check=False).returncode == 0
    assert_all_tables_match(workspace, gong)


def test_a_long_dataset_has_a_staging_database(gong: SimulatedGong, workspace: Workspace) -> None:
    """Names of databases have at most 64 characters, and `_staging` is added to the dataset."""
    name = "g" * 63
    workspace.sync("--dataset", name, "--select", "users")
    assert workspace.rows(f"SELECT count(*) FROM {name}.users") == [(len(gong.company.users),)]
    assert sum(resource["rows"] for resource in workspace.sync("--dataset", name)["resources"].values()) > 0


def test_a_migration_that_is_killed_is_completed_by_the_next(
    gong: SimulatedGong, workspace: Workspace, server: MariaDbConnection
) -> None:
    """MariaDB commits each new column by itself, so a part is changed."""
    workspace.sync()
    server.execute("ALTER TABLE gong.calls DROP COLUMN brief")
    server.execute("ALTER TABLE gong._runs DROP COLUMN command")
    server.execute("DELETE FROM gong._dlt_version")
    assert run_until_statement(workspace, "ALTER TABLE gong.calls", "migrate") == -signal.SIGKILL
    assert "brief" not in workspace.columns("calls")

    result = workspace.run("migrate", "--json")
    assert result.code == 0, result.err
    assert "calls.brief" in result.json["columns"]
    assert {"brief", "command"} <= {*workspace.columns("calls"), *workspace.columns("_runs")}


def test_a_migration_without_rights_names_the_table(
    gong: SimulatedGong, workspace: Workspace, server: MariaDbConnection
) -> None:
    """The line must not claim that nothing was changed."""
    workspace.sync()
    server.execute("ALTER TABLE gong.calls DROP COLUMN brief")
    server.create_user("writer", *(f"SELECT, CREATE, INSERT, UPDATE, DELETE ON {name}.*" for name in _DATASETS))
    workspace.settings |= server.environment_of("writer")
    assert_fails_in_one_line(workspace, "migrate", "ALTER command denied", "run gong-elt migrate again")
