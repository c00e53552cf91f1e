"""An empty workspace for each kind of warehouse that is tested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.workspace import Workspace

WAREHOUSES: dict[str, Callable[[pytest.FixtureRequest, Path], Workspace]] = {
    "duckdb": lambda _, folder: Workspace(folder),
    "postgres": lambda request, folder: Workspace(
        folder, postgres=request.getfixturevalue("postgres").create_database()
    ),
}
"""By the name of its destination: build a workspace in a folder. The fixture `postgres` is a running server."""


def build_workspace(request: pytest.FixtureRequest, folder: Path) -> Workspace:
    """Return a workspace with the kind of warehouse that a fixture's parameter names, and the simulated Gong's key."""
    workspace = WAREHOUSES[request.param](request, folder)
    workspace.use_demo_key()
    return workspace
