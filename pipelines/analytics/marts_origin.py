"""The table `_marts`: from which dataset marts were built, so that no other one replaces or reads them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from dlt.common.data_types import TDataType
from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from destinations.dataset_name import datasets_of_marts

from ..runtime.errors import UsageError, one_line

TABLE = "_marts"

_COLUMNS: Mapping[str, TDataType] = {"dataset": "text", "connection": "text", "built_at": "timestamp"}
# Where marts of an earlier version may exist, and datasets whose names differ in case only.
_FIRST_DIALECTS = ("duckdb", "postgres")
_VIEWS = """
SELECT definition FROM pg_catalog.pg_views
WHERE schemaname = %s AND viewname IN ('stg_calls', 'stg_gong__calls')
"""
_RELATIONS = """
SELECT table_name FROM information_schema.tables WHERE table_catalog = current_database() AND table_schema = %s
"""
_MOVED = """
SELECT table_name, table_type FROM information_schema.tables
WHERE table_catalog = current_database() AND table_schema = %s ORDER BY table_type DESC, table_name
"""
_SCHEMATA = """
SELECT schema_name FROM information_schema.schemata
WHERE catalog_name = current_database() AND lower(schema_name) = lower(%s)
"""
# A view over "warehouse"."gong"."calls". PostgreSQL leaves out the dataset of the session, and both leave out quotes.
_SOURCE = re.compile(r'from\s+\(*(?:(?:"?[^".\s]+"?\.)?"?([^".\s]+)"?\.)?"?calls\b', re.IGNORECASE)


def read_origin(sql: SqlClientBase[Any], analytics: str) -> str | None:
    """Return the dataset from which marts were built; None if there are none, or it is unknown.

    Marts of an earlier version have no record: the view over the loaded calls names the dataset.

    Args:
        sql: The warehouse.
        analytics: Dataset of the marts.
    """
    with suppress(DatabaseUndefinedRelation):
        rows = sql.execute_sql(f"SELECT dataset FROM {_table_name(sql, analytics)}")
        if rows:
            return str(rows[0][0])
    if _dialect(sql) not in _FIRST_DIALECTS:
        return None
    rows = sql.execute_sql(_VIEWS, analytics) or ()
    found = {match[1] or sql.dataset_name for (definition,) in rows if (match := _SOURCE.search(str(definition)))}
    return found.pop() if len(found) == 1 else None


def refuse_other_origin(sql: SqlClientBase[Any], analytics: str, dataset: str) -> None:
    """Refuse to use the marts of another dataset.

    Args:
        sql: The warehouse.
        analytics: Dataset of the marts.
        dataset: Dataset of the loaded tables.

    Raises:
        UsageError: If the marts were built from another dataset.
    """
    if (origin := read_origin(sql, analytics)) not in (None, dataset):
        raise UsageError(
            f"dataset {analytics} has the marts of dataset {origin}, not of {dataset}: use --analytics"
            f" {default_analytics(dataset)} for the marts of {dataset}, or --dataset {origin} with the connection that"
            " loads it"
        )


def claim_marts(
    sql: SqlClientBase[Any], analytics: str, dataset: str, connection: str, models: Collection[str]
) -> None:
    """Record that marts are built from these loaded tables, and create their datasets if they are missing.

    Args:
        sql: The warehouse.
        analytics: Dataset of the marts.
        dataset: Dataset of the loaded tables.
        connection: The Gong account that loads it.
        models: Names of the relations that a build replaces.

    Raises:
        UsageError: If a dataset has the marts of another one, or relations of another program.
        DatabaseException: If the user may not create tables.
    """
    if _dialect(sql) in _FIRST_DIALECTS:
        names = [str(row[0]) for row in sql.execute_sql(_SCHEMATA, analytics) or ()]
        if names and analytics not in names:
            raise UsageError(
                f"--analytics {analytics!r} differs only in case from the existing dataset {names[0]!r}: use another"
                " name"
            )
    for name in datasets_of_marts(analytics):
        refuse_other_origin(sql, name, dataset)
    for name in datasets_of_marts(analytics):
        _claim_dataset(sql, name, dataset, connection, models)
    if _dialect(sql) in _FIRST_DIALECTS:
        _drop_moved(sql, analytics, models)


def _claim_dataset(sql: SqlClientBase[Any], name: str, dataset: str, connection: str, models: Collection[str]) -> None:
    with sql.with_alternative_dataset_name(name):
        exists = sql.has_dataset()
        if not exists:
            sql.create_dataset()
    if exists and read_origin(sql, name) is None and (foreign := sorted(_relation_names(sql, name) & set(models))):
        raise UsageError(
            f"dataset {name} has tables that gong-elt did not build and would replace"
            f" ({', '.join(foreign[:5])}): use another --analytics, or rename them"
        )
    table = _table_name(sql, name)
    sql.execute_sql(f"CREATE TABLE IF NOT EXISTS {table} ({_column_definitions(sql)})")
    with sql.begin_transaction():
        sql.execute_sql(f"DELETE FROM {table} WHERE 1 = 1")
        sql.execute_sql(
            f"INSERT INTO {table} (dataset, connection, built_at) VALUES (%s, %s, %s)",
            dataset,
            connection,
            datetime.now(UTC),
        )


def _drop_moved(sql: SqlClientBase[Any], analytics: str, models: Collection[str]) -> None:
    """Drop models that earlier versions built among the marts: they would keep rows that no build follows."""
    for name, kind in sql.execute_sql(_MOVED, analytics) or ():
        if name not in models or not name.startswith(("stg_", "int_")):
            continue
        relation = ".".join(sql.make_qualified_table_name_path(name, dataset_name=analytics))
        try:
            sql.execute_sql(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {relation}")
        except DatabaseException as error:
            raise UsageError(
                f"{analytics}.{name} is built in another dataset now"
                f" ({' or '.join(datasets_of_marts(analytics)[1:])}), and something of yours reads the old one: change"
                f" or drop it ({one_line(error, 200)})"
            ) from None


def default_analytics(dataset: str) -> str:
    """Return the dataset of the marts that are built from a dataset, unless another one is named."""
    return f"{dataset}_analytics"


def default_datasets(dataset: str) -> tuple[str, ...]:
    """Return the dataset of the loaded tables, and those of its marts unless others are named."""
    return dataset, *datasets_of_marts(default_analytics(dataset))


def _relation_names(sql: SqlClientBase[Any], analytics: str) -> set[str]:
    """Return the names of the tables and views of an existing dataset, in lower case."""
    own_list = getattr(sql, "list_relations", None)
    if own_list is not None:
        return {str(name).lower() for name in own_list(analytics)}
    rows = sql.execute_sql(_RELATIONS, sql.escape_column_name(analytics, quote=False))
    return {str(row[0]).lower() for row in rows or ()}


def _column_definitions(sql: SqlClientBase[Any]) -> str:
    types = sql.capabilities.get_type_mapper()
    table: Any = {"name": TABLE, "columns": {}}
    return ", ".join(
        f"{name} {types.to_destination_type({'name': name, 'data_type': data_type}, table)}"
        for name, data_type in _COLUMNS.items()
    )


def _dialect(sql: SqlClientBase[Any]) -> str:
    return str(sql.capabilities.sqlglot_dialect)


def _table_name(sql: SqlClientBase[Any], analytics: str) -> str:
    return ".".join(sql.make_qualified_table_name_path(TABLE, dataset_name=analytics))
