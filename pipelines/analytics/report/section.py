"""What a section of the report is: a query, its columns, and how both are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "count", "hours", "minutes", "seconds", "share", "number", "money", "date"]
"""How a figure is written; a share is between 0 and 1."""

Scope = Literal["team and period", "team", "everything"]
"""Which of the reader's choices a section follows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a section's figures.

    Attributes:
        name: As in the SQL.
        label: As a person reads it.
        kind: How its values are written.
        link: Column with an https address that the value leads to.
    """

    name: str
    label: str
    kind: Kind = "text"
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page.

    Attributes:
        key: Its name in the page, in charts.py and in `--json`.
        title: Its heading.
        reads: What the figures are and what they leave out.
        sql: The query of its figures.
        columns: Of the figures, in the order in which they are shown.
        scope: Which of the reader's choices it follows.
        table_is_open: Whether the figures stand there at once, and not only the chart.
    """

    key: str
    title: str
    reads: str
    sql: str
    columns: tuple[Column, ...]
    scope: Scope = "team and period"
    table_is_open: bool = False


WEEK = "CAST(date_trunc('week', started AT TIME ZONE 'UTC') AS date)"
"""Monday of the week in which a call began, in UTC."""
