"""The list of Gong's operations matches Gong's OpenAPI document, the code and docs/coverage.md."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from docs.generate.coverage_page import PAGE, page
from docs.generate.data.api_coverage import COMMANDS, LEFT_OUT, WRITES
from pipelines.cli import get
from sources.gong.api.endpoint import Endpoint
from sources.gong.resources import ENDPOINTS, ENDPOINTS_BY_RESOURCE, TABLES_BY_RESOURCE
from sources.gong.resources.account import USER_SETTINGS_HISTORY
from sources.gong.resources.audit import AUDIT_LOGS
from sources.gong.resources.coaching import COACHING_METRICS
from sources.gong.resources.engage import FLOW_FOLDERS
from sources.gong.tables.rejects import REJECTED_TABLE
from tests.support.gong_api import Json
from tests.support.paths import OPENAPI, REPOSITORY

against_the_document = pytest.mark.skipif(not OPENAPI.exists(), reason=f"Gong's OpenAPI document is not at {OPENAPI}")

# Endpoints whose records have another key than documented.
OTHER_RECORDS_KEY = {FLOW_FOLDERS.endpoint: "flows"}
# Endpoints whose records have no id.
WITHOUT_ID = {AUDIT_LOGS.endpoint, COACHING_METRICS.endpoint, USER_SETTINGS_HISTORY.endpoint}


def test_the_page_matches_its_data() -> None:
    """docs/coverage.md is generated, not edited."""
    assert PAGE.read_text() == page(), "run `make pages`"


def test_every_endpoint_is_listed_once() -> None:
    """Read, written and left-out operations do not overlap."""
    counts = Counter([*map(str, ENDPOINTS), *(entry.operation for entry in (*LEFT_OUT, *WRITES))])
    assert [operation for operation, times in counts.items() if times > 1] == []
    assert [endpoint for endpoint in ENDPOINTS if not endpoint.description] == []
    assert set(COMMANDS) <= set(ENDPOINTS)


def test_every_omitted_operation_has_a_reason() -> None:
    """Readers learn why an operation is not used."""
    assert [entry.operation for entry in LEFT_OUT if not entry.why] == []


def test_get_actions_are_listed_with_their_operation() -> None:
    """Help texts of `gong-elt get` and the page name the same operations."""
    actions = get_command(get.app)
    assert isinstance(actions, TyperGroup)
    documented = {
        (f"gong-elt get {name}", operation)
        for name, action in actions.commands.items()
        for operation in re.findall(r"(?:GET|POST) /v2/[\w/-]+", action.help or "")
    }
    assert documented
    # Several actions send GET /v2/calls/{id} in addition to their own operation.
    filled = {
        endpoint for endpoints in ENDPOINTS_BY_RESOURCE.values() for endpoint, tables in endpoints.items() if tables
    }
    listed = {(command, str(endpoint)) for endpoint in filled for command in COMMANDS.get(endpoint, ())}
    assert listed == documented


def test_endpoints_fill_every_table_of_their_resource() -> None:
    """No table but `_rejected` is without an endpoint, and none is filled by another resource."""
    for resource, endpoints in ENDPOINTS_BY_RESOURCE.items():
        filled = {table for tables in endpoints.values() for table in tables}
        assert filled == set(TABLES_BY_RESOURCE[resource]) - {REJECTED_TABLE}


def test_the_code_contains_no_other_operation() -> None:
    """Security officers can rely on the page: no other path and no DELETE or PATCH is in the shipped code."""
    allowed = {endpoint.path for endpoint in ENDPOINTS}
    allowed |= {entry.operation.partition(" ")[2] for entry in WRITES if entry.commands}
    verbs = {entry.operation.partition(" ")[0] for entry in WRITES if not entry.commands} - {
        verb.partition(" ")[0] for verb in (entry.operation for entry in WRITES if entry.commands)
    }
    assert verbs == {"DELETE", "PATCH"}

    texts = list(_shipped_texts())
    assert {text for _, text in texts} >= {endpoint.path for endpoint in ENDPOINTS}
    assert [(file, text) for file, text in texts if text.startswith("/v2/") and text not in allowed] == []
    assert [(file, text) for file, text in texts if text in verbs] == []


def _shipped_texts() -> Iterator[tuple[str, str]]:
    """Yield file and value of each string in the shipped code, without the simulated Gong."""
    for folder in ("sources", "destinations", "state", "pipelines"):
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            name = str(file.relative_to(REPOSITORY))
            if name.startswith("pipelines/demo/"):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield name, node.value


@pytest.fixture(scope="module")
def document() -> Json:
    """Return Gong's OpenAPI document."""
    content: Json = json.loads(OPENAPI.read_text())
    return content


@pytest.fixture(scope="module")
def operations(document: Json) -> dict[str, Json]:
    """Return the document's operations by verb and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


@against_the_document
def test_every_documented_operation_is_listed(operations: dict[str, Json]) -> None:
    """The page covers Gong's OpenAPI document completely and adds no operation to it."""
    listed = {*map(str, ENDPOINTS), *(entry.operation for entry in WRITES)}
    listed |= {entry.operation for entry in LEFT_OUT if entry.documented}
    assert listed == set(operations)
    assert not {entry.operation for entry in LEFT_OUT if not entry.documented} & set(operations)


@against_the_document
def test_scopes_are_those_of_the_document(operations: dict[str, Json]) -> None:
    """A wrong scope would be reported to users who then request it in vain."""
    listed = {str(endpoint): {endpoint.scope, endpoint.optional_scope} - {""} for endpoint in ENDPOINTS}
    listed |= {entry.operation: {entry.scope} - {""} for entry in (*LEFT_OUT, *WRITES)}
    documented = {
        name: set(re.findall(r"'(api:[a-z:-]+)'", operation.get("description", "")))
        for name, operation in operations.items()
    }
    assert {name: scopes for name, scopes in listed.items() if name in documented} == documented


@against_the_document
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_endpoint_declarations_match_the_document(
    document: Json, operations: dict[str, Json], endpoint: Endpoint
) -> None:
    """Records key, id field, paging and date bounds are as documented."""
    operation = operations[str(endpoint)]
    response = _response_properties(operation, document)
    records = _resolve_reference(response[OTHER_RECORDS_KEY.get(endpoint, endpoint.records)], document)
    assert (endpoint.records not in response) == (endpoint in OTHER_RECORDS_KEY)
    assert records["type"] == ("object" if endpoint.single else "array")

    fields = _resolve_reference(records.get("items", records), document)["properties"]
    fields |= _resolve_reference(fields.get("metaData", {}), document).get("properties", {})
    assert (not endpoint.id_field) == (endpoint in WITHOUT_ID)
    assert endpoint.id_field in fields or endpoint in WITHOUT_ID
    assert "id" not in fields or endpoint.id_field

    parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
    body = _body_properties(operation, document)
    assert ("cursor" in (parameters if endpoint.method == "GET" else body)) == endpoint.paged
    assert ("records" in response) == endpoint.paged

    parameters |= set(_resolve_reference(body.get("filter", {}), document).get("properties", {}))
    bounds = {"date-time": {"fromDateTime", "from"}, "date": {"fromDate", "reviewFromDate"}}
    assert {kind for kind, names in bounds.items() if names & parameters} == (
        {endpoint.bound} if endpoint.bound else set()
    )


def _response_properties(operation: Json, document: Json) -> Json:
    success = next(response for status, response in operation["responses"].items() if status.startswith("2"))
    properties: Json = _resolve_reference(success["content"]["application/json"]["schema"], document)["properties"]
    return properties


def _body_properties(operation: Json, document: Json) -> Json:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {"schema": {}})
    properties: Json = _resolve_reference(content["schema"], document).get("properties", {})
    return properties


def _resolve_reference(schema: Json, document: Json) -> Json:
    target: Any = document
    for step in schema["$ref"].split("/")[1:] if "$ref" in schema else ():
        target = target[step]
    return target if "$ref" in schema else schema
