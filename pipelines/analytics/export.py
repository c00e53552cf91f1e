"""Job of `gong-elt export transcripts`: whole conversations with their speakers as JSON lines or Markdown.

Calls are read in batches, and a call that is longer than a batch is read and written in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from sources.gong import parse_datetime_setting
from state.sql import placeholders

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.target import Target
from .accounts import ResolvedAccounts, resolve_accounts
from .calls.reader import finish_turn, group_by_call, read_facts, read_turns
from .conversation_format import FORMATS, SIDE_HEADINGS, ConversationFormat
from .marts import DEFAULT_ANALYTICS, Marts, contains, open_marts

SIDES = tuple(SIDE_HEADINGS)

# Number of calls and of characters in memory at a time.
_CALLS_PER_BATCH = 50
_CHARACTERS_PER_BATCH = 4_000_000

_CALLS = """
SELECT calls.call_id, coalesce(chunks.characters, 0) AS characters
FROM {marts}.calls_enriched AS calls
LEFT JOIN (
    SELECT call_id, sum(character_count) AS characters FROM {marts}.transcript_chunks GROUP BY call_id
) AS chunks ON chunks.call_id = calls.call_id
WHERE calls.has_transcript{conditions}
ORDER BY calls.started, calls.call_id
"""
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
_OF_ACCOUNTS = "calls.call_id IN (SELECT call_id FROM {marts}.account_calls WHERE account_id IN ({placeholders}))"
_EXTENT = """
SELECT count(*) AS calls, min(started) AS first, max(started) AS last FROM {marts}.calls_enriched WHERE has_transcript
"""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of an export.

    Attributes:
        format: `jsonl` (one object per call) or `markdown`.
        since: Start of the period as the user wrote it; None for the first call.
        until: End of the period, exclusive; None for the last call.
        rep: Part of the host's name, case-insensitive.
        account: Name of the account or a part of it, its domain, its id in the CRM, or a contact's e-mail address.
        side: Only what this side said; calls on which it said nothing are left out.
        analytics: Dataset of the marts.
    """

    format: str = "jsonl"
    since: str | None = None
    until: str | None = None
    rep: str | None = None
    account: str | None = None
    side: str | None = None
    analytics: str = DEFAULT_ANALYTICS


def export_transcripts(
    connection: Connection, target: Target, options: ExportOptions, warn: Callable[[str], None]
) -> Iterator[str]:
    """Yield conversations, oldest call first, in pieces of text; the last piece of each ends with a line break.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: Calls and format.
        warn: Called with a line if no conversation matches.

    Raises:
        UsageError: If an option is invalid, or the marts do not exist.
        ConfigurationError: If a date is invalid.
    """
    if options.format not in FORMATS:
        raise UsageError(f"--format {options.format!r} is unknown: use one of {', '.join(FORMATS)}")
    if options.side is not None and options.side not in SIDES:
        raise UsageError(f"--side {options.side!r} is unknown: use one of {', '.join(SIDES)}")
    text_format = FORMATS[options.format]
    with open_marts(connection, target, options.analytics) as marts:
        accounts = resolve_accounts(marts, options.account) if options.account else None
        is_empty = True
        for call_ids, characters in _batches(_calls(marts, options, accounts)):
            if characters > _CHARACTERS_PER_BATCH:
                pieces = _long_conversation(marts, call_ids[0], options.side, text_format)
            else:
                pieces = map(text_format.format, _conversations(marts, call_ids, options.side))
            for piece in pieces:
                is_empty = False
                yield piece
        if is_empty:
            warn(_no_match_message(marts, options, accounts))


def _calls(marts: Marts, options: ExportOptions, accounts: ResolvedAccounts | None) -> Iterator[tuple[str, int]]:
    """Yield id and number of characters of each matching call; `accounts` are those of `--account`."""
    if accounts is not None and not accounts.matches:
        return
    filters: list[tuple[Any, ...]] = []
    if options.since:
        filters.append(("started >= %s", parse_datetime_setting(options.since, "--since")))
    if options.until:
        filters.append(("started < %s", parse_datetime_setting(options.until, "--until")))
    if options.rep:
        filters.append((contains("host_name"), options.rep.lower()))
    if accounts is not None:
        condition = _OF_ACCOUNTS.format(marts=marts.schema, placeholders=placeholders(len(accounts.matches)))
        filters.append((condition, *accounts.account_ids))
    conditions = "".join(f" AND {condition}" for condition, *_ in filters)
    values = [value for _, *values in filters for value in values]
    rows = marts.rows(_CALLS.format(marts=marts.schema, conditions=conditions), *values)
    yield from ((row["call_id"], int(row["characters"])) for row in rows)


def _batches(calls: Iterable[tuple[str, int]]) -> Iterator[tuple[list[str], int]]:
    """Yield the calls in batches, each with its number of characters. A call that is longer than a batch is alone."""
    batch: list[str] = []
    batch_characters = 0
    for call_id, characters in calls:
        if batch and (len(batch) == _CALLS_PER_BATCH or batch_characters + characters > _CHARACTERS_PER_BATCH):
            yield batch, batch_characters
            batch, batch_characters = [], 0
        batch.append(call_id)
        batch_characters += characters
    if batch:
        yield batch, batch_characters


def _conversations(marts: Marts, call_ids: Sequence[str], side: str | None) -> Iterator[dict[str, Any]]:
    turns = group_by_call(read_turns(marts, call_ids, side))
    for facts in read_facts(marts, call_ids):
        if call_turns := turns.get(facts["call_id"]):
            yield {**facts, "omitted": None, "turns": [finish_turn(turn, facts["url"]) for turn in call_turns]}


def _long_conversation(marts: Marts, call_id: str, side: str | None, text_format: ConversationFormat) -> Iterator[str]:
    """Yield the pieces of one conversation, of which a few megabytes are in memory at a time."""
    turns = {turn["monologue_index"]: turn for turn in read_turns(marts, [call_id], side, text="NULL")}
    if not turns:
        return
    (facts,) = read_facts(marts, [call_id])
    facts = {**facts, "omitted": None}
    yield text_format.begin(facts)
    is_first = True
    for monologue_index, sentences in groupby(_sentences(marts, call_id), key=itemgetter("monologue_index")):
        if turn := turns.get(monologue_index):
            without_text = finish_turn(turn, facts["url"])
            del without_text["text"]
            fragments = _fragments(marts, call_id, sentences)
            yield from text_format.format_turn(without_text, fragments, is_first=is_first)
            is_first = False
    yield text_format.end(facts)


def _sentences(marts: Marts, call_id: str) -> Iterator[Mapping[str, Any]]:
    """Yield the sentences of a call in order. The text of a very long sentence is null."""
    values = {"marts": marts.schema, "characters": _CHARACTERS_PER_BATCH}
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
        for position in range(1, sentence["characters"] + 1, _CHARACTERS_PER_BATCH):
            sql = _PART_OF_SENTENCE.format(marts=marts.schema)
            (part,) = marts.rows(sql, position, _CHARACTERS_PER_BATCH, call_id, sentence["sentence_index"])
            yield part["text"]


def _no_match_message(marts: Marts, options: ExportOptions, accounts: ResolvedAccounts | None) -> str:
    """Return why nothing was exported, and what to change."""
    (extent,) = marts.rows(_EXTENT.format(marts=marts.schema))
    if not extent["calls"]:
        return f"dataset {marts.dataset} has no transcript yet: run gong-elt sync and gong-elt models"
    if accounts is not None and not accounts.matches:
        closest = f": the closest names are {', '.join(accounts.closest_names)}" if accounts.closest_names else ""
        return f"no account matches --account {options.account!r}{closest}"
    names = ("since", "until", "rep", "account", "side")
    filters = " ".join(f"--{name} {value!r}" for name in names if (value := getattr(options, name)) is not None)
    period = f" from {extent['first']:%Y-%m-%d} to {extent['last']:%Y-%m-%d}" if extent["first"] else ""
    return f"no conversation matches {filters}: of {extent['calls']:,}{period}, none; change or omit a filter"
