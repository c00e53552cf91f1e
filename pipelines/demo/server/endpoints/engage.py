"""Engage area: flows and their folders."""

from datetime import timedelta
from typing import Any

from pipelines.demo.identifiers import derive_id, format_datetime
from pipelines.demo.server.messages.cursors import hash_request
from pipelines.demo.server.messages.pagination import paginate_rows
from pipelines.demo.server.messages.request import GongRequest
from pipelines.demo.server.messages.response import GongResponse

Json = dict[str, Any]

_COMPANY_FLOWS = ("Inbound trial", "Renewal in 90 days")


def list_flows(request: GongRequest) -> GongResponse:
    """Handle GET /v2/flows: the company's flows and those of the owner; an unknown owner is not an error."""
    email = request.require_parameter("flowOwnerEmail")
    rows = [_build_flow(request, name, number) for number, name in enumerate(_COMPANY_FLOWS)]
    rows += [
        _build_flow(request, f"{user['firstName']}'s follow-up", 10 + number, "Personal")
        for number, user in enumerate(request.company.users)
        if user["emailAddress"] == email and user["settings"]["gongConnectEnabled"]
    ]
    digest = hash_request(request.path, email)
    return paginate_rows(request, rows, request.query.get("cursor"), digest, array="flows", empty_error=None)


def list_flow_folders(request: GongRequest) -> GongResponse:
    """Handle GET /v2/flows/folders, which differs from its documentation.

    The array has another key, and missing values are the text "null".
    """
    email = request.require_parameter("flowFolderOwnerEmail")
    company = request.company
    top_id = derive_id(company.name, "folder", 0)
    rows = [
        {"id": top_id, "name": "Company", "parentFolderId": "null", "createdById": "null", "visibility": "Company"},
        {
            "id": derive_id(company.name, "folder", 1),
            "name": "Outbound",
            "parentFolderId": top_id,
            "createdById": company.users[0]["id"],
            "visibility": "Company",
        },
    ]
    digest = hash_request(request.path, email)
    return paginate_rows(request, rows, request.query.get("cursor"), digest, array="flowsFolders", empty_error=None)


def _build_flow(request: GongRequest, name: str, number: int, visibility: str = "Company") -> Json:
    company = request.company
    return {
        "id": derive_id(company.name, "flow", number),
        "name": name,
        "folderId": derive_id(company.name, "folder", 0),
        "folderName": "Company",
        "visibility": visibility,
        "creationDate": format_datetime(company.until - timedelta(days=200), 3),
        "exclusive": False,
    }
