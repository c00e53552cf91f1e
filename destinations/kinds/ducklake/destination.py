"""dlt's DuckLake destination, as gong-elt uses it: its settings are checked, and its loads are atomic."""

from __future__ import annotations

from typing import Any

from dlt.common.destination import DestinationCapabilitiesContext
from dlt.destinations import ducklake

from ...loading.atomic_load import AtomicDestination


class DuckLake(AtomicDestination, ducklake):
    """dlt's DuckLake destination, named as dlt's own in its state.

    Attributes:
        is_read_only: Whether nothing is changed or created.
    """

    is_read_only = False

    @property
    def destination_type(self) -> str:
        """The name under which dlt finds this kind of destination."""
        return "dlt.destinations.ducklake"

    @property
    def client_class(self) -> Any:
        """The client, whose module imports DuckDB."""
        from .client import LakeClient  # noqa: PLC0415 - most commands of a server do not need it

        return LakeClient

    def configuration(self, initial_config: Any, accept_partial: bool = False) -> Any:
        """Return the resolved configuration."""
        config = super().configuration(initial_config, accept_partial)
        if config.credentials is not None:
            config.credentials.read_only = self.is_read_only
        return config

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        # Load files are read where they are.
        capabilities.supported_loader_file_formats = ["parquet"]
        return capabilities
