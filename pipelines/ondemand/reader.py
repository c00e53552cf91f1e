"""Read Gong's records page by page, join calls and transcripts, and redact what the settings hide."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from sources.gong import GongClient
from sources.gong.api.endpoint import Endpoint
from sources.gong.api.retry import MAX_RESTARTS_ON_DEMAND
from sources.gong.calls.endpoints import CALL, CALLS, CALLS_EXTENSIVE, TRANSCRIPTS
from sources.gong.calls.request import CallRequest
from sources.gong.errors import CursorExpiredError, EmptyResultError
from sources.gong.extract.concurrency import gather_or_cancel
from sources.gong.extract.context import ExtractContext, ExtractRun
from sources.gong.resources.library import FOLDER_CONTENT, read_folders
from sources.gong.settings import GongSettings
from sources.gong.tables.records import InvalidRecordError, decode_record, is_valid_id, object_list_field, record_id

from ..runtime.display.text import format_count
from .query import CallQuery
from .redaction import Record, Redactor, TruncatedList
from .simplified_transcript import simplify_transcript, speakers_by_id

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallPage:
    """A page of calls.

    Attributes:
        calls: The calls without hidden ones.
        next_cursor: Cursor of the next page; None on the last. Valid for about an hour, with the same period and
            workspace.
        since: Start of the period, as sent to Gong.
        until: End of the period, as sent to Gong.
    """

    calls: list[Record]
    next_cursor: str | None
    since: str
    until: str


class OnDemandReader:
    """Reads the records of one Gong account.

    Args:
        client: HTTP client of the account.
        redactor: Applies `private_calls` and `pii`.
        notify: Receives messages, such as the number of private calls left out.
    """

    def __init__(self, client: GongClient, redactor: Redactor, notify: Callable[[str], None]) -> None:
        self._client = client
        self._redactor = redactor
        self._notify = notify

    async def session(self, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Yield the items with the client's connections open."""
        async with self._client.session(), aclosing(items):
            async for item in items:
                yield item

    async def call_pages(
        self, query: CallQuery, cursor: str | None, max_pages: int | None
    ) -> AsyncGenerator[CallPage, None]:
        """Yield pages of GET /v2/calls, starting at the cursor's page."""
        private_count, pages_left = 0, max_pages
        for parameters in query.filters():
            async with aclosing(self._pages(CALLS, query=parameters, cursor=cursor)) as pages:
                async for records, next_cursor in pages:
                    calls = [
                        call for record in records if (call := self._redactor.redact_basic_call(record)) is not None
                    ]
                    private_count += len(records) - len(calls)
                    yield CallPage(calls, next_cursor, parameters["fromDateTime"], parameters["toDateTime"])
                    pages_left = None if pages_left is None else pages_left - 1
                    if pages_left == 0:
                        break
        self._report_private(private_count)

    async def extensive(
        self, query: CallQuery, request: CallRequest, max_results: int | None
    ) -> AsyncGenerator[list[Record], None]:
        """Yield pages of POST /v2/calls/extensive."""
        private_count, results_left, found = 0, max_results, set[str]()
        for call_filter in query.filters():
            body = {"filter": call_filter, "contentSelector": request.selector}
            async with aclosing(self._pages(CALLS_EXTENSIVE, body=body)) as pages:
                async for records, _ in pages:
                    calls = [call for record in records if (call := self._redactor.redact_call(record)) is not None]
                    private_count += sum(map(self._redactor.is_hidden, records))
                    found.update(map(_call_id, records) if query.call_ids is not None else ())
                    if results_left is not None and len(calls) >= results_left:
                        yield calls[:results_left]
                        self._report_private(private_count, metadata_shown=True)
                        return
                    results_left = None if results_left is None else results_left - len(calls)
                    yield calls
        self._report_private(private_count, metadata_shown=True)
        self._report_missing(query, found)

    async def transcripts(
        self, query: CallQuery, *, basic: bool, simplified: bool
    ) -> AsyncGenerator[list[Record], None]:
        """Yield transcripts of the calls that are not hidden, or their simplified lines.

        Calls are read first: only they show who is private and who speaks.

        Args:
            query: Selects the calls.
            basic: The credential may only use GET /v2/calls.
            simplified: Yield one line per monologue instead of Gong's records.
        """
        if self._redactor.private_calls == "include" and not simplified:
            async with aclosing(self._all_transcripts(query)) as pages:
                async for records in pages:
                    yield records
            return
        private_count, found, without_transcript = 0, set[str](), TruncatedList()
        for call_filter in query.filters():
            async with aclosing(self._calls_for_transcripts(call_filter, basic=basic, parties=simplified)) as pages:
                async for calls in pages:
                    found.update(map(_call_id, calls) if query.call_ids is not None else ())
                    private_count += sum(map(self._redactor.is_hidden, calls))
                    visible = {_call_id(call): call for call in calls if not self._redactor.is_hidden(call)}
                    received: set[str] = set()
                    transcript_filter = call_filter if query.call_ids is not None else {}
                    async with aclosing(self._transcripts_of_calls(visible, transcript_filter)) as transcripts:
                        async for records in transcripts:
                            received.update(record_id(record, "callId") for record in records)
                            yield self._simplify(records, visible) if simplified else records
                    without_transcript.add(call_id for call_id in visible if call_id not in received)
        self._report_private(private_count)
        if without_transcript.count:
            calls_have = format_count(without_transcript.count, "call has", "calls have")
            self._notify(f"{calls_have} no transcript: {without_transcript}")
        self._report_missing(query, found)

    async def folders(self, settings: GongSettings) -> AsyncGenerator[list[Record], None]:
        """Yield the library's folders in the settings' workspace or in all, as one page."""
        folders = await read_folders(ExtractContext.open(settings, ExtractRun(), self._client))
        yield [self._redactor.redact("library", folder) for folder in folders]

    async def folder_calls(self, folder_id: str) -> AsyncGenerator[list[Record], None]:
        """Yield pages of the calls in a folder; a call that is in it twice is returned twice."""
        async with aclosing(self._pages(FOLDER_CONTENT, query={"folderId": folder_id})) as pages:
            async for records, _ in pages:
                yield [self._redactor.redact_folder_call(record) for record in records]

    async def _all_transcripts(self, query: CallQuery) -> AsyncGenerator[list[Record], None]:
        """Yield transcripts without listing calls first, because nothing is hidden."""
        found: set[str] = set()
        for call_filter in query.filters():
            async with aclosing(self._pages(TRANSCRIPTS, body={"filter": call_filter})) as pages:
                async for records, _ in pages:
                    if query.call_ids is not None:
                        found.update(record_id(record, "callId") for record in records)
                    yield [self._redactor.redact("transcripts", record) for record in records]
        self._report_missing(query, found, "or have no transcript")

    async def _calls_for_transcripts(
        self, call_filter: Mapping[str, Any], *, basic: bool, parties: bool
    ) -> AsyncGenerator[list[Record], None]:
        """Yield calls in the form of POST /v2/calls/extensive, with metadata only or with metadata and parties."""
        if basic and "callIds" in call_filter:
            calls = await gather_or_cancel(map(self._find_call, call_filter["callIds"]))
            yield [{"metaData": call} for call in calls if call is not None]
            return
        request = CallRequest.metadata_only("basic" if basic else "extensive")
        body = {"filter": call_filter, "contentSelector": replace(request, include_parties=parties).selector}
        arguments: dict[str, Any] = {"query": call_filter} if basic else {"body": body}
        async with aclosing(self._pages(request.endpoint, **arguments)) as pages:
            async for records, _ in pages:
                yield [{"metaData": record} for record in records] if basic else records

    async def _find_call(self, call_id: str) -> Record | None:
        try:
            page = await self._client.send(CALL.with_id(call_id))
        except EmptyResultError:
            return None
        return _decode(page.records[0])

    async def _transcripts_of_calls(
        self, calls: Mapping[str, Record], call_filter: Mapping[str, Any]
    ) -> AsyncGenerator[list[Record], None]:
        ids = [call_id for call_id in calls if is_valid_id(call_id)]
        if not ids:
            return
        async with aclosing(self._pages(TRANSCRIPTS, body={"filter": {**call_filter, "callIds": ids}})) as pages:
            async for records, _ in pages:
                # A transcript that was not requested could belong to a private call.
                yield [
                    self._redactor.redact("transcripts", record)
                    for record in records
                    if record_id(record, "callId") in calls
                ]

    def _simplify(self, transcripts: Iterable[Record], calls: Mapping[str, Record]) -> list[Record]:
        lines: list[Record] = []
        for transcript in transcripts:
            call_id = record_id(transcript, "callId")
            try:
                call = self._redactor.redact("calls", calls[call_id])
                lines += simplify_transcript(transcript, speakers_by_id(object_list_field(call, "parties")))
            except InvalidRecordError as error:
                self._notify(f"the transcript of call {call_id} is left out because it is invalid: {error}")
        return lines

    async def _pages(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        cursor: str | None = None,
    ) -> AsyncGenerator[tuple[list[Record], str | None], None]:
        """Yield the records and the next cursor of each page; a record on two pages is returned once."""
        # After a restart, records already returned are left out.
        max_restarts = MAX_RESTARTS_ON_DEMAND if endpoint.paged and cursor is None else 0
        seen: set[str] = set()
        try:
            async with aclosing(
                self._client.paginate(endpoint, query=query, body=body, cursor=cursor, max_restarts=max_restarts)
            ) as pages:
                async for page in pages:
                    records = list(map(_decode, page.records))
                    if endpoint.paged and (seen or page.cursor is not None):
                        ids = [_call_id(record) or record_id(record, endpoint.id_field) for record in records]
                        records = [
                            record
                            for record, item_id in zip(records, ids, strict=True)
                            if not item_id or item_id not in seen
                        ]
                        seen.update(ids)
                    yield records, page.cursor
        except CursorExpiredError as error:
            if cursor is None:
                raise
            raise CursorExpiredError(
                f"{error}: a cursor is valid for about an hour, with the period and workspace of its page;"
                " start again without it",
                status=error.status,
            ) from error

    def _report_private(self, count: int, *, metadata_shown: bool = False) -> None:
        if count:
            setting = self._redactor.private_calls
            effect = "reduced to metadata" if metadata_shown and setting == "metadata" else "left out"
            calls = format_count(count, "private call")
            self._notify(f"{calls} {effect}: private_calls is {setting!r}")

    def _report_missing(self, query: CallQuery, found: set[str], other_reason: str = "") -> None:
        missing = TruncatedList()
        missing.add(call_id for call_id in query.call_ids or () if call_id not in found)
        if missing.count:
            calls = format_count(len(query.call_ids or ()), "call")
            where = " in this period and workspace" if query.period_and_workspace() else ""
            reasons = f"not found{where} {other_reason}".strip()
            self._notify(f"{missing.count:,} of {calls} were {reasons}: {missing}")


def _call_id(call: Record) -> str:
    return record_id(call.get("metaData")) if isinstance(call, Mapping) else ""


def _decode(raw: msgspec.Raw) -> Record:
    try:
        return decode_record(raw)
    except InvalidRecordError:
        return bytes(raw).decode("utf-8", "replace")
