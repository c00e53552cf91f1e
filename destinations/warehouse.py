"""Protocol of a warehouse, with what differs between the kinds, and the kind without a module: any SQL destination."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import dlt
from dlt.common.destination import Destination
from dlt.destinations.sql_client import SqlClientBase

from .lease import DEFAULT_EXPIRY, EXPIRY_SETTING, Lease, parse_expiry

T = TypeVar("T")

REPLACE_STRATEGY = "insert-from-staging"
"""Tables such as users are replaced in one transaction: a reader never sees an empty table, and a killed run leaves the
previous rows."""


class InvalidWarehouseError(ValueError):
    """The destination is unknown or its configuration is invalid. The message names what to change."""


class NotPublishedError(Exception):
    """What was committed is not yet where other engines read it. The message names the reason."""


class WarehouseInUseError(Exception):
    """Another process has the warehouse's file open. The message names the process."""


class Retry(Protocol):
    """How to open what another process may hold."""

    def __call__(self, attempt: Callable[[], T]) -> T:
        """Return the result of `attempt`; repeat it while it raises WarehouseInUseError and the command may wait."""


def try_once(attempt: Callable[[], T]) -> T:
    """Call `attempt` and return its result: the `Retry` of a program that does not wait."""
    return attempt()


class DeadlineReachedError(Exception):
    """A statement was ended because the run's deadline has passed. The message gives the deadline."""


@dataclass(frozen=True, slots=True)
class DbtConnection:
    """How dbt connects to a warehouse.

    Attributes:
        output: Entry of `profiles.yml`, without the schema.
        environment: Variables that the entry refers to. Passwords are passed here and never written to a file.
        variables: Values of variables of the dbt project.
    """

    output: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Space:
    """What a maintenance has freed.

    Attributes:
        bytes_before, bytes_after: Size of the file or files.
        files_before, files_after: Number of files; None for a warehouse that is one.
    """

    bytes_before: int
    bytes_after: int
    files_before: int | None = None
    files_after: int | None = None


class Warehouse(Protocol):
    """A warehouse of one kind. Each kind has a module in `kinds/`, and a line in `destinations/registry.py`."""

    @property
    def destination(self) -> Destination[Any, Any]:
        """Dlt's destination."""

    @property
    def file(self) -> Path | None:
        """The file of a warehouse that is one; None for a server."""

    @property
    def lock_beside(self) -> Path | None:
        """The file beside which runs with other working folders find the run's lock; None for a server."""

    @property
    def is_missing(self) -> bool:
        """Whether the warehouse is a file that does not exist yet, or holds nothing because its creation was killed."""

    @property
    def location(self) -> str:
        """Text that differs between two warehouses of this kind. It may hold a password."""

    @property
    def has_marts(self) -> bool:
        """Whether `gong-elt models` builds in this kind of warehouse."""

    @property
    def marts_advice(self) -> str:
        """What to do for marts of these calls where `has_marts` is False."""

    @property
    def can_list_tables(self) -> bool:
        """Whether `state.sql.list_tables` works in this kind of warehouse."""

    @property
    def has_transactions(self) -> bool:
        """Whether all tables of a load are committed at once."""

    def read_only(self) -> Warehouse:
        """Return the warehouse for a command that only reads. A file is then opened beside other readers."""

    def hold(self, *, create: bool = False) -> AbstractContextManager[None]:
        """Return a context for a group of statements, in which a file stays open and other processes wait for it.

        Args:
            create: Create the file if it is missing; otherwise nothing is held then.

        Raises:
            WarehouseInUseError: If another process has the file open for longer than the command waits.
        """

    def cancel_statements(self) -> None:
        """Interrupt the statements that this process is executing. Called from another thread."""

    def lock(self, pipeline: dlt.Pipeline, connection: str) -> AbstractContextManager[str | None]:
        """Return a context that holds the lock of a connection and dataset against other machines.

        It yields None if the lock was acquired, otherwise a description of the holder.
        """

    def confirm_lock(self) -> None:
        """Check that `lock` is still held, if it was acquired.

        Raises:
            DestinationException: If it was lost.
        """

    def limit_statements(self, deadline: datetime | None) -> None:
        """End statements that wait for other sessions after this time; None for no limit."""

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        """Return why this user cannot write to the pipeline's dataset, as one line; None if they can.

        Raises:
            DatabaseException: If the warehouse cannot be reached.
        """

    def prepare_publication(self) -> None:
        """Import in a thread what `publish_changes` needs, while the run works; kinds without a copy do nothing.

        Call it after `pipeline.normalize`, which can start processes: they would inherit the locks of imports.
        """

    def publish_changes(self, pipeline: dlt.Pipeline) -> None:
        """Write what was committed where other engines read it; kinds without such a copy do nothing.

        Raises:
            NotPublishedError: If that fails. The next command repeats it.
        """

    def maintain(self, pipeline: dlt.Pipeline, datasets: Sequence[str]) -> Space | None:
        """Free the space of rows that were deleted, and update statistics; None if files keep their size.

        Args:
            pipeline: Restored from the warehouse.
            datasets: Datasets whose tables are maintained, where they exist.

        Raises:
            DatabaseException: If the warehouse rejects it. The data is unchanged.
            WarehouseInUseError: If another process has the file open for longer than the command waits.
        """

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:
        """Return how dbt connects. Only for kinds with `has_marts`."""

    def watch_dbt(self) -> AbstractContextManager[Callable[[str], str]]:
        """Return a context in which dbt runs; it yields a function that completes dbt's error messages."""

    def close_dbt(self) -> None:
        """Close connections that dbt would otherwise keep open until the process exits."""

    def sqlalchemy_uri(self, credentials: Any) -> str | None:
        """Return SQLAlchemy's URI without a password; None if it cannot be derived.

        Args:
            credentials: The credentials of dlt's SQL client.
        """


@dataclass(frozen=True, slots=True)
class SqlWarehouse:
    """Any SQL destination of dlt: syncs and reconciles, with a lease as the lock between machines.

    Attributes:
        name: Name of the destination.
        destination: dlt's destination.
        has_transactions: Whether all tables of a load are committed at once.
        connect_dbt: Returns how dbt connects; None for a kind without marts.
        build_uri: Returns SQLAlchemy's URI for the credentials of dlt's SQL client; None if it cannot be derived.
        lease: The lock between machines, which a load confirms before it commits.
    """

    name: str
    destination: Destination[Any, Any]
    has_transactions: bool = False
    connect_dbt: Callable[[dlt.Pipeline], DbtConnection] | None = None
    build_uri: Callable[[Any], str | None] | None = None
    lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        """Let loads confirm the lease.

        Raises:
            InvalidWarehouseError: If the setting `lock_expiry` is invalid.
        """
        object.__setattr__(self, "lease", Lease(read_duration(self.name, EXPIRY_SETTING, DEFAULT_EXPIRY)))
        if self.has_transactions:
            destination: Any = self.destination
            destination.confirm_load = self.lease.confirm

    @property
    def file(self) -> Path | None:
        return None

    @property
    def lock_beside(self) -> Path | None:
        return None

    @property
    def is_missing(self) -> bool:
        return False

    @property
    def location(self) -> str:
        return str(dlt.secrets.get(f"destination.{self.name}.credentials"))

    @property
    def has_marts(self) -> bool:
        return self.connect_dbt is not None

    @property
    def marts_advice(self) -> str:
        return "run dbt in pipelines/models/ with your own profile"

    @property
    def can_list_tables(self) -> bool:
        return self.has_marts

    def read_only(self) -> Warehouse:
        return self

    def hold(self, *, create: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def cancel_statements(self) -> None:
        pass

    def lock(self, pipeline: dlt.Pipeline, connection: str) -> AbstractContextManager[str | None]:
        return self.lease.hold(pipeline, connection)

    def confirm_lock(self) -> None:
        self.lease.confirm()

    def limit_statements(self, deadline: datetime | None) -> None:
        pass

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        with pipeline.sql_client() as sql:
            sql.execute_sql("SELECT 1")
        return None

    def prepare_publication(self) -> None:
        pass

    def publish_changes(self, pipeline: dlt.Pipeline) -> None:
        pass

    def maintain(self, pipeline: dlt.Pipeline, datasets: Sequence[str]) -> Space | None:  # noqa: ARG002
        return None

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:
        if self.connect_dbt is None:
            raise NotImplementedError(f"{self.name} has no marts")
        return self.connect_dbt(pipeline)

    def watch_dbt(self) -> AbstractContextManager[Callable[[str], str]]:
        return nullcontext(str)

    def close_dbt(self) -> None:
        pass

    def sqlalchemy_uri(self, credentials: Any) -> str | None:
        return None if self.build_uri is None else self.build_uri(credentials)


def read_duration(name: str, setting: str, default: str) -> timedelta:
    """Return a setting of a destination that is a duration.

    Args:
        name: Name of the destination.
        setting: Name of the setting.
        default: Its value if it is not set.

    Raises:
        InvalidWarehouseError: If it is not a duration.
    """
    setting = f"destination.{name}.{setting}"
    text = str(dlt.config.get(setting) or default)
    try:
        return parse_expiry(text)
    except ValueError:
        raise InvalidWarehouseError(f"invalid {setting} {text!r}: use a duration such as 90s or 2m") from None


def sql_client(pipeline: dlt.Pipeline) -> SqlClientBase[Any]:
    """Return the pipeline's cached SQL client for short statements: one `with` at a time, all in one thread.

    `pipeline.sql_client()` reads dlt's configuration and schemas each time, which takes 10 ms.
    """
    return _cached_sql_client(pipeline, pipeline.default_schema_name)


@lru_cache(maxsize=1)
def _cached_sql_client(pipeline: dlt.Pipeline, _schema: str | None) -> SqlClientBase[Any]:
    return pipeline.sql_client()
