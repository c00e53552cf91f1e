"""What most tests need: a simulated Gong on loopback and an empty place to run the real command in."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from tests.support.companies import present_gong
from tests.support.marts import built, company_of_eighty, loaded
from tests.support.postgres import postgres_server
from tests.support.workspace import Workspace

# A busy machine is no reason to fail a property.
settings.register_profile("quiet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quiet")

# A suite that is started in the background ignores Ctrl-C, and so would every command it starts.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

MakeGong = Callable[..., SimulatedGong]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty folder, configured for the simulated Gong's key and for no waiting between requests."""
    place = Workspace(tmp_path)
    place.configure(
        credentials__access_key="demo", credentials__access_key_secret="demo-secret", requests_per_second=1000
    )
    return place


@pytest.fixture
def make_gong(workspace: Workspace) -> Iterator[MakeGong]:
    """Makes a company, serves it on loopback and points the workspace at it."""
    with ExitStack() as servers:

        def make(gong: SimulatedGong | None = None, *, calls: int = 60, days: int = 20, seed: int = 7) -> SimulatedGong:
            served = gong or present_gong(calls=calls, days=days, seed=seed)
            workspace.configure(base_url=servers.enter_context(serve(served.app)))
            return served

        yield make


@pytest.fixture
def gong(make_gong: MakeGong) -> SimulatedGong:
    """A company of sixty calls over the last twenty days."""
    return make_gong()


@pytest.fixture(scope="session")
def modelled_gong() -> SimulatedGong:
    """A company of eighty calls that no test changes, with some hostile names."""
    return company_of_eighty()


@pytest.fixture(scope="session")
def in_duckdb(modelled_gong: SimulatedGong, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The company in DuckDB, with models and their documentation."""
    with loaded(Workspace(tmp_path_factory.mktemp("duckdb")), modelled_gong) as place:
        summary = built(place, "--docs", "docs")
        assert summary["status"] == "done"
        assert summary["failed"] == []
        assert summary["tests"] > 80
        yield place


@pytest.fixture(scope="session")
def in_postgres(modelled_gong: SimulatedGong, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The same company in PostgreSQL, with models."""
    with postgres_server() as server:
        place = Workspace(tmp_path_factory.mktemp("postgres"), postgres=server.new_database())
        with loaded(place, modelled_gong):
            assert built(place)["failed"] == []
            yield place
