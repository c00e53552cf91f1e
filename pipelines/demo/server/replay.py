"""A company made of recorded answers, so that the simulated Gong replays real input."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company

Json = dict[str, Any]


def build_recorded_company(extensive: Json, transcripts: Json, *, until: datetime | None = None) -> Company:
    """A company of one workspace with the calls of a calls/extensive and a calls/transcript answer.

    Blocks appear as recorded when a selector asks for them. A transcript whose call was not recorded gets a bare
    call at the time of the last one, so that it can be asked for. `until` defaults to now.
    """
    said = {str(entry["callId"]): msgspec.json.encode(entry["transcript"]) for entry in transcripts["callTranscripts"]}
    calls = [Call(record, said.pop(str(record["metaData"]["id"]), None)) for record in extensive["calls"]]
    if calls:
        template = calls[-1].record["metaData"]
        calls += [Call({"metaData": {**template, "id": call_id}}, encoded) for call_id, encoded in said.items()]
    workspace_ids = dict.fromkeys(str(call.record["metaData"]["workspaceId"]) for call in calls)
    workspaces = [{"id": known, "name": f"Workspace {known}", "description": None} for known in workspace_ids]
    return Company("Recorded", until or datetime.now(UTC), workspaces=workspaces, calls=calls)
