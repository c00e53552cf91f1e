"""The simulated Gong as a process of its own, so that it does not share the interpreter with what is measured.

Prints one line of JSON, its address and what it holds, and serves until its standard input is closed.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import build_company
from pipelines.demo.identifiers import format_datetime
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.call_index import parse_effective_time
from pipelines.demo.server.server_settings import ServerSettings
from pipelines.demo.server.serving import serve

RECEIVED_PATH = "/-/received"
"""Not one of Gong's: GET tells what was received, DELETE forgets it."""


_LATEST = 100
_COPIES_APART = timedelta(seconds=7)
_ANSWERS_KEPT = 50
"""Of a company with copies, whose answers together would not fit into memory."""


class Contents(msgspec.Struct, frozen=True):
    """What a warehouse must hold after a sync; the sums tell altered rows from whole ones."""

    calls: int
    sentences: int
    text_bytes: int
    end_ms: int


class Served(msgspec.Struct, frozen=True):
    """Where a simulated Gong answers and what it holds: everything, and without private calls.

    From `latest_since` on there are a hundred calls, or all where there are fewer.
    """

    url: str
    until: datetime
    latest_since: datetime
    everything: Contents
    public: Contents


class Received(msgspec.Struct, frozen=True):
    """What came in: how often each path and status, and the seconds from the first request to the last."""

    paths: dict[str, int]
    statuses: dict[str, int]
    span_seconds: float


class Sentence(msgspec.Struct):
    """A sentence, as far as it is summed up."""

    end: int
    text: str


class Monologue(msgspec.Struct):
    """A monologue, as far as it is summed up."""

    sentences: list[Sentence]


def main() -> None:
    """Builds the company, serves it and waits for the end of the standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--sentences", type=int, help="in every call; by default the kind of call decides")
    parser.add_argument("--copies", type=int, default=1, help="so many calls of each, with ids and times of their own")
    parser.add_argument("--requests-per-second", type=float, help="Gong's limit; by default none")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    given = parser.parse_args()
    until = datetime.now(UTC)
    company = build_company(calls=given.calls, sentences=given.sentences, until=until)
    settings = ServerSettings(requests_per_second=given.requests_per_second, latency_seconds=given.latency)
    public = [call for call in company.calls if not call.record["metaData"]["isPrivate"]]
    everything, without_private = (_contents(calls, given.copies) for calls in (company.calls, public))
    company.calls += [_copy(call, number) for number in range(1, given.copies) for call in company.calls]
    latest = sorted(parse_effective_time(call.record["metaData"]) for call in company.calls)[-_LATEST:]
    gong = SimulatedGong(company, settings)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != RECEIVED_PATH:
            await gong.app(scope, receive, send)
            if given.copies > 1 and len(gong.requests) % _ANSWERS_KEPT == 0:
                gong.clear_response_cache()
            return
        body = msgspec.json.encode(_received(gong))
        if scope["method"] == "DELETE":
            gong.requests.clear()
        await Response(body, media_type="application/json")(scope, receive, send)

    # A million long-lived objects: the collector would walk them in the middle of a measurement.
    gc.collect()
    gc.freeze()
    with serve(app) as url:
        sys.stdout.buffer.write(msgspec.json.encode(Served(url, until, latest[0], everything, without_private)) + b"\n")
        sys.stdout.flush()
        sys.stdin.read()


def _copy(call: Call, number: int) -> Call:
    """The call once more, earlier; all that was said and found in it is the same object, so that it costs little."""
    meta = call.record["metaData"]
    moved = {
        name: format_datetime(datetime.fromisoformat(meta[name]) - number * _COPIES_APART, 3)
        for name in ("scheduled", "started")
    }
    return Call({**call.record, "metaData": {**meta, **moved, "id": str(int(call.id) + number)}}, call.transcript_json)


def _contents(calls: Iterable[Call], copies: int) -> Contents:
    decoder = msgspec.json.Decoder(list[Monologue])
    count = sentences = text_bytes = end_ms = 0
    for call in calls:
        count += 1
        for monologue in decoder.decode(call.transcript_json or b"[]"):
            sentences += len(monologue.sentences)
            text_bytes += sum(len(sentence.text.encode()) for sentence in monologue.sentences)
            end_ms += sum(sentence.end for sentence in monologue.sentences)
    return Contents(count * copies, sentences * copies, text_bytes * copies, end_ms * copies)


def _received(gong: SimulatedGong) -> Received:
    moments = [request.at for request in gong.requests]
    return Received(
        paths=dict(Counter(request.path for request in gong.requests)),
        statuses=dict(Counter(str(request.status) for request in gong.requests)),
        span_seconds=max(moments) - min(moments) if moments else 0.0,
    )


if __name__ == "__main__":
    main()
