"""Probes: the small request per endpoint that shows whether the credential may read it (`gong-elt check`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..api.endpoint import Endpoint
from ..incremental.windows import Window


@dataclass(frozen=True, slots=True)
class SampleIds:
    """Ids of the company's objects, for endpoints that require one; None if there is no such object.

    Attributes:
        window: Period in which the call was found.
        workspace_id, user_id, manager_id, email, call_id: Any one of each.
    """

    window: Window
    workspace_id: str | None = None
    user_id: str | None = None
    manager_id: str | None = None
    email: str | None = None
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A request for one page.

    Attributes:
        endpoint: The endpoint to test.
        query: Query parameters.
        body: Request body.
        missing: What the request requires and the company does not have; empty if it can be sent.
    """

    endpoint: Endpoint
    query: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    missing: str = ""


ProbeBuilder = Callable[[Endpoint, SampleIds], Probe]
"""Returns the probe of an endpoint."""


def query_probe(endpoint: Endpoint, query: Mapping[str, str | None], missing: str) -> Probe:
    """Return a probe with query parameters, or one that is not sent if a parameter is None.

    Args:
        endpoint: The endpoint to test.
        query: Query parameters.
        missing: What the company lacks if a parameter is None, such as "a user".
    """
    present = {name: value for name, value in query.items() if value is not None}
    return Probe(endpoint, query=present, missing="" if len(present) == len(query) else missing)
