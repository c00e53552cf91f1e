"""Response of an endpoint of the simulated Gong, or its error."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.demo.server.messages.response_cache import JsonFragment


class GongError(Exception):
    """A response with an HTTP error status and the messages of its `errors` array."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(f"{status}: {'; '.join(errors)}")
        self.status = status
        self.errors = list(errors)


@dataclass(slots=True)
class GongResponse:
    """A successful response: a JSON object of `members` and, optionally, one array of encoded items.

    Attributes:
        members: Members of the JSON object, without `requestId`.
        array: Name of the array that contains `items`; None if the response has no items.
        items: Encoded items of that array.
        status: HTTP status.
    """

    members: dict[str, Any] = field(default_factory=dict)
    array: str | None = None
    items: Sequence[JsonFragment] = ()
    status: int = 200
