"""A client with a connection's settings, as dlt resolves them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import dlt
from dlt.common.configuration import with_config

from .api.client import GongClient
from .api.rate_limiter import RateLimiter
from .api.urls import DEFAULT_BASE_URL
from .auth.credentials import GongCredentials
from .metrics import RunMetrics


def gong_client(
    connection: str = "gong",
    *,
    credentials: GongCredentials | None = None,
    base_url: str | None = None,
    requests_per_second: float | None = None,
    metrics: RunMetrics | None = None,
    requests_left: int | None = None,
    deadline: datetime | None = None,
) -> GongClient:
    """A client with a connection's settings, for who asks Gong something without loading anything.

    Args:
        connection: `gong`, or the name of another connection.
        credentials: Those to use; by default what the connection's settings say.
        base_url: Likewise.
        requests_per_second: Likewise.
        metrics: Where requests are counted.
        requests_left: Requests that may be sent; None for no bound.
        deadline: No request is sent after this instant.
    """

    def configured(
        credentials: GongCredentials = dlt.secrets.value,
        base_url: str = DEFAULT_BASE_URL,
        requests_per_second: float = 3.0,
    ) -> GongClient:
        rate_limiter = RateLimiter(requests_per_second, requests_left, deadline=deadline)
        return GongClient(base_url, credentials.auth(base_url), rate_limiter, metrics or RunMetrics())

    sections = ("sources", "gong") if connection == "gong" else ("sources", "gong", connection)
    given: dict[str, Any] = {
        "credentials": credentials,
        "base_url": base_url,
        "requests_per_second": requests_per_second,
    }
    client: GongClient = with_config(configured, sections=sections)(
        **{name: value for name, value in given.items() if value is not None}
    )
    return client
