"""`gong-elt models --engine`: which warehouses have a choice, and what is missing, in one line."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.servers.iceberg import IcebergConnection
from tests.support.workspace import Workspace


@pytest.mark.parametrize("engine", ["spark", "duckdb"])
def test_an_engine_cannot_be_chosen_for_other_warehouses(workspace: Workspace, engine: str) -> None:
    """Spark cannot read a DuckDB file, and the option would do nothing there."""
    ended = workspace.run("models", "--engine", engine)
    assert ended.code == 2
    assert ended.err.strip() == (
        f"gong-elt: --engine {engine!r} cannot be used: --destination iceberg has duckdb and spark, and other"
        " destinations have no choice"
    )


@pytest.mark.parametrize("engine", ["spark", "trino"])
def test_an_engine_that_is_not_there_is_one_line(tmp_path: Path, engine: str) -> None:
    """The message names the packages, or the engines."""
    if find_spec("pyspark") is not None:
        pytest.skip("Spark is installed")
    ended = Workspace(tmp_path, other_warehouse=IcebergConnection(tmp_path)).run("models", "--engine", engine)
    assert ended.code == 2
    expected = "pip install 'gong-elt[spark]'" if engine == "spark" else "--engine 'trino' cannot be used"
    assert expected in ended.err
    assert len(ended.err.strip().splitlines()) == 1
