"""Declarations of tables and columns: invalid ones fail at import, valid ones agree with each other."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from sources.gong.resources import TABLES
from sources.gong.tables.column_types import JSON, TEXT
from sources.gong.tables.table import Column, Table, WriteStrategy, snake_case


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"name": "emailAddress", "type": TEXT}, "not in snake_case"),
        ({"name": "email_address", "type": "txt"}, "unknown type 'txt'"),
        ({"name": "email_address", "type": TEXT, "pii": "e-mail"}, "unknown kind of personal data 'e-mail'"),
    ],
)
def test_an_invalid_column_cannot_be_declared(declaration: dict[str, Any], message: str) -> None:
    """Reject names, types and kinds of personal data that do not exist."""
    with pytest.raises(ValueError, match=message):
        Column(**declaration)


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"name": "callParties"}, "not in snake_case"),
        ({"columns": (Column("id", TEXT), Column("id", TEXT))}, "declares a column more than once: id"),
        ({"key": ("id", "call_id")}, "does not declare its key column call_id"),
        ({"key": ()}, "has no key"),
    ],
)
def test_an_invalid_table_cannot_be_declared(declaration: dict[str, Any], message: str) -> None:
    """Reject duplicate columns and keys that are not columns."""
    valid: dict[str, Any] = {"name": "users", "description": "users", "key": ("id",), "columns": (Column("id", TEXT),)}
    with pytest.raises(ValueError, match=message):
        Table(**valid | declaration)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('COLUMN = Column("duration", BIGIN, field="duration")', NameError),
        ('COLUMN = Column("duration", "bigin", field="duration")', ValueError),
    ],
)
def test_a_misspelt_column_type_fails_at_import(tmp_path: Path, line: str, error: type[Exception]) -> None:
    """Raise when the module is imported, not when the first record arrives."""
    file = tmp_path / "declarations.py"
    file.write_text(
        f"from sources.gong.tables.column_types import BIGINT\nfrom sources.gong.tables.table import Column\n\n{line}\n"
    )
    spec = importlib.util.spec_from_file_location("declarations", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.raises(error, match=r"(?i)bigin"):
        spec.loader.exec_module(module)
    assert "declarations" not in sys.modules


def test_columns_are_named_after_their_fields() -> None:
    """Gong's field names in snake_case are the column names, so that Gong's documentation is the data dictionary."""
    renamed = {
        ("library_calls", "call_id"): "id",
        ("permission_profile_users", "user_id"): "id",
        ("transcript_sentences", "start_ms"): "start",
        ("transcript_sentences", "end_ms"): "end",
    }
    found = {
        (table.name, column.name): column.field
        for table in TABLES
        for column in table.gong_columns
        if column.field and column.name != snake_case(column.field)
    }
    assert found == renamed


def test_mapped_fields_are_not_columns_too() -> None:
    """A field that another table holds is not declared as a column."""
    both = {
        table.name: {column.field for column in table.gong_columns} & table.mapped_fields
        for table in TABLES
        if {column.field for column in table.gong_columns} & table.mapped_fields
    }
    assert not both


def test_every_table_has_a_one_line_description() -> None:
    """The documentation lists tables with their descriptions."""
    assert not [table.name for table in TABLES if not table.description or "\n" in table.description]


def test_required_columns() -> None:
    """The key of an upserted table, and the text ids that a call's child rows are joined by, are never null."""
    columns = (Column("call_id", TEXT), Column("party_id", TEXT), Column("value", JSON, field="value"))
    child = Table("child", "rows of a call", ("call_id", "party_id"), columns, WriteStrategy.REPLACE_BY_PARENT)
    other = Table("other", "rows of a user", ("party_id",), columns)
    upserted = Table("upserted", "rows with a key", ("call_id", "value"), columns, WriteStrategy.UPSERT)
    assert child.required == {"call_id", "party_id"}
    assert other.required == set()
    assert upserted.required == {"call_id", "value"}
