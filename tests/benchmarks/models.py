"""Duration of `gong-elt models` with six million sentences: a full build, and one after a hundred new calls.

`python -m tests.benchmarks.models` prints one table; it takes a minute or two.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.bench import UNTHROTTLED, WITH_PRIVATE_CALLS, Bench, open_bench, simulated_gong
from tests.benchmarks.report import Row, print_table

_CALLS, _COPIES, _SENTENCES = 2_000, 10, 300
_SETTINGS = {**UNTHROTTLED, **WITH_PRIVATE_CALLS}
_FULL_SECONDS, _UPDATE_SECONDS = 60, 15


def measure_models(bench: Bench) -> Iterator[Row]:
    """Yield a full build with its tests, and one after a hundred new calls."""
    with simulated_gong(calls=_CALLS, sentences=_SENTENCES, copies=_COPIES) as gong:
        folder, latest = bench.empty_folder(), gong.info.latest_since
        bench.sync(gong, _SETTINGS, folder, until=latest)
        full = bench.build_models(folder)
        bench.sync(gong, _SETTINGS, folder, since=latest)
        update = bench.build_models(folder)
    for measure, run, goal in (
        (f"all models and tests, {_CALLS * _COPIES:,} calls x {_SENTENCES} sentences", full, _FULL_SECONDS),
        ("the same after 100 new calls", update, _UPDATE_SECONDS),
    ):
        yield Row(
            measure,
            f"{run.wall_seconds:.1f} s whole process, {run.reported_seconds:.1f} s own; {run.cpu_seconds:.0f} s CPU;"
            f" {run.peak_megabytes:,.0f} MB; {run.output['models']} models, {run.output['tests']} tests",
            f"{goal} s",
            run.wall_seconds <= goal,
        )


if __name__ == "__main__":
    with open_bench() as shared_bench:
        print_table(list(measure_models(shared_bench)))
