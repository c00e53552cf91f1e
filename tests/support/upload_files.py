"""Files of new calls, as `gong-elt upload` reads them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.demo.server.app import SimulatedGong
from tests.support.gong_api import Json


def build_upload_rows(gong: SimulatedGong, count: int) -> list[Json]:
    """Return valid rows of new calls with the ids `pbx-0`, `pbx-1`, ..."""
    host = next(user["id"] for user in gong.company.users if user["active"])
    parties = json.dumps([{"userId": host}, {"name": "Ana Bell, Ltd", "emailAddress": "ana.bell@acme.example"}])
    row = {"actual_start": "2026-05-20T10:00:00Z", "direction": "Outbound", "primary_user": host, "parties": parties}
    return [{"client_unique_id": f"pbx-{number}", **row, "title": f"Call {number}"} for number in range(count)]


def write_csv(folder: Path, rows: Sequence[Json], name: str = "calls.csv") -> str:
    """Write rows as CSV and return the file's name."""
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(column for row in rows for column in row)))
        writer.writeheader()
        writer.writerows(rows)
    return name


def write_jsonl(folder: Path, rows: Sequence[Json]) -> str:
    """Write rows as JSON lines, with nested parties and empty lines, and return the file's name."""
    lines = [json.dumps({**row, "parties": json.loads(row["parties"])}) for row in rows]
    (folder / "calls.jsonl").write_text("\n\n".join(lines), encoding="utf-8")
    return "calls.jsonl"


def write_parquet(folder: Path, rows: Sequence[Json]) -> str:
    """Write rows as Parquet and return the file's name."""
    pq.write_table(pa.Table.from_pylist(list(rows)), folder / "calls.parquet")
    return "calls.parquet"
