"""The dataset in a warehouse that a job works on, and its working folder."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from dlt.common.destination import Destination
from dlt.common.runtime.run_context import active

from destinations.registry import open_warehouse
from destinations.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset in a warehouse.

    Attributes:
        name: Destination as the user named it.
        dataset: Dataset (schema) in the warehouse.
        warehouse: The warehouse.
        folder: Working folder on this machine: dlt's files, locks and search indexes of this dataset.
    """

    name: str
    dataset: str
    warehouse: Warehouse
    folder: Path

    @classmethod
    def resolve(cls, name: str, dataset: str, *, file: Path | None = None, folder: Path | None = None) -> Target:
        """Return the target for the names that the user gave.

        Args:
            name: `duckdb`, `postgres` or another SQL destination of dlt.
            dataset: Dataset (schema) in the warehouse.
            file: DuckDB file; by default the one in dlt's configuration, otherwise `warehouse.duckdb`.
            folder: Working folder; by default one per dataset below dlt's data folder.

        Raises:
            InvalidWarehouseError: If the destination is unknown or its configuration is invalid.
        """
        warehouse = open_warehouse(name, dataset, file)
        if folder is None:
            identity = blake2b(f"{name} {warehouse.location} {dataset}".encode(), digest_size=4).hexdigest()
            folder = Path(active().data_dir) / "gong-elt" / identity
        return cls(name, dataset, warehouse, folder)

    @property
    def destination(self) -> Destination[Any, Any]:
        """Return dlt's destination."""
        return self.warehouse.destination

    @property
    def missing_file(self) -> Path | None:
        """Return the warehouse's file if it does not exist yet; None if it exists, and for a server."""
        file = self.warehouse.file
        return file if file is not None and not file.exists() else None
