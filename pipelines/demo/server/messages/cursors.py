"""Paging cursors in Gong's format: signed tokens with the position, the total of the first page and an expiry."""

import base64
import hashlib
import hmac

import msgspec

_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
_KEY = b"a simulated Gong signs its cursors with this"


class CursorError(Exception):
    """An invalid cursor, for which Gong returns 400; the message is Gong's error message."""


class CursorPosition(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """End of the previous page, and what stays fixed along a chain of pages.

    Attributes:
        total: Number of records, counted on the first page.
        page_number: Number of the previous page, from 0.
        page_size: Records per page.
        exp: Expiry of the whole chain in epoch seconds.
        request: Digest of the request's other parameters.
        time: Effective time of the last call on the page; None in lists without a time.
        call_id: Id of that call.
        position: Rows before the next page, in lists without a time.
    """

    total: int
    page_number: int
    page_size: int
    exp: int
    request: str
    time: str | None = None
    call_id: int | None = None
    position: int | None = None


def hash_request(*parts: object) -> str:
    """Return a short digest of a request's parameters, by which a cursor used with another request is detected."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def encode_cursor(position: CursorPosition) -> str:
    """Return the position as a signed token."""
    payload = base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=")
    signed = _HEADER + b"." + payload
    return (signed + b"." + _sign(signed)).decode()


def decode_cursor(cursor: str, *, digest: str, now: float) -> CursorPosition:
    """Return the position in a cursor.

    Gong does not document a cursor that is sent with another request. It is an error here, to reveal a faulty client.

    Args:
        cursor: The cursor.
        digest: Digest of the current request's other parameters.
        now: Current time in epoch seconds.

    Raises:
        CursorError: If the signature is invalid, the chain has expired, or the cursor belongs to another request.
    """
    signed, _, signature = cursor.encode().rpartition(b".")
    if not hmac.compare_digest(signature, _sign(signed)):
        raise CursorError("Failed to verify cursor")
    payload = signed.partition(b".")[2]
    position = msgspec.json.decode(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)), type=CursorPosition)
    if now >= position.exp:
        raise CursorError("Cursor has expired")
    if position.request != digest:
        raise CursorError("Cursor was issued for a different request")
    return position


def _sign(signed: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(_KEY, signed, "sha256")).rstrip(b"=")
