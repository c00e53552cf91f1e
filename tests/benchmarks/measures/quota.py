"""Requests of a sync, and its duration relative to the minimum at Gong's rate limit."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.bench import UNTHROTTLED, Bench, CallRequests, simulated_gong
from tests.benchmarks.report import Row

_REQUESTS_PER_SECOND = 3.0
_LATENCIES = (0.1, 0.6, 1.5)


def count_requests(bench: Bench, calls: int) -> Iterator[Row]:
    """Yield the requests of a backfill, of a run with nothing new, of an hourly run, and of the simple peer.

    Args:
        bench: Where the programs run.
        calls: Number of calls of the company.
    """
    with simulated_gong(calls=calls) as gong:
        folder = bench.empty_folder()
        bench.sync(gong, UNTHROTTLED, folder)
        first = CallRequests.from_counts(gong.reset_request_counts())
        again = bench.sync(gong, UNTHROTTLED, folder)
        second = CallRequests.from_counts(gong.reset_request_counts())
        folder = bench.empty_folder()
        bench.sync(gong, UNTHROTTLED, folder, until=gong.info.latest_since)
        gong.reset_request_counts()
        bench.sync(gong, UNTHROTTLED, folder, since=gong.info.latest_since)
        late = CallRequests.from_counts(gong.reset_request_counts())
        bench.run_peer(gong, parent=True)
        each = sum(gong.reset_request_counts().paths.values())
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


def measure_rate_limited(bench: Bench, calls: int) -> Iterator[Row]:
    """Yield the duration of a backfill at three requests per second, with fast and slow responses.

    Args:
        bench: Where the programs run.
        calls: Number of calls of the company.
    """
    for latency in _LATENCIES:
        measure = f"{calls:,} calls in full at Gong's limit of 3 requests per second, responses after {latency} s"
        yield from _measure_latency(bench, calls, latency, "calls,transcripts", measure)
    measure = f"the same with all default resources, responses after {_LATENCIES[1]} s"
    yield from _measure_latency(bench, calls, _LATENCIES[1], "", measure)


def _measure_latency(bench: Bench, calls: int, latency: float, select: str, measure: str) -> Iterator[Row]:
    with simulated_gong(calls=calls, requests_per_second=_REQUESTS_PER_SECOND, latency=latency) as gong:
        run = bench.sync(gong, {}, select=select)
        counts = gong.reset_request_counts()
    sent = sum(counts.paths.values())
    least = sent / _REQUESTS_PER_SECOND
    refused = counts.statuses.get("429", 0)
    yield Row(
        measure,
        f"{run.reported_seconds:.1f} s for {sent} requests,"
        f" which is {run.reported_seconds / least:.3f} x requests / 3; {refused} refused with 429",
        "1.10 x requests / 3, none refused",
        run.reported_seconds <= 1.10 * least and not refused,
    )
    yield Row(
        "as a whole process, with start-up and imports",
        f"{run.wall_seconds:.1f} s, {run.wall_seconds / least:.3f} x",
        "1.10 x requests / 3",
        run.wall_seconds <= 1.10 * least,
    )
