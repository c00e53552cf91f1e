"""Measures how fast a sync is and prints one table, also into docs/benchmarks.md: `python -m tests.benchmarks.run`.

Everything runs on loopback against the simulated Gong, in processes of their own. Programs that are compared
take turns; every ratio is taken within one round, and of several rounds the median counts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console

from tests.benchmarks.measures import (
    FULL_CONTENT,
    MINIMAL_CONTENT,
    ROOT,
    UNTHROTTLED,
    WITH_PRIVATE_CALLS,
    Bench,
    CallRequests,
    Gong,
    Load,
    bench,
    simulated_gong,
)
from tests.benchmarks.report import Row, page, show

PAGE = ROOT / "docs" / "benchmarks.md"

_PROGRAM = "python -m tests.benchmarks.run"
_GONGS_LIMIT, _LATENCY = 3.0, 0.6
_GROWTH_FROM, _GROWTH_TO, _GROWTH_SENTENCES = 2_000, 20_000, 60
_QUICK_CALLS = 300


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for on the command line."""

    runs: int
    calls: int
    sentences: int
    limited_calls: int
    limited: bool
    growth: bool
    with_defaults: bool
    quick: bool


@dataclass(frozen=True, slots=True)
class Program:
    """One of those that are compared, with its loads in the order of the rounds."""

    name: str
    load: Callable[[], Load]
    loads: list[Load]


def main() -> None:
    """Runs what was asked for; a run with `--quick` is a trial and leaves docs/benchmarks.md as it is."""
    options = _options()
    err = Console(stderr=True, highlight=False)
    rows: list[Row] = []
    with bench() as place:
        for part in _parts(place, options):
            for row in part:
                err.print(f"{row.what}: {row.figure}", style="dim", markup=False)
                rows.append(row)
    show(rows)
    if options.quick:
        err.print(f"a trial: {PAGE.relative_to(ROOT)} is left as it is")
    else:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(rows, command=" ".join([_PROGRAM, *sys.argv[1:]]), rounds=options.runs), encoding="utf-8")
        err.print(f"written to {PAGE.relative_to(ROOT)}")


def _options() -> Options:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="rounds of every comparison; their median counts")
    parser.add_argument("--calls", type=int, default=2_000, help="calls without limit")
    parser.add_argument("--sentences", type=int, default=300, help="sentences in each of them")
    parser.add_argument("--limited-calls", type=int, default=3_000, help="calls under Gong's limit")
    parser.add_argument(
        "--limited", action=argparse.BooleanOptionalAction, help="measure under Gong's limit too; not with --quick"
    )
    parser.add_argument("--growth", action="store_true", help="peak memory of ten times as many calls")
    parser.add_argument("--with-defaults", action="store_true", help="the peer with dlt's default files too: slow")
    parser.add_argument("--quick", action="store_true", help=f"a trial: one round, {_QUICK_CALLS} calls")
    given = parser.parse_args()
    return Options(
        runs=1 if given.quick else given.runs,
        calls=_QUICK_CALLS if given.quick else given.calls,
        sentences=given.sentences,
        limited_calls=_QUICK_CALLS if given.quick else given.limited_calls,
        limited=given.limited if given.limited is not None else not given.quick,
        growth=given.growth,
        with_defaults=given.with_defaults,
        quick=given.quick,
    )


def _parts(place: Bench, options: Options) -> Iterator[Iterator[Row]]:
    yield _requests(place, _QUICK_CALLS if options.quick else 1_000)
    yield _without_limit(place, options)
    if options.limited:
        yield _under_the_limit(place, options)
    if options.growth:
        yield _growth(place)


def _requests(place: Bench, calls: int) -> Iterator[Row]:
    with simulated_gong(calls=calls) as gong:
        folder = place.empty_folder()
        place.sync(gong, UNTHROTTLED, folder)
        first = CallRequests.among(gong.received())
        again = place.sync(gong, UNTHROTTLED, folder)
        second = CallRequests.among(gong.received())
    in_a_thousand = first.total * 1_000 / calls
    yield Row(
        f"requests for {calls:,} calls in full with transcripts",
        f"{first.total}: {first.calls} extensive, {first.transcripts} transcript",
        "21 per 1,000 calls; the floor is 20",
        in_a_thousand <= 21,
    )
    yield Row(
        "the same again, with nothing new",
        f"{again.rows:,} rows written, {second.total} requests: {second.calls} extensive,"
        f" {second.transcripts} transcript",
        "0 rows",
        again.rows == 0,
    )


def _without_limit(place: Bench, options: Options) -> Iterator[Row]:
    with simulated_gong(calls=options.calls, sentences=options.sentences) as gong:
        ours, floor, peer, full = compared = _programs(place, gong)
        slow = [Program("dlt rest_api with its default files", lambda: place.peer(gong, defaults=True), [])]
        programs = compared + (slow if options.with_defaults else [])
        for program in compared:
            # Unmeasured: the simulated Gong keeps its answers, Python its bytecode, the system its files.
            program.load()
        for _ in range(options.runs):
            for program in programs:
                program.loads.append(program.load())
    sentences = gong.served.everything.sentences
    size = f"{options.calls:,} calls x {options.sentences} sentences"
    for program in programs:
        if program is full:
            rows = full.loads[0].rows
            yield Row(f"{program.name}, {size}", _speed(program.loads, rows, "rows of all tables"))
        else:
            yield Row(f"{program.name}, {size}", _speed(program.loads, sentences, "sentences"))
    yield _ratio("gong-elt's time / the floor's, whole processes", ours, floor, _wall, at_most=1.5)
    yield _ratio("gong-elt's time / the floor's, without start-up and imports", ours, floor, _own, at_most=1.5)
    yield _ratio("the peer's time / gong-elt's, whole processes", peer, ours, _wall, at_least=7)
    yield _ratio("the peer's time / gong-elt's, without start-up and imports", peer, ours, _own, at_least=7)
    for program in slow if options.with_defaults else []:
        yield _ratio("the peer's time with default files / gong-elt's, whole processes", program, ours, _wall)
    peak = max(load.peak_megabytes for load in full.loads)
    yield Row(f"peak memory in full, {size}", f"{peak:,.0f} MB", "700 MB", peak < 700)


def _programs(place: Bench, gong: Gong) -> list[Program]:
    full = {**UNTHROTTLED, **WITH_PRIVATE_CALLS, **FULL_CONTENT}
    minimal = {**full, **MINIMAL_CONTENT}
    return [
        Program("gong-elt sync, transcripts", lambda: place.sync(gong, minimal), []),
        Program("the floor: httpx, pyarrow, DuckDB, no framework", lambda: place.floor(gong), []),
        Program("the peer: dlt rest_api, Parquet, no compression", lambda: place.peer(gong), []),
        Program("gong-elt sync, calls in full", lambda: place.sync(gong, full), []),
    ]


def _under_the_limit(place: Bench, options: Options) -> Iterator[Row]:
    calls = options.limited_calls
    limited = f"{calls:,} calls in full under Gong's limit of 3 a second, answers after {_LATENCY} s"
    for what, select in (("calls and transcripts", "calls,transcripts"), ("everything a plain sync reads", "")):
        with simulated_gong(calls=calls, requests_per_second=_GONGS_LIMIT, latency=_LATENCY) as gong:
            load = place.sync(gong, {}, select=select)
            received = gong.received()
        requests = sum(received.paths.values())
        least = requests / _GONGS_LIMIT
        yield Row(
            f"{limited}: {what}",
            f"{load.own_seconds:.1f} s for {requests} requests, which is {load.own_seconds / least:.2f} x requests / 3",
            "1.10 x requests / 3",
            load.own_seconds <= 1.10 * least,
        )
        yield Row(
            "the same as a whole process, with Python's start and imports",
            f"{load.wall_seconds:.1f} s, {load.wall_seconds / least:.2f} x",
            "1.10 x requests / 3",
            load.wall_seconds <= 1.10 * least,
        )
    yield Row(
        "from the first of these requests to the last",
        f"{received.span_seconds:.2f} s, which is {received.span_seconds * _GONGS_LIMIT / (requests - 1):.2f} x"
        " what the limit allows",
        "1.10 x",
        received.span_seconds * _GONGS_LIMIT <= 1.10 * (requests - 1),
    )
    refused = received.statuses.get("429", 0)
    yield Row("of these refused with 429", str(refused), "0", refused == 0)


def _growth(place: Bench) -> Iterator[Row]:
    peaks: list[float] = []
    for calls in (_GROWTH_FROM, _GROWTH_TO):
        with simulated_gong(calls=calls, sentences=_GROWTH_SENTENCES) as gong:
            load = place.sync(gong, UNTHROTTLED)
        peaks.append(load.peak_megabytes)
        yield Row(
            f"peak memory in full, {calls:,} calls x {_GROWTH_SENTENCES} sentences",
            f"{load.peak_megabytes:,.0f} MB ({load.wall_seconds:.1f} s)",
            "700 MB",
            load.peak_megabytes < 700,
        )
    growth = peaks[1] / peaks[0]
    yield Row("ten times the calls, so many times the memory", f"{growth:.2f} x", "1.25 x", growth <= 1.25)


def _wall(load: Load) -> float:
    return load.wall_seconds


def _own(load: Load) -> float:
    return load.own_seconds


def _speed(loads: Sequence[Load], rows: int, name: str) -> str:
    wall = sorted(map(_wall, loads))
    own = median(map(_own, loads))
    spread = f" ({wall[0]:.2f} to {wall[-1]:.2f})" if len(wall) > 1 else ""
    return (
        f"{median(wall):.2f} s{spread}, {rows / median(wall):,.0f} {name}/s;"
        f" {own:.2f} s, {rows / own:,.0f}/s without start-up;"
        f" {median(load.cpu_seconds for load in loads):.2f} s CPU, {max(load.peak_megabytes for load in loads):,.0f} MB"
    )


def _ratio(
    what: str,
    one: Program,
    other: Program,
    seconds: Callable[[Load], float],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Row:
    rounds = zip(one.loads, other.loads, strict=True)
    ratios = sorted(seconds(of_one) / seconds(of_other) for of_one, of_other in rounds)
    ratio = median(ratios)
    spread = f" ({ratios[0]:.2f} to {ratios[-1]:.2f})" if len(ratios) > 1 else ""
    if at_most is not None:
        aim, met = f"at most {at_most:g} x", ratio <= at_most
    elif at_least is not None:
        aim, met = f"at least {at_least:g} x", ratio >= at_least
    else:
        return Row(what, f"{ratio:.2f} x{spread}")
    return Row(what, f"{ratio:.2f} x{spread}", aim, met)


if __name__ == "__main__":
    main()
