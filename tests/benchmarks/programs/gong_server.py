"""Serve the simulated Gong in a process of its own, so that it does not slow the measured program.

Prints its URL and contents as one line of JSON, and serves until its standard input is closed.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import build_company
from pipelines.demo.identifiers import format_datetime
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.asgi import Message, Receive, Response, Scope, Send
from pipelines.demo.server.call_index import parse_effective_time
from pipelines.demo.server.server_settings import ServerSettings
from pipelines.demo.server.serving import serve

REQUEST_COUNTS_PATH = "/-/received"
"""Not part of Gong's API: GET returns the request counts, DELETE also resets them."""
EDITS_PATH = "/-/edits"
"""Not part of Gong's API: POST changes titles and transcripts of calls and returns their ids; the body is `Edit`."""

_LATEST = 100
_TIME_BETWEEN_COPIES = timedelta(seconds=7)
_MAX_CACHED_RESPONSES = 50
"""For companies with copies, whose responses together would not fit into memory."""


class Contents(msgspec.Struct, frozen=True):
    """The expected contents of a warehouse after a sync; the sums detect altered rows."""

    calls: int
    sentences: int
    text_bytes: int
    end_ms: int


class ServerInfo(msgspec.Struct, frozen=True):
    """URL and contents of a simulated Gong.

    Attributes:
        url: Base URL.
        until: End of the last day with calls.
        latest_since: Start of the hundredth call from the end.
        all_calls: Contents with private calls.
        public_calls: Contents without private calls.
    """

    url: str
    until: datetime
    latest_since: datetime
    all_calls: Contents
    public_calls: Contents


class Edit(msgspec.Struct, frozen=True):
    """Which calls are changed: that number of the newest ones, or every n-th of all; `text` is added to both."""

    calls: int
    newest: bool
    text: str


class RequestCounts(msgspec.Struct, frozen=True):
    """Requests per path and per status, the seconds from the first to the last request, and the bytes of the bodies."""

    paths: dict[str, int]
    statuses: dict[str, int]
    span_seconds: float
    response_bytes: int


class Sentence(msgspec.Struct):
    """The fields of a sentence that are summed."""

    end: int
    text: str


class Monologue(msgspec.Struct):
    """The fields of a monologue that are summed."""

    sentences: list[Sentence]


def main() -> None:
    """Build the company, serve it, and wait for the end of the standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--sentences", type=int, help="sentences per call; by default they depend on the kind of call")
    parser.add_argument(
        "--copies", type=int, default=1, help="number of copies of each call, with different ids and times"
    )
    parser.add_argument("--days", type=int, default=120, help="days with calls")
    parser.add_argument("--seed", type=int, default=7, help="seed of the company's random numbers")
    parser.add_argument("--requests-per-second", type=float, help="Gong's rate limit; by default none")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each response")
    options = parser.parse_args()
    until = datetime.now(UTC)
    company = build_company(
        calls=options.calls, sentences=options.sentences, seed=options.seed, until=until, days=options.days
    )
    settings = ServerSettings(requests_per_second=options.requests_per_second, latency_seconds=options.latency)
    public = [call for call in company.calls if not call.record["metaData"]["isPrivate"]]
    all_contents, public_contents = (_sum_contents(calls, options.copies) for calls in (company.calls, public))
    company.calls += [_copy(call, number) for number in range(1, options.copies) for call in company.calls]
    latest = sorted(parse_effective_time(call.record["metaData"]) for call in company.calls)[-_LATEST:]
    gong = SimulatedGong(company, settings)
    sizes: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == EDITS_PATH:
            ids = _edit_calls(gong, msgspec.json.decode((await receive())["body"], type=Edit))
            response = Response(msgspec.json.encode(ids), headers={"content-type": "application/json"})
            await response(scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"] != REQUEST_COUNTS_PATH:

            async def send_counted(message: Message) -> None:
                sizes.append(len(message.get("body", b"")))
                await send(message)

            await gong.app(scope, receive, send_counted)
            if options.copies > 1 and len(gong.requests) % _MAX_CACHED_RESPONSES == 0:
                gong.clear_response_cache()
            return
        body = msgspec.json.encode(_count_requests(gong, sum(sizes)))
        if scope["method"] == "DELETE":
            gong.requests.clear()
            sizes.clear()
        await Response(body, headers={"content-type": "application/json"})(scope, receive, send)

    # Keep the garbage collector from traversing a million long-lived objects during a measurement.
    gc.collect()
    gc.freeze()
    with serve(app) as url:
        sys.stdout.buffer.write(
            msgspec.json.encode(ServerInfo(url, until, latest[0], all_contents, public_contents)) + b"\n"
        )
        sys.stdout.flush()
        sys.stdin.read()


def _copy(call: Call, number: int) -> Call:
    """Return an earlier copy of a call that shares transcript and content, to save memory."""
    meta = call.record["metaData"]
    times = {
        name: format_datetime(datetime.fromisoformat(meta[name]) - number * _TIME_BETWEEN_COPIES, 3)
        for name in ("scheduled", "started")
    }
    return Call({**call.record, "metaData": {**meta, **times, "id": str(int(call.id) + number)}}, call.transcript_json)


def _edit_calls(gong: SimulatedGong, edit: Edit) -> list[str]:
    calls = sorted(gong.list_calls(), key=lambda call: parse_effective_time(call.record["metaData"]))
    chosen = calls[-edit.calls :] if edit.newest else calls[:: len(calls) // edit.calls][: edit.calls]
    for call in chosen:
        gong.edit_call(call.id, title=f"{call.record['metaData']['title']} {edit.text}")
        monologues = call.transcript or []
        monologues[0]["sentences"][0]["text"] += f" {edit.text}"
        gong.replace_transcript(call.id, monologues)
    gong.clear_response_cache()
    return [call.id for call in chosen]


def _sum_contents(calls: Iterable[Call], copies: int) -> Contents:
    decoder = msgspec.json.Decoder(list[Monologue])
    count = sentences = text_bytes = end_ms = 0
    for call in calls:
        count += 1
        for monologue in decoder.decode(call.transcript_json or b"[]"):
            sentences += len(monologue.sentences)
            text_bytes += sum(len(sentence.text.encode()) for sentence in monologue.sentences)
            end_ms += sum(sentence.end for sentence in monologue.sentences)
    return Contents(count * copies, sentences * copies, text_bytes * copies, end_ms * copies)


def _count_requests(gong: SimulatedGong, response_bytes: int) -> RequestCounts:
    times = [request.at for request in gong.requests]
    return RequestCounts(
        paths=dict(Counter(request.path for request in gong.requests)),
        statuses=dict(Counter(str(request.status) for request in gong.requests)),
        span_seconds=max(times) - min(times) if times else 0.0,
        response_bytes=response_bytes,
    )


if __name__ == "__main__":
    main()
