"""Library area: folders and the calls in them."""

from pipelines.demo.server.messages.request import GongRequest, validate_ids
from pipelines.demo.server.messages.response import GongError, GongResponse


def list_folders(request: GongRequest) -> GongResponse:
    """Handle GET /v2/library/folders; `workspaceId` is required if the company has several workspaces."""
    workspace_id = request.query.get("workspaceId")
    if workspace_id is None and len(request.company.workspaces) > 1:
        raise GongError(400, "workspaceId: must not be null")
    folders = request.company.folders
    return GongResponse({"folders": [entry.folder for entry in folders if workspace_id in (None, entry.workspace_id)]})


def get_folder_content(request: GongRequest) -> GongResponse:
    """Handle GET /v2/library/folder-content; deleted calls are left out."""
    folder_id = request.require_parameter("folderId")
    validate_ids("folderId", [folder_id])
    for entry in request.company.folders:
        if entry.folder["id"] == folder_id:
            members = {key: entry.folder[key] for key in ("id", "name", "createdBy", "updated")}
            calls = [call for call in entry.calls if request.calls.find(str(call["id"]))]
            return GongResponse({**members, "calls": calls})
    raise GongError(404, "Folder not found")
