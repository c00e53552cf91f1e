"""Evidence from the marts of a company with hostile names, in DuckDB and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gong_elt import Evidence
from tests.support.readers.evidence import open_evidence
from tests.support.workspace import Workspace


@pytest.fixture(scope="package", params=["duckdb", "postgres"])
def place(request: pytest.FixtureRequest) -> Workspace:
    """Return the workspace of the marts, in each kind of warehouse."""
    workspace: Workspace = request.getfixturevalue(f"{request.param}_marts")
    return workspace


@pytest.fixture(scope="package")
def evidence(place: Workspace) -> Iterator[Evidence]:
    """Open evidence without a limit."""
    with open_evidence(place) as opened:
        yield opened
