"""The dataset in a warehouse that a job works on, and its working folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlt.common.destination import Destination
from dlt.common.runtime.run_context import active

from destinations.warehouse import identity, warehouse


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset in a warehouse.

    Attributes:
        name: Destination as the user named it.
        dataset: Dataset (schema) in the warehouse.
        destination: dlt's destination.
        folder: Working folder on this machine: dlt's files, locks and search indexes of this dataset.
    """

    name: str
    dataset: str
    destination: Destination[Any, Any]
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
        destination = warehouse(name, dataset, file)
        if folder is None:
            folder = Path(active().data_dir) / "gong-elt" / identity(name, destination, dataset)
        return cls(name, dataset, destination, folder)
