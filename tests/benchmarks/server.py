"""The simulated Gong as a process of its own, so that it does not share the interpreter with what is measured.

Prints one line of JSON, its address and what it holds, and serves until its standard input is closed.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipelines.demo.calls import Call
from pipelines.demo.company import build_company
from pipelines.demo.rules import Rules
from pipelines.demo.serving import serve
from pipelines.demo.simulated_gong import SimulatedGong

RECEIVED_PATH = "/-/received"
"""Not one of Gong's: GET tells what was received, DELETE forgets it."""


class Contents(msgspec.Struct, frozen=True):
    """What a warehouse must hold after a sync; the sums tell altered rows from whole ones."""

    calls: int
    sentences: int
    text_bytes: int
    end_ms: int


class Served(msgspec.Struct, frozen=True):
    """Where a simulated Gong answers and what it holds: everything, and without private calls."""

    url: str
    until: datetime
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
    parser.add_argument("--requests-per-second", type=float, help="Gong's limit; by default none")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    given = parser.parse_args()
    until = datetime.now(UTC)
    company = build_company(calls=given.calls, sentences=given.sentences, until=until)
    rules = Rules(requests_per_second=given.requests_per_second, latency_seconds=given.latency)
    gong = SimulatedGong(company, rules)
    public = [call for call in company.calls if not call.record["metaData"]["isPrivate"]]
    everything, without_private = _contents(company.calls), _contents(public)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != RECEIVED_PATH:
            await gong.app(scope, receive, send)
            return
        body = msgspec.json.encode(_received(gong))
        if scope["method"] == "DELETE":
            gong.requests.clear()
        await Response(body, media_type="application/json")(scope, receive, send)

    # A million long-lived objects: the collector would walk them in the middle of a measurement.
    gc.collect()
    gc.freeze()
    with serve(app) as url:
        sys.stdout.buffer.write(msgspec.json.encode(Served(url, until, everything, without_private)) + b"\n")
        sys.stdout.flush()
        sys.stdin.read()


def _contents(calls: Iterable[Call]) -> Contents:
    decoder = msgspec.json.Decoder(list[Monologue])
    count = sentences = text_bytes = end_ms = 0
    for call in calls:
        count += 1
        for monologue in decoder.decode(call.transcript_json or b"[]"):
            sentences += len(monologue.sentences)
            text_bytes += sum(len(sentence.text.encode()) for sentence in monologue.sentences)
            end_ms += sum(sentence.end for sentence in monologue.sentences)
    return Contents(count, sentences, text_bytes, end_ms)


def _received(gong: SimulatedGong) -> Received:
    moments = [request.at for request in gong.requests]
    return Received(
        paths=dict(Counter(request.path for request in gong.requests)),
        statuses=dict(Counter(str(request.status) for request in gong.requests)),
        span_seconds=max(moments) - min(moments) if moments else 0.0,
    )


if __name__ == "__main__":
    main()
