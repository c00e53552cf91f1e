"""The notebook for analysts: its cells run over real marts."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path

import marimo
import pytest

from tests.support.paths import REPOSITORY
from tests.support.workspace import Workspace

NOTEBOOK = REPOSITORY / "pipelines" / "analytics" / "notebook.py"


def _load_app() -> marimo.App:
    spec = importlib.util.spec_from_file_location("gong_calls", NOTEBOOK)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: marimo.App = module.app
    return app


def test_cells_show_the_figures_of_the_warehouse(duckdb_marts: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """All cells run, their results equal SQL over the marts, and the file is not kept open."""
    monkeypatch.setenv("GONG_WAREHOUSE", str(duckdb_marts.folder / "warehouse.duckdb"))
    _, variables = _load_app().run()
    since = datetime.now(UTC) - timedelta(days=90)
    ((calls, sentences, deals),) = duckdb_marts.rows(
        "SELECT (SELECT count(*) FROM gong_analytics.calls_enriched WHERE started >= ?),"
        " (SELECT count(*) FROM gong_analytics.transcript_lines WHERE contains(lower(text), 'price')),"
        " (SELECT count(*) FROM gong_analytics.deal_activity WHERE NOT is_closed)",
        [since],
    )

    assert variables["calls"]["calls"] == calls == sum(variables["by_week"]["calls"].to_pylist()) > 0
    assert variables["sentences"].num_rows == min(sentences, 500) > 0
    assert variables["deals"].num_rows == deals > 0
    # A file that the notebook kept open could not be written.
    assert duckdb_marts.run("status").code == 0


def test_a_missing_warehouse_shows_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the DuckDB file the notebook stops and names the commands to run."""
    monkeypatch.setenv("GONG_WAREHOUSE", str(tmp_path / "none.duckdb"))
    outputs, variables = _load_app().run()
    assert "query" not in variables
    assert any("gong-elt models" in str(getattr(output, "text", "")) for output in outputs)
