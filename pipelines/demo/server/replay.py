"""A company made of recorded responses, so that the simulated Gong replays real input."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company

Json = dict[str, Any]


def build_recorded_company(extensive: Json, transcripts: Json, *, until: datetime | None = None) -> Company:
    """Return a company with the calls of recorded responses.

    Args:
        extensive: A response of POST /v2/calls/extensive. A block is served as recorded if a selector exposes it.
        transcripts: A response of POST /v2/calls/transcript. A transcript without a recorded call gets a call that
            has the metadata of the last recorded one, so that it can be requested.
        until: The company's present; None for now.
    """
    transcript_by_id = {
        str(entry["callId"]): msgspec.json.encode(entry["transcript"]) for entry in transcripts["callTranscripts"]
    }
    calls = [Call(record, transcript_by_id.pop(str(record["metaData"]["id"]), None)) for record in extensive["calls"]]
    if calls:
        template = calls[-1].record["metaData"]
        calls += [
            Call({"metaData": {**template, "id": call_id}}, transcript)
            for call_id, transcript in transcript_by_id.items()
        ]
    workspace_ids = dict.fromkeys(str(call.record["metaData"]["workspaceId"]) for call in calls)
    workspaces = [
        {"id": workspace_id, "name": f"Workspace {workspace_id}", "description": None} for workspace_id in workspace_ids
    ]
    return Company("Recorded", until or datetime.now(UTC), workspaces=workspaces, calls=calls)
