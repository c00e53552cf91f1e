"""A workspace for tests: an empty folder in which the real command runs, and its warehouse."""

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

from tests.support.process.command import CommandResult, run_command
from tests.support.servers.connections import DuckDbFile, PostgresDatabase, WarehouseConnection

COMMAND = Path(sys.executable).parent / "gong-elt"
_WAREHOUSE_COMMANDS = (
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
    "show",
    "superset",
    "notebook",
    "export",
    "maintain",
    "migrate",
)


def days_ago(days: int) -> str:
    """Return a past date (UTC) in the format of `--since` and `--until`."""
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}"


@dataclass(slots=True)
class Workspace:
    """A folder in which commands run isolated from this machine's configuration.

    Attributes:
        settings: Environment variables of the commands.
        clock_shift: How far the clock of the commands is ahead of the real time; behind if negative.
        postgres: URL of the PostgreSQL database to load into; None for another warehouse.
        other_warehouse: Warehouse to load into; by default the PostgreSQL database, or a DuckDB file in the folder.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    postgres: str | None = None
    clock_shift: timedelta | None = None
    other_warehouse: WarehouseConnection | None = None

    @property
    def warehouse(self) -> WarehouseConnection:
        """The warehouse that the commands load into."""
        if self.other_warehouse is not None:
            return self.other_warehouse
        return PostgresDatabase(self.postgres) if self.postgres else DuckDbFile(self.folder / "warehouse.duckdb")

    @property
    def environment(self) -> dict[str, str]:
        """All environment variables of the commands."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "DLT_DATA_DIR": str(self.folder / "working"),
            "COLUMNS": "200",
            # Tests wait a tenth of the regular time between retries.
            "RUNTIME__REQUEST_BACKOFF_FACTOR": "0.1",
            **self.warehouse.environment,
            **self.settings,
        }

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of `gong-elt` with these arguments and this workspace's destination."""
        destination = self.warehouse.destination
        is_given = destination != "duckdb" and arguments and arguments[0] in _WAREHOUSE_COMMANDS
        return [str(COMMAND), *arguments, *(["--destination", destination] if is_given else [])]

    def configure(self, **settings: Any) -> None:
        """Set settings of `sources.gong`, named as in the documentation with `__` for a dot."""
        for name, value in settings.items():
            text = value if isinstance(value, str) else json.dumps(value)
            self.settings[f"SOURCES__GONG__{name.upper()}"] = text

    def use_demo_key(self) -> None:
        """Configure the API key of the simulated Gong, and no pause between requests."""
        self.configure(
            credentials__access_key="demo", credentials__access_key_secret="demo-secret", requests_per_second=1000
        )

    def run(self, *arguments: str, timeout_seconds: float = 120) -> CommandResult:
        """Run `gong-elt` and wait until it exits."""
        _, *with_destination = self.command(*arguments)
        return run_command(
            with_destination,
            folder=self.folder,
            environment=self.environment,
            timeout_seconds=timeout_seconds,
            clock_shift=self.clock_shift,
        )

    def sync(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Run `gong-elt sync --json`, assert its exit code and return the printed object."""
        result = self.run("sync", "--json", *arguments)
        assert result.code == code, f"exit code {result.code}\n{result.out}\n{result.err}"
        return result.json

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `gong-elt` and return the running process."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def delete_working_folder(self) -> None:
        """Delete dlt's working folder, as on a new machine that has only the warehouse."""
        shutil.rmtree(self.folder / "working", ignore_errors=True)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Query the warehouse and return the rows; placeholders are `?`."""
        return self.warehouse.rows(sql, parameters)

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(self.rows(f"SELECT count(*) FROM gong.{table}")[0][0])

    def columns(self, table: str) -> Mapping[str, str]:
        """Return the columns of a table and their types."""
        return self.warehouse.columns(table)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Change the warehouse directly, without the command."""
        self.warehouse.execute(sql, parameters)
