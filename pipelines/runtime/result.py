"""The result of a command: its exit code, its JSON object and its text for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from rich.console import Console
from rich.text import Text

from .display.table import DataTable
from .display.text import escape_json, make_printable

Status = Literal["done", "failed", "refused", "stopped"]
"""`refused`: a safety limit prevented the change. `stopped`: ended early on purpose (quota, deadline)."""

EXIT_CODES: Mapping[Status, int] = {"done": 0, "failed": 1, "refused": 1, "stopped": 3}

LISTED_ITEMS = 20
"""Number of failed items that the text lists; the JSON object lists all of them."""


Line = str | Text | DataTable
"""What a terminal shows: a line of text, or a table. All of it is data: nothing is interpreted as markup."""


class Figures(Protocol):
    """What a command found or did: a frozen dataclass whose fields are the keys of `--json`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def status(self) -> Status:
        """How the command ended."""

    def lines(self) -> Iterable[Line]:
        """Return what the command did, for stdout."""


@runtime_checkable
class FailureLines(Protocol):
    """Figures of a command that may fail or stop after it has done a part of its work."""

    def failures(self) -> Iterable[str]:
        """Return one line per cause of the failure, for stderr; nothing if the command is done."""


@runtime_checkable
class FinalLine(Protocol):
    """Figures of a command that another one usually follows."""

    def final_line(self, options: str) -> str:
        """Return the last line for stdout: where the data is, and the next command.

        Args:
            options: Options of this command that the next one must repeat, with a leading space; may be empty.
        """


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a command ends and what it prints.

    Attributes:
        figures: What the command found or did.
        ascii_only: Whether the JSON object escapes all other characters.
    """

    figures: Figures
    ascii_only: bool = True

    @property
    def exit_code(self) -> int:
        """Return the exit code of the process."""
        return EXIT_CODES[self.figures.status]

    def as_json(self) -> str:
        """Return the object that `--json` prints, on one line; datetimes are in ISO 8601."""
        return escape_json(json.dumps(asdict(self.figures), ensure_ascii=self.ascii_only, default=datetime.isoformat))

    def show(self, console: Console, options: str | None = None) -> None:
        """Print what the command did.

        Args:
            console: Where to print.
            options: Options that the next command must repeat; None if no command follows.
        """
        for line in self.figures.lines():
            show_line(console, line)
        if options is not None and isinstance(self.figures, FinalLine) and self.exit_code == 0:
            show_line(console, self.figures.final_line(options))

    def failures(self) -> list[str]:
        """Return one line per cause of a failure; an empty list if the command is done."""
        return list(self.figures.failures()) if isinstance(self.figures, FailureLines) else []


def show_line(console: Console, line: Line) -> None:
    """Print a line of data: no markup, no emoji codes, no wrapping, no control characters."""
    if isinstance(line, DataTable):
        line.show(console)
        return
    if isinstance(line, str):
        text = Text(make_printable(line))
    else:
        text = line.copy()
        text.plain = make_printable(line.plain)
    console.print(text, highlight=False, soft_wrap=True)
