"""The content selector of the simulated Gong: which fields of a call it exposes."""

from __future__ import annotations

from datetime import timedelta

import httpx

from pipelines.demo.server.app import SimulatedGong
from tests.support.gong_api import EXTENSIVE, Json
from tests.support.servers.gong_client import FULL_SELECTOR, UNTIL, read_calls


def test_without_a_selector_only_metadata_is_returned(client: httpx.Client) -> None:
    """Gong returns no content by default."""
    assert {key for call in read_calls(client) for key in call} == {"metaData"}


def test_each_flag_exposes_its_block_only(client: httpx.Client) -> None:
    """A flag that the connector does not set costs it no data."""
    for group in ("content", "interaction"):
        for flag in FULL_SELECTOR["exposedFields"][group]:
            if flag == "trackerOccurrences":
                continue
            calls = read_calls(client, selector={"exposedFields": {group: {flag: True}}})
            assert {key for call in calls for key in call} == {"metaData", group}
            block = "interactionStats" if flag == "personInteractionStats" else flag
            assert {key for call in calls for key in call.get(group, {})} == {block}


def test_context_has_the_requested_detail_and_timing(client: httpx.Client) -> None:
    """`Basic` has ids only, `Extended` has fields, and each timing is an object of its own."""

    def read_opportunities(selector: Json) -> list[list[Json]]:
        page = client.post(EXTENSIVE, json={"filter": {}, "contentSelector": selector}).json()
        contexts = [context["objects"] for call in page["calls"] for context in call["context"]]
        return [[o for o in objects if o["objectType"] == "Opportunity"] for objects in contexts]

    basic = read_opportunities({"context": "Basic"})
    assert all(len(objects) == 1 and "fields" not in objects[0] for objects in basic)
    extended = read_opportunities({"context": "Extended"})
    assert {objects[0]["timing"] for objects in extended} == {"Now"}
    both = read_opportunities({"context": "Extended", "contextTiming": ["Now", "TimeOfCall"]})
    assert all([o["timing"] for o in objects] == ["Now", "TimeOfCall"] for objects in both)
    assert any(objects[0]["fields"] != objects[1]["fields"] for objects in both)
    without = client.post(EXTENSIVE, json={"filter": {}, "contentSelector": {"context": "None"}}).json()
    assert all("context" not in call for call in without["calls"])


def test_tracker_occurrences_need_their_own_flag(client: httpx.Client) -> None:
    """Trackers without `trackerOccurrences` have counts only."""
    for flags, expected in (({"trackers": True}, False), ({"trackers": True, "trackerOccurrences": True}, True)):
        calls = read_calls(client, selector={"exposedFields": {"content": flags}})
        trackers = [tracker for call in calls for tracker in call.get("content", {}).get("trackers", [])]
        assert any(tracker["occurrences"] for tracker in trackers) is expected


def test_context_timing_requires_extended_context(client: httpx.Client) -> None:
    """Gong rejects the combination, so the connector must not send it."""
    body = {"filter": {}, "contentSelector": {"context": "Basic", "contextTiming": ["Now"]}}
    assert client.post(EXTENSIVE, json=body).status_code == 400


def test_media_urls_are_signed_for_each_response(gong: SimulatedGong, client: httpx.Client) -> None:
    """The URLs change with time, so they must not be part of a content hash."""
    selector = {"exposedFields": {"media": True}}
    first = read_calls(client, selector=selector)[0]["media"]
    gong.clock = lambda: UNTIL + timedelta(days=400)
    assert read_calls(client, selector=selector)[0]["media"] != first
