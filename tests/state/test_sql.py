"""Statements that write rows, and parts of SQL statements."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from dlt.common.destination import DestinationCapabilitiesContext

from state.sql import batches, insert_rows, placeholders, read_rows, update_rows


class RecordedSql:
    """A connection that keeps its statements, quotes as BigQuery does, and returns nothing."""

    dataset_name = "gong"
    capabilities = DestinationCapabilitiesContext.generic_capabilities()

    def __init__(self) -> None:
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    def make_qualified_table_name(self, table_name: str) -> str:
        return f"`gong`.`{table_name}`"

    def escape_column_name(self, column_name: str) -> str:
        return f"`{column_name}`"

    def execute_sql(self, sql: str, *args: Any) -> Sequence[Sequence[Any]] | None:
        self.statements.append((sql, args))
        return None

    def execute_query(self, query: str, *args: Any) -> AbstractContextManager[Any]:
        raise NotImplementedError(query, args)


def test_rows_are_inserted_with_qualified_and_quoted_names() -> None:
    """A word such as `at` is a keyword somewhere, and NULL has no type as a parameter."""
    sql = RecordedSql()
    insert_rows(sql, "_uploads", [{"at": 1, "row": None}, {"at": None, "row": 2}])
    assert sql.statements == [("INSERT INTO `gong`.`_uploads` (`at`, `row`) VALUES (%s, NULL), (NULL, %s)", (1, 2))]


def test_rows_are_updated_by_their_key() -> None:
    """The values of the key follow those of the row."""
    sql = RecordedSql()
    update_rows(sql, "_runs", {"status": "done", "reason": None}, {"run_id": "7"})
    assert sql.statements == [
        ("UPDATE `gong`.`_runs` SET `status` = %s, `reason` = NULL WHERE `run_id` = %s", ("done", "7"))
    ]


def test_times_are_read_in_utc() -> None:
    """A driver may return a time without a zone, or in the zone of its session."""
    naive = datetime(2026, 3, 1, 12)
    elsewhere = datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert read_rows([(naive, elsewhere, "text", None)]) == [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC), "text", None)
    ]
    assert read_rows(None) == []


def test_placeholders_are_one_per_value() -> None:
    """The number of parameters and of values must agree."""
    assert placeholders(3) == "%s, %s, %s"


def test_batches_keep_order_and_drop_nothing() -> None:
    """Ids must not be lost between two statements."""
    assert [list(batch) for batch in batches(range(5), 2)] == [[0, 1], [2, 3], [4]]
    assert list(batches([], 2)) == []
