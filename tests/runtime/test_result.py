"""Printing of results."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console

from pipelines.runtime.result import JobResult, Status


@dataclass(frozen=True, slots=True)
class ExampleFigures:
    """Figures of an imaginary job."""

    status: Status
    since: datetime
    title: str

    def lines(self) -> Iterator[str]:
        """Yield the title."""
        yield self.title


FIGURES = ExampleFigures("stopped", datetime(2026, 1, 31, tzinfo=UTC), "[bold]é " + "x" * 100)


def test_json_has_the_fields_in_their_order() -> None:
    """Scripts parse this object."""
    printed = JobResult(FIGURES).as_json()

    assert list(json.loads(printed)) == ["status", "since", "title"]
    assert '"since": "2026-01-31T00:00:00+00:00"' in printed
    assert printed.isascii()


def test_text_is_printed_as_it_is() -> None:
    """Titles of calls may look like markup, and scripts read whole lines."""
    console = Console(file=io.StringIO(), width=40)

    JobResult(FIGURES).show(console)

    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == f"{FIGURES.title}\n"


def test_a_stopped_job_has_its_own_exit_code() -> None:
    """A scheduler distinguishes a job that stopped on purpose from one that failed."""
    assert JobResult(FIGURES).exit_code == 3
