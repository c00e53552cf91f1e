"""What Gong's limits see of a sync: how many requests, and their time against the least that 3 a second allow."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.measures import UNTHROTTLED, Bench, CallRequests, simulated_gong
from tests.benchmarks.report import Row

_GONGS_LIMIT = 3.0
_LATENCIES = (0.1, 0.6, 1.5)


def requests(place: Bench, calls: int) -> Iterator[Row]:
    """A backfill, a run with nothing new, the run of an hour, and the same with a request for each call.

    Args:
        place: Where the programs run.
        calls: How many the company has.
    """
    with simulated_gong(calls=calls) as gong:
        folder = place.empty_folder()
        place.sync(gong, UNTHROTTLED, folder)
        first = CallRequests.among(gong.received())
        again = place.sync(gong, UNTHROTTLED, folder)
        second = CallRequests.among(gong.received())
        folder = place.empty_folder()
        place.sync(gong, UNTHROTTLED, folder, until=gong.served.latest_since)
        gong.received()
        place.sync(gong, UNTHROTTLED, folder, since=gong.served.latest_since)
        late = CallRequests.among(gong.received())
        place.peer(gong, parent=True)
        each = sum(gong.received().paths.values())
    in_a_thousand = first.total * 1_000 / calls
    yield Row(
        f"requests for {calls:,} calls in full with transcripts",
        str(first),
        "21 per 1,000 calls; the floor is 20",
        in_a_thousand <= 21,
    )
    yield Row("the same run again, nothing new", f"{again.rows:,} rows written, {second}", "0 rows", again.rows == 0)
    yield Row("a run that loads the 100 newest calls", str(late), "2", late.total == 2)
    yield Row(
        f"the peer with one transcript request per call of GET /v2/calls, {calls:,} calls",
        f"{each:,}, which is {each / first.total:.0f} x",
    )


def under_the_limit(place: Bench, calls: int) -> Iterator[Row]:
    """The time of a backfill where Gong allows three requests a second, whether it answers fast or slowly.

    Args:
        place: Where the programs run.
        calls: How many the company has.
    """
    for latency in _LATENCIES:
        what = f"{calls:,} calls in full at Gong's limit of 3 requests per second, responses after {latency} s"
        yield from _limited(place, calls, latency, "calls,transcripts", what)
    what = f"the same with all default resources, responses after {_LATENCIES[1]} s"
    yield from _limited(place, calls, _LATENCIES[1], "", what)


def _limited(place: Bench, calls: int, latency: float, select: str, what: str) -> Iterator[Row]:
    with simulated_gong(calls=calls, requests_per_second=_GONGS_LIMIT, latency=latency) as gong:
        load = place.sync(gong, {}, select=select)
        received = gong.received()
    sent = sum(received.paths.values())
    least = sent / _GONGS_LIMIT
    refused = received.statuses.get("429", 0)
    yield Row(
        what,
        f"{load.own_seconds:.1f} s for {sent} requests, which is {load.own_seconds / least:.3f} x requests / 3;"
        f" {refused} refused with 429",
        "1.10 x requests / 3, none refused",
        load.own_seconds <= 1.10 * least and not refused,
    )
    yield Row(
        "as a whole process, with start-up and imports",
        f"{load.wall_seconds:.1f} s, {load.wall_seconds / least:.3f} x",
        "1.10 x requests / 3",
        load.wall_seconds <= 1.10 * least,
    )
