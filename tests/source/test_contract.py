"""Every response of the simulated Gong matches Gong's OpenAPI document, except for known deviations."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from pipelines.demo.company.company import build_company
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.routes import ROUTES
from pipelines.demo.server.serving import serve
from tests.support.gong_api import Json
from tests.support.paths import OPENAPI

UNTIL = datetime(2026, 6, 1, 18, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not OPENAPI.exists(), reason=f"Gong's OpenAPI document is not at {OPENAPI}")

# What Gong really sends if its document is wrong: schema, property, schema to use instead, reason.
# Nulls need no entry: the document marks no property as required or nullable, and Gong sends null for any of them.
_TEXT_ID: Json = {"type": "string", "pattern": "^-?[0-9]{1,20}$"}
_TEXT_NUMBER: Json = {"type": "string", "pattern": "^[0-9]+$"}
DEVIATIONS: tuple[tuple[str, str, Json, str], ...] = (
    ("ContextField", "value", {}, "CRM values are any JSON type"),
    ("PartyContextField", "value", {}, "CRM values are any JSON type"),
    *(
        (schema, name, _TEXT_ID, "ids of the scorecard family are strings, in the document they are integers")
        for schema, names in {
            "Scorecard": ("scorecardId", "workspaceId", "updaterUserId"),
            "Question": ("questionId", "questionRevisionId", "updaterUserId"),
            "AnsweredScorecard": (
                "answeredScorecardId",
                "scorecardId",
                "callId",
                "reviewedUserId",
                "reviewerUserId",
                "editorUserId",
            ),
            "Answer": ("questionId", "questionRevisionId"),
        }.items()
        for name in names
    ),
    ("logEntry", "logRecord", {"type": "object"}, "the record is dynamic, its values are not only objects"),
    ("Question", "minRange", _TEXT_NUMBER, "ranges are strings"),
    ("Question", "maxRange", _TEXT_NUMBER, "ranges are strings"),
    ("Question", "created", {"type": "string", "format": "date-time"}, "sent though not in the document"),
    ("Question", "updated", {"type": "string", "format": "date-time"}, "sent though not in the document"),
)
# Statuses that occur although the document does not list them for the operation.
UNDECLARED_STATUSES = {405: "wrong verb", 415: "missing or wrong content type", 401: "missing scope on 403 operations"}

FLAGS: dict[str, tuple[str, ...]] = {
    "content": (
        *("structure", "topics", "trackers", "trackerOccurrences", "pointsOfInterest"),
        *("brief", "outline", "highlights", "callOutcome", "keyPoints"),
    ),
    "interaction": ("speakers", "video", "personInteractionStats", "questions"),
    "collaboration": ("publicComments",),
}


def build_selectors() -> list[Json]:
    """Return content selectors: empty, each flag alone, all flags, and each kind of context."""
    everything: Json = {group: dict.fromkeys(flags, True) for group, flags in FLAGS.items()}
    everything |= {"parties": True, "media": True}
    variants: list[Json] = [{}, {"exposedFields": everything}, {"exposedFields": {"parties": True}}]
    variants += [{"exposedFields": {group: {flag: True}}} for group, flags in FLAGS.items() for flag in flags]
    variants += [{"context": detail, "exposedFields": {"parties": True}} for detail in ("None", "Basic", "Extended")]
    for timing in (["Now"], ["TimeOfCall"], ["Now", "TimeOfCall"]):
        variants.append({"context": "Extended", "contextTiming": timing, "exposedFields": everything})
    return variants


@pytest.fixture(scope="module")
def spec() -> Json:
    """Return Gong's OpenAPI document."""
    document: Json = json.loads(OPENAPI.read_text())
    return document


@pytest.fixture(scope="module")
def schemas(spec: Json) -> Json:
    """Return the document's schemas as JSON Schema, with deviations and nulls, without unknown properties."""
    known: Json = json.loads(json.dumps(spec["components"]["schemas"]))
    for schema, name, instead, _ in DEVIATIONS:
        known[schema]["properties"][name] = instead
    return {name: _make_strict(schema) for name, schema in known.items()}


def _make_strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_make_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}]}
    # Examples need not match their schema.
    strict = {key: _make_strict(part) for key, part in schema.items() if key not in ("example", "examples", "default")}
    if "properties" in schema:
        strict["properties"] = {name: _make_strict(part) for name, part in schema["properties"].items()}
        strict.setdefault("additionalProperties", False)
    if isinstance(schema.get("type"), str):
        strict["type"] = [schema["type"], "null"]
    if "enum" in schema:
        strict["enum"] = [*schema["enum"], None]
    return strict


@pytest.fixture(scope="module")
def gong() -> SimulatedGong:
    """Return a simulated Gong with 150 calls."""
    return SimulatedGong(build_company(calls=150, until=UNTIL))


@pytest.fixture(scope="module")
def client(gong: SimulatedGong) -> Iterator[httpx.Client]:
    """Serve the simulated Gong and return an authenticated client."""
    headers = {"Authorization": "Bearer demo-token"}
    with serve(gong.app) as base_url, httpx.Client(base_url=base_url, headers=headers) as client:
        yield client


class Contract:
    """Checks responses against the documented operation."""

    def __init__(self, spec: Json, schemas: Json) -> None:
        self._paths: Json = spec["paths"]
        self._schemas = schemas

    def check(self, response: httpx.Response, path: str) -> Json:
        """Assert that a response has a documented status and exactly the documented shape; return its body."""
        operation = self._paths[path].get(response.request.method.lower(), {"responses": {}})
        declared = operation["responses"].get(str(response.status_code))
        if declared is None:
            assert response.status_code in UNDECLARED_STATUSES, f"{response.status_code} is not declared for {path}"
            reference = "#/components/schemas/ErrorResponse"
        else:
            reference = declared["content"]["application/json"]["schema"]["$ref"]
        root = {"$ref": reference, "components": {"schemas": self._schemas}}
        body: Json = response.json()
        problems = [
            f"{error.json_path}: {error.message[:200]}"
            for error in Draft202012Validator(root, format_checker=FormatChecker()).iter_errors(body)
        ]
        assert not problems, problems[:5]
        assert body["requestId"] == response.headers["x-traceid"]
        return body


@pytest.fixture(scope="module")
def contract(spec: Json, schemas: Json) -> Contract:
    """Return the contract of all operations."""
    return Contract(spec, schemas)


def test_the_strict_schemas_reject_unknown_and_mistyped_values(schemas: Json) -> None:
    """The checks below are worthless if the schemas accept everything."""
    root = {"$ref": "#/components/schemas/Calls", "components": {"schemas": schemas}}
    validator = Draft202012Validator(root, format_checker=FormatChecker())
    assert validator.is_valid({"calls": [{"metaData": {"id": "1", "purpose": None}}]})
    assert not validator.is_valid({"calls": [{"metaData": {"id": 1}}]})
    assert not validator.is_valid({"calls": [{"metaData": {"surprise": "1"}}]})
    assert not validator.is_valid({"calls": [{"metaData": {"started": "yesterday"}}]})


def test_every_route_is_an_operation_with_the_documented_scope_and_body(spec: Json) -> None:
    """The simulated Gong serves only documented operations."""
    for route in ROUTES:
        operation = spec["paths"][route.path][route.method.lower()]
        assert route.scope in json.dumps(operation), f"{route.method} {route.path}"
        assert bool(route.body or route.form_field) == ("requestBody" in operation)


def test_exactly_the_documented_body_keys_are_accepted(spec: Json) -> None:
    """The simulated Gong is as strict about request bodies as the document."""
    for route in ROUTES:
        content = spec["paths"][route.path][route.method.lower()].get("requestBody", {}).get("content", {})
        if route.form_field:
            assert list(content["multipart/form-data"]["schema"]["properties"]) == [route.form_field]
        if route.body is not None:
            accepted = msgspec.json.schema(route.body)
            _assert_same_keys(accepted, accepted, content["application/json"]["schema"], spec)


def _assert_same_keys(accepted: Json, accepted_root: Json, documented: Json, spec: Json) -> None:
    """Assert equal property names at every level; open objects of the simulated Gong are not compared."""
    options = [option for option in accepted.get("anyOf", [accepted]) if option != {"type": "null"}]
    served, documented_schema = _resolve_reference(options[0], accepted_root), _resolve_reference(documented, spec)
    if "properties" in served:
        assert set(served["properties"]) == set(documented_schema["properties"])
        assert served["additionalProperties"] is False
        for name, described in served["properties"].items():
            _assert_same_keys(described, accepted_root, documented_schema["properties"][name], spec)


def _resolve_reference(schema: Json, root: Json) -> Json:
    for step in schema.get("$ref", "").split("/")[1:]:
        root = root[step]
    return root if "$ref" in schema else schema


@pytest.mark.parametrize("selector", build_selectors(), ids=lambda selector: json.dumps(selector)[:60])
def test_extensive_calls_match_with_every_selector(client: httpx.Client, contract: Contract, selector: Json) -> None:
    """Each content selector leads to documented fields only."""
    body: Json = {"filter": {}, "contentSelector": selector}
    first = contract.check(client.post("/v2/calls/extensive", json=body), "/v2/calls/extensive")
    following = body | {"cursor": first["records"]["cursor"]}
    last = contract.check(client.post("/v2/calls/extensive", json=following), "/v2/calls/extensive")
    assert len(first["calls"]) + len(last["calls"]) == 150


def test_lists_match(client: httpx.Client, contract: Contract) -> None:
    """Lists without required parameters have the documented shape."""
    for path in ("/v2/calls", "/v2/users", "/v2/workspaces", "/v2/settings/trackers", "/v2/settings/scorecards"):
        contract.check(client.get(path), path)
    for path in ("/v2/settings/briefs", "/v2/call-outcomes"):
        contract.check(client.get(path), path)
    contract.check(client.post("/v2/calls/transcript", json={"filter": {}}), "/v2/calls/transcript")
    contract.check(client.post("/v2/users/extensive", json={"filter": {}}), "/v2/users/extensive")
    for method in ("MANUAL", "AUTOMATIC", "BOTH"):
        body = {"filter": {"reviewMethod": method}}
        answered = contract.check(
            client.post("/v2/stats/activity/scorecards", json=body), "/v2/stats/activity/scorecards"
        )
        assert answered["answeredScorecards"]


def test_single_records_logs_and_folders_match(client: httpx.Client, contract: Contract, gong: SimulatedGong) -> None:
    """Operations with required parameters have the documented shape."""
    call_id, user_id = gong.company.calls[0].id, gong.company.users[0]["id"]
    contract.check(client.get(f"/v2/calls/{call_id}"), "/v2/calls/{id}")
    contract.check(client.get(f"/v2/users/{user_id}"), "/v2/users/{id}")
    query = {"logType": "UserCallPlay", "fromDateTime": "2026-01-01T00:00:00Z"}
    assert contract.check(client.get("/v2/logs", params=query), "/v2/logs")["logEntries"]
    for workspace in gong.company.workspaces:
        response = client.get("/v2/library/folders", params={"workspaceId": workspace["id"]})
        for folder in contract.check(response, "/v2/library/folders")["folders"]:
            content = client.get("/v2/library/folder-content", params={"folderId": folder["id"]})
            contract.check(content, "/v2/library/folder-content")


def test_statistics_administration_and_flows_match(
    client: httpx.Client, contract: Contract, gong: SimulatedGong
) -> None:
    """Opt-in operations have the documented shape."""
    days = {"filter": {"fromDate": "2026-05-01", "toDate": "2026-05-20"}}
    for path in ("/v2/stats/activity/day-by-day", "/v2/stats/interaction"):
        contract.check(client.post(path, json=days), path)
        contract.check(client.post(path, json={"filter": {"fromDate": "2026-05-01", "toDate": "2031-01-01"}}), path)
    (workspace, *_), user = gong.company.workspaces, gong.company.users[0]
    of_workspace = {"workspaceId": workspace["id"]}
    profiles = contract.check(
        client.get("/v2/all-permission-profiles", params=of_workspace), "/v2/all-permission-profiles"
    )["profiles"]
    for profile in profiles:
        users = client.get("/v2/permission-profile/users", params={"profileId": profile["id"]})
        contract.check(users, "/v2/permission-profile/users")
    manager = next(user["managerId"] for user in gong.company.users if user["managerId"])
    coached = {"workspace-id": workspace["id"], "manager-id": manager}
    span = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-20T00:00:00Z"}
    assert contract.check(client.get("/v2/coaching", params=coached | span), "/v2/coaching")["coachingData"]

    contract.check(client.get("/v2/coaching", params=span), "/v2/coaching")
    email = user["emailAddress"]
    contract.check(client.get("/v2/flows", params={"flowOwnerEmail": email}), "/v2/flows")
    # Gong lists folders under another key than documented, and writes missing ids as "null".
    folders = client.get("/v2/flows/folders", params={"flowFolderOwnerEmail": email}).json()["flowsFolders"]
    assert "null" in {folder["parentFolderId"] for folder in folders}

    contract.check(client.get(f"/v2/users/{user['id']}/settings-history"), "/v2/users/{id}/settings-history")
    body = {"filter": {"callIds": [call.id for call in gong.company.calls[:20]]}}
    contract.check(client.post("/v2/calls/users-access", json=body), "/v2/calls/users-access")
    unknown = client.post("/v2/calls/users-access", json={"filter": {"callIds": ["5"]}})
    assert contract.check(unknown, "/v2/calls/users-access")["errors"] == ["Some calls not found"]


def test_an_added_call_matches(client: httpx.Client, contract: Contract, gong: SimulatedGong) -> None:
    """The response to Add New Call and the new call have the documented shape."""
    owner = next(user["id"] for user in gong.company.users if user["active"])
    body = {
        "clientUniqueId": "contract",
        "actualStart": "2026-05-20T10:00:00Z",
        "direction": "Inbound",
        "parties": [{"userId": owner}],
        "primaryUser": owner,
    }
    call_id = contract.check(client.post("/v2/calls", json=body), "/v2/calls")["callId"]
    everything = {"filter": {"callIds": [call_id]}, "contentSelector": build_selectors()[-1]}
    contract.check(client.post("/v2/calls/extensive", json=everything), "/v2/calls/extensive")
    contract.check(client.post("/v2/calls", json={}), "/v2/calls")
    gong.delete_call(call_id)


def test_errors_match(client: httpx.Client, contract: Contract, gong: SimulatedGong) -> None:
    """Errors have a documented status and body."""
    empty_range = {"fromDateTime": "2031-01-01T00:00:00Z", "toDateTime": "2031-01-02T00:00:00Z"}
    statuses = []
    for path in ("/v2/calls/extensive", "/v2/calls/transcript"):
        bodies: list[Json] = [{}, {"filter": empty_range}, {"filter": {}, "cursor": "forged"}, {"filter": {"x": 1}}]
        responses = [client.post(path, json=body) for body in bodies]
        responses += [client.post(path), client.put(path), client.post(path, json={}, headers={"Authorization": ""})]
        for response in responses:
            contract.check(response, path)
            statuses.append(response.status_code)
    assert set(statuses) == {400, 401, 404, 405, 415}

    contract.check(client.get("/v2/calls", params=empty_range), "/v2/calls")
    contract.check(client.get("/v2/calls/5"), "/v2/calls/{id}")
    contract.check(client.get("/v2/users/5"), "/v2/users/{id}")
    contract.check(client.get("/v2/library/folders"), "/v2/library/folders")
    contract.check(client.get("/v2/library/folder-content", params={"folderId": "5"}), "/v2/library/folder-content")
    gong.settings.requests_per_second = 0
    try:
        limited = client.get("/v2/users")
    finally:
        gong.settings.requests_per_second = None
    contract.check(limited, "/v2/users")
    assert limited.status_code == 429
