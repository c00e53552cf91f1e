"""The client of BigQuery, whose transactions are one query each. Importing it imports the driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import requests
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseTransientException
from dlt.destinations.impl.bigquery.bigquery import BigQueryClient
from dlt.destinations.impl.bigquery.configuration import BigQueryClientConfiguration
from dlt.destinations.impl.bigquery.sql_client import BigQueryDBApiCursorImpl, BigQuerySqlClient
from dlt.destinations.sql_client import raise_database_error
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import TransportError
from google.cloud.bigquery import dbapi
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY

from .bigquery_script import build_transaction, is_deferrable, write_requirement, write_statement

_UNREACHABLE = (RetryError, TransportError, requests.exceptions.RequestException)


class ScriptSqlClient(BigQuerySqlClient):
    """Runs the statements of a transaction as one query when it ends.

    dlt opens a session for a transaction. A process that is killed leaves that session open for a day, and until then
    BigQuery rejects changes of the same tables ("Transaction is aborted due to concurrent update"). A query ends by
    itself: BigQuery rolls back its transaction if it fails.
    """

    _deferred: list[str] | None = None

    @raise_database_error
    def open_connection(self) -> Any:
        """Connect with limits for queries, too. The cursors of the driver's DB-API know none."""
        client = super().open_connection()
        client.query_and_wait = partial(
            client.query_and_wait,
            api_timeout=self.http_timeout,
            retry=self._default_retry,
            job_retry=self._job_retry,
        )
        return client

    @property
    def _job_retry(self) -> Any:
        """How failed queries are repeated. The driver would repeat a query that it cannot send for ten minutes."""
        return DEFAULT_JOB_RETRY.with_deadline(self._default_retry.deadline)

    @contextmanager
    @raise_database_error
    def begin_transaction(self) -> Iterator[Any]:
        """Defer the statements that change rows until the context ends. Others run at once, outside the transaction."""
        if self._deferred is not None:
            raise dbapi.ProgrammingError("Nested transactions are not supported on BigQuery")
        self._deferred = []
        try:
            yield self
            self.commit_transaction()
        finally:
            self._deferred = None

    def commit_transaction(self) -> None:
        """Run what was deferred; nothing is committed if it fails."""
        statements, self._deferred = self._deferred, None
        if statements:
            self._run_script(build_transaction(statements))

    def require_rows(self, query: str, values: Sequence[Any], message: str) -> bool:
        """Return whether a query has rows. In a transaction, it is True, and without rows the transaction fails."""
        if self._deferred is None:
            return bool(self.execute_sql(query, *values))
        self._deferred.append(write_requirement(query, values, message))
        return True

    def rollback_transaction(self) -> None:
        """Drop what was deferred."""
        self._deferred = None

    def execute_sql(self, sql: Any, *args: Any, **kwargs: Any) -> Sequence[Sequence[Any]] | None:
        """Run a statement and return its rows, or defer it."""
        if self._deferred is not None and is_deferrable(sql):
            self._deferred.append(write_statement(sql, args))
            return None
        return super().execute_sql(sql, *args, **kwargs)

    @contextmanager
    @raise_database_error
    def execute_query(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Run a query over HTTP: the driver's gRPC connection has no limits, and warns if its package is missing."""
        connection = dbapi.Connection(client=self._client, prefer_bqstorage_client=False)
        with _unreachable_as_transient(), closing(connection):
            cursor = connection.cursor()
            cursor.execute(query, args or kwargs or None, job_config=self._default_query)
            yield BigQueryDBApiCursorImpl(cursor)

    @raise_database_error
    def _run_script(self, script: str) -> None:
        with _unreachable_as_transient():
            try:
                job = self._client.query(script, job_config=self._default_query, job_retry=self._job_retry)
                job.result(retry=self._default_retry)
            except GoogleAPICallError as error:
                raise dbapi.DatabaseError(error) from error


class ScriptBigQueryClient(BigQueryClient):
    """dlt's client of BigQuery with `ScriptSqlClient`."""

    def __init__(
        self, schema: Schema, config: BigQueryClientConfiguration, capabilities: DestinationCapabilitiesContext
    ) -> None:
        super().__init__(schema, config, capabilities)
        client = self.sql_client
        self.sql_client = ScriptSqlClient(
            client.dataset_name,
            client.staging_dataset_name,
            config.credentials,
            capabilities,
            config.get_location(),
            config.project_id,
            config.http_timeout,
            config.retry_deadline,
        )


@contextmanager
def _unreachable_as_transient() -> Iterator[None]:
    """Raise the error that dlt expects if the server was not reached. The DB-API passes such errors on."""
    try:
        yield
    except _UNREACHABLE as error:
        raise DatabaseTransientException(error) from error
