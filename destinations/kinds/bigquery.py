"""BigQuery: the format of load files for tables with JSON columns."""

from __future__ import annotations

from typing import Any

from dlt.common.destination import DestinationCapabilitiesContext
from dlt.destinations import bigquery


class JsonBigQuery(bigquery):
    """dlt's BigQuery destination, named as dlt's own in its state.

    BigQuery cannot load JSON columns from Parquet files, so tables that have one are loaded from JSON lines.
    """

    @property
    def destination_type(self) -> str:
        """The name under which dlt finds this kind of destination."""
        return "dlt.destinations.bigquery"

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.loader_file_format_selector = _select_file_format
        return capabilities


def _select_file_format(preferred: Any, supported: Any, /, *, table_schema: Any) -> tuple[Any, Any]:
    """Return the preferred and the supported formats of a table's load files."""
    if any(column.get("data_type") == "json" for column in table_schema.get("columns", {}).values()):
        return "jsonl", ["jsonl"]
    return preferred, supported
