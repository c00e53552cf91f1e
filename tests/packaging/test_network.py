"""Commands contact Gong and the warehouse and no other address; telemetry of dlt and dbt is off."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.packaging.installation import Installation
from tests.packaging.network import ConnectionLog
from tests.support.workspace import Workspace

PRINT_TELEMETRY = """
from dlt.common.runtime import anon_tracker, run_context
print(run_context.active().runtime_config.dlthub_telemetry, anon_tracker._ANON_TRACKER_ENDPOINT)
"""
PROGRAMS = {
    "source": "from gong_elt import gong_source\nimport dlt\ndlt.pipeline('p')",
    "client": "from gong_elt import Gong\nimport dlt\ndlt.pipeline('p')",
}


@pytest.fixture
def connections(tmp_path: Path) -> ConnectionLog:
    """Return a log of the connections of programs."""
    return ConnectionLog.create(tmp_path / "hook")


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_telemetry_of_dlt_is_off_in_a_users_program(
    program: str, installation: Installation, colliding_folder: Path
) -> None:
    """Importing the source turns it off, even if `dlt init` of another source has written `true`."""
    (colliding_folder / ".dlt").mkdir()
    (colliding_folder / ".dlt" / "config.toml").write_text("[runtime]\ndlthub_telemetry = true\n")
    printed = installation.run("python", "-c", program + PRINT_TELEMETRY, folder=colliding_folder)
    assert printed == "False None\n"


def test_telemetry_ends_if_a_pipeline_was_created_before_the_import(installation: Installation, tmp_path: Path) -> None:
    """The tracker that dlt has started sends nothing about our source; a user who sets the variable keeps it."""
    program = "import dlt\ndlt.pipeline('p')\nfrom gong_elt import gong_source" + PRINT_TELEMETRY
    assert installation.run("python", "-c", program, folder=tmp_path).endswith(" None\n")
    chosen = {"RUNTIME__DLTHUB_TELEMETRY": "true", "RUNTIME__DLTHUB_TELEMETRY_ENDPOINT": "http://127.0.0.1:9/"}
    printed = installation.run("python", "-c", program, folder=tmp_path, environment=chosen)
    assert printed == "True http://127.0.0.1:9/\n"


def test_a_sync_contacts_only_gong(
    installation: Installation, gong: SimulatedGong, workspace: Workspace, connections: ConnectionLog
) -> None:
    """A load into DuckDB opens no connection but those to Gong, and installs no extension of DuckDB."""
    environment = workspace.environment | connections.variables
    installation.run("gong-elt", "sync", folder=workspace.folder, environment=environment)
    assert not connections.is_empty
    assert connections.remote_addresses() == set()
    assert not (workspace.folder / "home" / ".duckdb").exists()


@pytest.mark.slow
def test_analytics_and_the_demo_contact_only_loopback(
    installation: Installation, tmp_path: Path, connections: ConnectionLog
) -> None:
    """dbt, the charts of the report and the index of the search load nothing from the network."""
    for command in ("demo --calls 60", "models", "report", "search price", "status"):
        folder = tmp_path if command.startswith("demo") else tmp_path / "demo"
        installation.run("gong-elt", *command.split(), folder=folder, environment=connections.variables)
    assert not connections.is_empty
    assert connections.remote_addresses() == set()
    assert not list(tmp_path.rglob(".duckdb"))
