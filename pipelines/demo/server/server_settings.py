"""Settings of the simulated Gong: limits, credentials and delays, which tests change while it runs."""

import base64
from dataclasses import dataclass, field
from datetime import timedelta


def _default_credentials() -> dict[str, frozenset[str] | None]:
    basic = base64.b64encode(b"demo:demo-secret").decode()
    return {f"Basic {basic}": None, "Bearer demo-token": None}


@dataclass
class ServerSettings:
    """How the simulated Gong behaves.

    Attributes:
        page_size: Records per page.
        requests_per_second: Limit over a sliding window of one second; None for no limit.
        requests_per_day: Limit per day in UTC; None for no limit.
        latency_seconds: Delay of every response.
        cursor_lifetime_seconds: Lifetime of a chain of pages, counted from its first page.
        credentials: Scopes by exact Authorization header; None grants all scopes.
        call_visible_after: Delay from the end of a call until Gong lists it.
        transcript_visible_after: Delay from the end of a call until its transcript exists.
        content_visible_after: Delay from the end of a call until its content exists.
        hides_all_calls: Whether no call is visible, as for a key without access to calls.
        call_ids_below: Upper bound of a valid call id, exclusive; a request with another id is rejected.
        revoked_access_call_ids: Ids of calls whose access through the API was revoked.
        media_host: Base URL of links to recordings.
        sends_date: Whether responses have a `Date` header.
        gzip: Whether responses are compressed if the client accepts it.
    """

    page_size: int = 100
    requests_per_second: float | None = None
    requests_per_day: int | None = None
    latency_seconds: float = 0.0
    cursor_lifetime_seconds: float = 3600
    credentials: dict[str, frozenset[str] | None] = field(default_factory=_default_credentials)
    call_visible_after: timedelta = timedelta(0)
    transcript_visible_after: timedelta = timedelta(0)
    content_visible_after: timedelta = timedelta(0)
    hides_all_calls: bool = False
    call_ids_below: int = 2**63
    revoked_access_call_ids: set[str] = field(default_factory=set)
    media_host: str = "https://media.gong.example"
    sends_date: bool = True
    gzip: bool = True
