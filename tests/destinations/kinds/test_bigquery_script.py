"""Scripts that run the statements of a BigQuery transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from destinations.kinds.bigquery.script import build_transaction, is_deferrable, write_requirement, write_statement


def test_script_begins_and_commits_one_transaction() -> None:
    """All statements are committed together, whether or not they end with a semicolon."""
    assert build_transaction(["DELETE FROM a WHERE 1 = 1;", "INSERT INTO b VALUES (1)"]) == (
        "BEGIN TRANSACTION;\nDELETE FROM a WHERE 1 = 1;\nINSERT INTO b VALUES (1);\nCOMMIT TRANSACTION;"
    )


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (7, "7"),
        ("it's \\ 100%\n; ?", "'it\\'s \\\\ 100%\\n; ?'"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "TIMESTAMP '2026-01-02 03:04:05.000006+00:00'"),
        (datetime(2026, 1, 2, 1, tzinfo=timezone(timedelta(hours=2))), "TIMESTAMP '2026-01-01 23:00:00+00:00'"),
        (datetime(2026, 1, 2), "TIMESTAMP '2026-01-02 00:00:00+00:00'"),
    ],
)
def test_parameters_are_written_as_literals(value: object, literal: str) -> None:
    """A text cannot end its literal, and times are in UTC."""
    assert write_statement("UPDATE t SET a = %s WHERE b LIKE '%%'", [value]) == (
        f"UPDATE t SET a = {literal} WHERE b LIKE '%'"
    )


def test_a_requirement_fails_with_its_message() -> None:
    """A transaction whose lease was lost is rolled back by the warehouse itself."""
    assert write_requirement("SELECT 1 FROM t WHERE a = %s", ["x"], "it is lost") == (
        "SELECT IF(EXISTS (SELECT 1 FROM t WHERE a = 'x'), 1, ERROR('it is lost'))"
    )


def test_value_of_an_unknown_type_is_rejected() -> None:
    """A value without a literal is never written by its Python representation."""
    with pytest.raises(TypeError, match="object cannot be a parameter"):
        write_statement("UPDATE t SET a = %s", [object()])


@pytest.mark.parametrize(
    ("sql", "deferrable"),
    [
        ("  delete from t where 1 = 1", True),
        ("CREATE TEMP TABLE d AS SELECT 1", True),
        ("SELECT 1", False),
        ("ALTER TABLE t ADD COLUMN c STRING", False),
        ("CREATE TABLE t (c STRING)", False),
    ],
)
def test_only_changes_of_rows_belong_to_the_transaction(sql: str, deferrable: bool) -> None:
    """BigQuery rejects a transaction that changes permanent tables themselves, and a query needs its rows at once."""
    assert is_deferrable(sql) is deferrable
