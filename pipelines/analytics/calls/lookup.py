"""Find the call that a person names by its id or its URL, or the reason why the marts do not have it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from ...runtime.display.text import format_time
from ...runtime.errors import UsageError
from ..marts import Marts

_CALL = "SELECT call_id FROM {marts}.calls_enriched WHERE call_id = %s"


def find_call_id(marts: Marts, call: str) -> str:
    """Return the id of a call in the marts.

    Args:
        marts: The marts.
        call: Gong's id of the call, or its URL, also with a moment.

    Raises:
        UsageError: If the marts do not have the call; the message has the reason if the warehouse has it.
    """
    call_id = parse_call_id(call)
    if not [*marts.rows(_CALL.format(marts=marts.schema), call_id)]:
        raise UsageError(_why_missing(marts, call_id))
    return call_id


def parse_call_id(call: str) -> str:
    """Return the id in a call's URL, `…/call?id=…`; a text that is not a URL is an id.

    Raises:
        UsageError: If the URL has no id.
    """
    call = call.strip()
    if "://" not in call:
        return call
    ids = parse_qs(urlsplit(call).query).get("id")
    if not ids:
        raise UsageError(f"{call!r} is not the URL of a call: it has no id=; use Gong's id or the URL of the call")
    return ids[0]


def _why_missing(marts: Marts, call_id: str) -> str:
    loaded = marts.read_loaded_call(call_id)
    if loaded is None:
        return (
            f"call {call_id} is not loaded: the id is wrong, the call is private, or it is outside of the loaded"
            " period; gong-elt status shows that period"
        )
    if loaded.is_private:
        return f"call {call_id} is private in Gong, and the marts leave out private calls"
    if loaded.deleted_at is not None:
        return f"call {call_id} was deleted in Gong; its content was erased here on {format_time(loaded.deleted_at)}"
    return f"call {call_id} is loaded, but the marts were built before: run gong-elt models"
