"""A request as the simulated Gong received it, for tests to assert what was sent."""

from dataclasses import dataclass
from typing import Any


@dataclass
class RequestLogEntry:
    """What came in and how it was answered.

    `body` is the parsed JSON or None; `status` is None while unanswered and stays so after a reset connection;
    `at` is a monotonic time in seconds, to look at the pace of a client.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    authorization_present: bool
    at: float
    status: int | None = None

    @property
    def cursor(self) -> str | None:
        """The cursor where the endpoint reads it: from the body of a POST, else from the query."""
        if self.method == "POST":
            return self.body.get("cursor") if isinstance(self.body, dict) else None
        return self.query.get("cursor")
