"""Text of a BigQuery script that runs statements in one transaction.

Values are written as literals: a query has at most 10,000 parameters, which the erasure of 500 calls exceeds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from dlt.common.data_writers.escape import escape_bigquery_literal

# BigQuery accepts no other statements than these in a transaction, besides queries.
_DEFERRABLE = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|CREATE\s+(OR\s+REPLACE\s+)?TEMP(ORARY)?\s+TABLE)\b", re.IGNORECASE
)


def is_deferrable(sql: str) -> bool:
    """Return whether a statement changes rows or creates a temporary table, and so belongs into the transaction."""
    return _DEFERRABLE.match(sql) is not None


def write_statement(sql: str, values: Sequence[object]) -> str:
    """Return a statement with its parameters, which are written `%s`, as literals."""
    if not values:
        return sql.replace("%%", "%")
    return sql % tuple(map(_literal, values))


def write_requirement(query: str, values: Sequence[object], message: str) -> str:
    """Return a statement that fails with a message if a query returns no rows."""
    return f"SELECT IF(EXISTS ({write_statement(query, values)}), 1, ERROR({_literal(message)}))"


def build_transaction(statements: Iterable[str]) -> str:
    """Return a script that commits all statements, or none if one of them fails."""
    parts = ("BEGIN TRANSACTION", *(statement.strip().rstrip(";") for statement in statements), "COMMIT TRANSACTION")
    return ";\n".join(parts) + ";"


def _literal(value: object) -> str:
    if isinstance(value, datetime):
        instant = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return f"TIMESTAMP '{instant.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, Decimal):
        return f"BIGNUMERIC '{value}'"
    if value is None or isinstance(value, str | bool | int | float | bytes):
        return str(escape_bigquery_literal(value))
    raise TypeError(f"{type(value).__name__} cannot be a parameter of a BigQuery transaction")
