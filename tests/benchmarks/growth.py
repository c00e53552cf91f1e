"""Whether time and memory stay level: ten and a hundred times as many calls, and a hundred new ones into each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.benchmarks.measures import UNTHROTTLED, WITH_PRIVATE_CALLS, Bench, Load, simulated_gong
from tests.benchmarks.report import Row

_MADE = 2_000
_SERIES = ((300, (1, 10)), (100, (1, 100)))
"""Sentences in each call, and how often the calls are there."""
_SETTINGS = {**UNTHROTTLED, **WITH_PRIVATE_CALLS}
_LEVEL = 1.25


@dataclass(frozen=True, slots=True)
class _Size:
    """What one size of company came to."""

    calls: int
    backfill: Load
    new: Load


def growth(place: Bench) -> Iterator[Row]:
    """A backfill of each size, all content and transcripts, and the run that brings the last hundred calls."""
    for sentences, series in _SERIES:
        sizes: list[_Size] = []
        for copies in series:
            calls = _MADE * copies
            with simulated_gong(calls=_MADE, sentences=sentences, copies=copies) as gong:
                folder, latest = place.empty_folder(), gong.served.latest_since
                backfill = place.sync(gong, _SETTINGS, folder, until=latest)
                file = folder / "warehouse.duckdb"
                megabytes = file.stat().st_size / 1e6
                new = place.sync(gong, _SETTINGS, folder, since=latest)
                file.unlink()
            yield Row(
                f"backfill in full, {calls:,} calls x {sentences} sentences",
                f"{backfill.own_seconds:.1f} s, {1_000 * backfill.own_seconds / calls:.2f} ms per call;"
                f" {backfill.cpu_seconds:.1f} s CPU; {backfill.peak_megabytes:,.0f} MB; warehouse size:"
                f" {megabytes:,.0f} MB, {megabytes * 1e6 / backfill.told['sentences']:,.0f} MB per million sentences",
                "700 MB",
                backfill.peak_megabytes < 700,
            )
            yield Row(
                f"then 100 new calls, {new.told['sentences']:,} sentences",
                f"{new.own_seconds:.2f} s ({new.wall_seconds:.2f} s with start-up), {new.peak_megabytes:,.0f} MB",
                "700 MB",
                new.peak_megabytes < 700,
            )
            sizes.append(_Size(calls, backfill, new))
        yield from _levels(*sizes)


def _levels(small: _Size, large: _Size) -> Iterator[Row]:
    figures: dict[str, Callable[[_Size], float]] = {
        "seconds per call": lambda size: size.backfill.own_seconds / size.calls,
        "peak memory": lambda size: size.backfill.peak_megabytes,
        "seconds of the run with 100 new calls": lambda size: size.new.own_seconds,
    }
    for what, of_size in figures.items():
        ratio = of_size(large) / of_size(small)
        yield Row(
            f"{what}, {large.calls:,} calls against {small.calls:,}",
            f"{ratio:.2f} x",
            f"at most {_LEVEL:g} x",
            ratio <= _LEVEL,
        )
