"""Links to recordings: asked for by the ids of calls, signed by Gong, good for eight hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..api.client import GongClient
from ..api.endpoint import CALLS_EXTENSIVE
from ..tables.records import InvalidRecordError, decode_record, object_field, record_id
from .request import CallRequest

KINDS = {"audioUrl": "audio", "videoUrl": "video"}
"""What Gong calls a link, and what kind of recording is behind it."""


async def media_links(client: GongClient, call_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The links of calls, by call and kind; a call that Gong has no recording of is not among them.

    Args:
        client: Connected.
        call_ids: Up to a hundred cost one request.

    Raises:
        MissingScopeError: The credential may not see links; they have a scope of their own.
        GongError: As `GongClient.pages` raises.
    """
    body = replace(CallRequest.bare("extensive"), include_media=True).body_by_id(call_ids)
    links: dict[str, dict[str, str]] = {}
    async for page in client.paginate(CALLS_EXTENSIVE, body=body):
        for record in page.records:
            try:
                call = decode_record(record)
                media = object_field(call, "media") or {}
                found = {kind: url for name, kind in KINDS.items() if isinstance(url := media.get(name), str) and url}
                call_id = record_id(object_field(call, "metaData"))
            except InvalidRecordError:
                # A record that says no call has no links either; the call is asked for again next time.
                continue
            if found and call_id in call_ids:
                links[call_id] = found
    return links
