"""A section of the report: a query, its columns, and the calls or deals behind its figures. A list of such rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "text",
    "count",
    "hours",
    "minutes",
    "seconds",
    "clock",
    "share",
    "number",
    "money",
    "date",
    "period",
    "by_row",
    "change",
]
"""How a value is formatted; a share is between 0 and 1, a clock is in seconds.

`by_row` is the row's `kind`, and `change` the difference of values of this kind.
"""

Scope = Literal["calls", "team", "everything"]
"""Which of the reader's filters apply to a section: team, type and period for calls, the team only, or none."""

Layout = Literal["table", "tiles", "changes"]
"""How rows are shown: as a table, as tiles with one per column, or as tiles with one per row and its change."""

PERIOD = "started_period"
"""Column of a list that stands for `started_date` or `started_week`, like the placeholder of the SQL."""


@dataclass(frozen=True, slots=True)
class Behind:
    """The calls or deals behind a figure, as rows of a list.

    Attributes:
        list: Key of the list.
        match: Columns of the list, each with the column of the section's row whose value it must have.
        where: Columns of the list, each with a fixed value.
        known: Columns of the list that must not be empty.
        without: Key of a list whose matching rows are left out.
        measure: Column of the calls that is shown, and sorted by.
    """

    list: str = "calls"
    match: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    without: str | None = None
    measure: str | None = None


@dataclass(frozen=True, slots=True)
class Guide:
    """A recommended range.

    Attributes:
        label: The range as the reader sees it.
        low: Lowest recommended value; None for no limit.
        high: Highest recommended value; None for no limit.
    """

    label: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a section's table.

    Attributes:
        name: Name in the SQL.
        label: Heading in the table.
        kind: How values are formatted.
        link: Column with the https URL that the value links to.
        unit: Column with the currency of the value.
        mean: Column with the team's mean, which is shown below the value.
        guide: Recommended range; values outside are marked.
        behind: The calls or deals behind the value; None for those of the section.
    """

    name: str
    label: str
    kind: Kind = "text"
    link: str | None = None
    unit: str | None = None
    mean: str | None = None
    guide: Guide | None = None
    behind: Behind | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page.

    Attributes:
        key: Id of the section in the page, in the charts and in `--json`.
        title: Heading.
        description: What the figures are and what they leave out.
        empty: What is missing if there are no rows, and what to do.
        sql: The query.
        columns: Columns of the table, in order.
        scope: Which of the reader's filters apply.
        layout: How rows are shown.
        is_wide: Use the whole width of the page.
        table_is_open: Show the table at once; otherwise it is folded below the chart.
        first_rows: Number of rows that the table shows at first.
        keys: Further columns of the SQL, which are not shown.
        behind: The calls or deals behind the figures of a row; None if there are none.
        summary: Columns with the name and the figure that describe the chart to screen readers.
        charted: Columns that a row of the chart must have; empty for the figure of the summary.
    """

    key: str
    title: str
    description: str
    empty: str
    sql: str
    columns: tuple[Column, ...]
    scope: Scope = "calls"
    layout: Layout = "table"
    is_wide: bool = False
    table_is_open: bool = False
    first_rows: int = 10
    keys: tuple[str, ...] = ()
    behind: Behind | None = None
    summary: tuple[str, str] | None = None
    charted: tuple[str, ...] = ()

    def column_names(self) -> list[str]:
        """Return the names of all columns that the page needs: those of the table first, in its order."""
        names = [column.name for column in self.columns]
        for column in self.columns:
            names += [name for name in (column.link, column.unit, column.mean) if name]
        return list(dict.fromkeys([*names, *self.keys]))


@dataclass(frozen=True, slots=True)
class DrillList:
    """Rows that figures lead to: calls, deals, or a relation between a call or deal and another value.

    Attributes:
        key: Name of the list in the page and in `Behind`.
        sql: The query, for the whole period of the report.
        columns: Columns of the SQL.
        urls: Columns with a URL that contains `call_id`.
    """

    key: str
    sql: str
    columns: tuple[str, ...]
    urls: tuple[str, ...] = ()
