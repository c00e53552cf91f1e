"""Which calls Gong still has: ids by window, and ids one asks for by name. Nothing of their content is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from .answers import Page
from .client import GongClient
from .endpoints import CALL, CALLS, CALLS_EXTENSIVE, PAGE_SIZE
from .errors import CursorExpired, NothingFound
from .request import CallDetail, CallRequest
from .shape import ShapeError, child, id_text
from .tasks import together
from .windows import Window

_READS_OF_A_WINDOW = 3


class CallPresence:
    """Asks Gong which calls it has.

    Args:
        client: Talks to Gong, inside `connected()`.
        call_detail: Which of the two endpoints the credential may use, as in the setting.
        workspace_id: Lists only this workspace's calls; asking by id is never narrowed, because a call that
            moved to another workspace is not gone.
    """

    def __init__(self, client: GongClient, call_detail: CallDetail, workspace_id: str | None) -> None:
        self._client = client
        self._request = CallRequest.bare(call_detail, workspace_id)

    async def in_windows(self, windows: Iterable[Window]) -> list[dict[str, bool]]:
        """The calls of each window: for each id whether the call is private.

        Raises:
            GongError: Gong's answers did not come to their end.
        """
        return await together(map(self._in_window, windows))

    async def _in_window(self, window: Window) -> dict[str, bool]:
        for read in range(1, _READS_OF_A_WINDOW + 1):
            try:
                return await self._listed(window)
            except CursorExpired:
                if read == _READS_OF_A_WINDOW:
                    raise
        raise AssertionError("the last read returns or raises")

    async def of(self, call_ids: Iterable[str]) -> dict[str, bool]:
        """Of these calls, those that Gong still has: for each whether it is private.

        With the extensive endpoint 100 cost one request, which leaves ids out that it does not know; the basic
        rights know only GET /v2/calls/{id}, one request a call, 404 for an unknown one.

        Raises:
            GongError: Gong's answers did not come to their end.
        """
        ids = list(call_ids)
        if self._request.endpoint is CALLS:
            found = await together(map(self._one, ids))
        else:
            found = await together(
                self._some(ids[first : first + PAGE_SIZE]) for first in range(0, len(ids), PAGE_SIZE)
            )
        return {call_id: private for part in found for call_id, private in part.items()}

    async def _listed(self, window: Window) -> dict[str, bool]:
        pages = self._client.pages(
            self._request.endpoint, query=self._request.query(window), body=self._request.body(window)
        )
        return {call_id: private async for page in pages for call_id, private in self._calls(page).items()}

    async def _some(self, call_ids: list[str]) -> dict[str, bool]:
        pages = self._client.pages(CALLS_EXTENSIVE, body=self._request.body_by_id(call_ids))
        return {call_id: private async for page in pages for call_id, private in self._calls(page).items()}

    async def _one(self, call_id: str) -> dict[str, bool]:
        try:
            page = await self._client.send(CALL.of(call_id))
        except NothingFound:
            return {}
        return {call_id: any(self._calls(page).values())}

    def _calls(self, page: Page) -> dict[str, bool]:
        calls: dict[str, bool] = {}
        for raw in page.records:
            record = msgspec.json.decode(raw)
            if not isinstance(record, Mapping):
                raise ShapeError("a call is not an object")
            meta = record if self._request.endpoint is CALLS else child(record, "metaData")
            calls[id_text(meta.get("id"))] = meta.get("isPrivate") is True
        return calls
