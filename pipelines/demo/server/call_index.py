"""The calls of the simulated Gong in listing order, with their serialised answers kept between requests."""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipelines.demo.company.calls import WEB_CONFERENCE_SYSTEMS, Call
from pipelines.demo.server.messages.response_cache import Piece

Json = dict[str, Any]
Key = tuple[int, int, str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """The instant as whole microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def effective_time(meta: Json) -> datetime:
    """The time Gong lists and filters a call by: scheduled for recorded web conferences, else started."""
    scheduled, started = meta.get("scheduled"), meta.get("started")
    recorded_by_gong = meta.get("system") in WEB_CONFERENCE_SYSTEMS and not meta.get("clientUniqueId")
    return datetime.fromisoformat(str((scheduled or started) if recorded_by_gong else (started or scheduled)))


def listing_key(effective: datetime, call_id: str) -> Key:
    """Sorts by effective time; ties come in an order that is stable but not that of the ids."""
    return microseconds(effective), zlib.crc32(call_id.encode()), call_id


@dataclass(slots=True)
class Listed:
    """A call with what listing it needs: its key, the time it ended, and cached pieces of answers."""

    call: Call
    effective: datetime
    key: Key
    end: datetime
    pieces: dict[object, Piece] = field(default_factory=dict)

    def piece(self, name: object, build: Callable[[], bytes]) -> Piece:
        """The cached piece of that name, built on first use."""
        piece = self.pieces.get(name)
        if piece is None:
            piece = self.pieces[name] = Piece(build())
        return piece

    def is_listed(self, now: datetime, delay: timedelta) -> bool:
        """Whether the call shows by then, so long after its end unless it says itself from when on."""
        return (self.call.visible_from or self.end + delay) <= now

    def transcript_piece(self) -> Piece:
        """The call's entry in a transcript answer."""
        head = b'{"callId":' + msgspec.json.encode(self.call.id) + b',"transcript":'
        return self.piece("transcript", lambda: head + (self.call.transcript_json or b"[]") + b"}")


def listed(call: Call) -> Listed:
    """The call, ready to be listed."""
    meta = call.record["metaData"]
    effective = effective_time(meta)
    started = datetime.fromisoformat(meta["started"]) if meta.get("started") else effective
    end = started + timedelta(seconds=meta.get("duration") or 0)
    return Listed(call, effective, listing_key(effective, call.id), end)


class CallIndex:
    """Calls by id and in listing order. A change replaces the listing whole, so that no request sees half of one."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._by_id = {call.id: listed(call) for call in calls}
        self._listing: tuple[list[Listed], list[Key]] = ([], [])
        self._sort()

    def __getitem__(self, call_id: str) -> Listed:
        return self._by_id[call_id]

    def __iter__(self) -> Iterator[Listed]:
        return iter(self._by_id.values())

    def find(self, call_id: str) -> Listed | None:
        """The call with that id, if there is one."""
        return self._by_id.get(call_id)

    def put(self, call: Call) -> None:
        """Adds the call, or replaces the one with its id."""
        self._by_id[call.id] = listed(call)
        self._sort()

    def remove(self, call_id: str) -> None:
        """Forgets the call; raises `KeyError` if there is none."""
        del self._by_id[call_id]
        self._sort()

    def clear_response_cache(self) -> None:
        """Lets go of the serialised answers, which are several times as large as the calls themselves."""
        for entry in self._by_id.values():
            entry.pieces.clear()

    def select(
        self, since: datetime | None, before: datetime | None, call_ids: list[str] | None, after: Key | None
    ) -> Iterable[Listed]:
        """Calls with `since` <= effective < `before`, in order, behind the key `after`; only those ids if given."""
        if call_ids is None:
            order, keys = self._listing
        else:
            found = {entry.call.id: entry for call_id in call_ids if (entry := self._by_id.get(call_id))}
            order = sorted(found.values(), key=lambda entry: entry.key)
            keys = [entry.key for entry in order]
        low = bisect_left(keys, (microseconds(since), -1, "")) if since else 0
        high = bisect_left(keys, (microseconds(before), -1, "")) if before else len(keys)
        if after:
            low = max(low, bisect_right(keys, after))
        return (order[number] for number in range(low, high))

    def _sort(self) -> None:
        order = sorted(self._by_id.values(), key=lambda entry: entry.key)
        self._listing = (order, [entry.key for entry in order])
