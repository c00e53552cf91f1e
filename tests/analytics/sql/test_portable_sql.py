"""SQL for all warehouses: models dispatch what engines write differently, and readers of marts only compare and sum."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.analytics.dbt_build import PROJECT
from tests.support.servers.postgres import PostgresServer
from tests.support.workspace import Workspace

# What DuckDB and PostgreSQL share and other engines write differently.
_NOT_PORTABLE = (
    r"\b(date_trunc|extract|strpos|string_agg|array_agg|to_timestamp|epoch|regexp_\w+)\s*\(",
    r"\bat time zone\b",
    r"\btimestamp with time zone\b",
    r"\bdouble precision\b",
    r"\bas (varchar|text|float|timestamp)\)",
    r"\binterval '",
    r"\bcurrent_date\b",
    r"\bfrom generate_series\b",
    r"\bwindow \w+ as \(",
    r"\bilike\b",
    r"::",
)
_WORDS = re.compile("|".join(_NOT_PORTABLE), re.IGNORECASE)
# The macros that write SQL for one engine.
_DISPATCHED = ("engines.sql", "postgres_relations.sql")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _sql_files() -> Iterator[Path]:
    yield from (file for file in PROJECT.glob("*/*.sql") if file.name not in _DISPATCHED)
    analytics = PROJECT.parent / "analytics"
    yield from (analytics / name for name in ("export.py", "marts.py"))
    for package in ("notebook", "report", "search", "superset"):
        yield from (analytics / package).rglob("*.py")


@pytest.mark.parametrize("file", list(_sql_files()), ids=lambda file: file.stem)
def test_sql_is_portable(file: Path) -> None:
    """What engines write differently is in a dispatched macro, and outside of models in a column of a mart."""
    assert _WORDS.findall(file.read_text(encoding="utf-8")) == []


@pytest.mark.slow
@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_periods_and_epochs_are_those_of_the_start(request: pytest.FixtureRequest, warehouse: str) -> None:
    """Week, month and epoch are computed in UTC; weeks begin on Monday, as in Gong."""
    place: Workspace = request.getfixturevalue(f"{warehouse}_marts")
    rows = place.rows(
        "SELECT started, started_date, started_week, started_month, started_epoch_ms FROM gong_analytics.calls_enriched"
    )
    assert len(rows) > 50
    for started, date, week, month, epoch_ms in rows:
        day = started.astimezone(UTC).date()
        assert (date, week, month) == (day, day - timedelta(days=day.weekday()), day.replace(day=1))
        assert epoch_ms == (started - _EPOCH) // timedelta(milliseconds=1)

    deals = place.rows("SELECT last_call, last_call_epoch_days, days_since_last_call FROM gong_analytics.deal_activity")
    today = datetime.now(UTC)
    for last_call, epoch_days, days_since in deals:
        assert epoch_days == (last_call.astimezone(UTC).date() - _EPOCH.date()).days
        # Midnight may have passed since the build.
        assert days_since in {((today - _EPOCH).days - epoch_days) - days for days in (0, 1)}


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
@pytest.mark.parametrize("command", [("report",), ("search", "price"), ("export", "transcripts")], ids=lambda c: c[0])
def test_marts_without_a_column_are_of_an_older_version(
    request: pytest.FixtureRequest, tmp_path: Path, warehouse: str, command: tuple[str, ...]
) -> None:
    """A command of this version on the marts of an earlier one ends with one line that names the remedy."""
    built: Workspace = request.getfixturevalue(f"{warehouse}_marts")
    place = Workspace(tmp_path, settings=dict(built.settings))
    if built.postgres:
        server: PostgresServer = request.getfixturevalue("postgres")
        place.postgres = server.create_database(template=built.postgres.rpartition("/")[2])
    else:
        (tmp_path / "warehouse.duckdb").write_bytes((built.folder / "warehouse.duckdb").read_bytes())
    place.execute("ALTER TABLE gong_analytics.calls_enriched DROP COLUMN started_epoch_ms")
    place.execute("ALTER TABLE gong_analytics.calls_enriched DROP COLUMN _synced_epoch_ms")
    place.execute("ALTER TABLE gong_analytics.calls_enriched DROP COLUMN language")

    ended = place.run(*command)

    assert ended.code == 2, ended.err
    (line,) = ended.err.splitlines()
    assert "they are of an older version: run gong-elt models" in line
