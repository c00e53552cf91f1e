"""The result of a command: its exit code, its JSON object and its text for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

from rich.console import Console, RenderableType
from rich.text import Text

Status = Literal["done", "failed", "refused", "stopped"]
"""`refused`: a safety limit prevented the change. `stopped`: ended early on purpose (quota, deadline)."""

EXIT_CODES: Mapping[Status, int] = {"done": 0, "failed": 1, "refused": 1, "stopped": 3}

LISTED_ITEMS = 20
"""Number of failed items that the text lists; the JSON object lists all of them."""


class Figures(Protocol):
    """What a command found or did: a frozen dataclass whose fields are the keys of `--json`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def status(self) -> Status:
        """How the command ended."""

    def lines(self) -> Iterable[RenderableType]:
        """Return what a terminal shows: lines of text and tables."""


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
        return json.dumps(asdict(self.figures), ensure_ascii=self.ascii_only, default=datetime.isoformat)

    def show(self, console: Console) -> None:
        """Print the text for a terminal. Messages are printed as they are: no markup, no wrapping."""
        for line in self.figures.lines():
            if isinstance(line, str | Text):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
            else:
                console.print(line)
