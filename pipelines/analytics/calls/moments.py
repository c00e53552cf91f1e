"""URLs that open a call in Gong at a moment, as the marts have them."""

from __future__ import annotations


def moment_url(url: str | None, start_ms: int | None, end_ms: int | None) -> str | None:
    """Return a URL that opens a call at a moment: what the dbt macro of the same name returns.

    Args:
        url: URL of the call.
        start_ms: Start in milliseconds from the start of the call; None for the call's own URL.
        end_ms: End in milliseconds from the start of the call.
    """
    if url is None or start_ms is None:
        return url
    first = max(start_ms, 0) // 1000
    last = (max(end_ms or 0, start_ms, 0) + 999) // 1000
    separator = "&" if "?" in url else "?"
    return f"{url}{separator}highlights=%5B%7B%22type%22%3A%22SHARE%22%2C%22from%22%3A{first}%2C%22to%22%3A{last}%7D%5D"
