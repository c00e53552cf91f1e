"""Measures how fast a sync is and prints one table, also into docs/benchmarks.md: `python -m tests.benchmarks.run`.

Everything runs on loopback against the simulated Gong, in processes of their own. Programs that are compared
take turns; every ratio is taken within one round, and of several rounds the median counts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from rich.console import Console

from tests.benchmarks.compared import compared
from tests.benchmarks.growth import growth
from tests.benchmarks.measures import ROOT, UNTHROTTLED, Bench, bench, simulated_gong
from tests.benchmarks.quota import requests, under_the_limit
from tests.benchmarks.report import Row, page, show

PAGE = ROOT / "docs" / "benchmarks.md"

_PROGRAM = "python -m tests.benchmarks.run"
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
    parser.add_argument(
        "--growth",
        action=argparse.BooleanOptionalAction,
        help="ten and a hundred times as many calls; not with --quick",
    )
    parser.add_argument(
        "--with-defaults",
        action=argparse.BooleanOptionalAction,
        help="the peer with dlt's default files too, once; not with --quick",
    )
    parser.add_argument("--quick", action="store_true", help=f"a trial: one round, {_QUICK_CALLS} calls")
    given = parser.parse_args()
    return Options(
        runs=1 if given.quick else given.runs,
        calls=_QUICK_CALLS if given.quick else given.calls,
        sentences=given.sentences,
        limited_calls=_QUICK_CALLS if given.quick else given.limited_calls,
        limited=given.limited if given.limited is not None else not given.quick,
        growth=given.growth if given.growth is not None else not given.quick,
        with_defaults=given.with_defaults if given.with_defaults is not None else not given.quick,
        quick=given.quick,
    )


def _parts(place: Bench, options: Options) -> Iterator[Iterator[Row]]:
    yield requests(place, _QUICK_CALLS if options.quick else 1_000)
    yield compared(
        place,
        calls=options.calls,
        sentences=options.sentences,
        rounds=options.runs,
        with_defaults=options.with_defaults,
    )
    yield _start_up(place, options.runs)
    if options.limited:
        yield under_the_limit(place, options.limited_calls)
    if options.growth:
        yield growth(place)


def _start_up(place: Bench, rounds: int) -> Iterator[Row]:
    folder = place.empty_folder()
    with simulated_gong(calls=_QUICK_CALLS) as gong:
        place.sync(gong, UNTHROTTLED, folder)
    for command, at_most in (("--help", 0.3), ("status", 1.5)):
        arguments = [command, *["--json"] * (command == "status")]
        seconds = sorted(place.start(arguments, folder) for _ in range(rounds))
        middle = median(seconds)
        spread = f" ({seconds[0]:.2f} to {seconds[-1]:.2f})" if rounds > 1 else ""
        yield Row(f"gong-elt {command}", f"{middle:.2f} s{spread}", f"{at_most} s", middle < at_most)


if __name__ == "__main__":
    main()
