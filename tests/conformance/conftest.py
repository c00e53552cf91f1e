"""Run each test of a promise on every warehouse. A declared exception must fail, or it need not be declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.exceptions import EXCEPTIONS, NOT_APPLICABLE, NOT_TESTED, SOMETIMES_PASSES
from tests.emulators.connections import EMULATED
from tests.support.servers.warehouses import ALL_WAREHOUSES, build_workspace
from tests.support.workspace import Workspace


@pytest.fixture(params=[*ALL_WAREHOUSES, *(pytest.param(name, marks=pytest.mark.emulator) for name in EMULATED)])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty warehouse of each kind."""
    if request.param in EMULATED:
        workspace = Workspace(tmp_path, other_warehouse=EMULATED[request.param](request))
        workspace.use_demo_key()
        # The emulators do not isolate a renewal of the lease from a transaction, so it is short after a kill only.
        mark = request.node.get_closest_marker("promise")
        is_killed = mark is not None and mark.args == ("kill",)
        workspace.settings[f"DESTINATION__{request.param.upper()}__LOCK_EXPIRY"] = "20s" if is_killed else "10m"
        return workspace
    return build_workspace(request, tmp_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expect a failure where an exception is declared, and leave out what is not applicable."""
    left_out = []
    for item in items:
        mark = item.get_closest_marker("promise")
        if mark is None:
            continue
        parameters = item.callspec.params  # type: ignore[attr-defined]
        warehouse = parameters.get("workspace") or parameters["emulated"]
        (key,) = mark.args
        if key in NOT_APPLICABLE.get(warehouse, {}):
            left_out.append(item)
        elif (reason := {**EXCEPTIONS.get(warehouse, {}), **NOT_TESTED.get(warehouse, {})}.get(key)) is not None:
            is_strict = (warehouse, key) not in SOMETIMES_PASSES
            item.add_marker(pytest.mark.xfail(reason=reason, strict=is_strict))
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
