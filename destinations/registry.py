"""Open a warehouse by the name of its destination. A new kind of warehouse is one line of `_KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    ConfigurationException,
    LookupTraces,
)
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.common.libs.sql_alchemy_shims import make_url

from .dataset_name import validate_dataset_name
from .kinds.duckdb.warehouse import open_duckdb
from .support_levels import SUPPORT, Level
from .warehouse import REPLACE_STRATEGY, InvalidWarehouseError, Retry, SqlWarehouse, Warehouse, try_once


def _open_postgres(name: str, destination: Destination[Any, Any], dataset: str) -> Warehouse:
    # The driver of PostgreSQL is imported only where it is used.
    from .kinds.postgres.client import BoundedPostgres  # noqa: PLC0415
    from .kinds.postgres.warehouse import PostgresWarehouse  # noqa: PLC0415

    bounded = BoundedPostgres(**destination.config_params)
    return PostgresWarehouse(name, bounded, _resolve_settings(name, bounded, dataset))


def _open_snowflake(name: str, destination: Destination[Any, Any], dataset: str) -> Warehouse:
    from .kinds.snowflake import BoundedSnowflake, connect_dbt, sqlalchemy_uri  # noqa: PLC0415
    from .loading.atomic_load import load_atomically  # noqa: PLC0415

    bounded = BoundedSnowflake(**destination.config_params)
    _resolve_settings(name, bounded, dataset)
    return SqlWarehouse(name, load_atomically(bounded), True, connect_dbt, sqlalchemy_uri)


def _open_bigquery(name: str, destination: Destination[Any, Any], dataset: str) -> Warehouse:
    from .kinds.bigquery.destination import BoundedBigQuery, connect_dbt, sqlalchemy_uri  # noqa: PLC0415
    from .loading.atomic_load import load_atomically  # noqa: PLC0415

    bounded = BoundedBigQuery(**destination.config_params)
    _resolve_settings(name, bounded, dataset)
    return SqlWarehouse(name, load_atomically(bounded), True, connect_dbt, sqlalchemy_uri)


def _open_ducklake(name: str, destination: Destination[Any, Any], dataset: str) -> Warehouse:
    from .kinds.ducklake.destination import DuckLake  # noqa: PLC0415
    from .kinds.ducklake.warehouse import open_ducklake  # noqa: PLC0415

    lake = DuckLake(**destination.config_params)
    return open_ducklake(name, lake, _resolve_settings(name, lake, dataset), dataset)


def _open_iceberg(name: str, dataset: str) -> Warehouse:
    from .kinds.iceberg.destination import Iceberg  # noqa: PLC0415
    from .kinds.iceberg.warehouse import open_iceberg  # noqa: PLC0415

    lake = Iceberg(destination_name=name, replace_strategy=REPLACE_STRATEGY)
    return open_iceberg(name, lake, _resolve_settings(name, lake, dataset), dataset)


def _open_sql(name: str, destination: Destination[Any, Any], dataset: str) -> Warehouse:
    _resolve_settings(name, destination, dataset)
    if _kind(destination) in _WITHOUT_TRANSACTIONS:
        return SqlWarehouse(name, destination)
    from .loading.atomic_load import load_atomically  # noqa: PLC0415 - only the kinds opened here need it at once

    return SqlWarehouse(name, load_atomically(destination), has_transactions=True)


def _open_sqlalchemy(name: str, destination: Destination[Any, Any], dataset: str) -> Warehouse:
    driver = _resolve_settings(name, destination, dataset).credentials.drivername
    from .kinds.mariadb.warehouse import BACKENDS, MariaDb, MariaDbWarehouse, check_mariadb  # noqa: PLC0415

    if driver.partition("+")[0] not in BACKENDS:
        return _open_sql(name, destination, dataset)
    check_mariadb(name, driver, dataset)
    mariadb = MariaDb(**destination.config_params)
    login = _resolve_settings(name, mariadb, dataset).credentials
    return MariaDbWarehouse(name, mariadb, has_transactions=True, login=login)


_KINDS: Mapping[str, Callable[[str, Destination[Any, Any], str], Warehouse]] = {
    "bigquery": _open_bigquery,
    "ducklake": _open_ducklake,
    "postgres": _open_postgres,
    "snowflake": _open_snowflake,
    "sqlalchemy": _open_sqlalchemy,
}

# Destinations whose credentials are one URL, with its scheme.
_URL_SCHEMES: Mapping[str, str] = {
    "clickhouse": "clickhouse",
    "mssql": "mssql",
    "postgres": "postgresql",
    "redshift": "redshift",
    "snowflake": "snowflake",
    "sqlalchemy": "mysql+pymysql",
    "synapse": "synapse",
}
# Where one of gong-elt's extras has the packages, instead of dlt's extra with the name of the destination.
_EXTRAS = {"ducklake": "gong-elt[ducklake]", "sqlalchemy": "gong-elt[mariadb]"}
# libpq quotes a URL of another scheme in its error, with the password.
_POSTGRES_SCHEMES = ("postgresql", "postgres")

# Destinations of dlt in which rows cannot be updated and deleted by SQL, as erasures and the run log need.
_WITHOUT_SQL: Mapping[str, str] = {
    **dict.fromkeys(("destination", "dummy"), "use duckdb or postgres"),
    **{name: support.note for name, support in SUPPORT.items() if support.level is Level.REFUSED},
}

# Destinations that commit each statement, or that cannot commit several tables together.
_WITHOUT_TRANSACTIONS = {name for name, support in SUPPORT.items() if not support.has_transactions}

_SPARK = "spark"
# Engines that can build marts from Iceberg tables.
_ENGINES = ("duckdb", _SPARK)

_ALIASES = {
    **dict.fromkeys(("mariadb", "mysql"), "sqlalchemy"),
    **dict.fromkeys(("postgresql", "pg", "psql"), "postgres"),
}


def choose_engine(warehouse: Warehouse, engine: str, namespaces: Collection[str], models: Collection[str]) -> Warehouse:
    """Return a warehouse whose marts another engine builds.

    Args:
        warehouse: The warehouse.
        engine: `duckdb` for the engine of the warehouse of Iceberg tables itself, or `spark`.
        namespaces: Datasets of the marts and of the models below them.
        models: Names of the relations that a build replaces.

    Raises:
        InvalidWarehouseError: If there is no such engine for this kind of warehouse, or something it needs is missing.
    """
    # pyiceberg is imported only where it is used.
    from .kinds.iceberg.warehouse import IcebergWarehouse  # noqa: PLC0415

    if not isinstance(warehouse, IcebergWarehouse) or engine not in _ENGINES:
        raise InvalidWarehouseError(
            f"--engine {engine!r} cannot be used: --destination iceberg has {' and '.join(_ENGINES)}, and other"
            " destinations have no choice"
        )
    if engine != _SPARK:
        return warehouse
    from .kinds.iceberg.spark import open_spark  # noqa: PLC0415

    return open_spark(warehouse, namespaces, models)


def open_warehouse(name: str, dataset: str, file: Path | None = None, retry: Retry = try_once) -> Warehouse:
    """Return the warehouse of a destination. No connection is opened.

    Args:
        name: `duckdb`, `postgres` or another SQL destination of dlt.
        dataset: Dataset that it will hold.
        file: DuckDB file; by default the one in dlt's configuration, otherwise `warehouse.duckdb`.
        retry: Opens a file; waits while another process has it open.

    Raises:
        InvalidWarehouseError: If the destination is unknown, its configuration is missing or invalid, or it cannot hold
            the dataset.
    """
    validate_dataset_name(dataset)
    if name == "duckdb":
        return open_duckdb(dataset, file, retry)
    if name == "iceberg":
        # dlt has no destination of this name.
        return _open_iceberg(name, dataset)
    try:
        destination = Destination.from_reference(name, replace_strategy=REPLACE_STRATEGY)
    except (UnknownDestinationModule, ModuleNotFoundError, TypeError, ValueError):
        destination = None
    if destination is None:
        raise InvalidWarehouseError(f"unknown destination {name!r}: {_suggest(name)}")
    kind = _kind(destination)
    if kind in _WITHOUT_SQL:
        raise InvalidWarehouseError(
            f"destination {name!r} cannot be used, because its rows cannot be changed by SQL: {_WITHOUT_SQL[kind]}"
        )
    if kind in _URL_SCHEMES:
        _check_url(name, kind)
    return _KINDS.get(kind, _open_sql)(name, destination, dataset)


def _suggest(name: str) -> str:
    known = [known for known in (*dlt.destinations.__all__, "iceberg") if known not in _WITHOUT_SQL]
    lowered = name.strip().casefold()
    close = _ALIASES.get(lowered) or next(iter(get_close_matches(lowered, known, n=1)), None)
    return f"did you mean {close}?" if close else "use duckdb or postgres, or another SQL destination of dlt"


def _check_url(name: str, kind: str) -> None:
    """Refuse invalid URLs here: dlt and the drivers would quote them in their errors, including the password."""
    configured: Any = dlt.secrets.get(f"destination.{name}.credentials")
    if not isinstance(configured, str):
        return
    try:
        url = make_url(configured)
        is_valid = "@" not in (url.host or "") and (kind != "postgres" or url.drivername in _POSTGRES_SCHEMES)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InvalidWarehouseError(
            f"destination.{name}.credentials is not a URL like {_example_url(kind)}: correct it,"
            " and write an @ in the password as %40 (the value is not shown, because it may contain a password)"
        )


def _resolve_settings(name: str, destination: Destination[Any, Any], dataset: str) -> Any:
    """Return the configuration of a destination.

    Raises:
        InvalidWarehouseError: If a setting or the package of the destination is missing, or a setting is invalid.
    """
    section = f"destination.{name}"
    try:
        settings = destination.configuration(destination.spec()._bind_dataset_name(dataset))
        # Imports the driver.
        _ = destination.client_class
    except ConfigFieldMissingException as error:
        raise InvalidWarehouseError(_describe_missing(section, destination, error)) from error
    except ImportError as error:
        credentials, kind = f"{section}.credentials", _kind(destination)
        is_configured = dlt.secrets.get(credentials) is not None
        hint = "" if is_configured else f", and set {credentials} or {_variable(credentials)} in the environment"
        raise InvalidWarehouseError(
            f"destination {name!r} needs packages that are not installed: pip install"
            f" '{_EXTRAS.get(kind, f'dlt[{kind}]')}'{hint}"
        ) from error
    except (ConfigurationException, ValueError) as error:
        # The message could quote a password.
        raise InvalidWarehouseError(
            f"the settings of destination {name!r} are invalid ({type(error).__name__}): correct {section} in"
            " .dlt/secrets.toml or in the environment"
        ) from error
    return settings


def _describe_missing(section: str, destination: Destination[Any, Any], error: ConfigFieldMissingException) -> str:
    """Return one line that names the missing settings, their variables, and how to write them."""
    missing = list(dict.fromkeys(_missing_names(section, error.traces)))
    kind = _kind(destination)
    credentials = f"{section}.credentials"
    is_url_missing = kind in _URL_SCHEMES and dlt.secrets.get(credentials) is None
    names = [credentials] if is_url_missing else missing
    value = f" to a URL like {_example_url(kind)}" if is_url_missing else ""
    verb = "is" if len(names) == 1 else "are"
    variables = ", ".join(map(_variable, names))
    hint = "" if is_url_missing or kind not in _URL_SCHEMES else f", or complete the URL: {_example_url(kind)}"
    return (
        f"{', '.join(names)} {verb} missing: set {'it' if len(names) == 1 else 'them'}{value} in .dlt/secrets.toml, or"
        f" {variables} in the environment{hint}"
    )


def _missing_names(section: str, traces: Mapping[str, Any]) -> Iterator[str]:
    """Yield the missing settings; of alternative kinds of credentials only those of the first one."""
    for name, lookups in traces.items():
        nested = next((lookup for lookup in lookups if isinstance(lookup, LookupTraces)), None)
        if nested is None:
            yield f"{section}.{name}"
        else:
            yield from _missing_names(f"{section}.{name}", nested.traces)


def _kind(destination: Destination[Any, Any]) -> str:
    return destination.destination_type.rpartition(".")[2]


def _variable(setting: str) -> str:
    return setting.replace(".", "__").upper()


def _example_url(kind: str) -> str:
    port = {"postgres": ":5432", "sqlalchemy": ":3306"}.get(kind, "")
    # The dataset is the database of MariaDB.
    database = "" if kind == "sqlalchemy" else "database"
    return f"{_URL_SCHEMES[kind]}://user:password@host{port}/{database}"
