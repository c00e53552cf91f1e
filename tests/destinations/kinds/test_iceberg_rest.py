"""Iceberg tables in a REST catalog, with the data in buckets of a real S3 server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyiceberg.catalog import load_catalog

from tests.conftest import MakeGong
from tests.support.companies import change_calls, public_calls
from tests.support.servers.iceberg import IcebergConnection
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.s3 import ACCESS_KEY, SECRET_KEY, s3_server
from tests.support.workspace import Workspace

pytestmark = [pytest.mark.iceberg, pytest.mark.slow]

_BUCKET, _TABLE_BUCKET = "calls", "tables"
_REGION = "us-east-1"
_SETTING = "DESTINATION__ICEBERG__CATALOG"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run an S3 server with a bucket, and another one of Iceberg tables."""
    with s3_server(tmp_path_factory.mktemp("s3"), _BUCKET, _TABLE_BUCKET) as environment:
        yield environment


@pytest.fixture
def catalog(s3: dict[str, str]) -> dict[str, str]:
    """Return pyiceberg's properties of the REST catalog."""
    return {
        "type": "rest",
        "uri": s3["ICEBERG_REST_URL"],
        "warehouse": f"s3://{_TABLE_BUCKET}",
        "rest.sigv4-enabled": "true",
        "rest.signing-name": "s3tables",
        "rest.signing-region": _REGION,
        "client.access-key-id": ACCESS_KEY,
        "client.secret-access-key": SECRET_KEY,
        "client.region": _REGION,
        "s3.endpoint": s3["AWS_ENDPOINT_URL"],
        "s3.access-key-id": ACCESS_KEY,
        "s3.secret-access-key": SECRET_KEY,
    }


@pytest.fixture
def workspace(tmp_path: Path, postgres: PostgresServer, s3: dict[str, str]) -> Workspace:
    """Return a workspace with a lake in the bucket."""
    # A new lake needs a folder without files.
    lake = IcebergConnection(tmp_path, postgres.create_database(), f"{_BUCKET}/{tmp_path.name}", s3)
    workspace = Workspace(tmp_path, other_warehouse=lake)
    workspace.use_demo_key()
    return workspace


@pytest.mark.parametrize("is_rest", [False, True], ids=["catalog in PostgreSQL", "REST catalog"])
def test_tables_in_a_bucket_follow_gong(
    make_gong: MakeGong, workspace: Workspace, catalog: dict[str, str], is_rest: bool
) -> None:
    """Syncs, an erasure and a maintenance give the tables of Gong, by the catalog and by the rows of gong_loads."""
    if is_rest:
        workspace.settings[_SETTING] = json.dumps(catalog)
    warehouse = workspace.other_warehouse
    assert isinstance(warehouse, IcebergConnection)
    gong = make_gong(calls=40)
    workspace.sync()
    change_calls(gong)
    workspace.sync("--since", "2020-01-01")
    deleted = next(call for call in public_calls(gong) if call.transcript_json)
    gong.delete_call(deleted.id)
    for command in (("reconcile", "--force"), ("maintain",), ("sync",)):
        assert workspace.run(*command).code == 0

    storage = {key: value for key, value in catalog.items() if key.startswith("s3.")}
    properties = catalog if is_rest else {"type": "sql", "uri": warehouse.catalog_url, **storage}
    tables = load_catalog("gong_elt", **properties)
    loads = tables.load_table("gong.gong_loads").scan().to_arrow().to_pylist()
    last = max(row["lake_snapshot_id"] for row in loads)
    rows = {row["table_name"]: row for row in loads if row["lake_snapshot_id"] == last}
    for name in ("calls", "call_parties", "transcripts", "transcript_sentences", "users"):
        table = tables.load_table(f"gong.{name}")
        assert table.metadata.current_snapshot_id == rows[name]["snapshot_id"]
        key = "id" if name in ("calls", "users") else "call_id"
        published = table.scan(selected_fields=(key,), snapshot_id=rows[name]["snapshot_id"]).to_arrow()[key]
        in_lake = warehouse.lake.rows(f"SELECT {key} FROM {name} ORDER BY 1")
        assert sorted(published.to_pylist()) == [value for (value,) in in_lake], name
        assert name == "calls" or deleted.id not in published.to_pylist()
