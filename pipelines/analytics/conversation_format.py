"""Conversations as JSON lines or Markdown: as one text, or in pieces if a conversation is too long for memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from ..runtime.display.text import escape_json, make_printable

Conversation = Mapping[str, Any]
"""Facts of a call, its `participants`, and its `turns` unless they are formatted one by one."""

# Characters that are markup in Markdown or HTML.
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&])")


class ConversationFormat(Protocol):
    """A text format. The pieces of a conversation, joined, are the text that `format` returns."""

    def format(self, conversation: Conversation) -> str:
        """Return a conversation with its turns as a text that ends with a line break."""

    def begin(self, conversation: Conversation) -> str:
        """Return what precedes the turns."""

    def format_turn(self, turn: Mapping[str, Any], fragments: Iterable[str], *, is_first: bool) -> Iterator[str]:
        """Yield a turn in pieces.

        Args:
            turn: The turn without its text.
            fragments: The text, in order; empty if it is null.
            is_first: Whether no turn precedes it.
        """

    def end(self) -> str:
        """Return what follows the turns."""


class JsonLines:
    """One JSON object per conversation and line."""

    def format(self, conversation: Conversation) -> str:
        """Return the object with its turns, on one line."""
        return _json(conversation) + "\n"

    def begin(self, conversation: Conversation) -> str:
        """Return the object up to its turns."""
        return _json(conversation)[:-1] + ', "turns": ['

    def format_turn(self, turn: Mapping[str, Any], fragments: Iterable[str], *, is_first: bool) -> Iterator[str]:
        """Yield the turn's object in pieces."""
        yield ("" if is_first else ", ") + _json(turn)[:-1] + ', "text": '
        is_null = True
        for fragment in fragments:
            yield ('"' if is_null else "") + _json(fragment)[1:-1]
            is_null = False
        yield "null}" if is_null else '"}'

    def end(self) -> str:
        """Return the end of the object."""
        return "]}\n"


class Markdown:
    """A heading and a line of facts per conversation, then a paragraph per turn."""

    def format(self, conversation: Conversation) -> str:
        """Return the heading, the facts and all paragraphs."""
        turns = enumerate(conversation["turns"])
        pieces = (self.format_turn(turn, [turn["text"] or ""], is_first=not number) for number, turn in turns)
        return self.begin(conversation) + "".join(piece for turn in pieces for piece in turn) + self.end()

    def begin(self, conversation: Conversation) -> str:
        """Return the heading and the facts."""
        started: datetime | None = conversation["started"]
        facts = {
            "": f"{started:%Y-%m-%d %H:%M} UTC" if started else None,
            "minutes": round((conversation["duration_seconds"] or 0) / 60),
            "host": conversation["host_name"],
            "account": conversation["account_name"],
            "opportunity": conversation["opportunity_name"],
            "stage": conversation["stage_at_call"],
            "call": conversation["call_id"],
        }
        title = _escape_markup(conversation["title"] or "Call without title")
        line = ", ".join(
            f"{name} {_escape_markup(value)}".strip() for name, value in facts.items() if value is not None
        )
        return f"# {title}\n\n{line}\n\n"

    def format_turn(self, turn: Mapping[str, Any], fragments: Iterable[str], *, is_first: bool) -> Iterator[str]:  # noqa: ARG002
        """Yield the turn's paragraph in pieces."""
        speaker = _escape_markup(turn["speaker"] or "Unknown speaker")
        yield f"**{speaker}** ({turn['side']}, {turn['start_time']}): "
        yield from map(_escape_characters, _collapse_white_space(fragments))
        yield "\n\n"

    def end(self) -> str:
        """Return nothing: the last paragraph ends with an empty line."""
        return ""


FORMATS: Mapping[str, ConversationFormat] = {"jsonl": JsonLines(), "markdown": Markdown()}
"""The values of `--format`."""


def _json(value: Any) -> str:
    return escape_json(json.dumps(value, ensure_ascii=False, default=datetime.isoformat))


def _escape_markup(value: object) -> str:
    """Return a text on one line with its markup escaped and without control characters."""
    return "".join(map(_escape_characters, _collapse_white_space([str(value)])))


def _escape_characters(text: str) -> str:
    return _MARKUP.sub(r"\\\1", make_printable(text))


def _collapse_white_space(fragments: Iterable[str]) -> Iterator[str]:
    """Yield the fragments of a text with one space per run of white space, and none at either end of the text."""
    is_start, has_gap = True, False
    for fragment in fragments:
        if not (words := fragment.split()):
            has_gap = has_gap or bool(fragment)
            continue
        has_gap = has_gap or fragment[0].isspace()
        yield (" " if has_gap and not is_start else "") + " ".join(words)
        is_start, has_gap = False, fragment[-1].isspace()
