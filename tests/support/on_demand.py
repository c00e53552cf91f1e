"""Expected results of on-demand reads, taken from the simulated Gong's own data."""

from __future__ import annotations

import json

from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import public_calls
from tests.support.gong_api import Json


def parse_lines(output: str) -> list[Json]:
    """Return the JSON lines that a command printed."""
    return [json.loads(line) for line in output.splitlines()]


def visible_metadata(gong: SimulatedGong) -> dict[str, Json]:
    """Return the metadata of the calls that are not private, by call id."""
    return {call.id: call.record["metaData"] for call in public_calls(gong)}


def monologues_of(gong: SimulatedGong, call_id: str) -> list[Json]:
    """Return the monologues of a call's transcript."""
    monologues: list[Json] = json.loads(gong.get_call(call_id).transcript_json or b"[]")
    return monologues


def private_call_ids(gong: SimulatedGong) -> set[str]:
    """Return the ids of the private calls, of which there is at least one."""
    ids = {call.id for call in gong.list_calls() if call.record["metaData"]["isPrivate"]}
    assert ids
    return ids


def private_calls_phrase(ids: set[str]) -> str:
    """Return the number of private calls as messages write it."""
    return f"{len(ids)} private call{'s' if len(ids) > 1 else ''}"
