"""The catalog of the Iceberg tables: pyiceberg's beside that of the lake, or another one of pyiceberg."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.typedef import Identifier, Properties

from .destination import IcebergSettings

DEFAULT_NAME = "gong_elt"
"""Name of the catalog, which Spark's JDBC catalog needs to have, too."""

_SQLITE = "sqlite"
_BUSY_SECONDS = 30
# dlt's settings of a bucket, and pyiceberg's properties.
_S3_PROPERTIES = {
    "aws_access_key_id": "s3.access-key-id",
    "aws_secret_access_key": "s3.secret-access-key",
    "aws_session_token": "s3.session-token",
    "region_name": "s3.region",
    "endpoint_url": "s3.endpoint",
}


class AtomicSqlCatalog(SqlCatalog):
    """pyiceberg's SQL catalog, which can commit several tables in one transaction of its database."""

    def __init__(self, name: str, **properties: str) -> None:
        super().__init__(name, **properties)
        self._namespaces: dict[str | Identifier, Properties] = {}

    def load_namespace_properties(self, namespace: str | Identifier) -> Properties:
        """Return the properties of a namespace, which are read once: each new table needs them for its location.

        Raises:
            NoSuchNamespaceError: If it does not exist.
        """
        if namespace not in self._namespaces:
            self._namespaces[namespace] = super().load_namespace_properties(namespace)
        return self._namespaces[namespace]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is committed to tables in the block when it ends; nothing of it if it raises."""
        engine: Any = self.engine
        with engine.begin() as connection:
            # Sessions that are bound to a connection join its transaction.
            self.engine = connection
            try:
                yield
            finally:
                self.engine = engine


def open_catalog(settings: IcebergSettings, *, create: bool = True) -> Catalog:
    """Return the catalog.

    Args:
        settings: Resolved settings.
        create: Create the tables of a catalog in SQL if they are missing.

    Raises:
        Exception: If it cannot be reached, or a property is invalid. The class depends on the catalog.
    """
    properties = catalog_properties(settings)
    name = properties.pop("name")
    if properties.get("type") == "sql":
        properties["init_catalog_tables"] = str(create).lower()
        return AtomicSqlCatalog(name, **{key: value for key, value in properties.items() if key != "type"})
    return load_catalog(name, **properties)


def catalog_properties(settings: IcebergSettings) -> dict[str, str]:
    """Return the properties of the catalog: those that are configured, and by default one beside the lake's."""
    configured = {key: str(value) for key, value in flatten(settings.catalog or {})}
    properties = {"name": DEFAULT_NAME, **_storage_properties(settings)}
    if "uri" not in configured and configured.get("type", "sql") == "sql":
        properties |= {
            "type": "sql",
            "uri": _sqlalchemy_url(settings.credentials.catalog),
            "schema_version": "v1",
            "warehouse": settings.credentials.iceberg_url,
        }
    return properties | configured


@contextmanager
def commit_together(catalog: Catalog) -> Iterator[None]:
    """Commit all tables of the block at once, if the catalog can do so."""
    if isinstance(catalog, AtomicSqlCatalog):
        with catalog.transaction():
            yield
    else:
        yield


def _storage_properties(settings: IcebergSettings) -> dict[str, str]:
    """Return the properties with which pyiceberg reads and writes files."""
    # fsspec's clients of S3 conflict with other packages.
    properties = {"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}
    storage = settings.credentials.storage
    if not storage.is_local_filesystem:
        for name, key in _S3_PROPERTIES.items():
            if value := getattr(storage.credentials, name, None):
                properties[key] = str(value)
    return properties


def _sqlalchemy_url(catalog: Any) -> str:
    if catalog.drivername == _SQLITE:
        # DuckDB and Python have an SQLite each, and two of them in one process cannot share a file: when one closes it,
        # the locks of the other are gone, and its next statement ends with "disk I/O error".
        file = Path(catalog.database).absolute()
        return f"sqlite:///{file.with_stem(f'{file.stem}.iceberg')}?timeout={_BUSY_SECONDS}"
    url: str = catalog.to_url().render_as_string(hide_password=False)
    # The driver that gong-elt has; SQLAlchemy's default differs between versions.
    return f"postgresql+psycopg2://{url.partition('://')[2]}"


def flatten(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield properties whose names contain dots: TOML has tables for them."""
    for key, value in properties.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value).lower() if isinstance(value, bool) else value
