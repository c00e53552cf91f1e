"""The calls of the simulated Gong by id and in the order Gong lists them, with their encoded JSON cached."""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipelines.demo.company.calls import WEB_CONFERENCE_SYSTEMS, Call
from pipelines.demo.server.messages.response_cache import JsonFragment

Json = dict[str, Any]
SortKey = tuple[int, int, str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_microseconds(moment: datetime) -> int:
    """Return the datetime as whole microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def parse_effective_time(meta: Json) -> datetime:
    """Return the time by which Gong sorts and filters a call: scheduled for recorded web conferences, else started."""
    scheduled, started = meta.get("scheduled"), meta.get("started")
    is_recorded_by_gong = meta.get("system") in WEB_CONFERENCE_SYSTEMS and not meta.get("clientUniqueId")
    return datetime.fromisoformat(str((scheduled or started) if is_recorded_by_gong else (started or scheduled)))


def build_sort_key(effective_time: datetime, call_id: str) -> SortKey:
    """Return the key that sorts by effective time, and equal times in a stable order that is not that of the ids."""
    return to_microseconds(effective_time), zlib.crc32(call_id.encode()), call_id


@dataclass(slots=True)
class CallEntry:
    """A call, the facts by which it is listed, and its cached JSON.

    Attributes:
        call: The call.
        effective_time: Time by which Gong sorts and filters the call.
        key: Sort key of the listing.
        end: End of the call.
        fragments: Encoded JSON by the selector that it was encoded for.
    """

    call: Call
    effective_time: datetime
    key: SortKey
    end: datetime
    fragments: dict[object, JsonFragment] = field(default_factory=dict)

    def get_fragment(self, name: object, build: Callable[[], bytes]) -> JsonFragment:
        """Return the cached JSON of that name, built on first use."""
        fragment = self.fragments.get(name)
        if fragment is None:
            fragment = self.fragments[name] = JsonFragment(build())
        return fragment

    def is_visible(self, now: datetime, delay: timedelta) -> bool:
        """Return whether Gong lists the call: from its `visible_from` on, else after the delay from its end."""
        return (self.call.visible_from or self.end + delay) <= now

    def get_transcript_fragment(self) -> JsonFragment:
        """Return the call's entry in a transcript response."""
        head = b'{"callId":' + msgspec.json.encode(self.call.id) + b',"transcript":'
        return self.get_fragment("transcript", lambda: head + (self.call.transcript_json or b"[]") + b"}")


def _build_entry(call: Call) -> CallEntry:
    meta = call.record["metaData"]
    effective_time = parse_effective_time(meta)
    started = datetime.fromisoformat(meta["started"]) if meta.get("started") else effective_time
    end = started + timedelta(seconds=meta.get("duration") or 0)
    return CallEntry(call, effective_time, build_sort_key(effective_time, call.id), end)


class CallIndex:
    """Calls by id and in listing order. A change replaces the whole listing, so no request sees half a change."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._by_id = {call.id: _build_entry(call) for call in calls}
        self._listing: tuple[list[CallEntry], list[SortKey]] = ([], [])
        self._sort()

    def __getitem__(self, call_id: str) -> CallEntry:
        return self._by_id[call_id]

    def __iter__(self) -> Iterator[CallEntry]:
        return iter(self._by_id.values())

    def find(self, call_id: str) -> CallEntry | None:
        """Return the call with that id, or None."""
        return self._by_id.get(call_id)

    def put(self, call: Call) -> None:
        """Add the call, or replace the call with its id."""
        self._by_id[call.id] = _build_entry(call)
        self._sort()

    def remove(self, call_id: str) -> None:
        """Remove the call.

        Raises:
            KeyError: If the id is unknown.
        """
        del self._by_id[call_id]
        self._sort()

    def clear_response_cache(self) -> None:
        """Drop the cached JSON, which takes several times the memory of the calls."""
        for entry in self._by_id.values():
            entry.fragments.clear()

    def select(
        self, since: datetime | None, until: datetime | None, call_ids: list[str] | None, after: SortKey | None
    ) -> Iterable[CallEntry]:
        """Return the calls of the window `[since, until)` in listing order.

        Args:
            since: Start of the window; None for no bound.
            until: End of the window, exclusive; None for no bound.
            call_ids: Only these calls; None for all.
            after: Only calls that sort after this key; None for all.
        """
        if call_ids is None:
            order, keys = self._listing
        else:
            found = {entry.call.id: entry for call_id in call_ids if (entry := self._by_id.get(call_id))}
            order = sorted(found.values(), key=lambda entry: entry.key)
            keys = [entry.key for entry in order]
        low = bisect_left(keys, (to_microseconds(since), -1, "")) if since else 0
        high = bisect_left(keys, (to_microseconds(until), -1, "")) if until else len(keys)
        if after:
            low = max(low, bisect_right(keys, after))
        return (order[number] for number in range(low, high))

    def _sort(self) -> None:
        order = sorted(self._by_id.values(), key=lambda entry: entry.key)
        self._listing = (order, [entry.key for entry in order])
