"""Fixtures of most tests: a simulated Gong on loopback, and an empty workspace for the real command."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from tests.support.companies import build_recent_gong
from tests.support.marts import build_hostile_gong, build_models, sync_company
from tests.support.servers.emulators import Emulator, run_emulator
from tests.support.servers.mariadb import MariaDbServer, is_installed, mariadb_server
from tests.support.servers.postgres import PostgresServer, postgres_server
from tests.support.workspace import Workspace

# A busy machine must not fail a property test.
settings.register_profile("quiet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quiet")

# A background process ignores SIGINT, and so would the commands that it starts.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

MakeGong = Callable[..., SimulatedGong]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty workspace with the simulated Gong's key and no pause between requests."""
    workspace = Workspace(tmp_path)
    workspace.use_demo_key()
    return workspace


@pytest.fixture
def make_gong(workspace: Workspace) -> Iterator[MakeGong]:
    """Return a function that builds a company, serves it on loopback and configures the workspace for it."""
    with ExitStack() as servers:

        def make(gong: SimulatedGong | None = None, *, calls: int = 60, days: int = 20, seed: int = 7) -> SimulatedGong:
            gong = gong or build_recent_gong(calls=calls, days=days, seed=seed)
            workspace.configure(base_url=servers.enter_context(serve(gong.app)))
            return gong

        yield make


@pytest.fixture
def gong(make_gong: MakeGong) -> SimulatedGong:
    """Serve a company with sixty calls over the last twenty days."""
    return make_gong()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Run one PostgreSQL server for all tests of a worker; each test has its own database."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDbServer]:
    """Run one MariaDB server for all tests of a worker."""
    if not is_installed() or find_spec("pymysql") is None:
        pytest.skip("MariaDB or pymysql is not installed: make test-mariadb")
    with mariadb_server() as server:
        yield server


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


@pytest.fixture(scope="session")
def marts_gong() -> SimulatedGong:
    """Return a company of eighty calls with hostile names; tests do not change it."""
    return build_hostile_gong()


@pytest.fixture(scope="session")
def duckdb_marts(marts_gong: SimulatedGong, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Load the company into DuckDB and build the models with their documentation."""
    with sync_company(Workspace(tmp_path_factory.mktemp("duckdb")), marts_gong) as workspace:
        summary = build_models(workspace, "--docs", "docs")
        assert summary["status"] == "done"
        assert summary["failed"] == []
        assert summary["tests"] > 80
        yield workspace


@pytest.fixture(scope="session")
def postgres_marts(
    marts_gong: SimulatedGong, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """Load the same company into PostgreSQL and build the models."""
    workspace = Workspace(tmp_path_factory.mktemp("postgres"), postgres=postgres.create_database())
    with sync_company(workspace, marts_gong):
        assert build_models(workspace)["failed"] == []
        yield workspace
