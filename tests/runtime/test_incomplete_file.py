"""A DuckDB file whose creation was killed holds nothing and is replaced; any other file is left as it is."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.workspace import Workspace

READING_COMMANDS = [
    ["status"],
    ["sync", "--plan"],
    ["check"],
    ["search", "price"],
    ["report"],
    ["superset"],
    ["notebook"],
]
WRITING_COMMANDS = [["reconcile"], ["models"], ["download-media"], ["sync"]]


def _write_beginning(workspace: Workspace, size_bytes: int) -> Path:
    """Write the first bytes of a new DuckDB file, as a kill during its creation leaves them."""
    file = workspace.folder / "warehouse.duckdb"
    duckdb.connect(str(file)).close()
    file.write_bytes(file.read_bytes()[:size_bytes])
    return file


@pytest.mark.parametrize("size_bytes", [4096, 8192, 10_000])
def test_a_file_whose_creation_was_killed_is_replaced_by_a_sync(
    gong: SimulatedGong, workspace: Workspace, size_bytes: int
) -> None:
    """A kill at the wrong microsecond must not fail every later sync."""
    _write_beginning(workspace, size_bytes)

    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_reading_commands_leave_an_incomplete_file_as_it_is(gong: SimulatedGong, workspace: Workspace) -> None:
    """The process that creates it may still be at work."""
    file = _write_beginning(workspace, 4096)
    content = file.read_bytes()
    for command in READING_COMMANDS:
        result = workspace.run(*command)

        assert "Traceback" not in result.err
        assert "bytes" not in result.out + result.err
        if command[0] not in ("check", "sync"):
            assert "nothing loaded yet" in result.out + result.err
        assert file.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [b"", b"Notes of the team.\n", b"DUCK is the first word", bytes(4096), bytes(8) + b"DUCK" + bytes(20_000)],
    ids=["empty", "text", "word", "zeros", "long"],
)
def test_a_file_of_another_program_is_left_as_it_is(gong: SimulatedGong, workspace: Workspace, content: bytes) -> None:
    """Only a file that DuckDB began and that cannot hold anything is ours to replace."""
    file = workspace.folder / "warehouse.duckdb"
    file.write_bytes(content)
    for command in WRITING_COMMANDS:
        result = workspace.run(*command)

        assert result.code == 1
        assert "Traceback" not in result.err
        assert file.read_bytes() == content


def test_an_incomplete_file_with_a_write_ahead_log_is_left_as_it_is(gong: SimulatedGong, workspace: Workspace) -> None:
    """A log with data means that the file was complete once."""
    file = _write_beginning(workspace, 4096)
    content = file.read_bytes()
    file.with_name("warehouse.duckdb.wal").write_bytes(b"rows")

    assert workspace.run("sync").code == 1
    assert file.read_bytes() == content
