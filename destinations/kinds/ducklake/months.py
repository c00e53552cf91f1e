"""Months: calls and their sentences have a column with the month in which the call started, in UTC.

The source does not know the month of a transcript's call. So it is read from `calls` in the transaction of the load,
and sentences that are not loaded again follow a call that has moved to another month, or that arrived after them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.impl.ducklake.ducklake import DuckLakeMergeFollowupJob
from dlt.destinations.sql_client import SqlClientBase

from .lake import quote_text

MONTH = "_call_month"
"""Column with the first day of the month; NULL if the call, or its start, is unknown."""

CALLS = "calls"
PARTITIONED: Sequence[str] = ("transcript_sentences",)
"""Tables with the column `call_id`. Each other table is too small: it would have a file per month in place of one."""

WITH_MONTH = frozenset({CALLS, *PARTITIONED})
"""Tables with the column."""

_MONTH_COLUMN: TColumnSchema = {"name": MONTH, "data_type": "date", "nullable": True}

_STARTED_IN = "CAST(date_trunc('month', started AT TIME ZONE 'UTC') AS DATE)"
_IS_LOADED_CALL, _IS_LOADED_MONTH = "is_loaded_call", "is_loaded_month"
_MAX_LISTED = 1_000
"""Number of calls up to which comparing with each of them is faster than a join."""

_MONTHS, _PREVIOUS_MONTHS = "temp.call_months", "temp.previous_call_months"
"""Months of the calls of this load, as they are now and as they were before. Other connections do not see them."""
_MOVED = f"""
SELECT call_id, now.month, previous.month AS previous_month
FROM {_MONTHS} AS now FULL JOIN {_PREVIOUS_MONTHS} AS previous USING (call_id)
WHERE now.month IS DISTINCT FROM previous.month
"""


class MergeJob(DuckLakeMergeFollowupJob):
    """dlt's statements, with IN in place of a correlated EXISTS.

    For that, DuckDB 1.5.5 reads all columns of all rows, unless the staging table is a single file: 12 times as long.
    """

    @classmethod
    def gen_key_table_clauses(
        cls,
        root_table_name: str,
        staging_root_table_name: str,
        primary_keys: Sequence[str],
        merge_keys: Sequence[str],
        for_delete: bool,  # noqa: ARG003
        source_filter: str | None = None,
    ) -> list[str]:
        """Return the clauses that select the rows of a table which a load replaces, one per kind of key."""
        condition = f" WHERE {source_filter}" if source_filter else ""
        return [
            f"FROM {root_table_name} AS d WHERE ({', '.join(f'd.{key}' for key in keys)}) IN"
            f" (SELECT {', '.join(keys)} FROM {staging_root_table_name} AS s{condition})"
            for keys in (primary_keys, merge_keys)
            if keys
        ]


class MonthlyMergeJob(MergeJob):
    """The statements of a partitioned table, which read only the files of the months of the load's calls."""

    @classmethod
    def gen_key_table_clauses(cls, root_table_name: str, *_args: Any, **_arguments: Any) -> list[str]:
        """Return the clauses for known and for unknown months: no file is left out for a condition on both."""
        return [
            f"FROM {root_table_name} AS d WHERE {_IS_LOADED_CALL}(d.call_id) AND {condition}"
            for condition in (f"{_IS_LOADED_MONTH}(d.{MONTH})", f"d.{MONTH} IS NULL")
        ]


def add_month(table: PreparedTableSchema) -> PreparedTableSchema:
    """Return the declaration of a table, with the column if it has one: dlt's statements insert all columns."""
    if table["name"] in WITH_MONTH:
        table["columns"][MONTH] = _MONTH_COLUMN
    return table


def select_with_month(table: str, rows: str) -> str:
    """Return the query of a table's rows, with their month if the table has it.

    Args:
        table: Name of the table.
        rows: Query of the rows in load files.
    """
    if table not in WITH_MONTH:
        return rows
    if table == CALLS:
        return f"SELECT *, {_STARTED_IN} AS {MONTH} FROM ({rows}) AS loaded"
    return (
        f"SELECT loaded.*, months.month AS {MONTH} FROM ({rows}) AS loaded"
        f" LEFT JOIN {_MONTHS} AS months ON months.call_id = loaded.call_id"
    )


class CallMonths:
    """The months of the calls of one load. All methods but `declare` are called in its transaction.

    All rows of a call are in the call's month, and are replaced there. Those of a call that is not in `calls` can be in
    any month, for example if a user has deleted the call by SQL.

    Args:
        sql: The connection.
        existing: Columns of the tables with months that exist.
        staged: Tables with months of which there are rows to load.
    """

    def __init__(
        self, sql: SqlClientBase[Any], existing: Mapping[str, Collection[str]], staged: frozenset[str]
    ) -> None:
        self._sql = sql
        self._existing = existing
        self._staged = staged

    @staticmethod
    def declare(sql: SqlClientBase[Any]) -> None:
        """Create the table that views of the load files name. It is empty."""
        sql.execute_sql(f"CREATE OR REPLACE TEMP TABLE {_MONTHS} (call_id VARCHAR, month DATE)")

    def begin(self) -> None:
        """Partition the tables, and read the months in which the load's calls are, before it changes them."""
        # A connection that was opened again has no temporary tables.
        self.declare(self._sql)
        self._partition()
        self._read_months(_PREVIOUS_MONTHS)
        self._find_rows_without_calls()
        months = self._sql.execute_sql(f"SELECT DISTINCT month FROM {_PREVIOUS_MONTHS} WHERE month IS NOT NULL")
        condition = _in_months("month", [month for (month,) in months or ()])
        self._sql.execute_sql(f"CREATE OR REPLACE TEMP MACRO {_IS_LOADED_MONTH}(month) AS {condition}")
        for table in self._staged.difference([CALLS]):
            self._sql.execute_sql(f"CREATE OR REPLACE TEMP MACRO {_IS_LOADED_CALL}(id) AS {self._is_loaded(table)}")

    def follow_calls(self) -> None:
        """Read the months again, after the calls were merged, and move the rows of calls that have another one."""
        self._read_months(_MONTHS)
        moved = self._sql.execute_sql(f"SELECT DISTINCT previous_month FROM ({_MOVED})") or ()
        known = [month for (month,) in moved if month is not None]
        conditions = [_in_months(f"child.{MONTH}", known)] * bool(known)
        conditions += [f"child.{MONTH} IS NULL"] * ((None,) in moved)
        for table in PARTITIONED:
            if table not in self._existing:
                continue
            # The load replaces the other rows, and finds them in their previous months.
            is_kept = f"AND child.call_id NOT IN (SELECT call_id FROM {self._staging(table)})"
            for condition in conditions:
                self._sql.execute_sql(
                    f"UPDATE {self._name(table)} AS child SET {MONTH} = moved.month FROM ({_MOVED}) AS moved"
                    f" WHERE moved.call_id = child.call_id AND {condition} {is_kept if table in self._staged else ''}"
                )

    def _is_loaded(self, table: str) -> str:
        """Return the condition that the load replaces the rows of a call."""
        ids = f"SELECT call_id FROM {self._staging(table)} WHERE call_id IS NOT NULL"
        calls = self._sql.execute_sql(f"SELECT DISTINCT call_id FROM ({ids}) LIMIT {_MAX_LISTED + 1}") or ()
        if len(calls) > _MAX_LISTED:
            return f"id IN ({ids})"
        # DuckDB 1.5.5 evaluates this, unlike IN, for the distinct values of a part of a file, and not for each row.
        return f"list_contains([{', '.join(quote_text(call_id) for (call_id,) in calls)}]::VARCHAR[], id)"

    def _partition(self) -> None:
        """Add the column to new tables, and to those of an earlier version."""
        new = [table for table, columns in self._existing.items() if MONTH not in columns]
        for table in new:
            self._sql.execute_sql(f"ALTER TABLE {self._name(table)} ADD COLUMN {MONTH} DATE")
            if table in PARTITIONED:
                self._sql.execute_sql(f"ALTER TABLE {self._name(table)} SET PARTITIONED BY ({MONTH})")
        calls = self._name(CALLS)
        if CALLS in new:
            self._sql.execute_sql(f"UPDATE {calls} SET {MONTH} = {_STARTED_IN} WHERE started IS NOT NULL")
        for table in PARTITIONED:
            # If the calls were dropped and created again, sentences have months of calls that are unknown now.
            if CALLS in self._existing and table in self._existing and {CALLS, table}.intersection(new):
                known = (
                    f"SELECT call_id, calls.{MONTH} AS month FROM (SELECT DISTINCT call_id FROM {self._name(table)})"
                    f" LEFT JOIN {calls} AS calls ON calls.id = call_id"
                )
                self._sql.execute_sql(
                    f"UPDATE {self._name(table)} AS child SET {MONTH} = known.month FROM ({known}) AS known"
                    f" WHERE known.call_id = child.call_id AND child.{MONTH} IS DISTINCT FROM known.month"
                )

    def _read_months(self, target: str) -> None:
        query = "SELECT CAST(NULL AS VARCHAR) AS call_id, CAST(NULL AS DATE) AS month WHERE false"
        if CALLS in self._existing:
            query = (
                f"SELECT id AS call_id, {MONTH} AS month FROM {self._name(CALLS)} WHERE id IN ({self._select_ids()})"
            )
        self._sql.execute_sql(f"CREATE OR REPLACE TEMP TABLE {target} AS {query}")

    def _find_rows_without_calls(self) -> None:
        """Add the months of rows whose call is new, or returns: it reads the ids of a whole table."""
        unknown = (
            f"SELECT id FROM ({self._select_ids()}) AS ids WHERE id NOT IN (SELECT call_id FROM {_PREVIOUS_MONTHS})"
        )
        if not self._sql.execute_sql(f"{unknown} LIMIT 1"):
            return
        for table in PARTITIONED:
            if table in self._existing:
                self._sql.execute_sql(
                    f"INSERT INTO {_PREVIOUS_MONTHS} SELECT DISTINCT call_id, {MONTH} FROM {self._name(table)}"
                    f" WHERE {MONTH} IS NOT NULL AND call_id IN ({unknown})"
                )

    def _select_ids(self) -> str:
        """Return the query of the ids of the load's calls."""
        return " UNION ALL ".join(
            f"SELECT {'id' if table == CALLS else 'call_id AS id'} FROM {self._staging(table)}"
            for table in sorted(self._staged)
        )

    def _name(self, table: str) -> str:
        return self._sql.make_qualified_table_name(table)

    def _staging(self, table: str) -> str:
        with self._sql.with_staging_dataset():
            return self._name(table)


def _in_months(column: str, months: Sequence[date]) -> str:
    """Return a condition from which DuckLake derives the files to read, which it does not from a join.

    A range costs nothing per row, but reads the months between. IN reads the column of all rows.
    """
    if not months:
        return "false"
    first, last = min(months), max(months)
    if (last.year - first.year) * 12 + last.month - first.month < 2 * len(months):
        return f"{column} BETWEEN DATE '{first}' AND DATE '{last}'"
    days = ", ".join(f"DATE '{month}'" for month in sorted(months))
    return f"{column} IN ({days})"
