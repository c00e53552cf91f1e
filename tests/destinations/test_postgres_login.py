"""Logins to PostgreSQL: without a password, from the environment or `.pgpass`; and those that fail."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.marts import build_models
from tests.support.servers.ports import find_free_ports
from tests.support.servers.postgres import PASSWORD, PostgresServer
from tests.support.workspace import Workspace

_COMMANDS = ("sync", "status", "check", "models", "reconcile")
_ROLE, _SECRET = "needs_password", "s3cret-of-the-role"


@pytest.fixture(scope="session")
def role(postgres: PostgresServer) -> str:
    """Create a role that the server asks for its password."""
    postgres.create_role(_ROLE, _SECRET)
    return _ROLE


def set_url(workspace: Workspace, url: str) -> None:
    """Let the commands use this URL; the test keeps its own connection."""
    workspace.settings["DESTINATION__POSTGRES__CREDENTIALS"] = url


def assert_one_line(workspace: Workspace, command: str, *, code: int, naming: str) -> None:
    """Assert that a command fails in one line that contains a text, and shows no password."""
    result = workspace.run(command, timeout_seconds=60)
    text = result.out + result.err
    assert result.code == code, text
    assert naming in text
    assert "Traceback" not in text
    assert PASSWORD not in text
    assert _SECRET not in text
    assert len(text.strip().splitlines()) == 1, text


@pytest.mark.parametrize("host", ["127.0.0.1", "socket"])
def test_a_url_without_a_password_is_enough(
    gong: SimulatedGong, workspace: Workspace, postgres: PostgresServer, host: str
) -> None:
    """Servers that trust a user, or identify the user of the operating system, need no password."""
    database = (workspace.postgres or "").rpartition("/")[2]
    if host == "socket":
        ((folder,),) = workspace.rows("SHOW unix_socket_directories")
        set_url(workspace, f"postgresql:///{database}?host={folder}&port={postgres.port}&user=postgres")
    else:
        set_url(workspace, f"postgresql://postgres@{host}:{postgres.port}/{database}")
    workspace.sync()
    assert_warehouse_matches(workspace, gong)
    assert workspace.run("check").code == 0
    assert build_models(workspace, "--select", "stg_users")["failed"] == []


@pytest.mark.parametrize("source", ["PGPASSWORD", ".pgpass"])
def test_libpq_finds_the_password(
    gong: SimulatedGong, workspace: Workspace, postgres: PostgresServer, role: str, source: str
) -> None:
    """The password is read from the places of PostgreSQL's own programs, for dlt and for dbt."""
    database = (workspace.postgres or "").rpartition("/")[2]
    set_url(workspace, f"postgresql://{role}@127.0.0.1:{postgres.port}/{database}")
    if source == "PGPASSWORD":
        workspace.settings["PGPASSWORD"] = _SECRET
    else:
        file = Path(workspace.folder, "passwords")
        file.write_text(f"127.0.0.1:{postgres.port}:*:{role}:{_SECRET}\n", encoding="utf-8")
        file.chmod(0o600)
        workspace.settings["PGPASSFILE"] = str(file)
    workspace.sync("--select", "users")
    assert workspace.count("users") == len(gong.company.users)
    assert build_models(workspace, "--select", "stg_users")["failed"] == []


@pytest.mark.parametrize("command", ["sync", "models"])
def test_a_wrong_password_is_one_line_before_any_request(
    gong: SimulatedGong, workspace: Workspace, postgres: PostgresServer, role: str, command: str
) -> None:
    """Nothing is read from Gong that could not be loaded."""
    database = (workspace.postgres or "").rpartition("/")[2]
    set_url(workspace, f"postgresql://{role}:wrong@127.0.0.1:{postgres.port}/{database}")
    assert_one_line(workspace, command, code=1, naming="password authentication failed")
    assert gong.requests == []


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_missing_password_is_one_line_that_names_the_setting(
    gong: SimulatedGong, workspace: Workspace, postgres: PostgresServer, role: str, command: str
) -> None:
    """Only the user can add it, so it is an error of configuration."""
    set_url(workspace, f"postgresql://{role}@127.0.0.1:{postgres.port}/postgres")
    assert_one_line(workspace, command, code=2, naming="asks for a password: add it to the URL in destination.postgres")
    assert gong.requests == []


@pytest.mark.parametrize("command", ["status", "check"])
def test_a_missing_database_is_one_line_before_any_request(
    gong: SimulatedGong, workspace: Workspace, postgres: PostgresServer, command: str
) -> None:
    """The message names the database."""
    set_url(workspace, f"postgresql://postgres:{PASSWORD}@127.0.0.1:{postgres.port}/nowhere")
    assert_one_line(workspace, command, code=1, naming='database "nowhere" does not exist')
    assert gong.requests == []


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_server_that_is_down_is_one_line_before_any_request(
    gong: SimulatedGong, workspace: Workspace, command: str
) -> None:
    """The message names the address."""
    (port,) = find_free_ports(1)
    set_url(workspace, f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/nowhere")
    assert_one_line(workspace, command, code=1, naming=f"port {port} failed")
    assert gong.requests == []


@pytest.mark.parametrize("command", ["sync", "status"])
def test_a_server_that_does_not_respond_ends_in_time(gong: SimulatedGong, workspace: Workspace, command: str) -> None:
    """A connection that is accepted but never answered times out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        set_url(workspace, f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/nowhere?connect_timeout=2")
        start = time.monotonic()
        assert_one_line(workspace, command, code=1, naming="timeout expired")
        assert time.monotonic() - start < 20
    assert gong.requests == []


@pytest.mark.parametrize(
    ("command", "url"),
    [
        *((command, None) for command in _COMMANDS),
        ("sync", "postgresql://db.example"),
        ("sync", "mysql://user:s3cret-of-the-role@host/db"),
    ],
)
def test_missing_settings_are_one_line_that_names_them(
    gong: SimulatedGong, workspace: Workspace, command: str, url: str | None
) -> None:
    """A destination that cannot work is refused before anything is opened, without showing a password."""
    workspace.postgres = None
    if url is not None:
        set_url(workspace, url)
    result = workspace.run(command, "--destination", "postgres")
    assert result.code == 2
    assert len(result.err.splitlines()) == 1
    assert "destination.postgres.credentials" in result.err
    assert _SECRET not in result.out + result.err
    assert gong.requests == []
