"""The simulated Gong: a company served over HTTP as Gong's public API v2 does, for demos, benchmarks and tests.

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
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company
from pipelines.demo.server.asgi import (
    ClientDisconnectError,
    Message,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    read_body,
)
from pipelines.demo.server.call_index import CallIndex
from pipelines.demo.server.endpoints.oauth import AUTHORIZE_PATH, TOKEN_PATH, OAuthEndpoints, OAuthError
from pipelines.demo.server.faults import Fault
from pipelines.demo.server.messages.multipart import parse_form_file
from pipelines.demo.server.messages.request import GongRequest
from pipelines.demo.server.messages.response import GongError, GongResponse
from pipelines.demo.server.messages.response_cache import JsonFragment, build_json_array, join_fragments
from pipelines.demo.server.request_log import RequestLogEntry
from pipelines.demo.server.routes import Route, match_routes
from pipelines.demo.server.server_settings import ServerSettings

Json = dict[str, Any]

_CONTENT_TYPE = "application/json;charset=UTF-8"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_NULLABLE_METADATA = ("sdrDisposition", "clientUniqueId", "customData", "purpose", "meetingUrl", "calendarEventId")


class SimulatedGong:
    """An HTTP application that serves one company, with settings, faults and edits that apply while it runs.

    Attributes:
        company: The company that is served.
        settings: Limits, credentials and delays.
        clock: Returns the time of the `Date` header, by which delays, cursors and the daily quota are measured: by
            default the real time, but never before the company's present.
        requests: Every request received.
        oauth: The OAuth endpoints.
        faults: Faults to apply; the first that applies to a request wins.
    """

    def __init__(self, company: Company, settings: ServerSettings | None = None) -> None:
        self.company = company
        self.settings = settings or ServerSettings()
        self.clock: Callable[[], datetime] = lambda: max(datetime.now(UTC), company.until)
        self.requests: list[RequestLogEntry] = []
        self.oauth = OAuthEndpoints()
        self.faults: list[Fault] = []
        self._calls = CallIndex(company.calls)
        self._last_second: deque[float] = deque()
        self._today = (0, 0)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="simulated-gong")

    def list_calls(self) -> list[Call]:
        """Return every call in its current state, visible or not."""
        return [entry.call for entry in self._calls]

    def get_call(self, call_id: str) -> Call:
        """Return a call in its current state.

        Raises:
            KeyError: If the id is unknown.
        """
        return self._calls[call_id].call

    def add_call(
        self, record: Json, transcript: list[Json] | None = None, visible_from: datetime | None = None
    ) -> None:
        """Add a call.

        Args:
            record: The complete record; optional metadata that is missing becomes null.
            transcript: The monologues; None for a call without a transcript.
            visible_from: When Gong starts to list the call; None applies the delay of the settings.
        """
        meta = {**dict.fromkeys(_NULLABLE_METADATA), "isPrivate": False, **record["metaData"]}
        encoded = None if transcript is None else msgspec.json.encode(transcript)
        self._calls.put(Call({**record, "metaData": meta}, encoded, visible_from))

    def edit_call(self, call_id: str, **changes: Any) -> None:
        """Change values of a call's metadata.

        Raises:
            KeyError: If the id or a key is unknown.
        """
        record = self._calls[call_id].call.record
        for key in changes:
            record["metaData"][key]
        self.replace_call(call_id, {**record, "metaData": {**record["metaData"], **changes}})

    def replace_call(self, call_id: str, record: Json) -> None:
        """Replace a call's record; its transcript stays.

        Raises:
            KeyError: If the id is unknown.
            ValueError: If the record belongs to another call.
        """
        old = self._calls[call_id].call
        if str(record["metaData"]["id"]) != call_id:
            raise ValueError(f"the record belongs to call {record['metaData']['id']}, not to call {call_id}")
        self._calls.put(Call(record, old.transcript_json, old.visible_from))

    def replace_transcript(self, call_id: str, monologues: list[Json] | None) -> None:
        """Replace a call's transcript; None removes it.

        Raises:
            KeyError: If the id is unknown.
        """
        old = self._calls[call_id].call
        encoded = None if monologues is None else msgspec.json.encode(monologues)
        self._calls.put(Call(old.record, encoded, old.visible_from))

    def delete_call(self, call_id: str) -> None:
        """Delete a call; like Gong, the server keeps no tombstone.

        Raises:
            KeyError: If the id is unknown.
        """
        self._calls.remove(call_id)

    def clear_response_cache(self) -> None:
        """Drop the cached JSON, which is encoded again on the next request."""
        self._calls.clear_response_cache()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; this is the ASGI application."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        try:
            raw = await read_body(receive)
        except ClientDisconnectError:
            return
        entry = RequestLogEntry(
            request.method,
            request.path,
            request.query,
            _decode_json(raw),
            "authorization" in request.headers,
            time.monotonic(),
        )
        self.requests.append(entry)

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            # A request counts when it arrives, however long its response takes.
            is_oauth = entry.path in (TOKEN_PATH, AUTHORIZE_PATH)
            limit_error = None if is_oauth else self._count_request(self.clock())
            if self.settings.latency_seconds:
                await asyncio.sleep(self.settings.latency_seconds)
            # In a thread, so that the event loop keeps accepting requests.
            build = partial(self._build_http_response, Request(scope), raw, limit_error)
            response = await asyncio.get_running_loop().run_in_executor(self._thread, build)
            await response(scope, receive, send)

        async def send_and_log(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                if self.settings.sends_date:
                    date = format_datetime(self.clock().astimezone(UTC), usegmt=True).encode()
                    message = {**message, "headers": [(b"date", date), *message.get("headers", ())]}
            await send(message)

        # Every fault counts the request, even if another one is applied.
        faults = [fault for fault in self.faults if fault.applies(entry)]
        if faults:
            await faults[0].action(respond, scope, receive, send_and_log)
        else:
            await respond(scope, receive, send_and_log)

    def _build_http_response(self, request: Request, raw: bytes, limit_error: GongError | None) -> Response:
        request_id = "".join(secrets.choice(_BASE36) for _ in range(19))
        headers = {"x-traceid": request_id, "content-type": _CONTENT_TYPE}
        if request.path == TOKEN_PATH:
            return self._exchange_grant(request, raw, headers)
        if request.path == AUTHORIZE_PATH:
            return self._show_consent_page(request, headers)
        try:
            response = self._handle(request, raw, limit_error)
        except GongError as error:
            if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                headers["Retry-After"] = str(self._compute_retry_after_seconds())
            body = msgspec.json.encode({"requestId": request_id, "errors": error.errors})
            return Response(body, error.status, headers)
        members = msgspec.json.encode({"requestId": request_id, **response.members})
        if response.array is None:
            fragments = [JsonFragment(members)]
        else:
            prefix = members[:-1] + f',"{response.array}":['.encode()
            fragments = build_json_array(prefix, response.items, b"]}")
        accepts_gzip = self.settings.gzip and "gzip" in request.headers.get("accept-encoding", "")
        body, is_gzipped = join_fragments(fragments, gzip=accepts_gzip)
        if is_gzipped:
            headers["content-encoding"] = "gzip"
        return Response(body, response.status, headers)

    def _handle(self, request: Request, raw: bytes, limit_error: GongError | None) -> GongResponse:
        """Check limits, credential, route, scope and body in Gong's order, then call the handler."""
        if limit_error is not None:
            raise limit_error
        now = self.clock()
        authorization = request.headers.get("authorization", "")
        credentials = self.settings.credentials | self.oauth.list_valid_credentials(now)
        if authorization not in credentials:
            raise GongError(401, "Invalid access key, secret or token")
        path = request.path
        routes, path_id = match_routes(path)
        if not routes:
            raise GongError(404, "Not Found")
        route = routes.get(request.method)
        if route is None:
            raise GongError(405, "Method Not Allowed")
        scopes = credentials[authorization]
        query = request.query
        gong_request = GongRequest(self.company, self._calls, self.settings, now, scopes, path, path_id, query)
        gong_request.require_scope(route.scope)
        gong_request.body = _parse_body(route, request, raw)
        return route.handler(gong_request)

    def _show_consent_page(self, request: Request, headers: dict[str, str]) -> Response:
        """Return the redirect that the browser gets once the administrator has accepted or refused."""
        try:
            location = self.oauth.build_consent_redirect(request.query, self.clock())
        except OAuthError as error:
            return Response(msgspec.json.encode(error.members), error.status, headers)
        return Response(status=HTTPStatus.FOUND, headers={"Location": location})

    def _exchange_grant(self, request: Request, raw: bytes, headers: dict[str, str]) -> Response:
        """Return the response of the token endpoint, to which the API's limits do not apply."""
        host = request.base_url
        try:
            tokens = self.oauth.exchange_grant(request.method, request.headers, raw, now=self.clock(), host=host)
        except OAuthError as error:
            return Response(msgspec.json.encode(error.members), error.status, headers)
        return Response(msgspec.json.encode(tokens), 200, headers)

    def _count_request(self, now: datetime) -> GongError | None:
        """Count the request against both limits; return a 429 if one is exceeded, else None."""
        per_second, per_day = self.settings.requests_per_second, self.settings.requests_per_day
        if per_day is not None:
            day, used = self._today
            self._today = (now.toordinal(), used + 1 if day == now.toordinal() else 1)
            if self._today[1] > per_day:
                return GongError(429, "Daily API rate limit exceeded")
        if per_second is not None:
            arrived = time.monotonic()
            while self._last_second and arrived - self._last_second[0] >= 1:
                self._last_second.popleft()
            if len(self._last_second) >= per_second:
                return GongError(429, "API rate limit exceeded")
            self._last_second.append(arrived)
        return None

    def _compute_retry_after_seconds(self) -> int:
        """Return one second, or the time until the daily quota resets at midnight UTC."""
        if self.settings.requests_per_day is None or self._today[1] <= self.settings.requests_per_day:
            return 1
        now = self.clock().astimezone(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return int((midnight - now).total_seconds()) + 1


def _decode_json(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None


def _parse_body(route: Route, request: Request, raw: bytes) -> Any:
    """Return the decoded body or the file of the form; None if the route takes neither.

    Raises:
        GongError: 415 if the content type is wrong; 400 if the body has an undocumented key or an invalid value.
    """
    if route.form_field:
        return parse_form_file(route.form_field, request.headers.get("content-type", ""), raw)
    if route.body is None:
        return None
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not raw or content_type != "application/json":
        raise GongError(415, "Unsupported Media Type")
    try:
        return msgspec.json.decode(raw, type=route.body)
    except msgspec.DecodeError:
        raise GongError(400, "Json parse error") from None
