"""Read example values of all columns from a simulated company: `python -m docs.generate.data.example_values`.

They are stored in example_values.json, so that the page does not change with the company.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from sources.gong.resources import TABLES, TABLES_BY_RESOURCE
from tests.support.companies import build_recent_company
from tests.support.upload_files import build_upload_rows, write_csv
from tests.support.workspace import Workspace

FILE = Path(__file__).with_suffix(".json")

_MAX_CHARACTERS = 48
_WITHOUT_EXAMPLE = {"_dlt_load_id", "_removed"}

Examples = Mapping[str, Mapping[str, str]]
"""Example values as text, by table and column."""


def load_examples() -> Examples:
    """Return the stored examples."""
    examples: Examples = json.loads(FILE.read_text("utf-8"))
    return examples


def collect_examples() -> Examples:
    """Load a simulated company with all resources and return one value of each column that has any."""
    gong = SimulatedGong(build_recent_company(calls=120, days=30))
    with tempfile.TemporaryDirectory() as folder, serve(gong.app) as base_url:
        workspace = Workspace(Path(folder))
        workspace.use_demo_key()
        workspace.configure(base_url=base_url, include_media=True)
        workspace.sync("--since", "2026-01-01", "--select", ",".join(TABLES_BY_RESOURCE))
        workspace.run("upload", write_csv(Path(folder), build_upload_rows(gong, 1)))
        tables = [
            name for (name,) in workspace.rows("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'gong'")
        ]
        return {table: _examples_of(workspace, table) for table in sorted(tables) if not table.startswith("_dlt")}


def _examples_of(workspace: Workspace, table: str) -> Mapping[str, str]:
    """Return the values of the row with the most values; of other rows where it has none."""
    columns = list(workspace.columns(table))
    declared = next(
        ({column.name for column in known.columns} for known in TABLES if known.name == table), set(columns)
    )
    rows = workspace.rows(f'SELECT * FROM gong."{table}" LIMIT 5000')
    ordered = sorted(rows, key=_count_values, reverse=True)
    values = {column: _first_value(ordered, index) for index, column in enumerate(columns)}
    shown = declared - _WITHOUT_EXAMPLE
    return {column: value for column, value in values.items() if value and column in shown}


def _count_values(row: Sequence[Any]) -> int:
    return sum(value not in (None, "") for value in row)


def _first_value(rows: Sequence[Sequence[Any]], index: int) -> str:
    return next((_to_text(row[index]) for row in rows if row[index] not in (None, "")), "")


def _to_text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    text = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"


if __name__ == "__main__":
    FILE.write_text(json.dumps(collect_examples(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
