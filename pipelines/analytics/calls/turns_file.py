"""A Parquet file with one row per turn and the facts of its call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .reader import finish_turn

_TEXT = pa.string()
_FACTS: Mapping[str, pa.DataType] = {
    "call_id": _TEXT,
    "title": _TEXT,
    "url": _TEXT,
    "started": pa.timestamp("us", tz="UTC"),
    "duration_seconds": pa.float64(),
    "language": _TEXT,
    "call_type": _TEXT,
    "is_external": pa.bool_(),
    "host_name": _TEXT,
    "host_title": _TEXT,
    "team": _TEXT,
    "account_id": _TEXT,
    "account_name": _TEXT,
    "account_matched_by": _TEXT,
    "opportunity_id": _TEXT,
    "opportunity_name": _TEXT,
    "stage_at_call": _TEXT,
    "stage_now": _TEXT,
    "amount_now": pa.float64(),
    "currency": _TEXT,
    "close_date": pa.date32(),
    "deal_outcome": _TEXT,
}
SCHEMA = pa.schema(
    [
        *_FACTS.items(),
        ("turn_index", pa.int64()),
        ("start_time", _TEXT),
        ("start_ms", pa.int64()),
        ("end_ms", pa.int64()),
        ("speaker", _TEXT),
        ("side", _TEXT),
        ("topic", _TEXT),
        ("moment_url", _TEXT),
        ("text", _TEXT),
    ]
)
"""Columns of the file."""

_ROWS_PER_GROUP = 20_000


def turn_row(facts: Mapping[str, Any], turn: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    """Return the row of a turn.

    Args:
        facts: The facts of its call.
        turn: The turn.
        text: Its text.
    """
    close_date = facts["close_date"]
    return {
        **{name: facts[name] for name in _FACTS},
        "close_date": close_date and date.fromisoformat(close_date),
        "turn_index": turn["monologue_index"],
        **finish_turn(turn, facts["url"]),
        "text": text,
    }


def write_turns(file: Path, rows: Iterable[Mapping[str, Any]], characters_per_group: int) -> int:
    """Write the rows and return their number; a group of some megabytes is in memory at a time.

    Args:
        file: The file.
        rows: Rows of `turn_row`.
        characters_per_group: Number of characters after which a group is written.

    Raises:
        OSError: If the file cannot be written.
    """
    count = 0
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for group in _groups(rows, characters_per_group):
            writer.write_table(pa.Table.from_pylist(group, SCHEMA))
            count += len(group)
    return count


def _groups(rows: Iterable[Mapping[str, Any]], max_characters: int) -> Iterator[list[Mapping[str, Any]]]:
    group: list[Mapping[str, Any]] = []
    characters = 0
    for row in rows:
        group.append(row)
        characters += len(row["text"] or "")
        if characters >= max_characters or len(group) == _ROWS_PER_GROUP:
            yield group
            group, characters = [], 0
    if group:
        yield group
