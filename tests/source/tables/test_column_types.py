"""Column types: values are converted without loss, and undeclared columns keep their first type."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.gong.tables.column_types import DataType, KnownColumns, convert_column, infer_type
from tests.source.strategies import ANY, JSON

DATA_TYPES_OF_FIELDS: tuple[DataType, ...] = ("text", "bigint", "double", "bool", "timestamp", "json")


@pytest.mark.parametrize(
    ("values", "data_type"),
    [
        ([True, None], "bool"),
        ([1, None, 2], "bigint"),
        ([2**63], "double"),
        ([1, 0.5], "double"),
        (["a", {"b": 1}], "json"),
        ([1, "a"], "text"),
        ([None, None], None),
    ],
)
def test_types_are_inferred_from_values(values: list[Any], data_type: DataType | None) -> None:
    """An undeclared column gets the narrowest type that holds all values, and none while all are null."""
    assert infer_type(values) == data_type


def test_columns_keep_their_first_type() -> None:
    """The type in the warehouse comes before the first type of the run."""
    schema = Schema("gong")
    schema.update_table(new_table("calls", columns=[{"name": "score", "data_type": "bigint"}]))
    columns = KnownColumns(schema)

    columns.remember("calls", "score", "text")
    columns.remember("calls", "mood", "text")
    columns.remember("calls", "mood", "json")

    assert columns.type_of("calls", "score") == "bigint"
    assert columns.type_of("calls", "mood") == "text"
    assert columns.type_of("users", "mood") is None


@given(st.sampled_from(DATA_TYPES_OF_FIELDS), st.lists(JSON, max_size=8))
@settings(max_examples=200)
def test_every_value_is_kept(data_type: DataType, values: list[Any]) -> None:
    """A value is in the array or in the rest, never in both or in neither."""
    array, rest_values = convert_column(values, data_type)
    rest = list(rest_values) or [None] * len(values)
    assert len(array) == len(values) == len(rest)
    for value, converted, left in zip(values, array.to_pylist(), rest, strict=True):
        assert (value is None) == (converted is None and left is None)
        if data_type == "json" and value is not None:
            assert json.loads(converted) == value


@given(st.sampled_from(DATA_TYPES_OF_FIELDS), st.lists(ANY, max_size=6))
@settings(max_examples=300)
def test_a_value_is_converted_alike_in_any_batch(data_type: DataType, values: list[Any]) -> None:
    """The fast path for a whole column converts like the slow path for single values."""
    together, rest_values = convert_column(values, data_type)
    rest = list(rest_values) or [None] * len(values)
    for value, converted, left in zip(values, together, rest, strict=True):
        alone, alone_rest = convert_column([value], data_type)
        assert repr(alone[0]) == repr(converted)
        assert (list(alone_rest) or [None]) == [left]


@given(st.sampled_from(("bigint", "double")), ANY | st.integers(-(2**70), 2**70))
@settings(max_examples=200)
def test_a_converted_number_is_equal_to_the_sent_one(data_type: DataType, value: Any) -> None:
    """No number is rounded, truncated or made of a boolean."""
    (converted,) = convert_column([value], data_type)[0].to_pylist()
    if converted is not None:
        assert not isinstance(value, bool)
        assert repr(converted) == repr(float(value)) if data_type == "double" else converted == Decimal(value)
        assert isinstance(value, str) or converted == value
