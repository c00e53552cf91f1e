"""Warehouses by the name of their destination."""

from __future__ import annotations

from pathlib import Path

import pytest

from destinations.kinds.duckdb.warehouse import DuckDbWarehouse
from destinations.registry import open_warehouse
from destinations.warehouse import InvalidWarehouseError, SqlWarehouse


def test_a_destination_without_a_module_is_a_plain_sql_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sync works in every SQL destination of dlt; marts and locks between machines need a module."""
    monkeypatch.setenv("DESTINATION__MOTHERDUCK__CREDENTIALS__PASSWORD", "token")
    warehouse = open_warehouse("motherduck", "gong")

    assert isinstance(warehouse, SqlWarehouse)
    assert (warehouse.file, warehouse.has_marts, warehouse.has_transactions) == (None, False, True)
    assert warehouse.sqlalchemy_uri(None) is None


def test_an_unknown_destination_is_refused() -> None:
    """The message names destinations that work."""
    with pytest.raises(InvalidWarehouseError, match="use duckdb or postgres"):
        open_warehouse("nowhere", "gong")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Postgres", "postgres"), ("postgresql", "postgres"), ("DuckDB", "duckdb"), ("snowflak", "snowflake")],
)
def test_a_similar_name_is_suggested(name: str, meant: str) -> None:
    """Users type the name of the product."""
    with pytest.raises(InvalidWarehouseError, match=f"did you mean {meant}"):
        open_warehouse(name, "gong")


@pytest.mark.parametrize("name", ["filesystem", "lancedb", "dummy"])
def test_a_destination_without_sql_is_refused(name: str) -> None:
    """Erasures and the run log change rows by SQL."""
    with pytest.raises(InvalidWarehouseError, match="use duckdb or postgres"):
        open_warehouse(name, "gong")


@pytest.mark.parametrize("name", ["postgres", "snowflake", "bigquery", "redshift", "mssql", "databricks", "clickhouse"])
def test_a_destination_without_settings_is_refused_in_one_line(name: str) -> None:
    """The line names the missing setting and its variable in the environment."""
    with pytest.raises(InvalidWarehouseError) as refused:
        open_warehouse(name, "gong")
    message = str(refused.value)
    assert f"destination.{name}.credentials" in message
    assert f"DESTINATION__{name.upper()}__CREDENTIALS" in message
    assert "\n" not in message


def test_a_url_without_a_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names what the URL lacks, and shows nothing of it."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://loader:secret@db.example")
    with pytest.raises(
        InvalidWarehouseError, match=r"destination\.postgres\.credentials\.database is missing"
    ) as refused:
        open_warehouse("postgres", "gong")
    assert "secret@" not in str(refused.value)


def test_a_named_destination_is_opened_as_its_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second database has a name of its own and all abilities of its type."""
    monkeypatch.setenv("DESTINATION__REPORTING__DESTINATION_TYPE", "postgres")
    monkeypatch.setenv("DESTINATION__REPORTING__CREDENTIALS", "postgresql://loader@db.example/gong")
    monkeypatch.setenv("DESTINATION__REPORTING__LOCK_TIMEOUT", "5s")
    warehouse = open_warehouse("reporting", "gong")
    assert warehouse.has_marts
    assert warehouse.destination.destination_type == "dlt.destinations.postgres"
    assert warehouse.destination.destination_name == "reporting"


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
