"""Fixtures of the emulators. `make test-emulators` runs these tests in the environment that has the drivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulators.connections import EMULATED
from tests.support.servers.connections import WarehouseConnection
from tests.support.workspace import Workspace


@pytest.fixture(params=EMULATED)
def emulated(request: pytest.FixtureRequest) -> WarehouseConnection:
    """Return an empty warehouse of each emulator."""
    return EMULATED[request.param](request)


@pytest.fixture
def workspace(emulated: WarehouseConnection, tmp_path: Path) -> Workspace:
    """Return a workspace whose commands load into the emulated warehouse."""
    workspace = Workspace(tmp_path, other_warehouse=emulated)
    workspace.use_demo_key()
    return workspace
