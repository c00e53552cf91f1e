"""Costs per call that do not depend on the machine: requests, rows, Python instructions, Arrow bytes.

If a figure changes by more than a tenth, fix the cause, or update the figure if the change is intended.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company, build_company
from pipelines.demo.server.app import SimulatedGong
from sources.gong.calls.transformer import CallTransformer, TranscriptTransformer, TransformContext
from sources.gong.metrics import RunMetrics
from sources.gong.tables.column_types import DataType
from tests.conftest import MakeGong
from tests.support.workspace import Workspace

UNTIL = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAYS = 20

REQUESTS, ROWS = 8, 70_509
INSTRUCTIONS = {(3, 11): {"a call": 13_070, "a transcript": 203}}
"""By Python version, since each one compiles to different instructions."""
ARROW_BYTES = {"a call": 10_640, "a transcript": 69_610}


@pytest.fixture(scope="module")
def company() -> Company:
    """Return a company that does not depend on date or machine, with a hundred sentences per call."""
    return build_company(calls=400, days=DAYS, until=UNTIL, sentences=100)


def test_requests_and_rows_of_a_backfill(make_gong: MakeGong, workspace: Workspace, company: Company) -> None:
    """More requests cost quota, and other rows are a changed table layout."""
    make_gong(SimulatedGong(company))
    workspace.configure(start_date=(UNTIL - timedelta(days=DAYS + 1)).isoformat())
    summary = workspace.sync("--select", "calls,transcripts")
    assert summary["requests"] == REQUESTS
    assert sum(summary["tables"].values()) == ROWS


@pytest.mark.skipif(sys.version_info[:2] not in INSTRUCTIONS, reason="no figure for this Python version")
@pytest.mark.parametrize("kind", ["a call", "a transcript"])
def test_python_instructions(company: Company, kind: str) -> None:
    """The hot path stays as short as it is."""
    figure = INSTRUCTIONS[sys.version_info[:2]][kind]
    assert _count_instructions(_build_transform(company, kind)) / len(company.calls) == pytest.approx(figure, rel=0.1)


@pytest.mark.parametrize("kind", ["a call", "a transcript"])
def test_arrow_bytes(company: Company, kind: str) -> None:
    """The memory of a page stays as small as it is."""
    pool, transform = pa.default_memory_pool(), _build_transform(company, kind)
    before = pool.total_bytes_allocated()
    transform()
    allocated = pool.total_bytes_allocated() - before
    assert allocated / len(company.calls) == pytest.approx(ARROW_BYTES[kind], rel=0.1)


class Types:
    """Column types without any undeclared column."""

    def type_of(self, _table: str, _column: str) -> DataType | None:
        """Return None: no column was added."""
        return None

    def remember(self, table: str, column: str, kind: DataType) -> None:
        """Fail: the simulated Gong sends only declared columns."""
        raise AssertionError(f"{table}.{column} ({kind}) is not declared")


def _build_transform(company: Company, kind: str) -> Callable[[], Any]:
    """Return a function that converts all pages, of a hundred records each, from JSON to Arrow tables."""
    context = TransformContext(
        private_calls="include",
        known_hashes=None,
        types=Types(),
        metrics=RunMetrics(),
        started_at=UNTIL,
        initial_load=True,
    )
    call_transformer, transcript_transformer = CallTransformer(context), TranscriptTransformer(context)
    pages = [company.calls[at : at + 100] for at in range(0, len(company.calls), 100)]
    calls = [[msgspec.json.encode(call.record) for call in page] for page in pages]
    transcripts = [([_transcript(call) for call in page], {call.id for call in page}) for page in pages]
    if kind == "a call":
        return lambda: [call_transformer.transform(page, basic=False) for page in calls]
    return lambda: [transcript_transformer.transform(page, call_ids) for page, call_ids in transcripts]


def _transcript(call: Call) -> bytes:
    return b'{"callId":"%s","transcript":%s}' % (call.id.encode(), call.transcript_json or b"[]")


def _count_instructions(work: Callable[[], Any]) -> int:
    """Return the number of bytecode instructions that Python executes for it."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
