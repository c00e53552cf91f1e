"""The dataset in a warehouse that a job works on, and its working folder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from dlt.common.destination import Destination
from dlt.common.libs.sql_alchemy_shims import make_url
from dlt.common.runtime.run_context import active

from destinations.registry import open_warehouse
from destinations.warehouse import Warehouse

from .configuration.configured import configured_destinations
from .process.waiting import WaitPolicy


def describe_nothing_loaded(destination: str, dataset: str) -> str:
    """Return the line for a dataset without tables. It must not lead to a second copy in another warehouse."""
    place = f"nothing loaded yet into {destination}, dataset {dataset}"
    if others := [name for name in configured_destinations() if name != destination]:
        return (
            f"{place}, but {' and '.join(others)} is configured: if the calls are there, use --destination {others[0]}"
            " or set gong_elt.destination; otherwise run gong-elt sync"
        )
    return f"{place}: run gong-elt sync, or name the warehouse of the calls with --destination and --dataset"


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset in a warehouse.

    Attributes:
        name: Destination as the user named it.
        dataset: Dataset (schema) in the warehouse.
        warehouse: The warehouse.
        folder: Working folder on this machine: dlt's files, locks and search indexes of this dataset.
        waiting: How long to wait for the warehouse's file and for another run.
    """

    name: str
    dataset: str
    warehouse: Warehouse
    folder: Path
    waiting: WaitPolicy = field(default_factory=WaitPolicy)

    @classmethod
    def resolve(
        cls,
        name: str,
        dataset: str,
        *,
        file: Path | None = None,
        folder: Path | None = None,
        waiting: WaitPolicy | None = None,
    ) -> Target:
        """Return the target for the names that the user gave.

        Args:
            name: `duckdb`, `postgres` or another SQL destination of dlt.
            dataset: Dataset (schema) in the warehouse.
            file: DuckDB file; by default the one in dlt's configuration, otherwise `warehouse.duckdb`.
            folder: Working folder; by default one per dataset below dlt's data folder.
            waiting: How long to wait for the warehouse's file and for another run; by default one minute.

        Raises:
            InvalidWarehouseError: If the destination is unknown or its configuration is invalid.
        """
        waiting = waiting or WaitPolicy()
        warehouse = open_warehouse(name, dataset, file, waiting.retry)
        if folder is None:
            identity = blake2b(f"{name} {warehouse.location} {dataset}".encode(), digest_size=4).hexdigest()
            folder = Path(active().data_dir) / "gong-elt" / identity
        return cls(name, dataset, warehouse, folder, waiting)

    @property
    def destination(self) -> Destination[Any, Any]:
        """Return dlt's destination."""
        return self.warehouse.destination

    @property
    def label(self) -> str:
        """Return the file, or the server and its database, and the dataset, for a person; without credentials."""
        if (file := self.warehouse.file) is not None:
            return f"{file}, dataset {self.dataset}"
        try:
            url = make_url(self.warehouse.location)
        except ValueError:
            return f"{self.name}, dataset {self.dataset}"
        database = f"/{url.database}" if url.database else ""
        return f"{self.name} {url.host or ''}{database}, dataset {self.dataset}"

    @property
    def missing_file(self) -> Path | None:
        """Return the warehouse's file if it does not exist or holds nothing yet; None if it does, and for a server."""
        return self.warehouse.file if self.warehouse.is_missing else None

    @property
    def file_lock(self) -> Path | None:
        """Return the lock file beside the warehouse's, for runs with other working folders; None for a server."""
        file = self.warehouse.lock_beside
        return None if file is None else file.resolve().with_name(f".{file.name}.{self.dataset}.lock")

    def run_lock(self, connection: str) -> Path:
        """Return the lock file of a connection's runs on this machine."""
        return self.folder / f"{connection}.lock"

    def read_only(self) -> Target:
        """Return the target for a command that only reads."""
        return replace(self, warehouse=self.warehouse.read_only())
