"""Pages to tables, minus what the warehouse has, minus what is private: everything about a page but the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import pyarrow as pa

from .calls import call_key, call_rows, content_hash, effective_time
from .request import PrivateCalls
from .rows import ColumnTypes, Record, Sheet
from .shape import ShapeError, child, fingerprint, instant
from .tables import CALL_TABLES, CALLS_TABLE, REJECTED_TABLE, SENTENCES_TABLE, TRANSCRIPTS_TABLE, Table
from .tally import Tally
from .transcripts import Transcript, transcript_tables
from .windows import whole_millisecond

Json = msgspec.Raw | bytes
"""A record as Gong sent it, not decoded yet."""

HeldHashes = Callable[[str, Sequence[str]], Mapping[str, str]]
"""Asks the warehouse: for a resource and ids of calls, the content hashes of those it holds; an empty hash for
a row whose load was never completed."""


@dataclass(frozen=True, slots=True)
class ShapedCalls:
    """What a page of calls became.

    Attributes:
        tables: Rows to write, by table; unchanged calls have none.
        transcript_tables: Marks that take transcripts of calls that turned private out of the warehouse.
        to_transcribe: Calls whose transcript may be asked for, with their effective time.
        reached: Up to here (inclusive) the page's window has been served, if the page is in ascending order.
    """

    tables: Mapping[str, pa.Table]
    transcript_tables: Mapping[str, pa.Table]
    to_transcribe: Sequence[tuple[str, datetime | None]]
    reached: datetime | None


@dataclass(slots=True)
class CallShaper:
    """Shapes pages of one run; used from one thread at a time.

    Attributes:
        private_calls: What becomes of private calls.
        held_hashes: Content hashes that the warehouse holds; None where nobody knows.
        types: Types of columns that Gong added.
        tally: Where rows, private and rejected records are counted.
        synced_at: When the run began.
        load_id: dlt's load that brings the rows.
        write_calls: Whether rows of calls are wanted, not only their ids.
        warehouse_is_empty: There is no row yet, so none has to be taken out.
    """

    private_calls: PrivateCalls
    held_hashes: HeldHashes | None
    types: ColumnTypes
    tally: Tally
    synced_at: datetime
    load_id: str
    write_calls: bool = True
    warehouse_is_empty: bool = False
    _read: set[str] = field(default_factory=set)
    _transcribed: set[str] = field(default_factory=set)

    def has_read(self, call_id: str) -> bool:
        """Whether the call came in this run, private or not."""
        return call_id in self._read

    def calls(self, records: Sequence[Json], *, basic: bool) -> ShapedCalls:
        """A page of calls.

        Args:
            records: As Gong sent them.
            basic: They come from GET /v2/calls and are a call's meta data alone.
        """
        sheets = {table.name: Sheet(table, self.types) for table in (CALLS_TABLE, *CALL_TABLES, REJECTED_TABLE)}
        times: list[tuple[datetime | None, datetime | None]] = []
        fresh: dict[str, tuple[Json, Record]] = {}
        for raw in records:
            try:
                call: Record = {"metaData": msgspec.json.decode(raw)} if basic else msgspec.json.decode(raw)
                call_id, meta = call_key(call), child(call, "metaData")
            except (ShapeError, AttributeError) as problem:
                self._reject("calls", raw, problem, sheets[REJECTED_TABLE.name])
                continue
            times.append((effective_time(meta), instant(meta.get("started"))))
            if call_id not in self._read:
                self._read.add(call_id)
                fresh[call_id] = raw, call
        self.tally.calls_read += len(fresh)
        private = {call_id for call_id, (_, call) in fresh.items() if self._is_kept_private(call)}
        self.tally.private_calls |= private
        if self.write_calls:
            self._write(fresh, private, sheets)
        return ShapedCalls(
            tables=_filled(sheets),
            transcript_tables=self._removals("transcripts", private, (TRANSCRIPTS_TABLE, SENTENCES_TABLE)),
            to_transcribe=[
                (call_id, effective_time(child(call, "metaData")))
                for call_id, (_, call) in fresh.items()
                if call_id not in private
            ],
            reached=_reached(times),
        )

    def transcripts(self, records: Sequence[Json], asked: Collection[str]) -> Mapping[str, pa.Table]:
        """A page of transcripts.

        Args:
            records: As Gong sent them.
            asked: The calls they were asked for; others could be private and are left out.
        """
        rejected = Sheet(REJECTED_TABLE, self.types)
        came: dict[str, Transcript] = {}
        for raw in records:
            try:
                transcript = Transcript.of(raw)
            except ShapeError as problem:
                self._reject("transcripts", raw, problem, rejected)
                continue
            if transcript.call_id in asked and transcript.call_id not in self._transcribed:
                came[transcript.call_id] = transcript
        self._transcribed |= came.keys()
        self.tally.transcripts_read += len(came)
        held = self._held("transcripts", list(came))
        fresh = [one for call_id, one in came.items() if one.content_hash != held.get(call_id)]
        tables = self._transcript_tables(fresh, rejected)
        if len(rejected):
            tables[REJECTED_TABLE.name] = rejected.arrow()
        return tables

    def _is_kept_private(self, call: Record) -> bool:
        return self.private_calls != "include" and child(call, "metaData").get("isPrivate") is True

    def _write(
        self, calls: Mapping[str, tuple[Json, Record]], private: Collection[str], sheets: Mapping[str, Sheet]
    ) -> None:
        """Lays out what is new or changed, and takes out what turned private."""
        held = self._held("calls", list(calls))
        for call_id, (raw, call) in calls.items():
            shown = {"metaData": call["metaData"]} if call_id in private else call
            if call_id in private and self.private_calls == "exclude":
                if self._may_hold(call_id, held):
                    for table in (CALLS_TABLE, *CALL_TABLES):
                        sheets[table.name].remove(call_id)
            elif (of_content := content_hash(shown)) != held.get(call_id):
                try:
                    self._lay_out(shown, call_id, of_content, sheets)
                except ShapeError as problem:
                    self._reject("calls", raw, problem, sheets[REJECTED_TABLE.name])

    def _removals(self, resource: str, call_ids: Collection[str], tables: Sequence[Table]) -> dict[str, pa.Table]:
        """Marks that take calls out of tables, as far as the warehouse may have them."""
        held = self._held(resource, list(call_ids))
        sheets = {table.name: Sheet(table, self.types) for table in tables}
        for call_id in sorted(call_ids):
            for sheet in sheets.values():
                if self._may_hold(call_id, held):
                    sheet.remove(call_id)
        return _filled(sheets)

    def _may_hold(self, call_id: str, held: Mapping[str, str]) -> bool:
        return not self.warehouse_is_empty and (self.held_hashes is None or call_id in held)

    def _held(self, resource: str, call_ids: Sequence[str]) -> Mapping[str, str]:
        return self.held_hashes(resource, call_ids) if self.held_hashes is not None and call_ids else {}

    def _lay_out(self, call: Record, call_id: str, of_content: str, sheets: Mapping[str, Sheet]) -> None:
        rows = call_rows(call, content_hash=of_content, synced_at=self.synced_at, load_id=self.load_id)
        filled = Counter(table for table, _, _ in rows)
        for table, ours, record in rows:
            sheets[table].add(ours, record)
        for table_of_call in CALL_TABLES if not self.warehouse_is_empty else ():
            if not filled[table_of_call.name]:
                # The call may have had rows there before: all rows of a call are replaced, also by none.
                sheets[table_of_call.name].remove(call_id)
        self.tally.rows.update(filled)

    def _transcript_tables(self, fresh: Sequence[Transcript], rejected: Sheet) -> dict[str, pa.Table]:
        if not fresh:
            return {}
        try:
            tables = transcript_tables(fresh, self.types, synced_at=self.synced_at, load_id=self.load_id)
        except ShapeError as problem:
            if len(fresh) == 1:
                self._reject("transcripts", fresh[0].json, problem, rejected)
                return {}
            # One of them is bad: each alone, so that it does not stop the others.
            parts = [part for one in fresh if (part := self._transcript_tables([one], rejected))]
            return {
                name: pa.concat_tables([part[name] for part in parts], promote_options="default")
                for name in (parts[0] if parts else {})
            }
        sentences = tables[SENTENCES_TABLE.name]
        self.tally.rows.update({name: table.num_rows for name, table in tables.items()})
        silent = [
            row["call_id"]
            for row in tables["transcripts"].select(["call_id", "sentence_count"]).to_pylist()
            if not row["sentence_count"]
        ]
        if silent and not self.warehouse_is_empty:
            removals = Sheet(SENTENCES_TABLE, self.types)
            for call_id in silent:
                removals.remove(call_id)
            tables[SENTENCES_TABLE.name] = pa.concat_tables([sentences, removals.arrow()], promote_options="default")
        return tables

    def _reject(self, resource: str, raw: Json, problem: Exception, sheet: Sheet) -> None:
        record = msgspec.json.decode(raw)
        meta = record.get("metaData", record) if isinstance(record, Mapping) else {}
        named = (meta.get("id") or meta.get("callId")) if isinstance(meta, Mapping) else None
        record_id = str(named) if named else fingerprint(raw)
        sheet.add((resource, record_id, str(problem), record, self.synced_at), {})
        self.tally.rejected[resource] += 1
        self.tally.rows[REJECTED_TABLE.name] += 1


def _filled(sheets: Mapping[str, Sheet]) -> dict[str, pa.Table]:
    return {name: sheet.arrow() for name, sheet in sheets.items() if len(sheet)}


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
    return whole_millisecond(min(effective[-1], started[-1]))
