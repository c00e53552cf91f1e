"""A Gong tenant served over HTTP as Gong's public API v2 does, made for demos, benchmarks and tests.

gong = SimulatedGong(build_company(calls=200, until=datetime.now(UTC)))
with serve(gong.app) as base_url:
    ...
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company
from pipelines.demo.server.call_index import CallIndex
from pipelines.demo.server.endpoints.oauth import AUTHORIZE_PATH, TOKEN_PATH, TokenEndpoint, TokenRefused
from pipelines.demo.server.faults import Fault
from pipelines.demo.server.messages.multipart import form_part
from pipelines.demo.server.messages.response_cache import Piece, joined, json_array
from pipelines.demo.server.messages.responses import Answer, Asked, GongError
from pipelines.demo.server.request_log import RequestLogEntry
from pipelines.demo.server.routes import Route, routes_at
from pipelines.demo.server.server_settings import ServerSettings

Json = dict[str, Any]

_CONTENT_TYPE = "application/json;charset=UTF-8"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_NULLABLE_METADATA = ("sdrDisposition", "clientUniqueId", "customData", "purpose", "meetingUrl", "calendarEventId")


class SimulatedGong:
    """The tenant of one company: its HTTP application, its rules and faults, and edits while it runs.

    `clock` tells the time that delays, cursors and the daily quota go by; by default the real time, but never
    before the company's own present. `requests` lists everything received. `oauth` gives out tokens.
    """

    def __init__(self, company: Company, settings: ServerSettings | None = None) -> None:
        self.company = company
        self.settings = settings or ServerSettings()
        self.clock: Callable[[], datetime] = lambda: max(datetime.now(UTC), company.until)
        self.requests: list[RequestLogEntry] = []
        self.oauth = TokenEndpoint()
        self.faults: list[Fault] = []
        self._calls = CallIndex(company.calls)
        self._last_second: deque[float] = deque()
        self._today = (0, 0)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="simulated-gong")

    def edit_call(self, call_id: str, **changes: Any) -> None:
        """Changes keys of the call's metaData; raises `KeyError` for an unknown call or key."""
        record = self._calls[call_id].call.record
        for key in changes:
            record["metaData"][key]
        self.replace_call(call_id, {**record, "metaData": {**record["metaData"], **changes}})

    def replace_call(self, call_id: str, record: Json) -> None:
        """Puts another record in place of the call's; its transcript stays."""
        old = self._calls[call_id].call
        if str(record["metaData"]["id"]) != call_id:
            raise ValueError(f"the record is of call {record['metaData']['id']}, not of {call_id}")
        self._calls.put(Call(record, old.transcript_json, old.visible_from))

    def replace_transcript(self, call_id: str, monologues: list[Json] | None) -> None:
        """Puts another transcript in place of the call's; None takes it away."""
        old = self._calls[call_id].call
        encoded = None if monologues is None else msgspec.json.encode(monologues)
        self._calls.put(Call(old.record, encoded, old.visible_from))

    def delete_call(self, call_id: str) -> None:
        """Deletes the call without a trace, as Gong does; raises `KeyError` if there is none."""
        self._calls.remove(call_id)

    def add_call(
        self, record: Json, transcript: list[Json] | None = None, visible_from: datetime | None = None
    ) -> None:
        """Adds a call that is listed from `visible_from` on, or when the rules say; optional metaData become null."""
        meta = {**dict.fromkeys(_NULLABLE_METADATA), "isPrivate": False, **record["metaData"]}
        encoded = None if transcript is None else msgspec.json.encode(transcript)
        self._calls.put(Call({**record, "metaData": meta}, encoded, visible_from))

    def list_calls(self) -> list[Call]:
        """Every call as it is now, listed yet or not."""
        return [listed.call for listed in self._calls]

    def clear_response_cache(self) -> None:
        """Lets go of the answers that are kept; they are made anew when they are asked for."""
        self._calls.clear_response_cache()

    def get_call(self, call_id: str) -> Call:
        """The call as it is now; raises `KeyError` if there is none."""
        return self._calls[call_id].call

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            raw = await request.body()
        except ClientDisconnect:
            return
        received = RequestLogEntry(
            request.method,
            request.url.path,
            dict(request.query_params),
            _decoded(raw),
            "authorization" in request.headers,
            time.monotonic(),
        )
        self.requests.append(received)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            # A request counts when it comes in, however long its answer takes.
            over = None if received.path in (TOKEN_PATH, AUTHORIZE_PATH) else self._over_limit(self.clock())
            if self.settings.latency_seconds:
                await asyncio.sleep(self.settings.latency_seconds)
            # In a thread, so that the loop goes on noting what comes in.
            make = partial(self._respond, Request(scope), raw, over)
            response = await asyncio.get_running_loop().run_in_executor(self._thread, make)
            await response(scope, receive, send)

        async def note_status(message: Message) -> None:
            if message["type"] == "http.response.start":
                received.status = message["status"]
            await send(message)

        due = [fault for fault in self.faults if fault.applies(received)]
        await (due[0].act(answer, scope, receive, note_status) if due else answer(scope, receive, note_status))

    def _respond(self, request: Request, raw: bytes, over: GongError | None) -> Response:
        request_id = "".join(secrets.choice(_BASE36) for _ in range(19))
        headers = {"x-traceid": request_id, "content-type": _CONTENT_TYPE}
        if request.url.path == TOKEN_PATH:
            return self._tokens(request, raw, headers)
        if request.url.path == AUTHORIZE_PATH:
            return self._authorised(request, headers)
        try:
            answer = self._answer(request, raw, over)
        except GongError as error:
            if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                headers["Retry-After"] = str(self._retry_after())
            body = msgspec.json.encode({"requestId": request_id, "errors": error.errors})
            return Response(body, error.status, headers)
        members = msgspec.json.encode({"requestId": request_id, **answer.members})
        if answer.array is None:
            pieces = [Piece(members)]
        else:
            pieces = json_array(members[:-1] + f',"{answer.array}":['.encode(), answer.items, b"]}")
        accepts_gzip = self.settings.gzip and "gzip" in request.headers.get("accept-encoding", "")
        body, gzipped = joined(pieces, gzip=accepts_gzip)
        if gzipped:
            headers["content-encoding"] = "gzip"
        return Response(body, answer.status, headers)

    def _answer(self, request: Request, raw: bytes, over: GongError | None) -> Answer:
        if over is not None:
            raise over
        now = self.clock()
        authorization = request.headers.get("authorization", "")
        credentials = self.settings.credentials | self.oauth.credentials(now)
        if authorization not in credentials:
            raise GongError(401, "Invalid access key, secret or token")
        path = request.url.path
        routes, path_id = routes_at(path)
        if not routes:
            raise GongError(404, "Not Found")
        route = routes.get(request.method)
        if route is None:
            raise GongError(405, "Method Not Allowed")
        scopes = credentials[authorization]
        query = dict(request.query_params)
        asked = Asked(self.company, self._calls, self.settings, now, scopes, path, path_id, query)
        asked.require(route.scope)
        asked.body = _strict_body(route, request, raw)
        return route.endpoint(asked)

    def _authorised(self, request: Request, headers: dict[str, str]) -> Response:
        """What an administrator's browser sees once the page was answered."""
        try:
            where = self.oauth.authorised(dict(request.query_params), self.clock())
        except TokenRefused as refused:
            return Response(msgspec.json.encode(refused.members), refused.status, headers)
        return Response(status_code=HTTPStatus.FOUND, headers={"Location": where})

    def _tokens(self, request: Request, raw: bytes, headers: dict[str, str]) -> Response:
        """Answers the token endpoint, which has no part in the API's limits."""
        host = str(request.base_url).rstrip("/")
        try:
            given = self.oauth.exchange(request.method, request.headers, raw, now=self.clock(), host=host)
        except TokenRefused as refused:
            return Response(msgspec.json.encode(refused.members), refused.status, headers)
        return Response(msgspec.json.encode(given), 200, headers)

    def _over_limit(self, now: datetime) -> GongError | None:
        """Counts the request against both limits; a 429 where one is exceeded."""
        per_second, per_day = self.settings.requests_per_second, self.settings.requests_per_day
        if per_day is not None:
            day, spent = self._today
            self._today = (now.toordinal(), spent + 1 if day == now.toordinal() else 1)
            if self._today[1] > per_day:
                return GongError(429, "Daily API rate limit exceeded")
        if per_second is not None:
            moment = time.monotonic()
            while self._last_second and moment - self._last_second[0] >= 1:
                self._last_second.popleft()
            if len(self._last_second) >= per_second:
                return GongError(429, "API rate limit exceeded")
            self._last_second.append(moment)
        return None

    def _retry_after(self) -> int:
        """Seconds to wait: one, or until the daily quota resets at midnight UTC."""
        if self.settings.requests_per_day is None or self._today[1] <= self.settings.requests_per_day:
            return 1
        now = self.clock().astimezone(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return int((midnight - now).total_seconds()) + 1


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None


def _strict_body(route: Route, request: Request, raw: bytes) -> Any:
    """The parsed body of a POST, or the part of a form; raises 415 for another kind, 400 for anything undocumented."""
    if route.form:
        return form_part(route.form, request.headers.get("content-type", ""), raw)
    if route.body is None:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not raw or kind != "application/json":
        raise GongError(415, "Unsupported Media Type")
    try:
        return msgspec.json.decode(raw, type=route.body)
    except msgspec.DecodeError:
        raise GongError(400, "Json parse error") from None
