"""Reads the marts that `gong-elt models` has built. Questions only; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from destinations.warehouse import missing_file

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.target import Target
from ..runtime.warehouse_session import restore_pipeline

DEFAULT_ANALYTICS = "gong_analytics"
"""The dataset of the marts unless the user says otherwise."""


@dataclass(frozen=True, slots=True)
class Marts:
    """The dataset of the marts, open for questions.

    Attributes:
        dataset: Its name.
    """

    dataset: str
    _sql: SqlClientBase[Any]

    @property
    def schema(self) -> str:
        """The dataset's name as SQL takes it."""
        return self._sql.escape_column_name(self.dataset)

    @property
    def credentials(self) -> Any:
        """How the warehouse is reached, as dlt has it."""
        return self._sql.credentials

    def rows(self, sql: str, *parameters: Any) -> Iterator[Mapping[str, Any]]:
        """Rows by column name.

        Args:
            sql: A query; `%s` stands for a parameter.
            parameters: In order. Without any, a `%` in the query is nothing but that.

        Raises:
            UsageError: There are no marts.
        """
        try:
            with self._sql.execute_query(sql, *parameters) as found:
                names = [column[0] for column in found.description or ()]
                rows: Sequence[Sequence[Any]] = found.fetchall()
        except DatabaseUndefinedRelation:
            raise UsageError(
                f"dataset {self.dataset} lacks marts, or they are of an older version: run gong-elt models"
            ) from None
        return (dict(zip(names, row, strict=True)) for row in rows)


@contextmanager
def marts(connection: Connection, target: Target, dataset: str) -> Iterator[Marts]:
    """Opens the marts.

    Args:
        connection: Which Gong account has loaded the tables that they are built from.
        target: The warehouse.
        dataset: Where they are.

    Raises:
        UsageError: There is no warehouse.
    """
    if missing_file(target.destination) is not None:
        raise UsageError(f"nothing loaded yet into {target.name}, dataset {target.dataset}: run gong-elt sync")
    with TemporaryDirectory(prefix="gong-elt-marts-") as folder:
        pipeline = restore_pipeline(connection, target, Path(folder))
        with pipeline.sql_client() as sql:
            yield Marts(dataset, sql)
