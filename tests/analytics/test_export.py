"""`gong-elt export transcripts`: complete conversations, filters, files, and both warehouses."""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from pipelines.analytics import export
from pipelines.analytics.calls import conversations
from pipelines.analytics.conversation_format import FORMATS
from pipelines.analytics.export import EXPORT_FORMATS, ExportOptions
from pipelines.demo.server.app import SimulatedGong
from pipelines.runtime.connection import Connection
from pipelines.runtime.target import Target
from tests.support.companies import public_calls
from tests.support.marts import export_transcripts
from tests.support.workspace import Workspace, days_ago


def test_all_words_of_public_calls_are_exported(marts_gong: SimulatedGong, duckdb_marts: Workspace) -> None:
    """The export contains every turn of every visible call, and no other call."""
    conversations = {conversation["call_id"]: conversation for conversation in export_transcripts(duckdb_marts)}
    expected = {
        call.id: [
            " ".join(sentence["text"] for sentence in monologue["sentences"])
            for monologue in msgspec.json.decode(call.transcript_json)
        ]
        for call in public_calls(marts_gong)
        if call.transcript_json
    }

    assert {
        call_id: [turn["text"] for turn in conversation["turns"]] for call_id, conversation in conversations.items()
    } == {call_id: texts for call_id, texts in expected.items() if texts}


def test_both_warehouses_export_the_same(duckdb_marts: Workspace, postgres_marts: Workspace) -> None:
    """DuckDB and PostgreSQL return the same conversations, with and without filters."""
    assert export_transcripts(duckdb_marts) == export_transcripts(postgres_marts)

    call = next(c for c in export_transcripts(duckdb_marts, "--side", "customer") if c["account_name"])
    filters = ("--side", "customer", "--rep", call["host_name"][:5].lower(), "--account", call["account_name"].upper())

    assert call in export_transcripts(duckdb_marts, *filters, "--since", call["started"])
    assert export_transcripts(duckdb_marts, *filters) == export_transcripts(postgres_marts, *filters)
    assert export_transcripts(duckdb_marts, "--until", call["started"]) == export_transcripts(
        postgres_marts, "--until", call["started"]
    )


@pytest.mark.slow
def test_filters_select_conversations(duckdb_marts: Workspace) -> None:
    """Period, host, account and side select what they name, ignoring upper and lower case."""
    everything = export_transcripts(duckdb_marts)
    middle = everything[len(everything) // 2]
    day = middle["started"][:10]

    assert [c["call_id"] for c in export_transcripts(duckdb_marts, "--since", day)] == [
        c["call_id"] for c in everything if c["started"][:10] >= day
    ]
    assert [c["call_id"] for c in export_transcripts(duckdb_marts, "--until", day)] == [
        c["call_id"] for c in everything if c["started"][:10] < day
    ]

    with_rep = export_transcripts(duckdb_marts, "--rep", middle["host_name"].upper())
    assert with_rep == [c for c in everything if c["host_name"] == middle["host_name"]]

    with_account = next(c for c in everything if c["account_name"])
    with_account_filter = export_transcripts(duckdb_marts, "--account", with_account["account_name"].lower())

    assert with_account_filter == [c for c in everything if c["account_name"] == with_account["account_name"]]

    customer_side = export_transcripts(duckdb_marts, "--side", "customer")
    assert customer_side
    assert {turn["side"] for c in customer_side for turn in c["turns"]} == {"customer"}


def test_an_export_is_written_to_a_file(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """`--to` writes the same lines as stdout, and leaves no temporary file."""
    file = tmp_path / "calls.jsonl"
    ended = duckdb_marts.run("export", "transcripts", "--to", str(file))
    assert (ended.code, ended.out) == (0, "")
    assert [json.loads(line) for line in file.read_text().splitlines()] == export_transcripts(duckdb_marts)
    assert [path.name for path in tmp_path.iterdir()] == ["calls.jsonl"]


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
@pytest.mark.parametrize("text_format", FORMATS)
def test_a_conversation_in_pieces_is_the_same_text(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text_format: str, warehouse: str
) -> None:
    """A call that is read sentence by sentence, and sentences that are read in parts, are exported as any other."""
    place: Workspace = request.getfixturevalue(f"{warehouse}_marts")
    if place.postgres:
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", place.postgres)
    file = None if place.postgres else place.folder / "warehouse.duckdb"
    target = Target.resolve(warehouse, "gong", file=file, folder=tmp_path)
    side = "customer" if text_format == "markdown" else None

    def run() -> list[str]:
        options = ExportOptions(text_format, side=side, since=days_ago(4))
        return list(export.export_transcripts(Connection("gong"), target, options, pytest.fail))

    whole = run()
    for characters in (700, 40):
        monkeypatch.setattr(conversations, "CHARACTERS_PER_BATCH", characters)
        pieces = run()
        assert len(pieces) > len(whole)
        assert "".join(pieces) == "".join(whole)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_a_transcript_of_a_hundred_megabytes_needs_little_memory(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Memory does not grow with the length of a conversation."""
    place = Workspace(tmp_path, settings=duckdb_marts.settings)
    (tmp_path / "warehouse.duckdb").write_bytes((duckdb_marts.folder / "warehouse.duckdb").read_bytes())
    ((call_id,),) = place.rows("SELECT min(call_id) FROM gong_analytics.speaker_turns")
    for mart in ("transcript_lines", "speaker_turns", "transcript_chunks"):
        place.execute(f"DELETE FROM gong_analytics.{mart} WHERE call_id = ?", [call_id])
    # Ten monologues of ten megabytes, in sentences of ten kilobytes.
    place.execute(
        "INSERT INTO gong_analytics.transcript_lines BY NAME SELECT ? AS call_id, i AS sentence_index,"
        " i // 1000 AS monologue_index, 'company' AS side, repeat('0123456789', 1000) AS text"
        " FROM range(10000) AS t(i)",
        [call_id],
    )
    place.execute(
        "INSERT INTO gong_analytics.speaker_turns BY NAME SELECT call_id, monologue_index, 'company' AS side,"
        " string_agg(text, ' ') AS text FROM gong_analytics.transcript_lines WHERE call_id = ? GROUP BY ALL",
        [call_id],
    )
    place.execute(
        "INSERT INTO gong_analytics.transcript_chunks BY NAME SELECT call_id, monologue_index AS chunk_index,"
        " length(text) AS character_count FROM gong_analytics.speaker_turns WHERE call_id = ?",
        [call_id],
    )
    for text_format in EXPORT_FORMATS:
        process = place.start("export", "transcripts", "--format", text_format, "--to", "calls")
        peak_kilobytes = 0
        while process.poll() is None:
            # The usage that the system reports at the end would include pytest, from which the process was forked.
            with suppress(OSError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                peak_kilobytes = max(peak_kilobytes, *map(int, re.findall(r"VmHWM:\s+(\d+)", status)), 0)
            time.sleep(0.02)
        assert process.returncode == 0
        assert (tmp_path / "calls").stat().st_size > (100_000_000 if text_format in FORMATS else 1_000)
        assert 50_000 < peak_kilobytes < 600_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rep", "zeppelin"), "no conversation matches --rep 'zeppelin'"),
        (("--until", "2020-01-01", "--side", "customer"), "--until '2020-01-01' --side 'customer'"),
    ],
)
def test_an_export_of_nothing_names_its_filters(
    duckdb_marts: Workspace, arguments: tuple[str, ...], message: str
) -> None:
    """Without a match, stdout is empty and one line on stderr names the filters and what there is."""
    ended = duckdb_marts.run("export", "transcripts", *arguments)
    assert (ended.code, ended.out) == (0, "")
    (line,) = ended.err.splitlines()
    assert message in line
    assert "change or omit a filter" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "pdf"), "jsonl, markdown, parquet"),
        (("--format", "parquet"), "needs --to"),
        (("--format", "parquet", "--to", "turns", "--max-tokens", "9"), "one row per turn"),
        (("--format", "parquet", "--to", "no/such/folder/file"), "cannot be written"),
        (("--max-tokens", "0"), "--max-tokens 0 is out of range"),
        (("--call-id", "12345"), "call 12345 is not loaded"),
        (("--side", "left"), "company, customer, unknown"),
        (("--since", "soon"), "--since"),
        (("--analytics", "elsewhere"), "run gong-elt models"),
        (("--to", "no/such/folder/file"), "cannot be written"),
    ],
)
def test_an_invalid_option_is_one_line(duckdb_marts: Workspace, arguments: tuple[str, ...], message: str) -> None:
    """Usage errors end with exit code 2 and one line that names the option or the remedy."""
    ended = duckdb_marts.run("export", "transcripts", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
