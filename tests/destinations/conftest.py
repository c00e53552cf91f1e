"""Fixtures of the tests of warehouses: a workspace that loads into PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.servers.postgres import PostgresServer
from tests.support.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, postgres: PostgresServer) -> Workspace:
    """Return a workspace with an empty database, and the simulated Gong's key."""
    workspace = Workspace(tmp_path, postgres=postgres.create_database())
    workspace.use_demo_key()
    return workspace
