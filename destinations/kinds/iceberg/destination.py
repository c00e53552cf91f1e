"""The settings of `destination.iceberg`: those of a lake, and of the catalog of the Iceberg tables."""

from __future__ import annotations

from typing import Any

from dlt.common.configuration import configspec
from dlt.destinations.impl.ducklake.configuration import DuckLakeClientConfiguration, DuckLakeCredentials

from ..ducklake.destination import DuckLake

LAKE = "gong_elt_lake"
"""Name of the lake, and of the schema of its catalog in PostgreSQL."""

_LAKE_FOLDER, _ICEBERG_FOLDER = "lake", "iceberg"


@configspec(init=False)
class IcebergCredentials(DuckLakeCredentials):
    """Credentials of a lake, whose files are in one folder of the storage, and Iceberg's in another."""

    ducklake_name: str = LAKE

    @property
    def storage_url(self) -> str:
        """Folder or bucket of the lake's files."""
        return f"{super().storage_url.rstrip('/')}/{_LAKE_FOLDER}"

    @property
    def iceberg_url(self) -> str:
        """Folder or bucket of the Iceberg tables, as Iceberg's clients name it."""
        storage = super().storage_url.rstrip("/")
        scheme = "file://" if self.storage.is_local_filesystem else ""
        return f"{scheme}{storage}/{_ICEBERG_FOLDER}"


@configspec
class IcebergSettings(DuckLakeClientConfiguration):
    """Settings of `destination.iceberg`.

    Attributes:
        catalog: Properties for pyiceberg's `load_catalog`; `name` is the catalog's name.
        spark: Properties of the Spark session of `gong-elt models --engine spark`.
    """

    credentials: IcebergCredentials = None  # type: ignore[assignment]
    catalog: dict[str, Any] | None = None
    spark: dict[str, Any] | None = None


class Iceberg(DuckLake):
    """dlt's DuckLake destination with the settings of `destination.iceberg`."""

    spec: Any = IcebergSettings
