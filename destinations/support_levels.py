"""How far each destination is supported: data of `docs/destinations.md` and of the messages of refused destinations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What was done to find out whether a destination works."""

    REAL = "run for real"
    REAL_WITHOUT_MARTS = "run for real, without marts"
    EMULATED = "run against an emulator"
    PARSED = "parsed only"
    UNTRIED = "not tried"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Support:
    """How far a destination is supported.

    Attributes:
        title: The product's name.
        level: What was done to find out whether it works.
        note: With what it was run, or what to use instead.
        has_transactions: Whether several tables can be committed together, so that a load becomes visible at once.
    """

    title: str
    level: Level
    note: str
    has_transactions: bool = True


SUPPORT: Mapping[str, Support] = {
    "duckdb": Support("DuckDB", Level.REAL, "the default: one file, no server"),
    "postgres": Support("PostgreSQL", Level.REAL, "a server of version 18; 12 and later have all that is used"),
    "ducklake": Support("DuckLake", Level.REAL, "catalogs in SQLite and PostgreSQL, data in a folder or on S3"),
    "iceberg": Support(
        "Iceberg",
        Level.REAL,
        "published from a lake in DuckLake; catalogs in SQLite, PostgreSQL and REST, data in a folder or on S3;"
        " marts by DuckDB, or by Spark 3.5 on a catalog in PostgreSQL",
    ),
    "sqlalchemy": Support("MariaDB", Level.REAL_WITHOUT_MARTS, "a server of version 10.11, by `mysql+pymysql://`"),
    "snowflake": Support("Snowflake", Level.EMULATED, "Snowflake's driver, with fakesnow as the server"),
    "bigquery": Support("BigQuery", Level.EMULATED, "BigQuery's driver, with bqemulator as the server"),
    "databricks": Support("Databricks", Level.PARSED, "no emulator accepts its driver", has_transactions=False),
    "redshift": Support("Redshift", Level.PARSED, "no emulator loads from S3 as it does"),
    "motherduck": Support("MotherDuck", Level.PARSED, "a service whose SQL is DuckDB's"),
    "mssql": Support("SQL Server", Level.PARSED, "no server in the package registries"),
    "clickhouse": Support(
        "ClickHouse", Level.PARSED, "no current server in the package registries", has_transactions=False
    ),
    "athena": Support("Athena", Level.PARSED, "a service", has_transactions=False),
    "dremio": Support("Dremio", Level.UNTRIED, "a service", has_transactions=False),
    "filesystem": Support("Files", Level.REFUSED, "use duckdb or postgres; COPY in DuckDB writes such files"),
    "lance": Support("Lance", Level.REFUSED, "use duckdb or postgres, and gong-elt search"),
    "lancedb": Support("LanceDB", Level.REFUSED, "use duckdb or postgres, and gong-elt search"),
    "qdrant": Support("Qdrant", Level.REFUSED, "use duckdb or postgres, and gong-elt search"),
    "weaviate": Support("Weaviate", Level.REFUSED, "use duckdb or postgres, and gong-elt search"),
}
"""Destinations by dlt's name, best supported first. Other SQL destinations of dlt are accepted and not tested."""
