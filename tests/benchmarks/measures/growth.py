"""Time and memory at ten and a hundred times as many calls, and of a run with a hundred new calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.benchmarks.bench import UNTHROTTLED, WITH_PRIVATE_CALLS, Bench, ProgramRun, simulated_gong
from tests.benchmarks.report import Row

_CALLS = 2_000
_SERIES = ((300, (1, 10)), (100, (1, 100)))
"""Sentences per call, and numbers of copies of each call."""
_SETTINGS = {**UNTHROTTLED, **WITH_PRIVATE_CALLS}
_MAX_RATIO = 1.25


@dataclass(frozen=True, slots=True)
class _Size:
    """The runs with one number of calls."""

    calls: int
    backfill: ProgramRun
    new: ProgramRun


def measure_growth(bench: Bench) -> Iterator[Row]:
    """Yield a full backfill of each size, and the run that loads the last hundred calls."""
    for sentences, series in _SERIES:
        sizes: list[_Size] = []
        for copies in series:
            calls = _CALLS * copies
            with simulated_gong(calls=_CALLS, sentences=sentences, copies=copies) as gong:
                folder, latest = bench.empty_folder(), gong.info.latest_since
                backfill = bench.sync(gong, _SETTINGS, folder, until=latest)
                file = folder / "warehouse.duckdb"
                megabytes = file.stat().st_size / 1e6
                new = bench.sync(gong, _SETTINGS, folder, since=latest)
                file.unlink()
            yield Row(
                f"backfill in full, {calls:,} calls x {sentences} sentences",
                f"{backfill.reported_seconds:.1f} s, {1_000 * backfill.reported_seconds / calls:.2f} ms per call;"
                f" {backfill.cpu_seconds:.1f} s CPU; {backfill.peak_megabytes:,.0f} MB; warehouse size:"
                f" {megabytes:,.0f} MB, {megabytes * 1e6 / backfill.output['sentences']:,.0f} MB per million sentences",
                "700 MB",
                backfill.peak_megabytes < 700,
            )
            yield Row(
                f"then 100 new calls, {new.output['sentences']:,} sentences",
                f"{new.reported_seconds:.2f} s ({new.wall_seconds:.2f} s with start-up), {new.peak_megabytes:,.0f} MB",
                "700 MB",
                new.peak_megabytes < 700,
            )
            sizes.append(_Size(calls, backfill, new))
        yield from _compare_sizes(*sizes)


def _compare_sizes(small: _Size, large: _Size) -> Iterator[Row]:
    measures: dict[str, Callable[[_Size], float]] = {
        "seconds per call": lambda size: size.backfill.reported_seconds / size.calls,
        "peak memory": lambda size: size.backfill.peak_megabytes,
        "seconds of the run with 100 new calls": lambda size: size.new.reported_seconds,
    }
    for measure, value_of in measures.items():
        ratio = value_of(large) / value_of(small)
        yield Row(
            f"{measure}, {large.calls:,} calls against {small.calls:,}",
            f"{ratio:.2f} x",
            f"at most {_MAX_RATIO:g} x",
            ratio <= _MAX_RATIO,
        )
