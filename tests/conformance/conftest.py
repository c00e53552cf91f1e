"""Run each test of a promise on every warehouse. A declared exception must fail, or it need not be declared."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conformance.exceptions import EXCEPTIONS, NOT_APPLICABLE
from tests.support.servers.mariadb import MariaDbConnection, MariaDbServer, is_installed, mariadb_server
from tests.support.servers.warehouses import WAREHOUSES, build_workspace
from tests.support.workspace import Workspace


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDbServer]:
    """Run one MariaDB server for all tests of a worker."""
    if not is_installed() or find_spec("pymysql") is None:
        pytest.skip("MariaDB or pymysql is not installed: make test-mariadb")
    with mariadb_server() as server:
        yield server


@pytest.fixture(params=[*WAREHOUSES, pytest.param("sqlalchemy", marks=pytest.mark.mariadb)])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty warehouse of each kind."""
    if request.param == "sqlalchemy":
        warehouse = MariaDbConnection(request.getfixturevalue("mariadb").port)
        warehouse.drop_datasets()
        workspace = Workspace(tmp_path, other_warehouse=warehouse)
        workspace.use_demo_key()
        # The run after a kill waits for the lease to expire.
        workspace.settings["DESTINATION__SQLALCHEMY__LOCK_EXPIRY"] = "5s"
        return workspace
    return build_workspace(request, tmp_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expect a failure where an exception is declared, and leave out what is not applicable."""
    left_out = []
    for item in items:
        mark = item.get_closest_marker("promise")
        if mark is None:
            continue
        warehouse = item.callspec.params["workspace"]  # type: ignore[attr-defined]
        (key,) = mark.args
        if key in NOT_APPLICABLE.get(warehouse, {}):
            left_out.append(item)
        elif (reason := EXCEPTIONS.get(warehouse, {}).get(key)) is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
