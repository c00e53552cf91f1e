"""JSON that a strict decoder refuses although only one value in it is odd: read as far as nothing is lost."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_BRACKET_OR_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
# Gong's records are some ten levels deep; decoders give up at about a thousand.
_DEEPEST = 200
# Python refuses to read whole numbers of more than 4,300 digits.
_LONGEST_NUMBER = 400


def repair_json(body: bytes) -> Any:
    """The JSON, with text in place of what has no value: NaN, infinities, endless numbers, bottomless nesting.

    Bytes that are not UTF-8 and NUL become U+FFFD; other control characters inside of texts are taken as they are,
    and so are lone surrogates.

    Raises:
        ValueError: It is no JSON even so.
        RecursionError: Brackets are open to no end.
    """
    if not is_utf8(body):
        body = body.decode("utf-8", "replace").encode()
    body = body.replace(b"\0", "\ufffd".encode())
    shallow = _without_depths(body)
    return json.loads(shallow, strict=False, parse_constant=str, parse_float=_finite, parse_int=_short)


def is_utf8(body: bytes) -> bool:
    """Whether the bytes are text at all."""
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _finite(number: str) -> float | str:
    value = float(number)
    return value if math.isfinite(value) else number


def _short(number: str) -> int | str:
    return int(number) if len(number) < _LONGEST_NUMBER else number


def _without_depths(body: bytes) -> bytes:
    """The JSON with whatever lies deeper than any decoder goes put down as text."""
    parts, depth, done, begin = [], 0, 0, 0
    for token in _BRACKET_OR_TEXT.finditer(body):
        if token[0] in (b"[", b"{"):
            depth += 1
            begin = token.start() if depth == _DEEPEST + 1 else begin
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if depth == _DEEPEST:
                parts += [body[done:begin], json.dumps(body[begin : token.end()].decode()).encode()]
                done = token.end()
    return b"".join([*parts, body[done:]])
