"""Call library of the generated company: nested folders per workspace, with calls, notes and snippets."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pipelines.demo.company.calls import Call
from pipelines.demo.company.people import Staff
from pipelines.demo.identifiers import IdGenerator, format_datetime

Json = dict[str, Any]

_TREE: dict[str, tuple[str, ...]] = {
    "Best discovery calls": ("Questions that open up", "Quantified pain"),
    "Objection handling": (),
    "Demos worth copying": ("Short demos",),
    "Onboarding": ("Week one", "Week two"),
}
_NOTES = ("Listen to the pause before the price.", "Great recap at the end.", "How to bring in finance early.", None)


@dataclass
class LibraryFolder:
    """A folder as Gong lists it, the workspace it belongs to, and the `calls` of its content."""

    folder: Json
    workspace_id: str
    calls: list[Json] = field(default_factory=list)


def build_library(
    rng: random.Random, ids: IdGenerator, staff: Staff, workspaces: list[Json], *, calls: list[Call], until: datetime
) -> list[LibraryFolder]:
    """Return the folders of every workspace. The last one is empty, and the first contains one call twice."""
    managers = [team.manager for team in staff.teams]
    folders: list[LibraryFolder] = []

    def add_folder(name: str, workspace_id: str, parent_id: str | None) -> str:
        folder = {
            "id": ids.draw(),
            "name": name,
            "parentFolderId": parent_id,
            "createdBy": rng.choice(managers)["id"] if rng.random() < 0.9 else None,
            "updated": format_datetime(until - timedelta(days=rng.uniform(1, 200)), 3),
        }
        folders.append(LibraryFolder(folder, workspace_id))
        return str(folder["id"])

    for workspace in workspaces:
        for name, children in _TREE.items():
            parent_id = add_folder(name, workspace["id"], None)
            for child in children:
                add_folder(child, workspace["id"], parent_id)
    for entry in folders[:-1]:
        workspace_calls = [c for c in calls if c.record["metaData"]["workspaceId"] == entry.workspace_id]
        candidates = [c for c in workspace_calls if not c.record["metaData"]["isPrivate"] and "content" in c.record]
        for call in rng.sample(candidates, min(len(candidates), rng.randint(1, 5))):
            entry.calls.append(_build_call_entry(rng, call, managers, until))
            if len(entry.calls) == 1 and entry is folders[0]:
                entry.calls.append(_build_call_entry(rng, call, managers, until))
    return folders


def _build_call_entry(rng: random.Random, call: Call, managers: list[Json], until: datetime) -> Json:
    meta = call.record["metaData"]
    entry: Json = {"id": meta["id"], "title": meta["title"]}
    entry["note"] = rng.choice(_NOTES)
    entry["addedBy"] = rng.choice(managers)["id"]
    added = datetime.fromisoformat(meta["started"]) + timedelta(hours=rng.uniform(2, 60))
    entry["created"] = format_datetime(min(added, until), 3)
    entry["url"] = meta["url"]
    start = rng.randrange(max(int(meta["duration"]) - 30, 1))
    entry["snippet"] = {"fromSec": start, "toSec": start + rng.randint(15, 30)}
    return entry
