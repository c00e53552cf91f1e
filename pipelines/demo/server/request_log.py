"""Log of the requests that the simulated Gong received, for tests to assert what was sent."""

from dataclasses import dataclass
from typing import Any


@dataclass
class RequestLogEntry:
    """One request and the status of its response.

    Attributes:
        method: HTTP method.
        path: Path of the URL.
        query: Query parameters.
        body: The decoded body; None if it is empty or not JSON.
        authorization_present: Whether the request has an Authorization header.
        at: Monotonic time of arrival in seconds, from which a client's rate is measured.
        status: Status of the response; None before the response and after a connection reset.
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
        """The cursor, which Gong reads from the body of a POST and from the query of a GET."""
        if self.method == "POST":
            return self.body.get("cursor") if isinstance(self.body, dict) else None
        return self.query.get("cursor")
