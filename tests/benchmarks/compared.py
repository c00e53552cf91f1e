"""Without any limit: rows a second of gong-elt, of a peer and of the floor, which take turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

import httpx

from tests.benchmarks.floor import TRANSCRIPTS, parsed
from tests.benchmarks.measures import (
    FULL_CONTENT,
    MINIMAL_CONTENT,
    UNTHROTTLED,
    WITH_PRIVATE_CALLS,
    Bench,
    Gong,
    Load,
    simulated_gong,
)
from tests.benchmarks.report import Row


@dataclass(frozen=True, slots=True)
class Program:
    """One of those that are compared, with its loads in the order of the rounds."""

    name: str
    load: Callable[[], Load]
    loads: list[Load]


def compared(place: Bench, *, calls: int, sentences: int, rounds: int, with_defaults: bool) -> Iterator[Row]:
    """Each program's seconds, and the ratios.

    Args:
        place: Where the programs run.
        calls: How many each of them loads.
        sentences: In each call.
        rounds: How often they take turns.
        with_defaults: The peer with dlt's default files as well, once, because that takes minutes.
    """
    with simulated_gong(calls=calls, sentences=sentences) as gong:
        ours, floor, peer, full = programs = _programs(place, gong)
        for program in programs:
            # Unmeasured: the simulated Gong keeps its answers, Python its bytecode, the system its files.
            program.load()
        for _ in range(rounds):
            for program in programs:
                program.loads.append(program.load())
        decoding = _seconds_of_decoding(gong)
        slow = Program("the peer with dlt's default files", lambda: place.peer(gong, defaults=True), [])
        if with_defaults:
            slow.loads.append(slow.load())
            programs.append(slow)
    loaded = gong.served.everything.sentences
    size = f"{calls:,} calls x {sentences} sentences"
    for program in programs:
        if program is full:
            speed = _speed(program.loads, full.loads[0].rows, "rows of all tables")
        else:
            speed = _speed(program.loads, loaded, "sentences")
        yield Row(f"{program.name}, {size}", speed)
    yield _ratio("gong-elt's time / the floor's, whole processes", ours, floor, _wall, at_most=1.5)
    yield _ratio("gong-elt's time / the floor's, without start-up and imports", ours, floor, _own, at_most=1.5)
    yield _ratio("the peer's time / gong-elt's, whole processes", peer, ours, _wall, at_least=7)
    yield _ratio("the peer's time / gong-elt's, without start-up and imports", peer, ours, _own, at_least=7)
    if with_defaults:
        ratio = slow.loads[0].wall_seconds / median(map(_wall, ours.loads))
        yield Row("the peer's time with default files, once / gong-elt's, whole processes", f"{ratio:.1f} x")
    own = median(map(_own, ours.loads))
    yield Row(
        "Arrow's JSON decoding alone, once",
        f"{decoding:.2f} s of {own:.2f} s: a decoder that takes no time would make the sync"
        f" {own / (own - decoding):.2f} x as fast",
        "a decoder of our own from 1.3 x on",
    )
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


def _seconds_of_decoding(gong: Gong) -> float:
    """How long Arrow's reader takes for all pages of transcripts, with nothing else to do."""
    window = {
        "fromDateTime": gong.since.isoformat(),
        "toDateTime": (gong.served.until + timedelta(minutes=1)).isoformat(),
    }
    body: dict[str, Any] = {"filter": window}
    seconds = 0.0
    with httpx.Client(base_url=gong.served.url, auth=("demo", "demo-secret"), trust_env=False, timeout=60) as http:
        while True:
            page = http.post("/v2/calls/transcript", json=body).raise_for_status().content
            begun = time.perf_counter()
            read = parsed(page, TRANSCRIPTS)
            seconds += time.perf_counter() - begun
            cursor = read["records"].combine_chunks().field("cursor")[0].as_py()
            if cursor is None:
                return seconds
            body["cursor"] = cursor


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
    at_least: float = 0.0,
) -> Row:
    rounds = zip(one.loads, other.loads, strict=True)
    ratios = sorted(seconds(of_one) / seconds(of_other) for of_one, of_other in rounds)
    ratio = median(ratios)
    spread = f" ({ratios[0]:.2f} to {ratios[-1]:.2f})" if len(ratios) > 1 else ""
    if at_most is not None:
        aim, met = f"at most {at_most:g} x", ratio <= at_most
    else:
        aim, met = f"at least {at_least:g} x", ratio >= at_least
    return Row(what, f"{ratio:.2f} x{spread}", aim, met)
