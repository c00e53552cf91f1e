"""Read conversations and format them, a long one in pieces of which a few megabytes are in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from ..conversation_format import ConversationFormat
from ..marts import Marts
from .reader import finish_turn, group_by_call, read_facts, read_turns

CHARACTERS_PER_BATCH = 4_000_000
"""Number of characters of transcripts in memory at a time."""

CHARACTERS_PER_TOKEN = 4

# The sentences of a call in ranges of about as many characters as are read at a time.
_RANGES = """
SELECT min(sentence_index) AS first, max(sentence_index) AS last
FROM (
    SELECT sentence_index, floor(
        (sum(characters) OVER (ORDER BY sentence_index) - characters) / {characters}.0
    ) AS number
    FROM (
        SELECT sentence_index, coalesce(length(text), 0) AS characters FROM {marts}.transcript_lines WHERE call_id = %s
    ) AS sentences
) AS numbered
GROUP BY number ORDER BY number
"""
_SENTENCES = """
SELECT monologue_index, sentence_index, length(text) AS characters,
    CASE WHEN length(text) <= {characters} THEN text END AS text
FROM {marts}.transcript_lines WHERE call_id = %s AND sentence_index BETWEEN %s AND %s ORDER BY sentence_index
"""
_PART_OF_SENTENCE = """
SELECT substr(text, %s, %s) AS text FROM {marts}.transcript_lines WHERE call_id = %s AND sentence_index = %s
"""

TurnWithText = tuple[Mapping[str, Any], Iterable[str]]
"""A turn of `read_turns`, and the fragments of its text."""


def format_conversations(
    marts: Marts, call_ids: Sequence[str], side: str | None, text_format: ConversationFormat, max_tokens: int | None
) -> Iterator[str]:
    """Yield one text per call that fits into memory with the others; calls on which the side said nothing are left out.

    Args:
        marts: The marts.
        call_ids: The calls.
        side: Only what this side said.
        text_format: The format.
        max_tokens: Maximum length of a text in tokens; its turns end before, but the facts are complete.
    """
    for facts, turns in read_conversations(marts, call_ids, side):
        texts = ((turn, [] if turn["text"] is None else [turn["text"]]) for turn in turns)
        yield "".join(_format_call(text_format, facts, turns, texts, max_tokens))


def format_long_conversation(
    marts: Marts, call_id: str, side: str | None, text_format: ConversationFormat, max_tokens: int | None
) -> Iterator[str]:
    """Yield the pieces of the text of one call; see `format_conversations`."""
    for facts, turns, texts in read_long_conversation(marts, call_id, side):
        yield from _format_call(text_format, facts, turns, texts, max_tokens)


def read_conversations(
    marts: Marts, call_ids: Sequence[str], side: str | None
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield the facts of each call and its turns, oldest call first."""
    turns = group_by_call(read_turns(marts, call_ids, side))
    for facts in read_facts(marts, call_ids):
        if call_turns := turns.get(facts["call_id"]):
            yield facts, call_turns


def read_long_conversation(
    marts: Marts, call_id: str, side: str | None
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], Iterator[TurnWithText]]]:
    """Yield the facts of a call, its turns without text, and the turns with their text; nothing if there is no turn."""
    turns = list(read_turns(marts, [call_id], side, text="NULL"))
    for facts in read_facts(marts, [call_id] if turns else []):
        yield facts, turns, _texts(marts, call_id, turns)


def _format_call(
    text_format: ConversationFormat,
    facts: Mapping[str, Any],
    turns: Sequence[Mapping[str, Any]],
    texts: Iterable[TurnWithText],
    max_tokens: int | None,
) -> Iterator[str]:
    """Yield the pieces of the text of a call."""
    begin = text_format.begin(facts)
    yield begin
    rest = None if max_tokens is None else max_tokens * CHARACTERS_PER_TOKEN - len(begin)
    omitted = None
    for number, (turn, fragments) in enumerate(texts):
        pieces = text_format.format_turn(finish_turn(turn, facts["url"]), fragments, is_first=number == 0)
        if rest is None:
            yield from pieces
            continue
        # The text of a turn that is too long is not read.
        text = "".join(pieces) if (turn["characters"] or 0) <= rest else None
        if text is None or len(text) > rest:
            omitted = _omitted(turns[number:])
            break
        rest -= len(text)
        yield text
    yield text_format.end(omitted)


def _omitted(turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    characters = sum(turn["characters"] or 0 for turn in turns)
    tokens = -(-characters // CHARACTERS_PER_TOKEN)
    return {"turns": len(turns), "tokens": tokens, "from": turns[0]["start_time"]}


def _texts(marts: Marts, call_id: str, turns: Iterable[Mapping[str, Any]]) -> Iterator[TurnWithText]:
    by_index = {turn["monologue_index"]: turn for turn in turns}
    for monologue_index, sentences in groupby(_sentences(marts, call_id), key=itemgetter("monologue_index")):
        if turn := by_index.get(monologue_index):
            yield turn, _fragments(marts, call_id, sentences)


def _sentences(marts: Marts, call_id: str) -> Iterator[Mapping[str, Any]]:
    """Yield the sentences of a call in order. The text of a very long sentence is null."""
    values = {"marts": marts.schema, "characters": CHARACTERS_PER_BATCH}
    for part in marts.rows(_RANGES.format(**values), call_id):
        yield from marts.rows(_SENTENCES.format(**values), call_id, part["first"], part["last"])


def _fragments(marts: Marts, call_id: str, sentences: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the text of a turn, its sentences separated by spaces, in fragments."""
    separator = ""
    for sentence in sentences:
        if sentence["characters"] is None:
            continue
        yield separator
        separator = " "
        if sentence["text"] is not None:
            yield sentence["text"]
            continue
        for position in range(1, sentence["characters"] + 1, CHARACTERS_PER_BATCH):
            sql = _PART_OF_SENTENCE.format(marts=marts.schema)
            (part,) = marts.rows(sql, position, CHARACTERS_PER_BATCH, call_id, sentence["sentence_index"])
            yield part["text"]
