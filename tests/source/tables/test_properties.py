"""The pure parts under any input: windows, bookmarks, lookbacks, hashes, and both ways of laying out a transcript."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.gong.calls.call_rows import call_rows, content_hash
from sources.gong.calls.request import CallRequest
from sources.gong.calls.transcript_rows import Transcript, _parse_with_arrow, _parse_with_python, transcript_tables
from sources.gong.calls.transformer import CallTransformer, TranscriptTransformer, TransformContext
from sources.gong.datetimes import parse_duration
from sources.gong.errors import ConfigurationError
from sources.gong.incremental.bookmarks import advance_bookmark, plan_window, read_bookmark, save_progress
from sources.gong.incremental.lookback import Lookback
from sources.gong.incremental.windows import Window, watermark
from sources.gong.json_repair import repair_json
from sources.gong.metrics import RunMetrics
from sources.gong.tables.column_types import DataType, convert_column

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
START = datetime(2019, 1, 1, tzinfo=UTC)


def _transcripts(of_calls: list[Any]) -> list[Transcript]:
    return [
        Transcript.of(json.dumps({"callId": str(number), "transcript": monologues}).encode())
        for number, monologues in enumerate(of_calls)
    ]


class Types:
    """Remembers the types of added columns, as a run does."""

    def __init__(self) -> None:
        self._types: dict[tuple[str, str], DataType] = {}

    def type_of(self, table: str, column: str) -> DataType | None:
        return self._types.get((table, column))

    def remember(self, table: str, column: str, kind: DataType) -> None:
        self._types.setdefault((table, column), kind)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    since, until = sorted([draw(MOMENTS), draw(MOMENTS)])
    return Window(since, until + timedelta(seconds=1))


@given(windows(), st.integers(1, 50))
def test_a_cut_window_has_no_gap_and_no_overlap(window: Window, parts: int) -> None:
    pieces = window.split(parts)
    assert pieces[0].since == window.since
    assert pieces[-1].until == window.until
    assert all(left.until == right.since for left, right in pairwise(pieces))


@given(MOMENTS | st.none(), windows(), st.floats(0, 1))
def test_a_bookmark_never_moves_back_nor_over_a_gap(bookmark: datetime | None, window: Window, share: float) -> None:
    reached = window.since + (window.until - window.since) * share
    moved = advance_bookmark(bookmark, [window], reached)
    if bookmark is None:
        assert moved in (None, reached)
    else:
        assert moved is not None
        assert moved >= bookmark
        assert moved in (bookmark, reached)
        if window.since > bookmark:
            assert moved == bookmark


@given(windows(), st.lists(windows(), max_size=4))
def test_the_frontier_lies_before_everything_unread(window: Window, unread: list[Window]) -> None:
    reached = watermark([window], unread)
    assert all(reached <= rest.since for rest in unread)
    if not unread:
        assert reached == window.until


@given(st.lists(MOMENTS, min_size=1, max_size=12, unique=True))
def test_runs_one_after_the_other_leave_no_time_unread(moments: list[datetime]) -> None:
    lookback = Lookback.parse("1d / 7d / 30d")
    state: dict[str, Any] = {}
    read_to = START
    for now in sorted(moments):
        window = plan_window([state], start=START, now=now, lookback=lookback)
        assert window.since <= max(START, read_to - timedelta(days=1))
        at_once = dict(state)
        before = read_bookmark(state)
        halfway = window.since + (window.until - window.since) / 2
        for parts, kept in (([halfway, window.until], state), ([window.until], at_once)):
            for reached in parts:
                save_progress(
                    kept, [window], reached, previous_bookmark=before, start=START, now=now, lookback=lookback
                )
        assert state == at_once
        read_to = now
        assert datetime.fromisoformat(state["bookmark"]) == now


@given(st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=60))
def test_deeper_looks_come_once_a_day_and_once_a_week(minutes: list[int]) -> None:
    lookback = Lookback.parse("1d / 7d / 30d")
    looked: dict[str, str] = {}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    deep: dict[timedelta, list[date]] = {timedelta(days=7): [], timedelta(days=30): []}
    for gap in minutes:
        now += timedelta(minutes=gap)
        depth = lookback.depth(looked, now.date())
        for tier, days in deep.items():
            if depth >= tier:
                days.append(now.date())
        looked = lookback.record_lookback(looked, now.date(), depth)
    assert len(set(deep[timedelta(days=7)])) == len(deep[timedelta(days=7)])
    weekly = deep[timedelta(days=30)]
    assert all((later - earlier).days >= 7 for earlier, later in pairwise(weekly))


@pytest.mark.parametrize("text", ["", "7", "d", "7 days", "-1d", "1d/2d/3d/4d"])
def test_a_lookback_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Lookback.parse(text)


def test_spans_are_minutes_hours_days_and_weeks() -> None:
    assert [parse_duration(text) for text in ("30m", "12h", "7d", "2w")] == [
        timedelta(minutes=30), timedelta(hours=12), timedelta(days=7), timedelta(days=14),
    ]  # fmt: skip


@given(st.sampled_from(["text", "bigint", "double", "bool", "timestamp", "json"]), st.lists(JSON, max_size=8))
@settings(max_examples=200)
def test_any_value_is_either_in_its_column_or_beside_it(kind: DataType, values: list[Any]) -> None:
    array, unfit = convert_column(values, kind)
    beside = list(unfit) or [None] * len(values)
    assert len(array) == len(values) == len(beside)
    for value, held, left in zip(values, array.to_pylist(), beside, strict=True):
        assert (value is None) == (held is None and left is None)
        if kind == "json" and value is not None:
            assert json.loads(held) == value


KINDS: tuple[DataType, ...] = ("text", "bigint", "double", "bool", "timestamp", "json")
LOOKS_LIKE_A_VALUE = (
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(
        ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00", "2026-02-30T00:00:00Z", "2026-01-31", "true", "NaN"]
    )
)
ANY = JSON | LOOKS_LIKE_A_VALUE


@given(st.sampled_from(KINDS), st.lists(ANY, max_size=6))
@settings(max_examples=300)
def test_a_value_is_taken_the_same_way_whatever_stands_beside_it(kind: DataType, values: list[Any]) -> None:
    together, unfit = convert_column(values, kind)
    beside = list(unfit) or [None] * len(values)
    for value, held, left in zip(values, together, beside, strict=True):
        alone, rest = convert_column([value], kind)
        assert repr(alone[0]) == repr(held)
        assert (list(rest) or [None]) == [left]


@given(st.sampled_from(("bigint", "double")), ANY | st.integers(-(2**70), 2**70))
@settings(max_examples=200)
def test_a_number_in_its_column_says_what_gong_said(kind: DataType, value: Any) -> None:
    (held,) = convert_column([value], kind)[0].to_pylist()
    if held is not None:
        assert not isinstance(value, bool)
        assert repr(held) == repr(float(value)) if kind == "double" else held == Decimal(value)
        assert isinstance(value, str) or held == value


@given(JSON)
def test_lenient_reading_changes_nothing_in_plain_json(value: Any) -> None:
    assert repair_json(json.dumps(value).encode()) == value


@given(st.dictionaries(TEXTS, JSON, max_size=4), st.randoms())
def test_a_content_hash_does_not_depend_on_the_order_of_keys_nor_on_media(content: dict[str, Any], random: Any) -> None:
    record = {"metaData": {"id": "1", **content}, "content": content, "parties": [content]}
    hashed = content_hash({**record, "media": {"audioUrl": "https://signed.example"}})
    assert content_hash(_shuffled(record, random)) == hashed
    assert content_hash({**record, "title": "another"}) != hashed


def _shuffled(value: Any, random: Any) -> Any:
    """Return the same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        fields = [(name, _shuffled(inner, random)) for name, inner in value.items()]
        random.shuffle(fields)
        return dict(fields)
    return [_shuffled(inner, random) for inner in value] if isinstance(value, list) else value


SENTENCES = st.fixed_dictionaries({"start": st.integers(0, 10**7), "end": st.integers(0, 10**7), "text": TEXTS})
MONOLOGUES = st.fixed_dictionaries(
    {"speakerId": st.none() | st.integers(0, 10**19).map(str), "topic": st.none() | TEXTS},
    optional={"sentences": st.none() | st.lists(SENTENCES, max_size=4)},
)


@given(st.lists(st.none() | st.lists(MONOLOGUES, max_size=4), min_size=1, max_size=5))
@settings(max_examples=200)
def test_both_ways_of_laying_out_transcripts_give_the_same_tables(transcripts: list[Any]) -> None:
    records = _transcripts(transcripts)
    fast, slow = _parse_with_arrow(records), _parse_with_python(records, Types())
    assert fast == slow
    assert fast.sentences.schema.equals(slow.sentences.schema)


@given(st.lists(st.lists(MONOLOGUES, max_size=4), min_size=1, max_size=6), st.integers(1, 5))
def test_any_split_of_transcripts_into_pages_gives_the_same_rows(transcripts: list[Any], size: int) -> None:
    records = _transcripts(transcripts)
    when = datetime(2026, 1, 1, tzinfo=UTC)

    def laid_out(pages: list[list[Transcript]]) -> list[dict[str, Any]]:
        tables = [transcript_tables(page, Types(), synced_at=when) for page in pages]
        rows: list[dict[str, Any]] = pa.concat_tables([table["transcript_sentences"] for table in tables]).to_pylist()
        return rows

    assert laid_out([records]) == laid_out([records[at : at + size] for at in range(0, len(records), size)])


NOT_OBJECTS = st.none() | st.booleans() | st.integers() | TEXTS | st.lists(st.integers(), max_size=2)
"""Without fields that nobody declared: their column keeps the type of the page that came first."""

OBJECTS = st.none() | st.lists(
    st.fixed_dictionaries({}, optional={"id": ANY, "name": ANY, "duration": ANY}), max_size=2
)
CALLS = st.fixed_dictionaries(
    {"metaData": st.fixed_dictionaries({}, optional=dict.fromkeys(("title", "started", "scheduled", "duration"), ANY))},
    optional={
        "parties": OBJECTS | NOT_OBJECTS,
        "content": st.fixed_dictionaries({}, optional={"topics": OBJECTS, "structure": OBJECTS, "brief": ANY})
        | NOT_OBJECTS,
        "context": OBJECTS,
    },
)


@given(
    st.lists(CALLS | st.none() | st.integers(), min_size=1, max_size=8),
    st.lists(st.integers(0, 7), max_size=6),
    st.randoms(),
    st.integers(1, 5),
)
@settings(max_examples=150)
def test_any_order_split_and_doubling_of_calls_gives_the_same_rows(
    calls: list[Any], doubled: list[int], random: Any, size: int
) -> None:
    for number, call in enumerate(calls):
        if isinstance(call, dict) and number % 4 != 3:
            call["metaData"]["id"] = str(number)
    records = [json.dumps(call).encode() for call in calls]
    mixed = [*records, *(records[number % len(records)] for number in doubled)]
    random.shuffle(mixed)
    plain, shuffled = _Shaped(), _Shaped()
    for page, shaped in ((records, plain), *((mixed[at : at + size], shuffled) for at in range(0, len(mixed), size))):
        result = shaped.calls.transform(page, basic=False)
        shaped.take(result.tables)
    assert shuffled.rows == plain.rows
    assert shuffled.context.metrics.rejected == plain.context.metrics.rejected


ODD_SENTENCES = st.fixed_dictionaries({}, optional={"start": ANY, "end": ANY, "text": ANY})
ODD_MONOLOGUES = st.fixed_dictionaries(
    {},
    optional={
        "speakerId": ANY,
        "topic": ANY,
        "sentences": st.lists(st.none() | SENTENCES | ODD_SENTENCES, max_size=3) | NOT_OBJECTS,
    },
)


@given(
    st.lists(st.lists(st.none() | MONOLOGUES | ODD_MONOLOGUES, max_size=3) | NOT_OBJECTS, min_size=1, max_size=6),
    st.lists(st.integers(0, 5), max_size=4),
    st.randoms(),
    st.integers(1, 4),
)
@settings(max_examples=150)
def test_any_order_split_and_doubling_of_transcripts_gives_the_same_rows(
    transcripts: list[Any], doubled: list[int], random: Any, size: int
) -> None:
    """Odd ones among them too, which send their whole page the slower way."""
    records = [
        json.dumps({"callId": str(number), "transcript": said}).encode() for number, said in enumerate(transcripts)
    ]
    asked = [str(number) for number in range(len(records))]
    mixed = [*records, *(records[number % len(records)] for number in doubled)]
    random.shuffle(mixed)
    plain, shuffled = _Shaped(), _Shaped()
    for page, shaped in ((records, plain), *((mixed[at : at + size], shuffled) for at in range(0, len(mixed), size))):
        shaped.take(shaped.transcripts.transform(page, asked))
    assert shuffled.rows == plain.rows
    assert shuffled.context.metrics.rejected == plain.context.metrics.rejected
    assert {row["call_id"] for row in _rows_of(plain.rows, "transcripts")} | {
        row["id"] for row in _rows_of(plain.rows, "_rejected")
    } == set(asked)


def _transform_context() -> TransformContext:
    return TransformContext(
        private_calls="exclude",
        known_hashes=None,
        types=Types(),
        metrics=RunMetrics(),
        synced_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


class _Shaped:
    """A shaper, and all rows that came out of it, in no order and without nulls."""

    def __init__(self) -> None:
        self.context = _transform_context()
        self.calls = CallTransformer(self.context)
        self.transcripts = TranscriptTransformer(self.context)
        self.rows: Counter[tuple[str, str]] = Counter()

    def take(self, tables: Mapping[str, pa.Table]) -> None:
        for name, table in tables.items():
            for row in table.to_pylist():
                held = {column: value for column, value in row.items() if value is not None}
                self.rows[name, json.dumps(held, sort_keys=True, default=str)] += 1


def _rows_of(rows: Counter[tuple[str, str]], table: str) -> list[dict[str, Any]]:
    return [json.loads(row) for name, row in rows if name == table]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(1, 7))
def test_a_call_that_comes_on_several_pages_is_written_once(ids: list[int], size: int) -> None:
    records = [
        json.dumps({"metaData": {"id": str(number), "started": "2026-01-01T00:00:00Z"}}).encode() for number in ids
    ]
    transformer = CallTransformer(_transform_context())
    pages = [transformer.transform(records[at : at + size], basic=False) for at in range(0, len(records), size)]
    written = [row for page in pages if "calls" in page.tables for row in page.tables["calls"]["id"].to_pylist()]
    assert sorted(written) == sorted({str(number) for number in ids})


@given(st.dictionaries(TEXTS, JSON, max_size=5))
def test_no_field_of_a_call_is_lost(added: dict[str, Any]) -> None:
    added = {f"x{number}{name}": value for number, (name, value) in enumerate(added.items()) if value is not None}
    rows = call_rows({"metaData": {"id": "1", **added}}, content_hash="h", synced_at=datetime(2026, 1, 1, tzinfo=UTC))
    (head,) = [record for table, _, record in rows if table == "calls"]
    assert {name: head[name] for name in added} == added


def test_a_filter_sends_only_what_was_asked_for() -> None:
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    body = CallRequest(context="Basic", call_ids=["7"], workspace_id="9").body(window)
    assert body is not None
    assert body["filter"] == {
        "fromDateTime": "2026-01-01T00:00:00.000Z", "toDateTime": "2026-01-02T00:00:00.000Z",
        "workspaceId": "9", "callIds": ["7"],
    }  # fmt: skip
    assert "contextTiming" not in body["contentSelector"]
