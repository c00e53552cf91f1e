"""Pages to tables, minus what the warehouse has, minus what is private: everything about a page but the network."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from ..datetimes import parse_gong_datetime, truncate_to_millisecond
from ..metrics import RunMetrics
from ..tables.pseudonyms import Pseudonymizer
from ..tables.records import InvalidRecordError, decode_record, object_field, require_object
from ..tables.rejects import RejectCollector
from ..tables.table import Table
from ..tables.table_builder import ColumnTypes, Record, TableBuilder
from .call_rows import call_key, call_rows, content_hash, effective_time
from .request import PrivateCalls
from .tables import CALL_TABLES, CALLS_TABLE, REJECTED_TABLE, SENTENCES_TABLE, TRANSCRIPTS_TABLE
from .transcript_rows import Transcript, transcript_tables

Json = msgspec.Raw | bytes
"""A record as Gong sent it, not decoded yet."""

KnownHashes = Callable[[str, Sequence[str]], Mapping[str, str]]
"""Asks the warehouse: for a resource and ids of calls, the content hashes of those it holds; an empty hash for
a row whose load was never completed. For `_rejected` the ids are written `resource id`."""


@dataclass(frozen=True, slots=True)
class TransformedPage:
    """What a page of calls became.

    Attributes:
        tables: Rows to write, by table; unchanged calls have none.
        transcript_tables: Marks that take transcripts of calls that turned private out of the warehouse.
        transcript_candidates: Calls whose transcript may be asked for, with their effective time.
        reached: Up to here (inclusive) the page's window has been served, if the page is in ascending order.
    """

    tables: Mapping[str, pa.Table]
    transcript_tables: Mapping[str, pa.Table]
    transcript_candidates: Sequence[tuple[str, datetime | None]]
    reached: datetime | None


@dataclass(slots=True)
class CallTransformer:
    """Shapes pages of one run; used from one thread at a time.

    Attributes:
        private_calls: What becomes of private calls.
        known_hashes: Content hashes that the warehouse holds; None where nobody knows.
        types: Types of columns that Gong added.
        metrics: Where private and rejected records are counted.
        synced_at: When the run began.
        write_calls: Whether rows of calls are wanted, not only their ids.
        initial_load: There is no row yet, so none has to be taken out.
        pseudonyms: What takes the place of personal values; None keeps them.
    """

    private_calls: PrivateCalls
    known_hashes: KnownHashes | None
    types: ColumnTypes
    metrics: RunMetrics
    synced_at: datetime
    write_calls: bool = True
    initial_load: bool = False
    pseudonyms: Pseudonymizer | None = None
    _read: set[str] = field(default_factory=set)
    _transcribed: set[str] = field(default_factory=set)
    rejects: RejectCollector = field(init=False)

    def __post_init__(self) -> None:
        self.rejects = RejectCollector(
            self.types,
            self.known_hashes,
            self.metrics,
            synced_at=self.synced_at,
            initial_load=self.initial_load,
        )

    def has_read(self, call_id: str) -> bool:
        """Whether the call came in this run, private or not."""
        return call_id in self._read

    def calls(self, records: Sequence[Json], *, basic: bool) -> TransformedPage:
        """A page of calls.

        Args:
            records: As Gong sent them.
            basic: They come from GET /v2/calls and are a call's meta data alone.
        """
        sheets = {table.name: TableBuilder(table, self.types) for table in (CALLS_TABLE, *CALL_TABLES)}
        times: list[tuple[datetime | None, datetime | None]] = []
        fresh: dict[str, Record] = {}
        for raw in records:
            call: Any = None
            try:
                call = {"metaData": decode_record(raw)} if basic else decode_record(raw)
                if self.pseudonyms is not None:
                    call = self.pseudonyms.of("calls", call)
                call_id, meta = call_key(require_object(call)), object_field(call, "metaData")
            except InvalidRecordError as problem:
                private_too = self._may_be_private(call)
                self._reject("calls", raw, call, problem, hidden=private_too)
                continue
            times.append((effective_time(meta), parse_gong_datetime(meta.get("started"))))
            if call_id not in self._read:
                self._read.add(call_id)
                fresh[call_id] = call
        self.metrics.calls_read += len(fresh)
        private = {call_id for call_id, call in fresh.items() if self._may_be_private(call)}
        self.metrics.private_calls |= private
        if self.write_calls:
            self._write(fresh, private, sheets)
        transcript_candidates = [
            (call_id, effective_time(object_field(call, "metaData")))
            for call_id, call in fresh.items()
            if call_id not in private
        ]
        return TransformedPage(
            tables=_filled(sheets) | self._set_aside(),
            transcript_tables=self._removals("transcripts", private, (TRANSCRIPTS_TABLE, SENTENCES_TABLE)),
            transcript_candidates=transcript_candidates,
            reached=_reached(times),
        )

    def transcripts(self, records: Sequence[Json], asked: Collection[str]) -> Mapping[str, pa.Table]:
        """A page of transcripts.

        Args:
            records: As Gong sent them.
            asked: The calls they were asked for; others could be private and are left out.
        """
        came: dict[str, Transcript] = {}
        for raw in records:
            json = raw
            try:
                if self.pseudonyms is not None:
                    json = self.pseudonyms.of_transcript(raw)
                transcript = Transcript.of(json)
            except InvalidRecordError as problem:
                # It names no call, so nobody can tell whether that is a private one.
                self._reject("transcripts", json, None, problem, hidden=self.private_calls != "include")
                continue
            if transcript.call_id in asked and transcript.call_id not in self._transcribed:
                came.setdefault(transcript.call_id, transcript)
        self._transcribed |= came.keys()
        self.metrics.transcripts_read += len(came)
        held = self._held("transcripts", list(came))
        fresh = [one for call_id, one in came.items() if one.content_hash != held.get(call_id)]
        return self._transcript_tables(fresh) | self._set_aside()

    def reject_transcript(self, call_id: str) -> Mapping[str, pa.Table]:
        """A call whose id Gong refuses, so that nobody can ask for its transcript."""
        problem = InvalidRecordError("callId is none that Gong takes, so that the transcript cannot be asked for")
        self.rejects.add("transcripts", {"callId": call_id}, problem)
        return self._set_aside()

    def _may_be_private(self, call: object) -> bool:
        """Whether a call's content has to stay out."""
        return self.private_calls != "include" and may_be_private(call)

    def _write(self, calls: Mapping[str, Record], private: Collection[str], sheets: Mapping[str, TableBuilder]) -> None:
        """Lays out what is new or changed, and takes out what turned private."""
        held = self._held("calls", list(calls))
        for call_id, call in calls.items():
            shown = {"metaData": call["metaData"]} if call_id in private else call
            if call_id in private and self.private_calls == "exclude":
                # Set aside when it was not private yet, it would still be readable there.
                self.rejects.resolve("calls", [call_id])
                self.rejects.resolve("transcripts", [call_id])
                if self._may_hold(call_id, held):
                    for table in (CALLS_TABLE, *CALL_TABLES):
                        sheets[table.name].add_tombstone(call_id)
            elif (of_content := content_hash(shown)) != held.get(call_id):
                try:
                    self._lay_out(shown, call_id, of_content, sheets)
                    self.rejects.resolve("calls", [call_id])
                except InvalidRecordError as problem:
                    self._reject("calls", b"", shown, problem)

    def _removals(self, resource: str, call_ids: Collection[str], tables: Sequence[Table]) -> dict[str, pa.Table]:
        """Marks that take calls out of tables, as far as the warehouse may have them."""
        held = self._held(resource, list(call_ids))
        sheets = {table.name: TableBuilder(table, self.types) for table in tables}
        for call_id in sorted(call_ids):
            for sheet in sheets.values():
                if self._may_hold(call_id, held):
                    sheet.add_tombstone(call_id)
        return _filled(sheets)

    def _may_hold(self, call_id: str, held: Mapping[str, str]) -> bool:
        return not self.initial_load and (self.known_hashes is None or call_id in held)

    def _held(self, resource: str, call_ids: Sequence[str]) -> Mapping[str, str]:
        return self.known_hashes(resource, call_ids) if self.known_hashes is not None and call_ids else {}

    def _lay_out(self, call: Record, call_id: str, of_content: str, sheets: Mapping[str, TableBuilder]) -> None:
        rows = call_rows(call, content_hash=of_content, synced_at=self.synced_at)
        filled = {table for table, _, _ in rows}
        for table, ours, record in rows:
            sheets[table].add(ours, record)
        for table_of_call in CALL_TABLES if not self.initial_load else ():
            if table_of_call.name not in filled:
                # The call may have had rows there before: all rows of a call are replaced, also by none.
                sheets[table_of_call.name].add_tombstone(call_id)

    def _transcript_tables(self, fresh: Sequence[Transcript]) -> dict[str, pa.Table]:
        if not fresh:
            return {}
        try:
            tables = transcript_tables(fresh, self.types, synced_at=self.synced_at)
        except InvalidRecordError as problem:
            if len(fresh) == 1:
                self._reject("transcripts", fresh[0].json, None, problem)
                return {}
            # One of them is bad: each alone, so that it does not stop the others.
            parts = [part for one in fresh if (part := self._transcript_tables([one]))]
            return {
                name: pa.concat_tables([part[name] for part in parts], promote_options="default")
                for name in (parts[0] if parts else {})
            }
        self.rejects.resolve("transcripts", [transcript.call_id for transcript in fresh])
        sentences = tables[SENTENCES_TABLE.name]
        silent = [
            row["call_id"]
            for row in tables["transcripts"].select(["call_id", "sentence_count"]).to_pylist()
            if not row["sentence_count"]
        ]
        if silent and not self.initial_load:
            removals = TableBuilder(SENTENCES_TABLE, self.types)
            for call_id in silent:
                removals.add_tombstone(call_id)
            tables[SENTENCES_TABLE.name] = pa.concat_tables([sentences, removals.build()], promote_options="default")
        return tables

    def _reject(self, resource: str, raw: Json, record: Any, problem: Exception, *, hidden: bool = False) -> None:
        """Keeps a record that fits no table, unless it cannot be read; of a hidden one only its id."""
        if record is None:
            with suppress(InvalidRecordError):
                record = decode_record(raw)
        self.rejects.add(resource, record, problem, raw=raw, hidden=hidden)

    def _set_aside(self) -> dict[str, pa.Table]:
        rejected = self.rejects.table()
        return {} if rejected is None else {REJECTED_TABLE.name: rejected}


def may_be_private(call: object) -> bool:
    """Whether a call is private, or does not say clearly that it is not.

    Args:
        call: A record of POST /v2/calls/extensive, with its `metaData`.
    """
    meta = call.get("metaData") if isinstance(call, Mapping) else None
    said = meta.get("isPrivate") if isinstance(meta, Mapping) else "unknown"
    return str(said).lower() not in ("false", "0", "none")


def _filled(sheets: Mapping[str, TableBuilder]) -> dict[str, pa.Table]:
    return {name: sheet.build() for name, sheet in sheets.items() if len(sheet)}


def _reached(times: Sequence[tuple[datetime | None, datetime | None]]) -> datetime | None:
    """How far a page reaches: the earlier of the last call's two times, if the page ascends by one of them.

    Gong sorts by scheduled time as far as recordings show, its documentation of this endpoint says start time.
    Taking the earlier of both is safe whichever it is; a page in neither order promises nothing.
    """
    effective = [time for time, _ in times if time is not None]
    started = [time for _, time in times if time is not None]
    if not times or len(effective) < len(times) or len(started) < len(times):
        return None
    if effective != sorted(effective) and started != sorted(started):
        return None
    return truncate_to_millisecond(min(effective[-1], started[-1]))
