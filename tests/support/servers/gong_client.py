"""HTTP client for the tests of the simulated Gong, and requests that they share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from tests.support.gong_api import EXTENSIVE, Json

UNTIL = datetime(2026, 6, 1, 18, tzinfo=UTC)
"""Present of the company."""

NO_CALLS = ["No calls found corresponding to the provided filters"]

FULL_SELECTOR: Json = {
    "context": "Extended",
    "contextTiming": ["Now", "TimeOfCall"],
    "exposedFields": {
        "parties": True,
        "content": {
            "structure": True,
            "topics": True,
            "trackers": True,
            "trackerOccurrences": True,
            "brief": True,
            "outline": True,
            "highlights": True,
            "callOutcome": True,
            "keyPoints": True,
        },
        "interaction": {"speakers": True, "video": True, "personInteractionStats": True, "questions": True},
        "collaboration": {"publicComments": True},
        "media": True,
    },
}
"""A content selector that exposes every field."""


@contextlib.contextmanager
def open_client(gong: SimulatedGong, authorization: str = "Bearer demo-token") -> Iterator[httpx.Client]:
    """Serve the simulated Gong; yield a client with that Authorization header."""
    with (
        serve(gong.app) as base_url,
        httpx.Client(base_url=base_url, headers={"Authorization": authorization}, timeout=5) as client,
    ):
        yield client


def read_pages(client: httpx.Client, path: str, body: Json) -> list[Json]:
    """Return every page of a POST endpoint."""
    pages: list[Json] = []
    cursor = None
    while not pages or cursor:
        response = client.post(path, json=body | ({"cursor": cursor} if cursor else {}))
        assert response.status_code == 200, response.text
        pages.append(response.json())
        cursor = pages[-1]["records"].get("cursor")
    return pages


def read_get_pages(client: httpx.Client, path: str, array: str, query: dict[str, str]) -> list[Json]:
    """Return the rows of every page of a GET endpoint."""
    rows: list[Json] = []
    while True:
        page = client.get(path, params=query).json()
        rows += page[array]
        if "cursor" not in page["records"]:
            return rows
        query = query | {"cursor": page["records"]["cursor"]}


def read_calls(client: httpx.Client, call_filter: Json | None = None, selector: Json | None = None) -> list[Json]:
    """Return the extensive records of all calls that match the filter."""
    body = {"filter": call_filter or {}} | ({"contentSelector": selector} if selector else {})
    return [call for page in read_pages(client, EXTENSIVE, body) for call in page["calls"]]


def read_call_ids(client: httpx.Client, call_filter: Json | None = None) -> list[str]:
    """Return the ids of all calls that match the filter, in Gong's order."""
    return [call["metaData"]["id"] for call in read_calls(client, call_filter)]


def read_error(response: httpx.Response) -> tuple[int, Any]:
    """Return the status and the error messages of a response."""
    return response.status_code, response.json()["errors"]
