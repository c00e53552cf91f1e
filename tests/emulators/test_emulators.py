"""Cloud warehouses through their real drivers, against emulators: sync, reconcile, status and check."""

from __future__ import annotations

import time

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import find_call, public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.servers.connections import WarehouseConnection
from tests.support.servers.postgres import PASSWORD
from tests.support.workspace import Workspace

pytestmark = pytest.mark.emulator


def test_a_second_sync_on_a_new_machine_writes_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    """State and content hashes are read from the warehouse."""
    workspace.sync()
    assert_all_tables_match(workspace, gong)

    workspace.delete_working_folder()
    second = workspace.sync()
    assert sum(resource["rows"] for resource in second["resources"].values()) == 0
    assert_all_tables_match(workspace, gong)


def test_edited_and_shortened_calls_are_replaced(gong: SimulatedGong, workspace: Workspace) -> None:
    """Merges delete child rows and sentences that are no longer sent."""
    workspace.sync("--select", "calls,transcripts")
    call = find_call(gong, "outline", "trackers", "keyPoints")
    record = {**call.record, "metaData": {**call.record["metaData"], "title": "Renamed"}, "parties": []}
    record["content"] = {**record["content"], "outline": [], "keyPoints": record["content"]["keyPoints"][:1]}
    gong.replace_call(call.id, record)
    emptied, shorter = [other for other in public_calls(gong) if other.transcript_json and other.id != call.id][:2]
    gong.replace_transcript(emptied.id, [])
    gong.replace_transcript(shorter.id, (shorter.transcript or [])[:1])

    assert workspace.sync("--select", "calls,transcripts", "--since", "2020-01-01")["calls"] == 1
    assert_warehouse_matches(workspace, gong)


def test_deleted_and_private_calls_are_erased(gong: SimulatedGong, workspace: Workspace) -> None:
    """A reconcile erases all content of a deleted call, and a sync that of a call that became private."""
    workspace.sync("--select", "calls,transcripts")
    private, deleted = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(private.id, isPrivate=True)
    gong.delete_call(deleted.id)

    workspace.sync("--select", "calls,transcripts", "--since", "2020-01-01")
    result = workspace.run("reconcile", "--json")
    assert result.code == 0, result.err
    assert result.json["erased"] == 1
    rows = workspace.rows("SELECT id, title, brief FROM calls WHERE _deleted_at IS NOT NULL")
    assert rows == [(deleted.id, None, None)]
    assert_warehouse_matches(workspace, gong)


def test_status_and_check_describe_the_warehouse(gong: SimulatedGong, workspace: Workspace) -> None:
    """Both read the warehouse before and after the first load."""
    assert workspace.run("status", "--json").json["loaded"] is False
    workspace.sync("--select", "calls,transcripts")
    status = workspace.run("status", "--json")
    assert status.code == 0, status.err
    assert status.json["contents"]["calls"] == len(public_calls(gong))
    assert workspace.run("check", "--json").code == 0


@pytest.mark.usefixtures("gong")
@pytest.mark.parametrize("command", ["status", "sync"])
def test_an_unreachable_warehouse_ends_a_command_in_one_line(
    command: str, emulated: WarehouseConnection, workspace: Workspace
) -> None:
    """The drivers would repeat their requests for ten minutes, and their errors must not show a secret."""
    started = time.monotonic()
    workspace.settings.update(emulated.unreachable_environment)
    result = workspace.run(command)
    assert time.monotonic() - started < 60
    assert result.code == 1
    assert len(result.err.strip().splitlines()) == 1, result.err
    assert PASSWORD not in result.err
    assert "PRIVATE KEY" not in result.err
