"""Cursors of the simulated Gong: signed, valid for one hour and for one request."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT, USERS, Json
from tests.support.servers.gong_client import UNTIL, read_error


def test_a_chain_of_pages_expires_an_hour_after_its_first_page(gong: SimulatedGong, client: httpx.Client) -> None:
    """A later page does not extend the lifetime."""
    gong.settings.page_size = 50
    gong.clock = lambda: UNTIL
    first = client.post(EXTENSIVE, json={"filter": {}}).json()["records"]["cursor"]
    gong.clock = lambda: UNTIL + timedelta(minutes=59)
    second = client.post(EXTENSIVE, json={"filter": {}, "cursor": first}).json()["records"]["cursor"]
    gong.clock = lambda: UNTIL + timedelta(minutes=61)
    for cursor in (first, second):
        response = client.post(EXTENSIVE, json={"filter": {}, "cursor": cursor})
        assert read_error(response) == (400, ["Cursor has expired"])


@pytest.mark.parametrize("cursor", ["nonsense", "a.b.c", "", "é.é.é"])
def test_a_malformed_cursor_is_rejected(client: httpx.Client, cursor: str) -> None:
    """A cursor without a valid signature is a 400, never a server error."""
    for response in (
        client.post(EXTENSIVE, json={"filter": {}, "cursor": cursor}),
        client.get(USERS, params={"cursor": cursor}),
    ):
        assert read_error(response) == (400, ["Failed to verify cursor"])


def test_an_edited_cursor_is_rejected(client: httpx.Client) -> None:
    """The signature covers the payload."""
    cursor = client.post(EXTENSIVE, json={"filter": {}}).json()["records"]["cursor"]
    head, payload, signature = cursor.split(".")
    edited = f"{head}.{payload[:-4]}AAAA.{signature}"
    response = client.post(EXTENSIVE, json={"filter": {}, "cursor": edited})
    assert read_error(response) == (400, ["Failed to verify cursor"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (EXTENSIVE, {"filter": {"toDateTime": "2026-05-01T00:00:00Z"}}),
        (EXTENSIVE, {"filter": {}, "contentSelector": {"context": "Basic"}}),
        (TRANSCRIPT, {"filter": {}}),
    ],
)
def test_a_cursor_of_another_request_is_rejected(client: httpx.Client, path: str, body: Json) -> None:
    """A client that changes its filter between two pages is faulty."""
    cursor = client.post(EXTENSIVE, json={"filter": {}}).json()["records"]["cursor"]
    assert client.post(path, json=body | {"cursor": cursor}).status_code == 400


def test_a_post_reads_the_cursor_from_its_body_only(client: httpx.Client) -> None:
    """A cursor in the query of a POST returns the first page again, as in Gong."""
    first = client.post(EXTENSIVE, json={"filter": {}}).json()
    query = {"cursor": first["records"]["cursor"]}
    again = client.post(EXTENSIVE, params=query, json={"filter": {}, "cursor": None}).json()
    assert again["calls"] == first["calls"]
