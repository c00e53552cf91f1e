"""How the simulated Gong behaves: limits, credentials, delays. Tests change these while it runs."""

import base64
from dataclasses import dataclass, field
from datetime import timedelta


def _default_credentials() -> dict[str, frozenset[str] | None]:
    basic = base64.b64encode(b"demo:demo-secret").decode()
    return {f"Basic {basic}": None, "Bearer demo-token": None}


@dataclass
class ServerSettings:
    """`credentials` maps the exact Authorization header to its scopes (None: all).

    The three delays count from the end of a call. `requests_per_second` is a sliding window of one second.
    A request with an id of a call that is no number `call_ids_below` is refused.
    Links to recordings lead to `media_host`.
    `access_taken_back` are ids of calls that nobody may see any more by an access given through the API.
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
    see_no_calls: bool = False
    call_ids_below: int = 2**63
    access_taken_back: set[str] = field(default_factory=set)
    media_host: str = "https://media.gong.example"
    gzip: bool = True
