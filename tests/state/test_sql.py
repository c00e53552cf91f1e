"""Parts of SQL statements."""

from __future__ import annotations

from state.sql import batches, placeholders


def test_placeholders_are_one_per_value() -> None:
    """The number of parameters and of values must agree."""
    assert placeholders(3) == "%s, %s, %s"


def test_batches_keep_order_and_drop_nothing() -> None:
    """Ids must not be lost between two statements."""
    assert [list(batch) for batch in batches(range(5), 2)] == [[0, 1], [2, 3], [4]]
    assert list(batches([], 2)) == []
