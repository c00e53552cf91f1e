"""Warehouses by the name of their destination."""

from __future__ import annotations

from pathlib import Path

import pytest

from destinations.duckdb import DuckDbWarehouse
from destinations.registry import open_warehouse
from destinations.warehouse import InvalidWarehouseError, SqlWarehouse


def test_a_destination_without_a_module_is_a_plain_sql_warehouse() -> None:
    """Sync works in every SQL destination of dlt; marts and locks between machines need a module."""
    warehouse = open_warehouse("motherduck", "gong")

    assert isinstance(warehouse, SqlWarehouse)
    assert (warehouse.file, warehouse.has_marts) == (None, False)
    assert warehouse.sqlalchemy_uri(None) is None


def test_an_unknown_destination_is_refused() -> None:
    """The message names destinations that work."""
    with pytest.raises(InvalidWarehouseError, match="use duckdb or postgres"):
        open_warehouse("nowhere", "gong")


def test_a_duckdb_file_is_not_created_by_opening_the_warehouse(tmp_path: Path) -> None:
    """Reading commands must leave no file behind."""
    file = tmp_path / "warehouse.duckdb"

    warehouse = open_warehouse("duckdb", "gong", file)

    assert isinstance(warehouse, DuckDbWarehouse)
    assert (warehouse.file, file.exists()) == (file, False)
    assert warehouse.sqlalchemy_uri(None) == f"duckdb:///{file}"


def test_a_duckdb_file_with_the_name_of_the_dataset_is_refused(tmp_path: Path) -> None:
    """DuckDB cannot distinguish a database from a schema of the same name."""
    with pytest.raises(InvalidWarehouseError, match="rename one"):
        open_warehouse("duckdb", "gong", tmp_path / "gong.duckdb")
