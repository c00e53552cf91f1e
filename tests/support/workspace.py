"""A user's working place for tests: an empty folder, the real command, a warehouse to look into."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import psycopg2.extras

from tests.support.process import CommandResult, run_forked

COMMAND = Path(sys.executable).parent / "gong-elt"
_WITH_A_WAREHOUSE = (
    "sync",
    "status",
    "check",
    "reconcile",
    "upload",
    "add-media",
    "download-media",
    "models",
    "report",
    "search",
    "superset",
    "export",
)


def days_ago(days: int) -> str:
    """The date in UTC, as `--since` and `--until` take it."""
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}"


@dataclass(slots=True)
class Workspace:
    """Runs commands in a folder of their own, with nothing of this machine's configuration.

    Attributes:
        settings: Environment variables of the commands.
        postgres: Address of the PostgreSQL database to load into; None for a DuckDB file in the folder.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    postgres: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the commands."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "DLT_DATA_DIR": str(self.folder / "working"),
            "COLUMNS": "200",
            # Between tries a test waits a tenth of what a user would.
            "RUNTIME__REQUEST_BACKOFF_FACTOR": "0.1",
            **({"DESTINATION__POSTGRES__CREDENTIALS": self.postgres} if self.postgres else {}),
            **self.settings,
        }

    def command(self, *arguments: str) -> list[str]:
        """The command line of `gong-elt` with these arguments, into this workspace's warehouse."""
        loads = self.postgres and arguments and arguments[0] in _WITH_A_WAREHOUSE
        return [str(COMMAND), *arguments, *(["--destination", "postgres"] if loads else [])]

    def configure(self, **settings: Any) -> None:
        """Sets settings of `sources.gong`, named as in the documentation with `__` for a dot."""
        for name, value in settings.items():
            text = value if isinstance(value, str) else json.dumps(value)
            self.settings[f"SOURCES__GONG__{name.upper()}"] = text

    def run(self, *arguments: str, seconds: float = 120) -> CommandResult:
        """Runs `gong-elt` to its end."""
        _, *given = self.command(*arguments)
        return run_forked(given, folder=self.folder, environment=self.environment, seconds=seconds)

    def sync(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Runs `gong-elt sync --json`, which has to end with that exit code."""
        ended = self.run("sync", "--json", *arguments)
        assert ended.code == code, f"exit code {ended.code}\n{ended.out}\n{ended.err}"
        return ended.json

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts `gong-elt` and leaves it running."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def lose_working_folder(self) -> None:
        """What a new machine has: the warehouse and nothing else."""
        shutil.rmtree(self.folder / "working", ignore_errors=True)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Asks the warehouse; parameters are written `?`."""
        if self.postgres:
            return self._of_postgres(sql, parameters)
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as warehouse:
            warehouse.execute("SET TimeZone = 'UTC'; SET search_path = 'gong'")
            return warehouse.execute(sql, list(parameters)).fetchall()

    def count(self, table: str) -> int:
        """Rows of a table."""
        return int(self.rows(f'SELECT count(*) FROM gong."{table}"')[0][0])

    def columns(self, table: str) -> Mapping[str, str]:
        """Column names and types of a table."""
        return dict(
            self.rows(
                "SELECT column_name, upper(data_type) FROM information_schema.columns"
                " WHERE table_schema = 'gong' AND table_name = ?",
                [table],
            )
        )

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Changes the warehouse behind the command's back."""
        if self.postgres:
            self._of_postgres(sql, parameters)
            return
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as warehouse:
            warehouse.execute("SET search_path = 'gong'")
            warehouse.execute(sql, list(parameters))

    def _of_postgres(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.postgres, options="-c search_path=gong -c timezone=UTC")
        try:
            # JSON comes as text, as DuckDB gives it.
            psycopg2.extras.register_default_jsonb(connection, loads=lambda text: text)
            with connection, connection.cursor() as cursor:
                cursor.execute(sql.replace("%", "%%").replace("?", "%s"), list(parameters))
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
