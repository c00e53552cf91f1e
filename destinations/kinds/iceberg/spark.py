"""Spark as the engine that builds marts: Iceberg tables in the catalog of the published ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dlt
from pyiceberg.catalog import Catalog

from ...warehouse import DbtConnection, InvalidWarehouseError
from .catalog import DEFAULT_NAME, catalog_properties, flatten, open_catalog
from .destination import IcebergSettings
from .maintenance import MART
from .publication import LOADS
from .warehouse import IcebergWarehouse, errors_of

SNAPSHOTS_VARIABLE = "gong_snapshots"
"""Variable of the dbt project: the snapshot of each table that belongs to one load."""

POSTGRES_JAR = Path("/usr/share/java/postgresql.jar")
"""PostgreSQL's driver for Java, where Debian's package installs it."""

_ICEBERG_JAR = "iceberg-spark-runtime-3.5_2.12-*.jar"
_CATALOG = "spark.sql.catalog."
_EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
# Properties of pyiceberg's catalog that Spark's does not have.
_OF_PYICEBERG = ("type", "uri", "schema_version", "init_catalog_tables")
_MISSING_PACKAGES = "--engine spark needs packages that are not installed: pip install 'gong-elt[spark]'"
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"
_LOGGING_FILE = "log4j2.properties"
# Spark writes its progress and its warnings to stderr, and the shell's level is announced there, too.
_LOGGING = """
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %m%n
logger.shell.name = org.apache.spark.repl.Main
logger.shell.level = error
logger.python.name = org.apache.spark.api.python.PythonGatewayServer
logger.python.level = error
"""


@dataclass(frozen=True, slots=True)
class SparkWarehouse(IcebergWarehouse):
    """A lake with its publication, whose marts Spark builds as Iceberg tables.

    Attributes:
        namespaces: Namespaces of the marts and of the models below them.
        models: Names of the relations that a build replaces.
    """

    namespaces: tuple[str, ...] = ()
    models: frozenset[str] = frozenset()

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:
        """Return a connection to the session of `watch_dbt`, and the snapshots of the last complete load.

        Raises:
            InvalidWarehouseError: If the namespace of the marts has tables of another program.
            NotPublishedError: If the lake cannot be published.
        """
        self.publish_changes(pipeline)
        with errors_of("the Iceberg catalog cannot be read"):
            catalog = open_catalog(self.settings, create=False)
            foreign = self._find_other_tables(catalog, pipeline.dataset_name)
            snapshots = _read_complete_load(catalog, pipeline.dataset_name)
        if foreign:
            raise InvalidWarehouseError(
                f"Iceberg tables would be replaced that are no marts of dataset {pipeline.dataset_name}"
                f" ({', '.join(foreign[:5])}): use another --analytics, or rename them"
            )
        output = {"type": "spark", "method": "session", "host": "NA", "threads": 1}
        return DbtConnection(output, variables={SNAPSHOTS_VARIABLE: snapshots})

    @contextmanager
    def watch_dbt(self) -> Iterator[Callable[[str], str]]:
        """Run a Spark session while the context is open, and hold the lock of the marts."""
        with (
            self._lock_marts(),
            TemporaryDirectory(prefix="gong-elt-spark-") as folder,
            spark_session(self.settings, Path(folder)),
        ):
            yield str

    def close_dbt(self) -> None:
        pass

    def _find_other_tables(self, catalog: Catalog, dataset: str) -> list[str]:
        """Return tables with names of models that are no marts of the dataset."""
        tables = (
            (namespace, name)
            for namespace in filter(catalog.namespace_exists, self.namespaces)
            for *_, name in catalog.list_tables(namespace)
            if name in self.models
        )
        return sorted(".".join(table) for table in tables if catalog.load_table(table).properties.get(MART) != dataset)


def open_spark(warehouse: IcebergWarehouse, namespaces: Collection[str], models: Collection[str]) -> SparkWarehouse:
    """Return a warehouse whose marts Spark builds.

    Args:
        warehouse: The warehouse.
        namespaces: Namespaces of the marts and of the models below them.
        models: Names of the relations that a build replaces.

    Raises:
        InvalidWarehouseError: If a package, Java or a jar is missing, or Spark cannot use the catalog.
    """
    if find_spec("pyspark") is None or find_spec("dbt.adapters.spark") is None:
        raise InvalidWarehouseError(_MISSING_PACKAGES)
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise InvalidWarehouseError("--engine spark needs Java 17, which was not found: install it, or set JAVA_HOME")
    # Fails now, not after the build has begun.
    _session_properties(warehouse.settings, Path())
    return SparkWarehouse(
        warehouse.name,
        warehouse.destination,
        warehouse.settings,
        warehouse.dataset,
        warehouse.retention,
        namespaces=tuple(namespaces),
        models=frozenset(models),
    )


@contextmanager
def spark_session(settings: IcebergSettings, folder: Path) -> Iterator[Any]:
    """Start Spark, and stop it at the end. dbt finds the session of this process."""
    from pyspark import SparkContext  # noqa: PLC0415 - takes a second
    from pyspark.errors import PySparkException  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    (folder / _LOGGING_FILE).write_text(_LOGGING)
    builder = SparkSession.builder
    for name, value in _session_properties(settings, folder).items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except PySparkException as error:
        raise InvalidWarehouseError(f"Spark did not start: {error}") from error
    try:
        # These include the password, which would be in the command line of the Java process otherwise.
        prefix = f"{_CATALOG}{catalog_properties(settings)['name']}"
        session.conf.set(prefix, "org.apache.iceberg.spark.SparkCatalog")
        for name, value in _catalog_of_spark(settings).items():
            session.conf.set(f"{prefix}.{name}", value)
        yield session
    finally:
        gateway = SparkContext._gateway
        session.stop()
        if gateway is not None:
            gateway.shutdown()
            # The Java process ends with its input.
            gateway.proc.communicate()
            SparkContext._gateway = SparkContext._jvm = None


def _read_complete_load(catalog: Catalog, dataset: str) -> dict[str, int]:
    """Return the snapshot of each table of the last complete load, by the table's name."""
    loads = catalog.load_table((dataset, LOADS)).scan().to_arrow().to_pylist()
    newest = max((row["published_at"] for row in loads), default=None)
    return {row["table_name"]: row["snapshot_id"] for row in loads if row["published_at"] == newest}


def _session_properties(settings: IcebergSettings, folder: Path) -> dict[str, str]:
    """Return the properties with which a session starts; those of the user replace the others."""
    configured = _read_configured(settings)
    properties = {
        "spark.app.name": DEFAULT_NAME,
        "spark.master": "local[*]",
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "16",
        "spark.sql.session.timeZone": "UTC",
        # An overflow or an invalid number is an error, not a null.
        "spark.sql.ansi.enabled": "true",
        "spark.sql.extensions": _EXTENSIONS,
        # dbt asks for Hive, which would create a database in the current folder.
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.defaultCatalog": catalog_properties(settings)["name"],
        **{key: value for key, value in configured.items() if not key.startswith(_CATALOG)},
    }
    logging = f"-Dlog4j2.configurationFile={(folder.absolute() / _LOGGING_FILE).as_uri()}"
    java = " ".join(filter(None, [logging, configured.get(_JAVA_OPTIONS)]))
    jars = [*map(str, _jar_folder().glob(_ICEBERG_JAR)), *filter(None, [properties.get("spark.jars")])]
    if "spark.jars" not in properties and _catalog_of_spark(settings).get("type") == "jdbc":
        if not POSTGRES_JAR.exists():
            raise InvalidWarehouseError(
                "--engine spark needs PostgreSQL's driver for Java: apt-get install libpostgresql-jdbc-java, or set"
                ' "spark.jars" in destination.iceberg.spark to the path of its jar'
            )
        jars.append(str(POSTGRES_JAR))
    return properties | {"spark.jars": ",".join(jars), _JAVA_OPTIONS: java}


def _catalog_of_spark(settings: IcebergSettings) -> dict[str, str]:
    """Return the properties of the catalog in Spark: those of pyiceberg's catalog, and the user's.

    Raises:
        InvalidWarehouseError: If Spark cannot use the catalog.
    """
    properties = catalog_properties(settings)
    prefix = f"{_CATALOG}{properties.pop('name')}."
    configured = {
        key.removeprefix(prefix): value for key, value in _read_configured(settings).items() if key.startswith(prefix)
    }
    properties.pop("py-io-impl", None)
    if properties.get("type") == "sql" and "type" not in configured:
        properties = _jdbc_properties(properties)
    return properties | configured


def _jdbc_properties(properties: Mapping[str, str]) -> dict[str, str]:
    """Return the properties of Iceberg's JDBC catalog for those of pyiceberg's SQL catalog."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - only needed here

    url: Any = make_url(properties["uri"])
    if url.get_backend_name() != "postgresql":
        raise InvalidWarehouseError(
            "--engine spark cannot use a catalog in SQLite: set destination.iceberg.credentials.catalog to the URL of a"
            " PostgreSQL database"
        )
    query = "&".join(f"{key}={value}" for key, value in url.query.items())
    login = {"jdbc.user": url.username, "jdbc.password": url.password}
    return {
        **{key: value for key, value in properties.items() if key not in _OF_PYICEBERG},
        "type": "jdbc",
        "uri": f"jdbc:postgresql://{url.host or 'localhost'}:{url.port or 5432}/{url.database}{query and f'?{query}'}",
        # The version in which a catalog has views.
        "jdbc.schema-version": "V1",
        **{key: value for key, value in login.items() if value},
    }


def _read_configured(settings: IcebergSettings) -> dict[str, str]:
    """Return the properties of `destination.iceberg.spark`, whose prefix `spark.` can be left out."""
    return {f"spark.{key.removeprefix('spark.')}": str(value) for key, value in flatten(settings.spark or {})}


def _jar_folder() -> Path:
    spec = find_spec("snowpark_connect_deps_iceberg")
    if spec is None or spec.origin is None:
        raise InvalidWarehouseError(_MISSING_PACKAGES)
    return Path(spec.origin).parent / "jars"
