"""Loads that become visible at once: what dlt commits table by table is committed in one transaction.

dlt loads the files of a load in parallel, most of them into a second dataset (staging), from which statements merge
them table by table. Here, statements and files that change the dataset itself are deferred until all other files are
loaded. Then they, dlt's state and the row of `_dlt_loads` are committed together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from dlt.common.configuration.container import Container
from dlt.common.destination import Destination, DestinationCapabilitiesContext
from dlt.common.destination.client import (
    FollowupJobRequest,
    JobClientBase,
    LoadJob,
    RunnableLoadJob,
)
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema import Schema
from dlt.common.storages.load_package import LoadPackageStateInjectableContext, ParsedLoadJobFileName
from dlt.destinations.exceptions import DatabaseException, DatabaseTransientException
from dlt.destinations.job_client_impl import SqlJobClientWithStagingDataset, SqlLoadJob
from dlt.destinations.sql_jobs import SqlStagingCopyFollowupJob

if TYPE_CHECKING:
    _Client = SqlJobClientWithStagingDataset
    _Destination = Destination[Any, Any]
else:
    _Client = _Destination = object

_ATTEMPTS = 3
_SECONDS_BETWEEN_ATTEMPTS = 1.0


class DeferredJob(RunnableLoadJob):
    """A file that is left until the load is completed."""

    def run_managed(self, _job_client: JobClientBase, done_event: BoundedSemaphore, /) -> None:
        """End at once, without a connection."""
        self._done_event = done_event
        self._release("completed")

    def run(self) -> None:
        """Do nothing: `AtomicLoad.complete_load` runs a job of the regular class."""


class AtomicLoad(_Client):
    """Makes the client of a destination with transactions commit each load at once. Name it before dlt's class.

    Attributes:
        stages_appends: Whether rows to append are loaded into the staging dataset, too. Otherwise their files are
            loaded inside the transaction, which saves a copy.
    """

    stages_appends = True

    def confirm_load(self) -> None:
        """Raise if the load must not be committed. Called at the begin and at the end of the transaction."""

    def should_load_data_to_staging_dataset(self, table_name: str | None) -> bool:
        """Return whether files of a table are loaded into the staging dataset."""
        return table_name is not None and (
            self._is_staged_append(table_name) or super().should_load_data_to_staging_dataset(table_name)
        )

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Return a job that loads a file into the staging dataset, or a job that defers it."""
        if SqlLoadJob.is_sql_job(file_path) or not self.should_load_data_to_staging_dataset(table["name"]):
            return DeferredJob(file_path)
        return super().create_load_job(table, file_path, load_id, restore)

    def complete_load(self, load_id: str) -> None:
        """Commit everything that the load changes.

        Raises:
            DatabaseException: If the warehouse rejects it. Then nothing of it was committed.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._commit_load(load_id)
            except DatabaseTransientException:
                # Such as a deadlock with another session, or a connection that was lost.
                if attempt == _ATTEMPTS:
                    raise
                time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
                self.sql_client.close_connection()
                self.sql_client.open_connection()
                # The connection may have been lost when the warehouse had committed already.
                if self._is_completed(load_id):
                    return
            else:
                return

    def _commit_load(self, load_id: str) -> None:
        self.confirm_load()
        with self.transaction():
            self._load_deferred_files(load_id)
            super().complete_load(load_id)
            self._clear_staging(load_id)
            self.confirm_load()

    def _clear_staging(self, load_id: str) -> None:
        """Delete what the load has merged from the staging dataset, where an erasure of calls would not look for it."""
        files = self._completed_files(load_id)
        staged = {_table_name(file) for file in files if not SqlLoadJob.is_sql_job(file.name)}
        with self.sql_client.with_staging_dataset():
            for table in sorted(filter(self.should_load_data_to_staging_dataset, staged)):
                name = self.sql_client.make_qualified_table_name(table)
                self.sql_client.execute_sql(f"DELETE FROM {name} WHERE 1 = 1")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin a transaction in which dlt's jobs cannot begin and commit transactions of their own."""
        client: Any = self.sql_client
        with client.begin_transaction() as transaction:
            client.begin_transaction = lambda: nullcontext(transaction)
            try:
                yield
            finally:
                del client.begin_transaction

    def _completed_files(self, load_id: str) -> list[Path]:
        package = Container()[LoadPackageStateInjectableContext].storage
        folder = Path(package.storage.make_full_path(package.get_job_state_folder_path(load_id, "completed_jobs")))
        return sorted(folder.iterdir())

    def _deferred_files(self, load_id: str) -> Iterator[Path]:
        """Yield the deferred files, which dlt has moved to those of completed jobs."""
        for file in self._completed_files(load_id):
            table = _table_name(file)
            if SqlLoadJob.is_sql_job(file.name) or not self.should_load_data_to_staging_dataset(table):
                yield file

    def _load_deferred_files(self, load_id: str) -> None:
        self._load_files(self._deferred_files(load_id), load_id)

    def _load_files(self, files: Iterable[Path], load_id: str) -> None:
        for file in files:
            try:
                self._load_deferred(file, load_id)
            except DatabaseException as error:
                # Several drivers do not name the table, for example if a column has another type.
                error.add_note(f"table {self.sql_client.dataset_name}.{_table_name(file)}")
                raise

    def _load_deferred(self, file: Path, load_id: str) -> None:
        if SqlLoadJob.is_sql_job(file.name):
            # dlt writes one statement a line.
            for statement in filter(str.strip, file.read_text("utf-8").split("\n")):
                self.sql_client.execute_sql(statement)
            return
        table = self.prepare_load_table(_table_name(file))
        job: Any = super().create_load_job(table, str(file), load_id)
        job.set_run_vars(load_id, self.schema, table)
        job._job_client = self
        try:
            job.run()
        except Exception as error:
            # Jobs that use the driver directly raise its errors.
            database_error = self.sql_client._make_database_exception(error)
            if database_error is error:
                raise
            raise database_error from error

    def _is_completed(self, load_id: str) -> bool:
        loads = self.sql_client.make_qualified_table_name(self.schema.loads_table_name)
        (column,) = self._norm_and_escape_columns("load_id")
        return bool(self.sql_client.execute_sql(f"SELECT 1 FROM {loads} WHERE {column} = %s", load_id))

    def _is_staged_append(self, table_name: str) -> bool:
        return self.stages_appends and self.prepare_load_table(table_name)["write_disposition"] == "append"

    def _create_append_followup_jobs(self, table_chain: Any) -> list[FollowupJobRequest]:
        jobs = super()._create_append_followup_jobs(table_chain)
        if self._is_staged_append(table_chain[0]["name"]):
            jobs.append(SqlStagingCopyFollowupJob.from_table_chain(table_chain, self.sql_client))
        return jobs


class AtomicDestination(_Destination):
    """Makes a destination fit for atomic loads. Name it before dlt's class.

    Attributes:
        confirm_load: Set by the warehouse whose lock the run holds: raises if the load must not be committed. Its
            argument is the client of the transaction.
    """

    confirm_load: Callable[[Any], None] | None = None

    def client(self, schema: Schema, initial_config: Any = None) -> Any:
        """Return a client whose loads confirm the lock of the run."""
        client: Any = super().client(schema, initial_config)
        if (confirm := self.confirm_load) is not None:
            client.confirm_load = lambda: confirm(client.sql_client)
        return client

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()  # type: ignore[safe-super]
        # On several servers TRUNCATE commits the transaction.
        capabilities.supports_truncate_command = False
        return capabilities


def _table_name(file: Path) -> str:
    return ParsedLoadJobFileName.parse(file.name).table_name


@cache
def atomic_client(client_class: type[Any], *, stages_appends: bool = True) -> type[Any]:
    """Return a subclass of a destination's client whose loads are atomic; see `AtomicLoad`."""
    return type(f"Atomic{client_class.__name__}", (AtomicLoad, client_class), {"stages_appends": stages_appends})


def load_atomically(destination: Destination[Any, Any]) -> Destination[Any, Any]:
    """Return a destination with the same settings whose loads are atomic. It must have transactions over tables."""
    dlt_class = type(destination)

    class AtomicDlt(AtomicDestination, dlt_class):  # type: ignore[valid-type,misc]
        """dlt's destination, under whose type dlt keeps it in its state."""

        @property
        def destination_type(self) -> str:
            return str(destination.destination_type)

        @property
        def client_class(self) -> type[Any]:
            dlt_client: Any = super().client_class  # type: ignore[safe-super]
            return atomic_client(dlt_client)

    return AtomicDlt(**destination.config_params)
