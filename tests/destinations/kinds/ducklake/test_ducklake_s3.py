"""A lake with its data in a bucket of a real S3 server, and its catalog in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.s3 import SECRET_KEY, read_bucket, s3_server
from tests.support.workspace import Workspace

pytestmark = pytest.mark.slow

_BUCKET = "calls"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run an S3 server with a bucket."""
    with s3_server(tmp_path_factory.mktemp("s3"), _BUCKET) as environment:
        yield environment


@pytest.fixture
def workspace(tmp_path: Path, postgres: PostgresServer, s3: dict[str, str]) -> Workspace:
    """Return a workspace with a lake in the bucket."""
    lake = DuckLakeConnection(tmp_path, postgres.create_database(), _BUCKET, s3)
    workspace = Workspace(tmp_path, other_warehouse=lake)
    workspace.use_demo_key()
    return workspace


def test_a_lake_in_a_bucket_follows_gong(make_gong: MakeGong, workspace: Workspace, s3: dict[str, str]) -> None:
    """Syncs and an erasure give the tables of Gong, and after `maintain` no object has the erased call."""
    gong = make_gong(calls=25)
    workspace.sync()
    assert_all_tables_match(workspace, gong)

    edited, deleted = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(edited.id, title="Edited")
    gong.delete_call(deleted.id)
    workspace.sync("--since", "2020-01-01")
    assert workspace.run("reconcile", "--force").code == 0
    assert workspace.run("maintain").code == 0
    assert workspace.rows("SELECT title FROM calls WHERE id = ?", [edited.id]) == [("Edited",)]
    assert workspace.rows("SELECT count(*) FROM transcript_sentences WHERE call_id = ?", [deleted.id]) == [(0,)]
    sentences = [content for key, content in read_bucket(s3, _BUCKET).items() if "/transcript_sentences/" in key]
    stored = {call for content in sentences for call in pq.read_table(BytesIO(content))["call_id"].to_pylist()}
    assert edited.id in stored
    assert deleted.id not in stored


def test_a_wrong_key_is_one_line(make_gong: MakeGong, workspace: Workspace) -> None:
    """The line names the storage, and not the key."""
    make_gong(calls=5)
    workspace.settings["DESTINATION__DUCKLAKE__CREDENTIALS__STORAGE__CREDENTIALS__AWS_SECRET_ACCESS_KEY"] = "wrong-key"
    result = workspace.run("sync")
    assert result.code == 1
    assert len(result.err.splitlines()) == 1, result.err
    assert _BUCKET in result.err
    assert "wrong-key" not in result.err
    assert SECRET_KEY not in result.err
