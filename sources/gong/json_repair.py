"""Decode JSON in which single values are invalid and which strict decoders therefore reject."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_BRACKET_OR_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
# Gong's records have about ten levels; decoders fail at about a thousand.
_MAX_DEPTH = 200
# Python refuses to parse integers of more than 4,300 digits.
_MAX_INTEGER_DIGITS = 399


def repair_json(body: bytes) -> Any:
    """Return the decoded JSON, with invalid values as strings.

    These are NaN, infinities, numbers beyond the range of a double, integers of more than 399 digits, and values
    nested deeper than 200 levels. Invalid UTF-8 and NUL become U+FFFD. Other control characters and lone surrogates
    in strings are kept.

    Raises:
        ValueError: If the body is not JSON despite the repairs.
        RecursionError: If brackets are nested too deeply and never closed.
    """
    if not is_utf8(body):
        body = body.decode("utf-8", "replace").encode()
    body = body.replace(b"\0", "\ufffd".encode())
    return json.loads(
        _quote_deep_values(body),
        strict=False,
        parse_constant=str,
        parse_float=_parse_finite_float,
        parse_int=_parse_short_integer,
    )


def is_utf8(body: bytes) -> bool:
    """Return whether the bytes are valid UTF-8."""
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse_finite_float(number: str) -> float | str:
    value = float(number)
    return value if math.isfinite(value) else number


def _parse_short_integer(number: str) -> int | str:
    return int(number) if len(number) <= _MAX_INTEGER_DIGITS else number


def _quote_deep_values(body: bytes) -> bytes:
    """Return the JSON with values below the maximum depth as strings."""
    parts, depth, copied_until, value_start = [], 0, 0, 0
    for token in _BRACKET_OR_STRING.finditer(body):
        if token[0] in (b"[", b"{"):
            depth += 1
            value_start = token.start() if depth == _MAX_DEPTH + 1 else value_start
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if depth == _MAX_DEPTH:
                deep_value = body[value_start : token.end()].decode()
                parts += [body[copied_until:value_start], json.dumps(deep_value).encode()]
                copied_until = token.end()
    return b"".join([*parts, body[copied_until:]])
