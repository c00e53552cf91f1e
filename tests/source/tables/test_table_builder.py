"""TableBuilder: rows become Arrow tables, undeclared fields become columns, and no value is lost."""

from __future__ import annotations

import pyarrow as pa
import pytest
from dlt.common.schema import Schema

from sources.gong.tables.column_types import BIGINT, DATE, JSON, TEXT, KnownColumns
from sources.gong.tables.table import LOAD_ID, TOMBSTONE, Column, Table, WriteStrategy
from sources.gong.tables.table_builder import ADDED_JSON, TableBuilder, empty_table, with_load_id

NOTES = Table(
    name="notes",
    description="notes of a call",
    key=("call_id", "position"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("position", BIGINT),
        Column("text", TEXT, field="noteText"),
        Column("length", BIGINT, field="length"),
        Column(LOAD_ID, TEXT),
        TOMBSTONE,
    ),
    mapped_fields=frozenset({"author"}),
)


@pytest.fixture
def types() -> KnownColumns:
    """Types of undeclared columns in an empty warehouse."""
    return KnownColumns(Schema("gong"))


def test_a_row_has_connector_values_and_fields(types: KnownColumns) -> None:
    """Connector values are addressed by column name; missing ones are null."""
    builder = TableBuilder(NOTES, types)
    builder.add_row({"call_id": "7", "position": 0}, {"noteText": "Hello", "length": 5, "author": "mapped elsewhere"})
    assert len(builder) == 1
    assert builder.build().to_pylist() == [
        {"call_id": "7", "position": 0, "text": "Hello", "length": 5, LOAD_ID: None, "_removed": None}
    ]


def test_an_unknown_connector_column_is_an_error(types: KnownColumns) -> None:
    """A misspelt column name must not become a null."""
    builder = TableBuilder(NOTES, types)
    builder.add_row({"call_id": "7", "positon": 0}, {})
    with pytest.raises(ValueError, match="'notes' has no connector column positon"):
        builder.build()


def test_undeclared_fields_become_columns(types: KnownColumns) -> None:
    """Undeclared fields get a type from their values; nested ones become JSON."""
    builder = TableBuilder(NOTES, types)
    builder.add_row({"call_id": "7"}, {"isPinned": True, "tags": ["a"], "ratio": 1, "nothing": None})
    builder.add_row({"call_id": "7"}, {"isPinned": None, "ratio": 0.5})
    table = builder.build()
    assert table.column_names[-3:] == ["is_pinned", "ratio", "tags"]
    assert table["is_pinned"].to_pylist() == [True, None]
    assert table["ratio"].to_pylist() == [1.0, 0.5]
    assert table["tags"].to_pylist() == ['["a"]', None]
    assert table.schema.field("tags").metadata == ADDED_JSON


def test_an_undeclared_column_keeps_its_first_type(types: KnownColumns) -> None:
    """A later value of another type goes to `<column>__v_text`."""
    first, second = TableBuilder(NOTES, types), TableBuilder(NOTES, types)
    first.add_row({"call_id": "7"}, {"score": 3})
    second.add_row({"call_id": "8"}, {"score": "high"})
    assert first.build()["score"].to_pylist() == [3]
    table = second.build()
    assert table["score"].to_pylist() == [None]
    assert table["score__v_text"].to_pylist() == ["high"]


def test_a_value_that_does_not_fit_is_kept_as_text(types: KnownColumns) -> None:
    """Declared columns keep their type, too."""
    builder = TableBuilder(NOTES, types)
    builder.add_row({"call_id": "7"}, {"length": "five"})
    builder.add_row({"call_id": "7"}, {"length": "12"})
    table = builder.build()
    assert table["length"].to_pylist() == [None, 12]
    assert table["length__v_text"].to_pylist() == ["five", None]


def test_undeclared_names_do_not_collide(types: KnownColumns) -> None:
    """A field whose column name is taken or empty gets a suffix."""
    builder = TableBuilder(NOTES, types)
    builder.add_row({"call_id": "7"}, {"noteText": "a", "text": "b", "_": "c"})
    (row,) = builder.build().to_pylist()
    assert (row["text"], row["textx"], row["x"]) == ("a", "b", "c")


def test_a_tombstone_deletes_by_parent(types: KnownColumns) -> None:
    """The row contains the parent, the mark, and "" in key columns that cannot be null."""
    table = Table(
        name="links",
        description="links of a call",
        key=("call_id", "party_id"),
        write_strategy=WriteStrategy.REPLACE_BY_PARENT,
        columns=(Column("call_id", TEXT), Column("party_id", TEXT), Column("url", TEXT, field="url"), TOMBSTONE),
    )
    builder = TableBuilder(table, types)
    builder.add_tombstone("7")
    assert builder.build().to_pylist() == [{"call_id": "7", "party_id": "", "url": None, "_removed": True}]


def test_a_tombstone_by_a_field_of_gong(types: KnownColumns) -> None:
    """The parent can be a column that holds Gong's id."""
    table = Table(
        name="things",
        description="things",
        key=("id",),
        write_strategy=WriteStrategy.UPSERT,
        columns=(Column("id", TEXT, field="id"), Column("brief", TEXT), TOMBSTONE),
    )
    builder = TableBuilder(table, types)
    builder.add_tombstone("7")
    assert builder.build().to_pylist() == [{"id": "7", "brief": None, "_removed": True}]


def test_an_empty_table_has_the_declared_schema(types: KnownColumns) -> None:
    """A table can be created before it has rows, with the schema that it will have."""
    builder = TableBuilder(NOTES, types)
    builder.add_row({"call_id": "7"}, {})
    assert empty_table(NOTES).schema == builder.build().schema
    assert not empty_table(NOTES).schema.field("call_id").nullable
    day = Table("days", "days", ("day",), (Column("day", DATE), Column("facts", JSON)))
    assert empty_table(day).schema.types == [pa.date32(), pa.string()]


def test_the_load_id_is_filled_where_declared(types: KnownColumns) -> None:
    """Tables without the column stay as they are."""
    builder = TableBuilder(NOTES, types)
    builder.add_row({"call_id": "7"}, {})
    assert with_load_id(builder.build(), "123")[LOAD_ID].to_pylist() == ["123"]
    other = pa.table({"a": [1]})
    assert with_load_id(other, "123") is other
