"""Make text from data safe to show: without control characters and bidirectional controls; format times."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# A terminal executes control characters, and bidirectional controls reorder what a person reads. Lone surrogates
# cannot be written at all.
_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SURROGATES = "\ud800-\udfff"
_UNPRINTABLE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDIRECTIONAL}{_SURROGATES}]")
# Line feeds separate records, and encoders have escaped all other characters below the space.
_UNSAFE_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029{_BIDIRECTIONAL}{_SURROGATES}]")


def make_printable(text: object) -> str:
    """Return the text with a space for each line break, tab and other control; its length stays the same."""
    return _UNPRINTABLE.sub(" ", str(text))


def escape_json(text: str) -> str:
    r"""Return encoded JSON with controls that an encoder leaves as they are escaped, such as `\u009b`."""
    return _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def format_time(time: datetime) -> str:
    """Return a time in UTC to the second: `2026-11-28 13:05:09 UTC`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def format_count(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 call`, `1,200 calls`; the plural has an `s` if none is given."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
