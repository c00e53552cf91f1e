"""Job of `gong-elt show`: one call with its people, deal, insights and transcript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from ...runtime.connection import Connection
from ...runtime.display.table import DataTable
from ...runtime.errors import UsageError
from ...runtime.result import Line, Status
from ...runtime.target import Target
from ..conversation_format import (
    GENERATED_NOTE,
    SIDE_HEADINGS,
    VERBATIM_NOTE,
    Markdown,
    describe_facts,
    format_clock,
    format_conversation,
)
from ..marts import DEFAULT_ANALYTICS, open_marts
from .lookup import find_call_id
from .reader import NO_TRANSCRIPT, finish_turn, read_facts, read_turns

TEXT_FORMATS = ("text", "markdown")
"""The values of `--format`."""


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of the command.

    Attributes:
        call: Gong's id of the call, or its URL.
        format: `text` for a terminal, or `markdown`.
        analytics: Dataset of the marts.
    """

    call: str
    format: str = "text"
    analytics: str = DEFAULT_ANALYTICS


@dataclass(frozen=True, slots=True)
class ShowResult:
    """A call; the fields are the keys of `--json`.

    Attributes:
        call: The object that `gong-elt export transcripts` writes for the call. Texts with `origin` "generated" are
            those of Gong's AI; turns are verbatim.
        reason: Why the transcript is missing; None if it is there.
    """

    status: Status
    destination: str
    dataset: str
    analytics: str
    call: Mapping[str, Any]
    reason: str | None

    def lines(self) -> Iterator[Line]:
        """Yield the facts, the people, what Gong's AI generated, and the transcript."""
        call = self.call
        yield Text(call["title"] or "Call without title", style="bold")
        for name, value in describe_facts(call):
            yield f"{name}: {value}"
        if call["url"]:
            yield f"Gong: {call['url']}"
        if call["participants"]:
            yield ""
            yield _people_table(call["participants"])
        if call["brief"]:
            yield from _heading("Brief", GENERATED_NOTE)
            yield Text(call["brief"]["text"], style="italic")
        if call["key_points"]:
            yield from _heading("Key points", GENERATED_NOTE)
            yield from (Text(f"- {point['text']}", style="italic") for point in call["key_points"])
        if call["next_steps"]:
            yield from _heading("Next steps", GENERATED_NOTE)
            for step in call["next_steps"]:
                yield Text(f"- {step['text']}", style="italic")
                yield Text("  " + " ".join(filter(None, (step["start_time"], step["moment_url"]))), style="dim")
        yield from _heading("Transcript", VERBATIM_NOTE)
        if self.reason:
            yield self.reason
        for turn in call["turns"]:
            line = Text(f"{turn['start_time'] or '--:--:--'}  ", style="dim")
            line.append(f"{turn['speaker'] or 'Unknown speaker'} ({turn['side']}): ", style="bold")
            yield line.append(turn["text"] or "")

    def as_markdown(self) -> str:
        """Return the call as `gong-elt export transcripts --format markdown` writes it."""
        return format_conversation(Markdown(), self.call, self.call["turns"]) + (
            f"{self.reason}\n" if self.reason else ""
        )


def show_call(connection: Connection, target: Target, options: ShowOptions) -> ShowResult:
    """Return a call from the marts.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: The call and the format.

    Raises:
        UsageError: If the format is unknown, or the marts do not exist or lack the call.
    """
    if options.format not in TEXT_FORMATS:
        raise UsageError(f"--format {options.format!r} is unknown: use one of {', '.join(TEXT_FORMATS)}")
    with open_marts(connection, target, options.analytics) as marts:
        call_id = find_call_id(marts, options.call)
        (facts,) = read_facts(marts, [call_id])
        turns = [finish_turn(turn, facts["url"]) for turn in read_turns(marts, [call_id])]
    reason = None if turns else NO_TRANSCRIPT
    call = {**facts, "turns": turns, "omitted": None}
    return ShowResult("done", target.name, target.dataset, options.analytics, call, reason)


def _people_table(participants: list[Mapping[str, Any]]) -> DataTable:
    rows = [
        (
            f"{person['name'] or 'Unknown'}{' (host)' if person['is_host'] else ''}",
            person["title"],
            heading,
            format_clock(person["talk_seconds"]) if person["talk_seconds"] else "-",
        )
        for side, heading in SIDE_HEADINGS.items()
        for person in participants
        if person["side"] == side
    ]
    return DataTable(("person", "title", "side", "talk time"), rows, numbers=frozenset({"talk time"}))


def _heading(name: str, note: str) -> Iterator[Line]:
    yield ""
    yield Text(f"{name} ", style="bold").append(note, style="dim")
