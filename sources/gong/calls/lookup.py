"""Look up calls without reading their content: which calls exist, and links to their recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from http import HTTPStatus

from ..api.client import GongClient
from ..api.endpoint import PAGE_SIZE
from ..api.responses import Page
from ..api.retry import MAX_RESTARTS, restart_on_expired_cursor
from ..errors import AuthenticationError, EmptyResultError, MissingScopeError, RequestError
from ..extract.concurrency import gather_or_cancel
from ..incremental.windows import Window
from ..settings import CallDetail
from ..tables.records import InvalidRecordError, decode_record, is_valid_id, object_field, record_id, require_object
from .call_rows import call_key
from .endpoints import CALL, CALLS, CALLS_EXTENSIVE
from .request import CallRequest
from .transformer import may_be_private

MEDIA_KINDS = {"audioUrl": "audio", "videoUrl": "video"}
"""Kind of recording by the field that holds its link."""


class CallLookup:
    """Find out which calls Gong has.

    Args:
        client: Client of the Gong API, with an open session.
        call_detail: Which of the two call endpoints the credential may use, as in the setting.
        workspace_id: List only calls of this workspace. A lookup by id is not limited, because a call that moved to
            another workspace still exists.

    Attributes:
        unreadable: Number of records in the windows that have no valid call id.
        unverifiable: Ids Gong rejects as invalid, so their existence cannot be checked.
    """

    def __init__(self, client: GongClient, call_detail: CallDetail, workspace_id: str | None) -> None:
        self._client = client
        self._request = CallRequest.metadata_only(call_detail, workspace_id)
        self._basic = self._request.endpoint is CALLS
        self.unreadable = 0
        self.unverifiable: set[str] = set()

    async def by_window(self, windows: Iterable[Window]) -> list[dict[str, bool]]:
        """Return the calls of each window: by id, whether the call is private.

        Raises:
            GongError: If a window could not be read to its end.
        """
        return await gather_or_cancel(map(self._read_window, windows))

    async def by_id(self, call_ids: Iterable[str]) -> dict[str, bool]:
        """Return those of these calls that Gong still has: by id, whether the call is private.

        The extensive endpoint takes 100 ids per request and leaves out unknown ones. With basic rights, and for ids
        that would make Gong reject the whole request, GET /v2/calls/{id} takes one request per call and answers 404
        for an unknown id.

        Raises:
            GongError: If a request fails.
        """
        ids = list(call_ids)
        batched = [] if self._basic else [call_id for call_id in ids if is_valid_id(call_id)]
        single = ids if self._basic else [call_id for call_id in ids if not is_valid_id(call_id)]
        batches = [batched[start : start + PAGE_SIZE] for start in range(0, len(batched), PAGE_SIZE)]
        results = await gather_or_cancel([*map(self._look_up, single), *map(self._look_up_batch, batches)])
        return {call_id: is_private for result in results for call_id, is_private in result.items()}

    async def has_calls(self, window: Window) -> bool:
        """Return whether Gong lists any call of a window. Requests one page, in a session of its own.

        Raises:
            GongError: If the request fails.
        """
        query, body = self._request.query(window), self._request.body(window)
        async with self._client.session():
            try:
                page = await self._client.send(self._request.endpoint, query=query, body=body)
            except EmptyResultError:
                return False
        return bool(page.records or page.cursor)

    async def _read_window(self, window: Window) -> dict[str, bool]:
        query, body = self._request.query(window), self._request.body(window)

        async def read_pages() -> tuple[dict[str, bool], int]:
            return await self._read_privacy_flags(self._client.paginate(self._request.endpoint, query=query, body=body))

        calls, unreadable = await restart_on_expired_cursor(read_pages)
        self.unreadable += unreadable
        return calls

    async def _look_up_batch(self, call_ids: list[str]) -> dict[str, bool]:
        body = self._request.body_by_id(call_ids)
        pages = self._client.paginate(CALLS_EXTENSIVE, body=body, max_restarts=MAX_RESTARTS)
        calls, unreadable = await self._read_privacy_flags(pages)
        if unreadable:
            # An unreadable record may be any of the calls that seem to be missing.
            missing = [call_id for call_id in call_ids if call_id not in calls]
            for call in await gather_or_cancel(map(self._look_up, missing)):
                calls |= call
        return calls

    async def _look_up(self, call_id: str) -> dict[str, bool]:
        try:
            page = await self._client.send(CALL.with_id(call_id))
        except EmptyResultError:
            return {}
        except MissingScopeError:
            if self._basic:
                raise
        except RequestError as error:
            is_rejected_id = error.status == HTTPStatus.BAD_REQUEST or not is_valid_id(call_id)
            if isinstance(error, AuthenticationError) or not is_rejected_id:
                raise
        else:
            calls, _ = _parse_privacy_flags(page, basic=True)
            return {call_id: any(calls.values())}
        self.unverifiable.add(call_id)
        return {call_id: False}

    async def _read_privacy_flags(self, pages: AsyncIterator[Page]) -> tuple[dict[str, bool], int]:
        """Return the privacy flag of each call by id, and the number of records without a valid call id."""
        calls: dict[str, bool] = {}
        unreadable = 0
        async for page in pages:
            page_calls, page_unreadable = _parse_privacy_flags(page, basic=self._basic)
            calls |= page_calls
            unreadable += page_unreadable
        return calls, unreadable


async def find_media_links(client: GongClient, call_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return links to recordings: by call id and kind (`audio`, `video`). Gong signs them for eight hours.

    A call without a recording is left out.

    Args:
        client: Client of the Gong API, with an open session.
        call_ids: Ids of calls. Up to 100 take one request.

    Raises:
        MissingScopeError: If the credential lacks the scope for links, which is separate.
        GongError: If a request fails.
    """
    body = replace(CallRequest.metadata_only("extensive"), include_media=True).body_by_id(call_ids)
    links: dict[str, dict[str, str]] = {}
    async for page in client.paginate(CALLS_EXTENSIVE, body=body):
        for record in page.records:
            try:
                call = decode_record(record)
                media = object_field(call, "media")
                call_id = record_id(object_field(call, "metaData"))
            except InvalidRecordError:
                # Without a call id there is nothing to link; the call is looked up again next time.
                continue
            call_links = {
                kind: url for field, kind in MEDIA_KINDS.items() if isinstance(url := media.get(field), str) and url
            }
            if call_links and call_id in call_ids:
                links[call_id] = call_links
    return links


def _parse_privacy_flags(page: Page, *, basic: bool) -> tuple[dict[str, bool], int]:
    """Return the privacy flag of each call by id, and the number of records without a valid call id.

    Args:
        page: Page of calls, or of one call.
        basic: The records hold metadata only.
    """
    calls: dict[str, bool] = {}
    unreadable = 0
    for raw in page.records:
        try:
            call = {"metaData": decode_record(raw)} if basic else require_object(decode_record(raw))
            calls[call_key(call)] = may_be_private(call)
        except InvalidRecordError:
            unreadable += 1
    return calls, unreadable
