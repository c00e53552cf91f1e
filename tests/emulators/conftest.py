"""Fixtures of the emulators. `make test-emulators` runs these tests in the environment that has the drivers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

from tests.emulators.connections import BigQueryProject, SnowflakeDatabase
from tests.support.servers.connections import WarehouseConnection
from tests.support.servers.emulators import Emulator, run_emulator
from tests.support.workspace import Workspace

_numbers = count(1)


@pytest.fixture(scope="session")
def fakesnow() -> Iterator[Emulator]:
    """Run one Snowflake emulator for all tests; each test has its own database."""
    with run_emulator("snowflake", 1) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def bqemulator() -> Iterator[Emulator]:
    """Run one BigQuery emulator for all tests; each test has its own project."""
    with run_emulator("bigquery", 3) as emulator:
        yield emulator


@pytest.fixture(params=["snowflake", "bigquery"])
def emulated(request: pytest.FixtureRequest) -> WarehouseConnection:
    """Return an empty warehouse of each emulator."""
    if find_spec("snowflake") is None:
        pytest.skip("the drivers are not installed: make test-emulators")
    if request.param == "snowflake":
        (port,) = request.getfixturevalue("fakesnow").ports
        return SnowflakeDatabase(port, f"gong_{next(_numbers)}")
    rest_port, _, token_port = request.getfixturevalue("bqemulator").ports
    return BigQueryProject(rest_port, token_port, f"project-{next(_numbers)}")


@pytest.fixture
def workspace(emulated: WarehouseConnection, tmp_path: Path) -> Workspace:
    """Return a workspace whose commands load into the emulated warehouse."""
    workspace = Workspace(tmp_path, other_warehouse=emulated)
    workspace.use_demo_key()
    return workspace
