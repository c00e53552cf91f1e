"""BigQuery: requests that end in time, transactions as one query, load files of JSON columns, and how dbt connects."""

from __future__ import annotations

from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.destinations import bigquery
from dlt.destinations.impl.bigquery.configuration import BigQueryClientConfiguration

from ...warehouse import DbtConnection

_DBT_THREADS = 4
_DBT_STATEMENT_SECONDS = 3600
_KEY_VARIABLE = "DBT_ENV_SECRET_GONG_ELT_PRIVATE_KEY"
_KEY_FILE_FIELDS = ("type", "project_id", "private_key_id", "client_email", "token_uri")
_TOKEN_VARIABLES = {
    "client_id": "DBT_ENV_SECRET_GONG_ELT_CLIENT_ID",
    "client_secret": "DBT_ENV_SECRET_GONG_ELT_CLIENT_SECRET",
    "refresh_token": "DBT_ENV_SECRET_GONG_ELT_REFRESH_TOKEN",
}


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
        from .client import ScriptBigQueryClient  # noqa: PLC0415 - the driver may be missing

        return ScriptBigQueryClient

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.loader_file_format_selector = _select_file_format
        return capabilities


def connect_dbt(pipeline: dlt.Pipeline) -> DbtConnection:
    """Return a connection as that of dlt. Secrets are in the environment only."""
    client: Any = pipeline.sql_client()
    output = {
        "type": "bigquery",
        "threads": _DBT_THREADS,
        "project": client.project_id,
        "location": client.location,
        "job_creation_timeout_seconds": int(client.http_timeout),
        "job_execution_timeout_seconds": _DBT_STATEMENT_SECONDS,
    }
    login, environment = _dbt_login(client.credentials)
    return DbtConnection({**output, **login}, environment)


def sqlalchemy_uri(credentials: Any) -> str | None:
    """Return SQLAlchemy's URI; None if the project is unknown."""
    return f"bigquery://{credentials.project_id}" if credentials.project_id else None


def _dbt_login(credentials: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return dbt's settings of a login, and the environment variables with its secrets."""
    if isinstance(key := getattr(credentials, "private_key", None), str):
        keyfile = {name: str(getattr(credentials, name)) for name in _KEY_FILE_FIELDS}
        keyfile["private_key"] = f"{{{{ env_var('{_KEY_VARIABLE}') }}}}"
        return {"method": "service-account-json", "keyfile_json": keyfile}, {_KEY_VARIABLE: key}
    if getattr(credentials, "refresh_token", None):
        login = {name: f"{{{{ env_var('{variable}') }}}}" for name, variable in _TOKEN_VARIABLES.items()}
        secrets = {variable: str(getattr(credentials, name)) for name, variable in _TOKEN_VARIABLES.items()}
        return {"method": "oauth-secrets", "token_uri": credentials.token_uri, **login}, secrets
    # Google's default credentials, which dbt finds as dlt does.
    return {"method": "oauth"}, {}


def _select_file_format(preferred: Any, supported: Any, /, *, table_schema: Any) -> tuple[Any, Any]:
    """Return the preferred and the supported formats of a table's load files."""
    if any(column.get("data_type") == "json" for column in table_schema.get("columns", {}).values()):
        return "jsonl", ["jsonl"]
    return preferred, supported
