"""Measure the speed of a sync and print one table, also to docs/benchmarks.md: `python -m tests.benchmarks.run`.

Each program runs in a process of its own, on loopback against the simulated Gong. Compared programs run in turns; a
ratio is computed within a round, and the result is the median of the rounds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from rich.console import Console

from tests.benchmarks.bench import ROOT, UNTHROTTLED, Bench, open_bench, simulated_gong
from tests.benchmarks.measures.comparison import compare_programs
from tests.benchmarks.measures.growth import measure_growth
from tests.benchmarks.measures.quota import count_requests, measure_rate_limited
from tests.benchmarks.report import Row, format_page, print_table

PAGE = ROOT / "docs" / "benchmarks.md"

_PROGRAM = "python -m tests.benchmarks.run"
_QUICK_CALLS = 300


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the command line."""

    runs: int
    calls: int
    sentences: int
    limited_calls: int
    limited: bool
    growth: bool
    with_defaults: bool
    quick: bool


def main() -> None:
    """Run the selected measurements and write docs/benchmarks.md, unless `--quick` is set."""
    options = _options()
    err = Console(stderr=True, highlight=False)
    rows: list[Row] = []
    with open_bench() as bench:
        for part in _select_parts(bench, options):
            for row in part:
                err.print(f"{row.measure}: {row.result}", style="dim", markup=False)
                rows.append(row)
    print_table(rows)
    if options.quick:
        err.print(f"--quick: {PAGE.relative_to(ROOT)} was not written")
    else:
        PAGE.parent.mkdir(exist_ok=True)
        command = " ".join([_PROGRAM, *sys.argv[1:]])
        PAGE.write_text(format_page(rows, command=command, rounds=options.runs), encoding="utf-8")
        err.print(f"results written to {PAGE.relative_to(ROOT)}")


def _options() -> Options:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="rounds of each comparison; the result is their median")
    parser.add_argument("--calls", type=int, default=2_000, help="calls without a rate limit")
    parser.add_argument("--sentences", type=int, default=300, help="sentences per call")
    parser.add_argument("--limited-calls", type=int, default=3_000, help="calls at Gong's rate limit")
    parser.add_argument(
        "--limited", action=argparse.BooleanOptionalAction, help="also measure at Gong's rate limit; off with --quick"
    )
    parser.add_argument(
        "--growth",
        action=argparse.BooleanOptionalAction,
        help="also measure ten and a hundred times as many calls; off with --quick",
    )
    parser.add_argument(
        "--with-defaults",
        action=argparse.BooleanOptionalAction,
        help="also run the peer with dlt's default files, once; off with --quick",
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"one round with {_QUICK_CALLS} calls; docs/benchmarks.md is not written"
    )
    options = parser.parse_args()
    return Options(
        runs=1 if options.quick else options.runs,
        calls=_QUICK_CALLS if options.quick else options.calls,
        sentences=options.sentences,
        limited_calls=_QUICK_CALLS if options.quick else options.limited_calls,
        limited=options.limited if options.limited is not None else not options.quick,
        growth=options.growth if options.growth is not None else not options.quick,
        with_defaults=options.with_defaults if options.with_defaults is not None else not options.quick,
        quick=options.quick,
    )


def _select_parts(bench: Bench, options: Options) -> Iterator[Iterator[Row]]:
    yield count_requests(bench, _QUICK_CALLS if options.quick else 1_000)
    yield compare_programs(
        bench,
        calls=options.calls,
        sentences=options.sentences,
        rounds=options.runs,
        with_defaults=options.with_defaults,
    )
    yield _measure_start_up(bench, options.runs)
    if options.limited:
        yield measure_rate_limited(bench, options.limited_calls)
    if options.growth:
        yield measure_growth(bench)


def _measure_start_up(bench: Bench, rounds: int) -> Iterator[Row]:
    folder = bench.empty_folder()
    with simulated_gong(calls=_QUICK_CALLS) as gong:
        bench.sync(gong, UNTHROTTLED, folder)
    for command, max_seconds in (("--help", 0.3), ("status", 1.5)):
        arguments = [command, *["--json"] * (command == "status")]
        seconds = sorted(bench.measure_start(arguments, folder) for _ in range(rounds))
        middle = median(seconds)
        spread = f" ({seconds[0]:.2f} to {seconds[-1]:.2f})" if rounds > 1 else ""
        yield Row(f"gong-elt {command}", f"{middle:.2f} s{spread}", f"{max_seconds} s", middle < max_seconds)


if __name__ == "__main__":
    main()
