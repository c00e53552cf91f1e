"""What the notebook reads: the marts that the settings name, in any warehouse, opened only while queries run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...runtime.configuration.command_defaults import read_command_defaults
from ...runtime.connection import Connection
from ...runtime.target import Target
from ..marts import open_marts, validate_analytics
from ..marts_origin import default_analytics
from ..report.selections import CALL_TYPES

Row = Mapping[str, Any]
Query = Callable[..., list[Row]]


@dataclass(frozen=True, slots=True)
class MartsReader:
    """Opens the marts, runs queries and closes them, so that a sync can load in between.

    Attributes:
        connection: Name of the Gong account.
        target: The warehouse.
        analytics: Dataset of the marts.
    """

    connection: str
    target: Target
    analytics: str

    @classmethod
    def from_settings(cls) -> MartsReader:
        """Return the reader of the marts that the settings under `gong_elt` name.

        Raises:
            UsageError: If a setting is invalid.
        """
        defaults = read_command_defaults()
        target = Target.resolve(defaults.destination, defaults.dataset)
        analytics = defaults.analytics or default_analytics(target.dataset)
        validate_analytics(target, analytics)
        return cls(defaults.connection, target, analytics)

    @contextmanager
    def open(self) -> Iterator[Query]:
        """Yield a function that runs a query and returns its rows, each by column name.

        In the query, `{marts}` is the dataset of the marts and `%s` the placeholder of a parameter.

        Raises:
            UsageError: If the marts are missing, outdated, or built from another dataset.
        """
        with open_marts(Connection(self.connection), self.target, self.analytics) as marts:

            def query(sql: str, *parameters: Any) -> list[Row]:
                rows = marts.rows(sql.replace("{marts}", marts.schema), *parameters)
                return [{name: _plain(value) for name, value in row.items()} for row in rows]

            yield query


def _plain(value: Any) -> Any:
    """Return a value that charts can draw: PostgreSQL returns means and sums as decimals."""
    return float(value) if isinstance(value, Decimal) else value


def list_call_types() -> Mapping[str, str]:
    """Return the SQL condition of each selectable type of calls by its label; the first is the default."""
    return {each.label: each.condition or "1 = 1" for each in CALL_TYPES}


def since_epoch_ms(days: int) -> int:
    """Return the time that number of days ago, in milliseconds since 1970-01-01 UTC."""
    return round((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1000)
