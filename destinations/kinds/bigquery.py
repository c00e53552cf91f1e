"""BigQuery: requests that end in time, transactions as one query, and load files of JSON columns."""

from __future__ import annotations

from typing import Any

from dlt.common.configuration import configspec
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.destinations import bigquery
from dlt.destinations.impl.bigquery.configuration import BigQueryClientConfiguration


@configspec
class BigQuerySettings(BigQueryClientConfiguration):
    """Settings of `destination.bigquery`.

    Attributes:
        retry_deadline: Seconds after which a failing request is given up, repetitions included.
    """

    retry_deadline: float = 20.0


class BoundedBigQuery(bigquery):
    """dlt's BigQuery destination with limits for requests, named as dlt's own in its state.

    BigQuery cannot load JSON columns from Parquet files, so tables that have one are loaded from JSON lines.
    """

    spec: Any = BigQuerySettings

    @property
    def destination_type(self) -> str:
        """The name under which dlt finds this kind of destination."""
        return "dlt.destinations.bigquery"

    @property
    def client_class(self) -> Any:
        """The client, whose module imports the driver."""
        from .bigquery_client import ScriptBigQueryClient  # noqa: PLC0415 - the driver may be missing

        return ScriptBigQueryClient

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.loader_file_format_selector = _select_file_format
        return capabilities


def _select_file_format(preferred: Any, supported: Any, /, *, table_schema: Any) -> tuple[Any, Any]:
    """Return the preferred and the supported formats of a table's load files."""
    if any(column.get("data_type") == "json" for column in table_schema.get("columns", {}).values()):
        return "jsonl", ["jsonl"]
    return preferred, supported
