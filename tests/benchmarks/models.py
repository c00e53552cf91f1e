"""How long `gong-elt models` takes over six million sentences, whole and after a day's change.

`python -m tests.benchmarks.models` prints one table; a minute or two.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.measures import UNTHROTTLED, WITH_PRIVATE_CALLS, Bench, bench, simulated_gong
from tests.benchmarks.report import Row, show

_MADE, _COPIES, _SENTENCES = 2_000, 10, 300
_SETTINGS = {**UNTHROTTLED, **WITH_PRIVATE_CALLS}
_WHOLE_SECONDS, _DAY_SECONDS = 60, 15


def models(place: Bench) -> Iterator[Row]:
    """A build of everything with its tests, and one after a hundred new calls."""
    with simulated_gong(calls=_MADE, sentences=_SENTENCES, copies=_COPIES) as gong:
        folder, latest = place.empty_folder(), gong.served.latest_since
        place.sync(gong, _SETTINGS, folder, until=latest)
        whole = place.models(folder)
        place.sync(gong, _SETTINGS, folder, since=latest)
        day = place.models(folder)
    for what, load, aim in (
        (f"all models and tests, {_MADE * _COPIES:,} calls x {_SENTENCES} sentences", whole, _WHOLE_SECONDS),
        ("the same after 100 new calls", day, _DAY_SECONDS),
    ):
        yield Row(
            what,
            f"{load.wall_seconds:.1f} s whole process, {load.own_seconds:.1f} s own; {load.cpu_seconds:.0f} s CPU;"
            f" {load.peak_megabytes:,.0f} MB; {load.told['models']} models, {load.told['tests']} tests",
            f"{aim} s",
            load.wall_seconds <= aim,
        )


if __name__ == "__main__":
    with bench() as made:
        show(list(models(made)))
