"""`gong-elt export transcripts` for single calls and deals, with a limit of tokens, and as Parquet."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.analytics import export
from pipelines.analytics.calls import conversations
from pipelines.analytics.calls.turns_file import SCHEMA
from pipelines.analytics.export import ExportOptions
from pipelines.demo.server.app import SimulatedGong
from pipelines.runtime.connection import Connection
from pipelines.runtime.target import Target
from tests.support.companies import find_call
from tests.support.marts import export_transcripts
from tests.support.workspace import Workspace


def test_calls_are_selected_by_id_and_url(duckdb_marts: Workspace) -> None:
    """`--call-id` can be repeated, and takes what a person copies from the browser."""
    first, second, *_ = export_transcripts(duckdb_marts)
    chosen = export_transcripts(duckdb_marts, "--call-id", second["call_id"], "--call-id", first["url"])
    assert chosen == [first, second]


def test_a_chosen_call_without_a_transcript_is_reported(duckdb_marts: Workspace) -> None:
    """The user learns why a call that was asked for is missing."""
    ((call_id,),) = duckdb_marts.rows("SELECT min(call_id) FROM gong_analytics.calls_enriched WHERE NOT has_transcript")
    ended = duckdb_marts.run("export", "transcripts", "--call-id", call_id)
    assert (ended.code, ended.out) == (0, "")
    assert f"call {call_id} has no transcript yet" in ended.err


def test_calls_are_selected_by_deal(duckdb_marts: Workspace, postgres_marts: Workspace) -> None:
    """A deal is named by its id, its name in any case, or a part of it."""
    everything = export_transcripts(duckdb_marts)
    call = next(c for c in everything if c["opportunity_name"])
    expected = [c for c in everything if c["opportunity_id"] == call["opportunity_id"]]
    name = call["opportunity_name"]
    for text in (call["opportunity_id"], name.upper(), name[: name.index(" <")]):
        for place in (duckdb_marts, postgres_marts):
            assert export_transcripts(place, "--deal", text) == expected
    ended = duckdb_marts.run("export", "transcripts", "--deal", "zeppelin")
    assert (ended.code, ended.out) == (0, "")
    assert "no deal matches --deal 'zeppelin'" in ended.err


def test_links_and_generated_texts_are_exported(marts_gong: SimulatedGong, duckdb_marts: Workspace) -> None:
    """A program can cite each turn, and distinguishes what Gong's AI wrote."""
    call = find_call(marts_gong, "brief", "highlights")
    (exported,) = export_transcripts(duckdb_marts, "--call-id", call.id)
    assert exported["brief"]["origin"] == "generated"
    assert exported["omitted"] is None
    for turn in exported["turns"]:
        assert turn["moment_url"].startswith(f"{exported['url']}&highlights=")
        assert f"from%22%3A{turn['start_ms'] // 1000}%2C" in turn["moment_url"]


@pytest.mark.parametrize("text_format", ["jsonl", "markdown"])
def test_a_long_call_ends_at_a_turn(
    duckdb_marts: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text_format: str
) -> None:
    """The text of a call has at most the tokens that were asked for, and reports what is missing."""
    whole = max(export_transcripts(duckdb_marts), key=lambda call: len(call["turns"]))
    arguments = ("--call-id", whole["call_id"], "--format", text_format)
    size = len(duckdb_marts.run("export", "transcripts", *arguments).out)
    limit = size // 8
    output = duckdb_marts.run("export", "transcripts", *arguments, "--max-tokens", str(limit)).out
    # What is omitted is described beyond the limit.
    assert 0.8 * 4 * limit < len(output) < 4 * limit + 100

    if text_format == "jsonl":
        cut = json.loads(output)
        count = len(cut["turns"])
        assert cut["turns"] == whole["turns"][:count]
        omitted = whole["turns"][count:]
        characters = sum(len(turn["text"]) for turn in omitted)
        assert cut["omitted"] == {
            "turns": len(omitted),
            "tokens": -(-characters // 4),
            "from": omitted[0]["start_time"],
        }
    else:
        assert "(omitted: " in output.splitlines()[-2]
        assert whole["turns"][0]["text"] in output
        assert whole["turns"][-1]["text"] not in output
    unlimited = duckdb_marts.run("export", "transcripts", *arguments, "--max-tokens", str(size)).out
    assert len(unlimited) == size

    # A call that is read in pieces ends at the same turn.
    monkeypatch.setattr(conversations, "CHARACTERS_PER_BATCH", 40)
    options = ExportOptions(text_format, calls=[whole["call_id"]], max_tokens=limit)
    target = Target.resolve("duckdb", "gong", file=duckdb_marts.folder / "warehouse.duckdb", folder=tmp_path)
    assert "".join(export.export_transcripts(Connection("gong"), target, options, pytest.fail)) == output


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_turns_are_rows_of_a_parquet_file(request: pytest.FixtureRequest, tmp_path: Path, warehouse: str) -> None:
    """The file has each turn that JSON lines have, with the facts of its call and typed columns."""
    place: Workspace = request.getfixturevalue(f"{warehouse}_marts")
    file = tmp_path / "turns.parquet"
    ended = place.run("export", "transcripts", "--format", "parquet", "--to", str(file))
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["turns.parquet"]
    table = pq.read_table(file)
    assert table.schema.equals(SCHEMA)
    rows = table.to_pylist()
    exported = [(call, turn) for call in export_transcripts(place) for turn in call["turns"]]
    assert len(rows) == len(exported) > 100
    for row, (call, turn) in zip(rows, exported, strict=True):
        assert {name: row[name] for name in turn} == turn
        assert row["started"] == datetime.fromisoformat(call["started"]).astimezone(UTC)
        for name in ("call_id", "title", "host_name", "account_name", "opportunity_id", "stage_at_call"):
            assert row[name] == call[name]


def test_a_parquet_file_of_long_calls_is_the_same(
    duckdb_marts: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls that are read sentence by sentence, and many groups of rows, make the same table."""
    target = Target.resolve("duckdb", "gong", file=duckdb_marts.folder / "warehouse.duckdb", folder=tmp_path)

    def write(name: str) -> pq.ParquetFile:
        file = tmp_path / name
        options = ExportOptions("parquet", side="customer", account="a")
        export.export_turns(Connection("gong"), target, options, file, pytest.fail)
        return pq.ParquetFile(file)

    whole = write("whole")
    monkeypatch.setattr(conversations, "CHARACTERS_PER_BATCH", 700)
    pieces = write("pieces")
    assert pieces.num_row_groups > whole.num_row_groups
    assert pieces.read() == whole.read()
