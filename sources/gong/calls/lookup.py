"""Which calls Gong still has: ids by window, and ids one asks for by name. Nothing of their content is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import partial

from ..api.client import GongClient
from ..api.endpoint import CALL, CALLS, CALLS_EXTENSIVE, PAGE_SIZE
from ..api.responses import Page
from ..api.retry import MAX_RESTARTS, restart_on_expired_cursor
from ..errors import AuthenticationError, EmptyResultError, MissingScopeError, RequestError
from ..extract.concurrency import gather_or_cancel
from ..incremental.windows import Window
from ..tables.records import InvalidRecordError, decode_record, is_valid_id, require_object
from .call_rows import call_key
from .request import CallDetail, CallRequest
from .transformer import may_be_private


class CallLookup:
    """Asks Gong which calls it has.

    Args:
        client: Talks to Gong, inside `connected()`.
        call_detail: Which of the two endpoints the credential may use, as in the setting.
        workspace_id: Lists only this workspace's calls; asking by id is never narrowed, because a call that
            moved to another workspace is not gone.

    Attributes:
        unreadable: Records of the windows that do not say which call they are.
        untold: Calls of which Gong does not tell whether it has them: their ids are none that it takes.
    """

    def __init__(self, client: GongClient, call_detail: CallDetail, workspace_id: str | None) -> None:
        self._client = client
        self._request = CallRequest.bare(call_detail, workspace_id)
        self._basic = self._request.endpoint is CALLS
        self.unreadable = 0
        self.untold: set[str] = set()

    async def by_window(self, windows: Iterable[Window]) -> list[dict[str, bool]]:
        """The calls of each window: for each id whether the call is private.

        Raises:
            GongError: Gong's answers did not come to their end.
        """
        return await gather_or_cancel(map(self._in_window, windows))

    async def _in_window(self, window: Window) -> dict[str, bool]:
        return await restart_on_expired_cursor(partial(self._listed, window))

    async def any_in(self, window: Window) -> bool:
        """Whether Gong lists any call of a window; asks for one page, with a connection of its own.

        Raises:
            GongError: Gong does not tell.
        """
        query, body = self._request.query(window), self._request.body(window)
        async with self._client.session():
            try:
                page = await self._client.send(self._request.endpoint, query=query, body=body)
            except EmptyResultError:
                return False
        return bool(page.records or page.cursor)

    async def by_id(self, call_ids: Iterable[str]) -> dict[str, bool]:
        """Of these calls, those that Gong still has: for each whether it is private.

        With the extensive endpoint 100 cost one request, which leaves ids out that it does not know; the basic
        rights know only GET /v2/calls/{id}, one request a call, 404 for an unknown one. So are asked for, too, ids
        for which Gong would refuse a hundred, and what is missing beside a record that cannot be read.

        Raises:
            GongError: Gong's answers did not come to their end.
        """
        ids = list(call_ids)
        some = [] if self._basic else [call_id for call_id in ids if is_valid_id(call_id)]
        alone = ids if self._basic else [call_id for call_id in ids if not is_valid_id(call_id)]
        batches = [some[first : first + PAGE_SIZE] for first in range(0, len(some), PAGE_SIZE)]
        found = await gather_or_cancel([*map(self._one, alone), *map(self._some, batches)])
        return {call_id: private for part in found for call_id, private in part.items()}

    async def _listed(self, window: Window) -> dict[str, bool]:
        query, body = self._request.query(window), self._request.body(window)
        listed, unreadable = await self._calls(self._client.paginate(self._request.endpoint, query=query, body=body))
        self.unreadable += unreadable
        return listed

    async def _some(self, call_ids: list[str]) -> dict[str, bool]:
        body = self._request.body_by_id(call_ids)
        known, unreadable = await self._calls(
            self._client.paginate(CALLS_EXTENSIVE, body=body, max_restarts=MAX_RESTARTS)
        )
        if unreadable:
            # A record that cannot be read may be any of those that seem to be missing.
            for one in await gather_or_cancel(self._one(call_id) for call_id in call_ids if call_id not in known):
                known |= one
        return known

    async def _one(self, call_id: str) -> dict[str, bool]:
        try:
            page = await self._client.send(CALL.of(call_id))
        except EmptyResultError:
            return {}
        except MissingScopeError:
            if self._basic:
                raise
        except RequestError as refused:
            if isinstance(refused, AuthenticationError) or (refused.status != 400 and is_valid_id(call_id)):
                raise
        else:
            known, _ = _parse_privacy_flags(page, basic=True)
            return {call_id: any(known.values())}
        self.untold.add(call_id)
        return {call_id: False}

    async def _calls(self, pages: AsyncIterator[Page]) -> tuple[dict[str, bool], int]:
        """The calls of all pages, and how many records do not say which call they are."""
        calls: dict[str, bool] = {}
        unreadable = 0
        async for page in pages:
            told, odd = _parse_privacy_flags(page, basic=self._basic)
            calls |= told
            unreadable += odd
        return calls, unreadable


def _parse_privacy_flags(page: Page, *, basic: bool) -> tuple[dict[str, bool], int]:
    """The calls of a page: for each whether it is private; and how many records do not say which call they are.

    Args:
        page: Calls, or one.
        basic: Each is a call's meta data alone.
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
