"""Paging cursors as Gong mints them: signed tokens that carry the position, the frozen total and an expiry."""

import base64
import hashlib
import hmac
from typing import Any

import msgspec

Json = dict[str, Any]

_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
_KEY = b"a simulated Gong signs its cursors with this"


class CursorError(Exception):
    """A cursor that Gong would answer with a 400; the message is the error text."""


class CursorPosition(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Where the previous page ended, and what stays fixed while paging.

    `time` and `call_id` (or `position` in lists without a time) name the last row served; `exp` is the end of the
    whole chain in epoch seconds; `request` is a digest of everything the caller asked for beside the cursor.
    """

    total: int
    page_number: int
    page_size: int
    exp: int
    request: str
    time: str | None = None
    call_id: int | None = None
    position: int | None = None


def request_digest(*parts: object) -> str:
    """A short digest of a request, to notice a cursor that is used with another one."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def encode_cursor(position: CursorPosition) -> str:
    """The position as a signed token."""
    payload = base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=")
    signed = _HEADER + b"." + payload
    return (signed + b"." + _signature(signed)).decode()


def decode_cursor(cursor: str, *, request: str, now: float) -> CursorPosition:
    """The position inside a cursor.

    Raises `CursorError` if it was tampered with, is older than its chain allows (epoch seconds `now`), or was
    minted for another request. Gong leaves that last case undefined; here it fails, to reveal a faulty client.
    """
    signed, _, signature = cursor.encode().rpartition(b".")
    if not hmac.compare_digest(signature, _signature(signed)):
        raise CursorError("Failed to verify cursor")
    payload = signed.partition(b".")[2]
    position = msgspec.json.decode(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)), type=CursorPosition)
    if now >= position.exp:
        raise CursorError("Cursor has expired")
    if position.request != request:
        raise CursorError("Cursor was issued for a different request")
    return position


def _signature(signed: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(_KEY, signed, "sha256")).rstrip(b"=")
