"""Gong's records on demand, page by page: asked for, joined where they have to be, as the settings show them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from sources.gong import GongClient
from sources.gong.api.endpoint import CALL, CALLS, CALLS_EXTENSIVE, FOLDER_CONTENT, TRANSCRIPTS, Endpoint
from sources.gong.calls.request import CallRequest
from sources.gong.errors import CursorExpiredError, EmptyResultError
from sources.gong.extract.concurrency import gather_or_cancel
from sources.gong.extract.pages import WorkspaceList, read_folders
from sources.gong.tables.records import InvalidRecordError, decode_record, is_valid_id, object_list_field, record_id

from .query import CallQuery
from .redaction import Record, Redactor, TruncatedList
from .simplified_transcript import simplified as simplified_lines
from .simplified_transcript import speakers

T = TypeVar("T")

# A cursor that expires because records are taken slowly: the list is read from its start, and known ones left out.
_STARTS_OVER = 5


@dataclass(frozen=True, slots=True)
class CallPage:
    """A page of calls.

    Attributes:
        calls: The calls, without private ones if they are left out.
        next_cursor: Leads to the next page for about an hour, with the same period and workspace; None on the last.
        since: Begin of the period, as Gong was told.
        until: Its end, likewise.
    """

    calls: list[Record]
    next_cursor: str | None
    since: str
    until: str


class OnDemandReader:
    """What the actions read.

    Args:
        client: Talks to Gong.
        shown: What of the records is shown.
        tell: Takes what is worth a word.
    """

    def __init__(self, client: GongClient, shown: Redactor, tell: Callable[[str], None]) -> None:
        self._client = client
        self._shown = shown
        self._tell = tell

    async def session(self, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """The items, with one connection open while they come."""
        async with self._client.session(), aclosing(items):
            async for item in items:
                yield item

    async def call_pages(
        self, asked: CallQuery, cursor: str | None, max_pages: int | None
    ) -> AsyncGenerator[CallPage, None]:
        """Pages of GET /v2/calls, from the one that the cursor leads to, up to a number of pages."""
        private, left = 0, max_pages
        for query in asked.filters():
            async with aclosing(self._pages(CALLS, query=query, cursor=cursor)) as pages:
                async for records, following in pages:
                    calls = [call for record in records if (call := self._shown.basic_call(record)) is not None]
                    private += len(records) - len(calls)
                    yield CallPage(calls, following, query["fromDateTime"], query["toDateTime"])
                    left = None if left is None else left - 1
                    if left == 0:
                        break
        self._tell_of_private(private)

    async def extensive(
        self, asked: CallQuery, request: CallRequest, max_results: int | None
    ) -> AsyncGenerator[list[Record], None]:
        """Pages of POST /v2/calls/extensive, up to a number of records."""
        private, left, found = 0, max_results, set[str]()
        for narrowed in asked.filters():
            body = {"filter": narrowed, "contentSelector": request.selector}
            async with aclosing(self._pages(CALLS_EXTENSIVE, body=body)) as pages:
                async for records, _ in pages:
                    calls = [call for record in records if (call := self._shown.call(record)) is not None]
                    private += sum(map(self._shown.is_hidden, records))
                    found.update(map(_call_id, records) if asked.call_ids is not None else ())
                    if left is not None and len(calls) >= left:
                        yield calls[:left]
                        self._tell_of_private(private, metadata_shown=True)
                        return
                    left = None if left is None else left - len(calls)
                    yield calls
        self._tell_of_private(private, metadata_shown=True)
        self._tell_of_missing(asked, found)

    async def transcripts(
        self, asked: CallQuery, *, basic: bool, simplified: bool
    ) -> AsyncGenerator[list[Record], None]:
        """Transcripts of the calls that may be shown, or their lines; calls first, for who is private and who speaks.

        Args:
            asked: Which calls.
            basic: The credential may only use GET /v2/calls.
            simplified: Lines of monologues instead of Gong's records.
        """
        private, found, silent = 0, set[str](), TruncatedList()
        if self._shown.private_calls == "include" and not simplified:
            async with aclosing(self._all_transcripts(asked)) as all_of_them:
                async for records in all_of_them:
                    yield records
            return
        for narrowed in asked.filters():
            async with aclosing(self._calls_for_transcripts(narrowed, basic=basic, parties=simplified)) as pages:
                async for calls in pages:
                    found.update(map(_call_id, calls) if asked.call_ids is not None else ())
                    private += sum(map(self._shown.is_hidden, calls))
                    open_calls = {_call_id(call): call for call in calls if not self._shown.is_hidden(call)}
                    came: set[str] = set()
                    others = narrowed if asked.call_ids is not None else {}
                    async with aclosing(self._transcripts_of(open_calls, others)) as transcripts:
                        async for records in transcripts:
                            came.update(record_id(record, "callId") for record in records)
                            yield self._lines(records, open_calls) if simplified else records
                    silent.add(call_id for call_id in open_calls if call_id not in came)
        self._tell_of_private(private)
        if silent.count:
            self._tell(f"{_counted(silent.count, 'call has', 'calls have')} no transcript: {silent}")
        self._tell_of_missing(asked, found)

    async def folders(self, workspace_id: str | None) -> AsyncGenerator[list[Record], None]:
        """The library's folders, of one workspace or of all."""
        folders = await read_folders(self._client, WorkspaceList(), workspace_id)
        yield [self._shown.of("library", folder) for folder in folders]

    async def folder_calls(self, folder_id: str) -> AsyncGenerator[list[Record], None]:
        """The calls in a folder, as often as they are in it."""
        async with aclosing(self._pages(FOLDER_CONTENT, query={"folderId": folder_id})) as pages:
            async for records, _ in pages:
                yield [self._shown.folder_call(record) for record in records]

    async def _all_transcripts(self, asked: CallQuery) -> AsyncGenerator[list[Record], None]:
        """Where nothing is kept back, nobody has to be asked about the calls."""
        found: set[str] = set()
        for narrowed in asked.filters():
            async with aclosing(self._pages(TRANSCRIPTS, body={"filter": narrowed})) as pages:
                async for records, _ in pages:
                    found.update((record_id(one, "callId") for one in records) if asked.call_ids is not None else ())
                    yield [self._shown.of("transcripts", one) for one in records]
        self._tell_of_missing(asked, found, "or have no transcript")

    async def _calls_for_transcripts(
        self, narrowed: Mapping[str, Any], *, basic: bool, parties: bool
    ) -> AsyncGenerator[list[Record], None]:
        """Calls as POST /v2/calls/extensive sends them, with nothing but meta data and, if wanted, parties."""
        if basic and "callIds" in narrowed:
            found = await gather_or_cancel(map(self._call, narrowed["callIds"]))
            yield [{"metaData": call} for call in found if call is not None]
            return
        bare = CallRequest.bare("basic" if basic else "extensive")
        body = {"filter": narrowed, "contentSelector": replace(bare, include_parties=parties).selector}
        asked_so: dict[str, Any] = {"query": narrowed} if basic else {"body": body}
        async with aclosing(self._pages(bare.endpoint, **asked_so)) as pages:
            async for records, _ in pages:
                yield [{"metaData": record} for record in records] if basic else records

    async def _call(self, call_id: str) -> Record | None:
        try:
            page = await self._client.send(CALL.of(call_id))
        except EmptyResultError:
            return None
        return _decoded(page.records[0])

    async def _transcripts_of(
        self, calls: Mapping[str, Record], narrowed: Mapping[str, Any]
    ) -> AsyncGenerator[list[Record], None]:
        ids = [call_id for call_id in calls if is_valid_id(call_id)]
        if not ids:
            return
        async with aclosing(self._pages(TRANSCRIPTS, body={"filter": {**narrowed, "callIds": ids}})) as pages:
            async for records, _ in pages:
                # One that was not asked for could be a private call's.
                yield [self._shown.of("transcripts", one) for one in records if record_id(one, "callId") in calls]

    def _lines(self, transcripts: Iterable[Record], calls: Mapping[str, Record]) -> list[Record]:
        lines: list[Record] = []
        for transcript in transcripts:
            call_id = record_id(transcript, "callId")
            try:
                call = self._shown.of("calls", calls[call_id])
                lines += simplified_lines(transcript, speakers(object_list_field(call, "parties")))
            except InvalidRecordError as problem:
                self._tell(f"the transcript of call {call_id} is left out, it is not what Gong documents: {problem}")
        return lines

    async def _pages(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        cursor: str | None = None,
    ) -> AsyncGenerator[tuple[list[Record], str | None], None]:
        """Records and the next cursor, page by page; a record that comes on two pages comes once."""
        max_restarts = _STARTS_OVER if endpoint.paged and cursor is None else 0
        seen: set[str] = set()
        try:
            async with aclosing(
                self._client.paginate(endpoint, query=query, body=body, cursor=cursor, max_restarts=max_restarts)
            ) as pages:
                async for page in pages:
                    records = list(map(_decoded, page.records))
                    if endpoint.paged and (seen or page.cursor is not None):
                        names = [_call_id(record) or record_id(record, endpoint.key) for record in records]
                        records = [
                            record for record, name in zip(records, names, strict=True) if not name or name not in seen
                        ]
                        seen.update(names)
                    yield records, page.cursor
        except CursorExpiredError as expired:
            if cursor is None:
                raise
            raise CursorExpiredError(
                f"{expired}: a cursor is good for about an hour, with the period and workspace it came with;"
                " begin again without it",
                status=expired.status,
            ) from expired

    def _tell_of_private(self, count: int, *, metadata_shown: bool = False) -> None:
        if count:
            setting = self._shown.private_calls
            became = "shown by meta data alone" if metadata_shown and setting == "metadata" else "left out"
            self._tell(f"{_counted(count, 'private call', 'private calls')} {became}: private_calls is {setting!r}")

    def _tell_of_missing(self, asked: CallQuery, found: set[str], also: str = "") -> None:
        missing = TruncatedList()
        missing.add(call_id for call_id in asked.call_ids or () if call_id not in found)
        if missing.count:
            of = _counted(len(asked.call_ids or ()), "call", "calls")
            there = "not found among those asked for" if asked.range() else "not found"
            self._tell(f"{missing.count:,} of {of} were {' '.join([there, also]).strip()}: {missing}")


def _call_id(call: Record) -> str:
    return record_id(call.get("metaData")) if isinstance(call, Mapping) else ""


def _decoded(raw: msgspec.Raw) -> Record:
    try:
        return decode_record(raw)
    except InvalidRecordError:
        return bytes(raw).decode("utf-8", "replace")


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
