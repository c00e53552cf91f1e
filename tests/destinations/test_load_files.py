"""The files that dlt writes between Gong and the warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.servers.warehouses import ALL_WAREHOUSES, build_workspace
from tests.support.workspace import Workspace

_GZIP = b"\x1f\x8b"


@pytest.fixture(params=ALL_WAREHOUSES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty warehouse of each kind, without dlt's configuration files."""
    workspace = build_workspace(request, tmp_path)
    workspace.settings["LOAD__DELETE_COMPLETED_JOBS"] = "false"
    return workspace


def load_files(workspace: Workspace) -> list[Path]:
    """Return the files of all loads."""
    return [file for file in workspace.folder.glob("working/**/completed_jobs/*") if file.suffix != ".sql"]


def test_load_files_are_not_compressed(gong: SimulatedGong, workspace: Workspace) -> None:
    """Compression took half of a first load into PostgreSQL; it is off without any configuration file."""
    workspace.sync()

    files = load_files(workspace)
    assert {file.name.partition(".")[0] for file in files} >= {"calls", "transcript_sentences", "users"}
    assert [file.name for file in files if file.read_bytes()[:2] == _GZIP] == []


@pytest.mark.parametrize("workspace", ["postgres"], indirect=True)
def test_a_user_can_compress_load_files(gong: SimulatedGong, workspace: Workspace) -> None:
    """Their setting takes precedence, for a disk that is small."""
    workspace.settings["DATA_WRITER__DISABLE_COMPRESSION"] = "false"
    workspace.sync("--select", "users")

    assert {file.read_bytes()[:2] for file in load_files(workspace)} == {_GZIP}
