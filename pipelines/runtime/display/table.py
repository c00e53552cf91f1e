"""A table of data that is never interpreted as markup and that becomes lines where it does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .text import make_printable

Cell = str | Text | None
"""A cell; None is empty."""


@dataclass(frozen=True, slots=True)
class DataTable:
    """Rows of data below headings.

    Attributes:
        headings: One per column.
        rows: Cells by row; each row has as many as there are headings.
        title: Shown above the table.
        numbers: Headings of the columns that are aligned to the right.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str | None = None
    numbers: frozenset[str] = frozenset()

    def show(self, console: Console) -> None:
        """Print the table, or a line per row if the console is too narrow: nothing is cut off."""
        rows = [[_to_text(cell) for cell in row] for row in self.rows]
        if self._width(rows) <= console.width:
            table = Table(title=self.title and Text(self.title), title_justify="left")
            for heading in self.headings:
                table.add_column(Text(heading), justify="right" if heading in self.numbers else "left", no_wrap=True)
            for row in rows:
                table.add_row(*row)
            console.print(table)
            return
        for line in self._lines(rows):
            console.print(line, soft_wrap=True)

    def _width(self, rows: Sequence[Sequence[Text]]) -> int:
        columns = zip(*[[Text(heading) for heading in self.headings], *rows], strict=True)
        # Each cell has a space on both sides and a border on its left.
        return sum(max(cell_len(cell.plain) for cell in column) + 3 for column in columns) + 1

    def _lines(self, rows: Sequence[Sequence[Text]]) -> Iterator[Text]:
        if self.title is not None:
            yield Text(f"{self.title}:")
        for first, *others in rows:
            line = first.copy()
            separator = ": "
            for heading, cell in zip(self.headings[1:], others, strict=True):
                if cell.plain:
                    line.append(f"{separator}{heading} ").append_text(cell)
                    separator = ", "
            yield line


def _to_text(cell: Cell) -> Text:
    if cell is None:
        return Text()
    if isinstance(cell, Text):
        return Text(make_printable(cell.plain), style=cell.style)
    return Text(make_printable(cell))
