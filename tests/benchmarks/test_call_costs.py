"""What a call costs where no machine has a say in it: requests, rows, Python's instructions, Arrow's bytes.

A figure that moves by more than a tenth is either mended or, where it is meant, written down here anew.
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
from sources.gong.calls.transformer import CallTransformer
from sources.gong.metrics import RunMetrics
from sources.gong.tables.table import DataType
from tests.conftest import MakeGong
from tests.support.workspace import Workspace

UNTIL = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAYS = 20

REQUESTS, ROWS = 8, 70_826
INSTRUCTIONS_OF = {(3, 11): {"a call": 15_190, "a transcript": 203}}
"""By Python's version, each of which compiles to other instructions."""
ARROW_BYTES_OF = {"a call": 10_640, "a transcript": 69_610}


@pytest.fixture(scope="module")
def company() -> Company:
    """The same company on every day and every machine, a hundred sentences in each call."""
    return build_company(calls=400, days=DAYS, until=UNTIL, sentences=100)


def test_requests_and_rows_of_a_backfill(make_gong: MakeGong, workspace: Workspace, company: Company) -> None:
    make_gong(SimulatedGong(company))
    workspace.configure(start_date=(UNTIL - timedelta(days=DAYS + 1)).isoformat())
    loaded = workspace.sync("--select", "calls,transcripts")
    assert loaded["requests"] == REQUESTS
    assert sum(loaded["tables"].values()) == ROWS


@pytest.mark.skipif(sys.version_info[:2] not in INSTRUCTIONS_OF, reason="no figure for this Python was written down")
@pytest.mark.parametrize("of", ["a call", "a transcript"])
def test_instructions_of_python(company: Company, of: str) -> None:
    figure = INSTRUCTIONS_OF[sys.version_info[:2]][of]
    assert _instructions(_shaping(company, of)) / len(company.calls) == pytest.approx(figure, rel=0.1)


@pytest.mark.parametrize("of", ["a call", "a transcript"])
def test_bytes_of_arrow(company: Company, of: str) -> None:
    pool, shape = pa.default_memory_pool(), _shaping(company, of)
    before = pool.total_bytes_allocated()
    shape()
    allocated = pool.total_bytes_allocated() - before
    assert allocated / len(company.calls) == pytest.approx(ARROW_BYTES_OF[of], rel=0.1)


class Types:
    """Knows no column but those declared."""

    def known(self, _table: str, _column: str) -> DataType | None:
        """None."""
        return None

    def learn(self, table: str, column: str, kind: DataType) -> None:
        """What the simulated Gong sends is all declared."""
        raise AssertionError(f"{table}.{column} ({kind}) is not declared")


def _shaping(company: Company, of: str) -> Callable[[], Any]:
    """The work of a sync between an answer's bytes and Arrow tables, in pages of a hundred."""
    shaper = CallTransformer("include", None, Types(), RunMetrics(), UNTIL, initial_load=True)
    pages = [company.calls[at : at + 100] for at in range(0, len(company.calls), 100)]
    calls = [[msgspec.json.encode(call.record) for call in page] for page in pages]
    transcripts = [([_transcript(call) for call in page], {call.id for call in page}) for page in pages]
    if of == "a call":
        return lambda: [shaper.calls(page, basic=False) for page in calls]
    return lambda: [shaper.transcripts(page, asked) for page, asked in transcripts]


def _transcript(call: Call) -> bytes:
    return b'{"callId":"%s","transcript":%s}' % (call.id.encode(), call.transcript_json or b"[]")


def _instructions(work: Callable[[], Any]) -> int:
    """How many instructions Python's interpreter carries out for it."""
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
