"""Printable text, tables and the grouping of causes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from pipelines.runtime.display.table import DataTable
from pipelines.runtime.display.text import escape_json, format_time, make_printable
from pipelines.runtime.errors import group_by_cause, list_names, root_cause_message

CONTROLS = [
    *map(
        chr, (*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
    ),
    "\ud800",
    "\udfff",
]


@given(st.text(st.one_of(st.sampled_from(CONTROLS), st.characters())))
def test_no_control_reaches_a_terminal(text: str) -> None:
    """A terminal would execute control characters, and bidirectional ones reorder what a person reads."""
    shown = make_printable(text)

    assert not set(CONTROLS) & set(shown)
    assert len(shown) == len(text)
    shown.encode()


@given(st.text(st.one_of(st.sampled_from(CONTROLS), st.characters(exclude_categories=["Cs"]))))
def test_escaped_json_is_the_same_value_without_controls(text: str) -> None:
    """A script reads the same text, and a terminal that prints the JSON executes nothing."""
    encoded = escape_json(json.dumps({"title": text}, ensure_ascii=False))

    assert json.loads(encoded) == {"title": text}
    assert not set(CONTROLS) & set(encoded)


def test_a_control_becomes_a_space() -> None:
    """Positions of styles stay valid, and words stay apart."""
    assert make_printable("a\x1b[31mb\u202ec\u009bd\te\nf") == "a [31mb c d e f"


def test_times_are_utc_to_the_second() -> None:
    """Every command writes a time in the same way."""
    time = datetime(2026, 11, 28, 14, 5, 9, 963_000, tzinfo=timezone(timedelta(hours=1)))

    assert format_time(time) == format_time(time.astimezone(UTC)) == "2026-11-28 13:05:09 UTC"


def show_table(table: DataTable, width: int) -> str:
    """Return a table as a console of that width prints it."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    table.show(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


TABLE = DataTable(
    ("call", "title", "verdict"),
    [("1", "[internal] weekly [/bold] :warning:", Text("ok", "green")), ("2", None, Text("[no]"))],
    title="[calls]",
)


@pytest.mark.parametrize("width", [200, 20])
def test_a_table_interprets_nothing_and_loses_nothing(width: int) -> None:
    """Titles keep their brackets, on a wide terminal as in a narrow one."""
    shown = show_table(TABLE, width)

    for text in ("[calls]", "[internal] weekly [/bold] :warning:", "ok", "[no]"):
        assert text in shown


def test_a_table_that_does_not_fit_becomes_lines() -> None:
    """Cells that are cut off or broken in mid-word cannot be read."""
    assert show_table(TABLE, 20).splitlines() == [
        "[calls]:",
        "1: title [internal] weekly [/bold] :warning:, verdict ok",
        "2: verdict [no]",
    ]


def test_a_cause_is_listed_once_with_what_it_affects() -> None:
    """Requests of all resources fail for the same reason, with different paths and request ids."""
    reasons = {
        "users": "GET /v2/users: HTTP 503 (requestId r1)",
        "calls": "POST /v2/calls/extensive: HTTP 503 (requestId r2)",
        "library": "GET /v2/library/folders: HTTP 418 (requestId r3)",
    }

    assert list(group_by_cause(reasons)) == [
        (["users", "calls"], "HTTP 503"),
        (["library"], "GET /v2/library/folders: HTTP 418 (requestId r3)"),
    ]
    assert list_names(["a", "b", "c"]) == "a, b, c"
    assert list_names(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_a_programming_error_names_its_type_and_place() -> None:
    """The text of a KeyError alone, such as 'calls', says nothing."""
    try:
        dict[str, str]().__getitem__("calls")
    except KeyError as error:
        message = root_cause_message(error)

    assert message.startswith("unexpected KeyError: 'calls' (test_display.py:")
