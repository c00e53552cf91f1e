"""Every operation of Gong's API has its place: what is said of it against Gong's document, the code and the page."""

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

from docs.generate.api_coverage import LEFT_OUT, READ, WRITES
from docs.generate.coverage_page import PAGE, page
from pipelines.cli import get
from sources.gong.api.endpoint import COACHING, ENDPOINTS, FLOW_FOLDERS, LOGS, SETTINGS_HISTORY, Endpoint
from sources.gong.calls.tables import REJECTED_TABLE, TABLES
from sources.gong.resources.list_resources import OPT_IN_RESOURCES, RESOURCES
from tests.support.gong_api import Json
from tests.support.paths import OPENAPI, REPOSITORY

against_the_document = pytest.mark.skipif(not OPENAPI.exists(), reason=f"Gong's OpenAPI document is not at {OPENAPI}")

# Where Gong really sends the records under another key than its document says.
OTHER_RECORDS_KEY = {FLOW_FOLDERS: "flows"}
# Records that have no id of their own.
WITHOUT_KEY = {LOGS, COACHING, SETTINGS_HISTORY}


def test_the_page_is_made_of_the_data() -> None:
    assert PAGE.read_text() == page(), "run `make docs`"


def test_no_operation_stands_twice_and_every_endpoint_stands_there() -> None:
    named = Counter([*(str(one.endpoint) for one in READ), *(one.operation for one in (*LEFT_OUT, *WRITES))])
    assert [operation for operation, times in named.items() if times > 1] == []
    assert {one.endpoint for one in READ} == set(ENDPOINTS)


def test_whatever_is_left_out_has_a_reason() -> None:
    assert [one.operation for one in LEFT_OUT if not one.why] == []


def test_an_action_stands_beside_the_operation_it_says_it_sends() -> None:
    actions = get_command(get.app)
    assert isinstance(actions, TyperGroup)
    named = {
        (f"gong-elt get {name}", operation)
        for name, action in actions.commands.items()
        for operation in re.findall(r"(?:GET|POST) /v2/[\w/-]+", action.help or "")
    }
    assert named
    # GET /v2/calls/{id} is no action; actions ask it beside their own.
    listed = {(command, str(one.endpoint)) for one in READ if one.endpoint.tables for command in one.commands}
    assert listed == named


def test_endpoints_fill_every_table_and_each_resource_its_own() -> None:
    filled = {table for endpoint in ENDPOINTS for table in endpoint.tables}
    assert filled == set(TABLES) - {REJECTED_TABLE}
    for endpoint in ENDPOINTS:
        assert {table.resource for table in endpoint.tables} <= {endpoint.resource}, endpoint
    assert {endpoint.resource for endpoint in ENDPOINTS} == {*RESOURCES, *OPT_IN_RESOURCES}


def test_nothing_that_writes_in_gong_is_ever_sent_but_what_the_page_says() -> None:
    """No path of another operation and no other verb stands anywhere in what is shipped."""
    allowed = {endpoint.path for endpoint in ENDPOINTS}
    allowed |= {one.operation.partition(" ")[2] for one in WRITES if one.commands}
    verbs = {one.operation.partition(" ")[0] for one in WRITES if not one.commands} - {
        verb.partition(" ")[0] for verb in (one.operation for one in WRITES if one.commands)
    }
    assert verbs == {"DELETE", "PATCH"}
    texts = list(_shipped_texts())
    assert {text for _, text in texts} >= {endpoint.path for endpoint in ENDPOINTS}
    assert [(file, text) for file, text in texts if text.startswith("/v2/") and text not in allowed] == []
    assert [(file, text) for file, text in texts if text in verbs] == []


def _shipped_texts() -> Iterator[tuple[str, str]]:
    """Every text in the shipped code, without the simulated Gong and the list of operations itself."""
    for folder in ("sources", "destinations", "state", "pipelines"):
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            named = str(file.relative_to(REPOSITORY))
            if named.startswith("pipelines/demo/") or named == "docs/generate/api_coverage.py":
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield named, node.value


@pytest.fixture(scope="module")
def document() -> Json:
    read: Json = json.loads(OPENAPI.read_text())
    return read


@pytest.fixture(scope="module")
def operations(document: Json) -> dict[str, Json]:
    """The document's operations by verb and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


@against_the_document
def test_every_operation_of_the_document_is_there_and_none_is_invented(operations: dict[str, Json]) -> None:
    ours = {*(str(one.endpoint) for one in READ), *(one.operation for one in WRITES)}
    ours |= {one.operation for one in LEFT_OUT if one.documented}
    assert ours == set(operations)
    assert not {one.operation for one in LEFT_OUT if not one.documented} & set(operations)


@against_the_document
def test_scopes_are_those_of_the_document(operations: dict[str, Json]) -> None:
    ours = {str(one.endpoint): {one.endpoint.scope, one.further_scope} - {""} for one in READ}
    ours |= {one.operation: {one.scope} - {""} for one in (*LEFT_OUT, *WRITES)}
    stated = {
        named: set(re.findall(r"'(api:[a-z:-]+)'", operation.get("description", "")))
        for named, operation in operations.items()
    }
    assert {named: scopes for named, scopes in ours.items() if named in stated} == stated


@against_the_document
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_records_keys_pages_and_bounds_are_those_of_the_document(
    document: Json, operations: dict[str, Json], endpoint: Endpoint
) -> None:
    operation = operations[str(endpoint)]
    answer = _answer(operation, document)
    records = _resolved(answer[OTHER_RECORDS_KEY.get(endpoint, endpoint.records)], document)
    assert (endpoint.records not in answer) == (endpoint in OTHER_RECORDS_KEY)
    assert records["type"] == ("object" if endpoint.single else "array")

    fields = _resolved(records.get("items", records), document)["properties"]
    fields |= _resolved(fields.get("metaData", {}), document).get("properties", {})
    assert (not endpoint.key) == (endpoint in WITHOUT_KEY)
    assert endpoint.key in fields or endpoint in WITHOUT_KEY
    assert "id" not in fields or endpoint.key

    asked = {parameter["name"] for parameter in operation.get("parameters", [])}
    body = _body(operation, document)
    assert ("cursor" in (asked if endpoint.method == "GET" else body)) == endpoint.paged
    assert ("records" in answer) == endpoint.paged

    asked |= set(_resolved(body.get("filter", {}), document).get("properties", {}))
    bounds = {"date-time": {"fromDateTime", "from"}, "date": {"fromDate", "reviewFromDate"}}
    assert {kind for kind, names in bounds.items() if names & asked} == ({endpoint.bound} if endpoint.bound else set())


def _answer(operation: Json, document: Json) -> Json:
    good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    properties: Json = _resolved(good["content"]["application/json"]["schema"], document)["properties"]
    return properties


def _body(operation: Json, document: Json) -> Json:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {"schema": {}})
    properties: Json = _resolved(content["schema"], document).get("properties", {})
    return properties


def _resolved(schema: Json, document: Json) -> Json:
    found: Any = document
    for step in schema["$ref"].split("/")[1:] if "$ref" in schema else ():
        found = found[step]
    return found if "$ref" in schema else schema
