"""A real MariaDB server for tests, from Debian's package, on a free loopback port."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support.servers.ports import find_free_ports
from tests.support.servers.postgres import PASSWORD

_NOBODY_UID = 65534
_START_SECONDS = 60.0
_SYSTEM_DATABASES = ("information_schema", "mysql", "performance_schema", "sys")
_SEARCH_PATH = f"{os.environ['PATH']}:/usr/sbin"


@dataclass(slots=True)
class MariaDbServer:
    """A running server.

    Attributes:
        port: The port it listens on, at 127.0.0.1.
    """

    port: int

    def url(self, user: str = "loader", password: str = PASSWORD) -> str:
        """Return the URL of the server as dlt's destination takes it."""
        return f"mysql+pymysql://{user}:{password}@127.0.0.1:{self.port}/mysql"


@dataclass(frozen=True, slots=True)
class MariaDbConnection:
    """The server as the warehouse of a test, without the datasets of earlier tests."""

    port: int
    destination = "sqlalchemy"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"DESTINATION__SQLALCHEMY__CREDENTIALS": MariaDbServer(self.port).url()}

    def environment_of(self, user: str, password: str = PASSWORD) -> Mapping[str, str]:
        """Return the environment variables with which commands sign in as another user."""
        return {"DESTINATION__SQLALCHEMY__CREDENTIALS": MariaDbServer(self.port).url(user, password)}

    def create_user(self, name: str, *privileges: str) -> None:
        """Create a user with `PASSWORD` and these privileges, such as `SELECT ON gong.*`."""
        self.execute(f"CREATE OR REPLACE USER {name}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        for privilege in privileges:
            self.execute(f"GRANT {privilege} TO {name}@'127.0.0.1'")

    @property
    def unreachable_environment(self) -> Mapping[str, str]:
        return {"DESTINATION__SQLALCHEMY__CREDENTIALS": MariaDbServer(1).url()}

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        connection = connect(self.port)
        try:
            with connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE IF NOT EXISTS gong")
                cursor.execute("USE gong")
                cursor.execute(sql.replace("%", "%%").replace("?", "%s"), tuple(parameters))
                return [tuple(map(_in_utc, row)) for row in cursor.fetchall()]
        finally:
            connection.close()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.rows(sql, parameters)

    def columns(self, table: str) -> Mapping[str, str]:
        return dict(
            self.rows(
                "SELECT column_name, upper(data_type) FROM information_schema.columns"
                " WHERE table_schema = 'gong' AND table_name = ?",
                [table],
            )
        )

    def read_elsewhere(self, sql: str) -> list[str]:
        login = ["--host=127.0.0.1", f"--port={self.port}", "--user=loader", f"--password={PASSWORD}"]
        command = ["mariadb", "--no-defaults", *login, "--skip-column-names", "--batch", f"--execute={sql}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split("\t")

    def drop_datasets(self) -> None:
        """Delete what an earlier test has loaded."""
        names = [name for (name,) in self.rows("SHOW DATABASES") if name not in _SYSTEM_DATABASES]
        for name in names:
            self.execute(f"DROP DATABASE {name}")


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def is_installed() -> bool:
    """Return whether the server's programs are on this machine."""
    return shutil.which("mariadbd", path=_SEARCH_PATH) is not None


@contextmanager
def mariadb_server() -> Iterator[MariaDbServer]:
    """Run a server without databases of users while the context is open."""
    folder = Path(tempfile.mkdtemp(prefix="gong-elt-mariadb-"))
    # A server that starts deletes the temporary tables of others in the same folder.
    process_options: dict[str, Any] = {"env": {**os.environ, "TMPDIR": str(folder)}}
    if os.geteuid() == 0:
        # The server refuses to run as root.
        os.chown(folder, _NOBODY_UID, _NOBODY_UID)
        process_options |= {"user": _NOBODY_UID, "group": _NOBODY_UID, "extra_groups": []}
    try:
        data, (port,) = folder / "data", find_free_ports(1)
        install = [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
        ]
        output = subprocess.run(
            [*install, "--skip-test-db"], capture_output=True, cwd=folder, check=False, **process_options
        )
        if output.returncode:
            raise RuntimeError(f"mariadb-install-db failed: {output.stdout + output.stderr!r}")
        setup = folder / "setup.sql"
        setup.write_text(
            f"CREATE USER loader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL PRIVILEGES ON *.* TO loader@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        options = [
            *("--no-defaults", f"--datadir={data}", f"--socket={folder / 'socket'}", "--bind-address=127.0.0.1"),
            *(f"--port={port}", f"--init-file={setup}", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"),
            # The defaults of the character set are left as they are, latin1, as on servers that are not configured.
            "--innodb-buffer-pool-size=64M",
        ]
        with (folder / "log").open("wb") as log:
            mariadbd = shutil.which("mariadbd", path=_SEARCH_PATH)
            process = subprocess.Popen([str(mariadbd), *options], cwd=folder, stdout=log, stderr=log, **process_options)
        try:
            _wait_until_ready(port, process, folder / "log")
            yield MariaDbServer(port)
        finally:
            process.terminate()
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def connect(port: int) -> Any:
    """Return a connection in UTC, with which statements commit at once."""
    pymysql: Any = import_module("pymysql")
    return pymysql.connect(
        host="127.0.0.1",
        port=port,
        user="loader",
        password=PASSWORD,
        autocommit=True,
        init_command="SET time_zone = '+00:00', group_concat_max_len = 100000000",
    )


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    pymysql: Any = import_module("pymysql")
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            connect(port).close()
        except pymysql.err.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"MariaDB did not start: {log.read_text(errors='replace')[-500:]}")
