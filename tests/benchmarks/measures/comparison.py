"""Throughput without a rate limit: gong-elt, a peer and the floor, run in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

import httpx

from tests.benchmarks.bench import (
    FULL_CONTENT,
    MINIMAL_CONTENT,
    UNTHROTTLED,
    WITH_PRIVATE_CALLS,
    Bench,
    GongServer,
    ProgramRun,
    simulated_gong,
)
from tests.benchmarks.programs.floor import TRANSCRIPTS, parse_page
from tests.benchmarks.report import Row


@dataclass(frozen=True, slots=True)
class Program:
    """A compared program, with its runs in the order of the rounds."""

    name: str
    run: Callable[[], ProgramRun]
    runs: list[ProgramRun]


def compare_programs(bench: Bench, *, calls: int, sentences: int, rounds: int, with_defaults: bool) -> Iterator[Row]:
    """Yield the throughput of each program, and the ratios.

    Args:
        bench: Where the programs run.
        calls: Number of calls.
        sentences: Sentences per call.
        rounds: Number of rounds; each program runs once per round.
        with_defaults: Also run the peer with dlt's default files, once, because that takes minutes.
    """
    with simulated_gong(calls=calls, sentences=sentences) as gong:
        ours, floor, peer, full, full_peer, empty = programs = _programs(bench, gong)
        for program in programs:
            # Not measured: fills the caches of the simulated Gong, of Python and of the file system.
            program.run()
        for _ in range(rounds):
            for program in programs:
                program.runs.append(program.run())
        decoding = _measure_decoding(gong)
        slow = Program("the peer with dlt's default files", lambda: bench.run_peer(gong, defaults=True), [])
        if with_defaults:
            slow.runs.append(slow.run())
            programs.append(slow)
    sentence_count = gong.info.all_calls.sentences
    size = f"{calls:,} calls x {sentences} sentences"
    for program in programs:
        if program is empty:
            seconds = sorted(map(wall_seconds, empty.runs))
            yield Row(empty.name, f"{median(seconds):.2f} s ({seconds[0]:.2f} to {seconds[-1]:.2f})")
            continue
        if program in (full, full_peer):
            speed = format_speed(program.runs, full.runs[0].rows, "rows of our tables")
        else:
            speed = format_speed(program.runs, sentence_count, "sentences")
        yield Row(f"{program.name}, {size}", speed)
    yield compare_seconds("gong-elt's time / the floor's, whole processes", ours, floor, wall_seconds, at_most=1.5)
    yield compare_seconds(
        "gong-elt's time / the floor's, without start-up and imports", ours, floor, _reported_seconds, at_most=1.5
    )
    yield compare_seconds("the peer's time / gong-elt's, whole processes", peer, ours, wall_seconds, at_least=7)
    yield compare_seconds(
        "the peer's time / gong-elt's, without start-up and imports", peer, ours, _reported_seconds, at_least=7
    )
    yield compare_seconds(
        "the peer's time / gong-elt's, calls in full, whole processes", full_peer, full, wall_seconds, at_least=7
    )
    yield compare_seconds(
        "the peer's time / gong-elt's, calls in full, without start-up and imports",
        full_peer,
        full,
        _reported_seconds,
        at_least=7,
    )
    if with_defaults:
        ratio = slow.runs[0].wall_seconds / median(map(wall_seconds, ours.runs))
        yield Row("the peer's time with default files, once / gong-elt's, whole processes", f"{ratio:.1f} x")
    reported = median(map(_reported_seconds, ours.runs))
    yield Row(
        "Arrow's JSON decoding alone, once",
        f"{decoding:.2f} s of {reported:.2f} s: a decoder that takes no time would make the sync"
        f" {reported / (reported - decoding):.2f} x as fast",
        "a decoder of our own from 1.3 x on",
    )
    peak = max(run.peak_megabytes for run in full.runs)
    yield Row(f"peak memory in full, {size}", f"{peak:,.0f} MB", "700 MB", peak < 700)


def _programs(bench: Bench, gong: GongServer) -> list[Program]:
    full = {**UNTHROTTLED, **WITH_PRIVATE_CALLS, **FULL_CONTENT}
    minimal = {**full, **MINIMAL_CONTENT}
    return [
        Program("gong-elt sync, transcripts", lambda: bench.sync(gong, minimal), []),
        Program("the floor: httpx, pyarrow, DuckDB, no framework", lambda: bench.run_floor(gong), []),
        Program("the peer: dlt rest_api, Parquet, no compression", lambda: bench.run_peer(gong), []),
        Program("gong-elt sync, calls in full", lambda: bench.sync(gong, full), []),
        Program("the peer, calls in full", lambda: bench.run_peer(gong, full=True), []),
        Program(
            "the fixed cost of a first sync: a window without calls",
            lambda: bench.sync(gong, full, since=gong.since - timedelta(hours=1), until=gong.since),
            [],
        ),
    ]


def _measure_decoding(gong: GongServer) -> float:
    """Return the seconds that Arrow's JSON reader takes for all pages of transcripts."""
    window = {
        "fromDateTime": gong.since.isoformat(),
        "toDateTime": (gong.info.until + timedelta(minutes=1)).isoformat(),
    }
    body: dict[str, Any] = {"filter": window}
    seconds = 0.0
    with httpx.Client(base_url=gong.info.url, auth=("demo", "demo-secret"), trust_env=False, timeout=60) as http:
        while True:
            page = http.post("/v2/calls/transcript", json=body).raise_for_status().content
            started_at = time.perf_counter()
            table = parse_page(page, TRANSCRIPTS)
            seconds += time.perf_counter() - started_at
            cursor = table["records"].combine_chunks().field("cursor")[0].as_py()
            if cursor is None:
                return seconds
            body["cursor"] = cursor


def wall_seconds(run: ProgramRun) -> float:
    """Return the duration of the whole process."""
    return run.wall_seconds


def _reported_seconds(run: ProgramRun) -> float:
    return run.reported_seconds


def format_speed(runs: Sequence[ProgramRun], rows: int, name: str) -> str:
    """Return the duration, the rows per second, the CPU time and the peak memory of the runs of one program."""
    wall = sorted(map(wall_seconds, runs))
    reported = median(map(_reported_seconds, runs))
    spread = f" ({wall[0]:.2f} to {wall[-1]:.2f})" if len(wall) > 1 else ""
    return (
        f"{median(wall):.2f} s{spread}, {rows / median(wall):,.0f} {name}/s;"
        f" {reported:.2f} s, {rows / reported:,.0f}/s without start-up;"
        f" {median(run.cpu_seconds for run in runs):.2f} s CPU, {max(run.peak_megabytes for run in runs):,.0f} MB"
    )


def compare_seconds(
    measure: str,
    program: Program,
    baseline: Program,
    seconds: Callable[[ProgramRun], float],
    *,
    at_most: float | None = None,
    at_least: float = 0.0,
) -> Row:
    """Return the ratio of two programs' durations: the median over the rounds, and its range."""
    rounds = zip(program.runs, baseline.runs, strict=True)
    ratios = sorted(seconds(run) / seconds(baseline_run) for run, baseline_run in rounds)
    ratio = median(ratios)
    spread = f" ({ratios[0]:.2f} to {ratios[-1]:.2f})" if len(ratios) > 1 else ""
    if at_most is not None:
        goal, met = f"at most {at_most:g} x", ratio <= at_most
    else:
        goal, met = f"at least {at_least:g} x", ratio >= at_least
    return Row(measure, f"{ratio:.2f} x{spread}", goal, met)
