"""Job of `gong-elt export transcripts`: whole conversations with their speakers as JSON lines, Markdown or Parquet.

Calls are read in batches, and a call that is longer than a batch is read and written in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sources.gong import parse_datetime_setting
from state.sql import placeholders

from ..runtime.atomic_file import replace_output_file
from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.target import Target
from .accounts import resolve_accounts
from .calls import conversations
from .calls.conversations import (
    format_conversations,
    format_long_conversation,
    read_conversations,
    read_long_conversation,
)
from .calls.deals import resolve_deals
from .calls.lookup import find_call_id
from .calls.selection import CallFilter, select_batches
from .conversation_format import FORMATS, SIDE_HEADINGS
from .marts import DEFAULT_ANALYTICS, Marts, open_marts

SIDES = tuple(SIDE_HEADINGS)

EXPORT_FORMATS = (*FORMATS, "parquet")
"""The values of `--format`."""

_EXTENT = """
SELECT count(*) AS calls, min(started) AS first, max(started) AS last FROM {marts}.calls_enriched WHERE has_transcript
"""
_WITHOUT_TRANSCRIPT = """
SELECT call_id FROM {marts}.calls_enriched WHERE NOT has_transcript AND call_id IN ({placeholders}) ORDER BY call_id
"""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of an export.

    Attributes:
        format: `jsonl` (one object per call), `markdown` or `parquet` (one row per turn).
        since: Start of the period as the user wrote it; None for the first call.
        until: End of the period, exclusive; None for the last call.
        rep: Part of the host's name, case-insensitive.
        account: Name of the account or a part of it, its domain, its id in the CRM, or a contact's e-mail address.
        side: Only what this side said; calls on which it said nothing are left out.
        analytics: Dataset of the marts.
        deal: Name of the deal or a part of it, or its id in the CRM.
        calls: Ids or URLs of calls; empty for all.
        max_tokens: Maximum length of a call's text in tokens of four characters; None for no limit.
    """

    format: str = "jsonl"
    since: str | None = None
    until: str | None = None
    rep: str | None = None
    account: str | None = None
    side: str | None = None
    analytics: str = DEFAULT_ANALYTICS
    deal: str | None = None
    calls: Sequence[str] = ()
    max_tokens: int | None = None


def export_transcripts(
    connection: Connection, target: Target, options: ExportOptions, warn: Callable[[str], None]
) -> Iterator[str]:
    """Yield conversations, oldest call first, in pieces of text; the last piece of each ends with a line break.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: Calls and format.
        warn: Called with a line if no conversation matches, or a call has no transcript.

    Raises:
        UsageError: If an option is invalid, or the marts do not exist or lack a call.
        ConfigurationError: If a date is invalid.
    """
    _validate(options)
    if options.format == "parquet":
        raise UsageError("--format parquet needs --to: Parquet is a file, not text")
    text_format = FORMATS[options.format]
    with _open_selection(connection, target, options, warn) as (marts, call_filter):
        is_empty = True
        for call_ids, is_long in _batches(marts, call_filter):
            if is_long:
                pieces = format_long_conversation(marts, call_ids[0], options.side, text_format, options.max_tokens)
            else:
                pieces = format_conversations(marts, call_ids, options.side, text_format, options.max_tokens)
            for piece in pieces:
                is_empty = False
                yield piece
        if is_empty:
            warn(_no_match_message(marts, options))


def export_turns(
    connection: Connection, target: Target, options: ExportOptions, file: Path, warn: Callable[[str], None]
) -> None:
    """Write the turns of conversations to a Parquet file, oldest call first.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: Calls.
        file: The file to replace.
        warn: Called with a line if no conversation matches, or a call has no transcript.

    Raises:
        UsageError: If an option is invalid, the marts do not exist or lack a call, or the file cannot be written.
        ConfigurationError: If a date is invalid.
    """
    from .calls.turns_file import write_turns  # noqa: PLC0415 - loads Arrow

    _validate(options)
    if options.max_tokens is not None:
        raise UsageError("--max-tokens is for jsonl and markdown: a Parquet file has one row per turn")
    with (
        _open_selection(connection, target, options, warn) as (marts, call_filter),
        replace_output_file(file) as temporary,
    ):
        rows = _turn_rows(marts, call_filter, options.side)
        if not write_turns(temporary, rows, conversations.CHARACTERS_PER_BATCH):
            warn(_no_match_message(marts, options))


def _validate(options: ExportOptions) -> None:
    if options.format not in EXPORT_FORMATS:
        raise UsageError(f"--format {options.format!r} is unknown: use one of {', '.join(EXPORT_FORMATS)}")
    if options.side is not None and options.side not in SIDES:
        raise UsageError(f"--side {options.side!r} is unknown: use one of {', '.join(SIDES)}")
    if options.max_tokens is not None and options.max_tokens < 1:
        raise UsageError(f"--max-tokens {options.max_tokens} is out of range: use 1 or more")


@contextmanager
def _open_selection(
    connection: Connection, target: Target, options: ExportOptions, warn: Callable[[str], None]
) -> Iterator[tuple[Marts, CallFilter]]:
    """Open the marts and yield them with the calls that the options name."""
    since = parse_datetime_setting(options.since, "--since") if options.since else None
    until = parse_datetime_setting(options.until, "--until") if options.until else None
    with open_marts(connection, target, options.analytics) as marts:
        call_ids = [find_call_id(marts, call) for call in options.calls] or None
        for call_id in _without_transcript(marts, call_ids or ()):
            warn(f"call {call_id} has no transcript yet, and is left out: gong-elt show {call_id} has its facts")
        yield (
            marts,
            CallFilter(
                since,
                until,
                options.rep,
                call_ids,
                resolve_accounts(marts, options.account).account_ids if options.account else None,
                resolve_deals(marts, options.deal) if options.deal else None,
            ),
        )


def _without_transcript(marts: Marts, call_ids: Sequence[str]) -> Iterator[str]:
    if call_ids:
        sql = _WITHOUT_TRANSCRIPT.format(marts=marts.schema, placeholders=placeholders(len(call_ids)))
        yield from (row["call_id"] for row in marts.rows(sql, *call_ids))


def _batches(marts: Marts, call_filter: CallFilter) -> Iterator[tuple[list[str], bool]]:
    """Yield ids of calls, and whether they are one call that does not fit into memory."""
    size = conversations.CHARACTERS_PER_BATCH
    yield from ((call_ids, characters > size) for call_ids, characters in select_batches(marts, call_filter, size))


def _turn_rows(marts: Marts, call_filter: CallFilter, side: str | None) -> Iterator[dict[str, Any]]:
    from .calls.turns_file import turn_row  # noqa: PLC0415 - loads Arrow

    for call_ids, is_long in _batches(marts, call_filter):
        if is_long:
            for facts, _, texts in read_long_conversation(marts, call_ids[0], side):
                for turn, fragments in texts:
                    text = "".join(fragments)
                    yield turn_row(facts, turn, None if turn["characters"] is None else text)
        else:
            for facts, turns in read_conversations(marts, call_ids, side):
                yield from (turn_row(facts, turn, turn["text"]) for turn in turns)


def _no_match_message(marts: Marts, options: ExportOptions) -> str:
    """Return why nothing was exported, and what to change."""
    (extent,) = marts.rows(_EXTENT.format(marts=marts.schema))
    if not extent["calls"]:
        return f"dataset {marts.dataset} has no transcript yet: run gong-elt sync and gong-elt models"
    if options.account and (unknown := resolve_accounts(marts, options.account).unknown_message(options.account)):
        return unknown
    if options.deal and not resolve_deals(marts, options.deal):
        return f"no deal matches --deal {options.deal!r}: use a part of its name, or its id in the CRM"
    names = {"calls": "call-id"} | {name: name for name in ("since", "until", "rep", "account", "deal", "side")}
    filters = " ".join(f"--{option} {value!r}" for name, option in names.items() if (value := getattr(options, name)))
    period = f" from {extent['first']:%Y-%m-%d} to {extent['last']:%Y-%m-%d}" if extent["first"] else ""
    return f"no conversation matches {filters}: of {extent['calls']:,}{period}, none; change or omit a filter"
