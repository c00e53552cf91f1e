"""A section of the report: a query, its columns, and their description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "count", "hours", "minutes", "seconds", "share", "number", "money", "date"]
"""How a value is formatted; a share is between 0 and 1."""

Scope = Literal["calls", "team", "everything"]
"""Which of the reader's filters apply to a section: team, type and period for calls, the team only, or none."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a section's table.

    Attributes:
        name: Name in the SQL.
        label: Heading in the table.
        kind: How values are formatted.
        link: Column with the https URL that the value links to.
    """

    name: str
    label: str
    kind: Kind = "text"
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page.

    Attributes:
        key: Id of the section in the page, in charts.py and in `--json`.
        title: Heading.
        description: What the figures are and what they leave out.
        sql: The query.
        columns: Columns of the table, in order.
        scope: Which of the reader's filters apply.
        table_is_open: Show the table at once; otherwise it is folded below the chart.
    """

    key: str
    title: str
    description: str
    sql: str
    columns: tuple[Column, ...]
    scope: Scope = "calls"
    table_is_open: bool = False
