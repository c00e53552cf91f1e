"""The notebook for analysts: every cell over real marts, and against the warehouse."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path

import marimo
import pytest

from tests.support.paths import REPOSITORY
from tests.support.workspace import Workspace

NOTEBOOK = REPOSITORY / "pipelines" / "analytics" / "notebook.py"


def _app() -> marimo.App:
    spec = importlib.util.spec_from_file_location("gong_calls", NOTEBOOK)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: marimo.App = module.app
    return app


def test_every_cell_answers_what_the_warehouse_says(duckdb_marts: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONG_WAREHOUSE", str(duckdb_marts.folder / "warehouse.duckdb"))
    _, found = _app().run()
    since = datetime.now(UTC) - timedelta(days=90)
    ((calls, said, deals),) = duckdb_marts.rows(
        "SELECT (SELECT count(*) FROM gong_analytics.calls_enriched WHERE started >= ?),"
        " (SELECT count(*) FROM gong_analytics.transcript_lines WHERE contains(lower(text), 'price')),"
        " (SELECT count(*) FROM gong_analytics.deal_activity WHERE NOT is_closed)",
        [since],
    )
    assert found["calls"]["calls"] == calls == sum(found["by_week"]["calls"].to_pylist()) > 0
    assert found["said"].num_rows == min(said, 500) > 0
    assert found["deals"].num_rows == deals > 0
    # It keeps nobody from writing.
    assert duckdb_marts.run("status").code == 0


def test_without_a_warehouse_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONG_WAREHOUSE", str(tmp_path / "none.duckdb"))
    outputs, found = _app().run()
    assert "ask" not in found
    assert any("gong-elt models" in str(getattr(output, "text", "")) for output in outputs)
