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
from .tables import CALL_TABLES, CALLS_TABLE, REJECTED_TABLE, SENTENCES_TABLE
from .tally import Tally
from .transcripts import call_of, transcript_tables

HeldHashes = Callable[[str, Sequence[str]], Mapping[str, str]]
"""Asks the warehouse: for a resource and ids of calls, the content hashes it holds."""


def nothing_held(resource: str, call_ids: Sequence[str]) -> Mapping[str, str]:  # noqa: ARG001 - the answer to any question
    """Where nobody knows what the warehouse holds, everything is written."""
    return {}


@dataclass(frozen=True, slots=True)
class ShapedCalls:
    """What a page of calls became.

    Attributes:
        tables: Rows to write, by table; unchanged calls have none.
        to_transcribe: Calls whose transcript may be asked for, with their effective time.
        reached: Up to here (inclusive) the page's window has been served, if the page is in ascending order.
    """

    tables: Mapping[str, pa.Table]
    to_transcribe: Sequence[tuple[str, datetime | None]]
    reached: datetime | None


@dataclass(slots=True)
class CallShaper:
    """Shapes pages of one run; used from one thread at a time.

    Attributes:
        private_calls: What becomes of private calls.
        held_hashes: Content hashes that the warehouse holds.
        types: Types of columns that Gong added.
        tally: Where rows, private and rejected records are counted.
        synced_at: When the run began.
        load_id: dlt's load that brings the rows.
        write_calls: Whether rows of calls are wanted, not only their ids.
    """

    private_calls: PrivateCalls
    held_hashes: HeldHashes
    types: ColumnTypes
    tally: Tally
    synced_at: datetime
    load_id: str
    write_calls: bool = True
    _read: set[str] = field(default_factory=set)
    _transcribed: set[str] = field(default_factory=set)

    def has_read(self, call_id: str) -> bool:
        """Whether the call came in this run, private or not."""
        return call_id in self._read

    def calls(self, records: Sequence[bytes], *, basic: bool) -> ShapedCalls:
        """A page of calls.

        Args:
            records: As Gong sent them.
            basic: They come from GET /v2/calls and are a call's meta data alone.
        """
        sheets = {table.name: Sheet(table, self.types) for table in (CALLS_TABLE, *CALL_TABLES, REJECTED_TABLE)}
        times: list[tuple[datetime | None, datetime | None]] = []
        to_transcribe: list[tuple[str, datetime | None]] = []
        to_write: dict[str, tuple[bytes, Record]] = {}
        for raw in records:
            try:
                call: Record = {"metaData": msgspec.json.decode(raw)} if basic else msgspec.json.decode(raw)
                call_id, meta = call_key(call), child(call, "metaData")
            except (ShapeError, AttributeError) as problem:
                self._reject("calls", raw, problem, sheets[REJECTED_TABLE.name])
                continue
            times.append((effective_time(meta), instant(meta.get("started"))))
            if call_id in self._read:
                continue
            self._read.add(call_id)
            self.tally.calls_read += 1
            if meta.get("isPrivate") is True and self.private_calls != "include":
                self.tally.private_calls.add(call_id)
                if self.private_calls == "metadata":
                    to_write[call_id] = raw, {"metaData": meta}
            else:
                to_transcribe.append((call_id, effective_time(meta)))
                to_write[call_id] = raw, call
        if self.write_calls and to_write:
            held = self.held_hashes("calls", list(to_write))
            for call_id, (raw, call) in to_write.items():
                if (of_content := content_hash(call)) != held.get(call_id):
                    try:
                        self._lay_out(call, call_id, of_content, sheets)
                    except ShapeError as problem:
                        self._reject("calls", raw, problem, sheets[REJECTED_TABLE.name])
        tables = {name: sheet.arrow() for name, sheet in sheets.items() if len(sheet)}
        return ShapedCalls(tables, to_transcribe, _reached(times))

    def transcripts(self, records: Sequence[bytes], asked: Collection[str]) -> Mapping[str, pa.Table]:
        """A page of transcripts.

        Args:
            records: As Gong sent them.
            asked: The calls they were asked for; others could be private and are left out.
        """
        rejected = Sheet(REJECTED_TABLE, self.types)
        came: dict[str, bytes] = {}
        for raw in records:
            try:
                call_id = call_of(raw)
            except ShapeError as problem:
                self._reject("transcripts", raw, problem, rejected)
                continue
            if call_id in asked and call_id not in self._transcribed:
                self._transcribed.add(call_id)
                self.tally.transcripts_read += 1
                came[call_id] = raw
        held = self.held_hashes("transcripts", list(came)) if came else {}
        fresh = [raw for call_id, raw in came.items() if fingerprint(raw) != held.get(call_id)]
        tables = self._transcript_tables(fresh, rejected)
        if len(rejected):
            tables[REJECTED_TABLE.name] = rejected.arrow()
        return tables

    def _lay_out(self, call: Record, call_id: str, of_content: str, sheets: Mapping[str, Sheet]) -> None:
        rows = call_rows(call, content_hash=of_content, synced_at=self.synced_at, load_id=self.load_id)
        filled = Counter(table for table, _, _ in rows)
        for table, ours, record in rows:
            sheets[table].add(ours, record)
        for table_of_call in CALL_TABLES:
            if not filled[table_of_call.name]:
                # The call may have had rows there before: all rows of a call are replaced, also by none.
                sheets[table_of_call.name].remove(call_id)
        self.tally.rows.update(filled)

    def _transcript_tables(self, fresh: Sequence[bytes], rejected: Sheet) -> dict[str, pa.Table]:
        if not fresh:
            return {}
        try:
            tables = transcript_tables(fresh, self.types, synced_at=self.synced_at, load_id=self.load_id)
        except ShapeError as problem:
            if len(fresh) == 1:
                self._reject("transcripts", fresh[0], problem, rejected)
                return {}
            # One of them is bad: each alone, so that it does not stop the others.
            parts = [part for raw in fresh if (part := self._transcript_tables([raw], rejected))]
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
        if silent:
            removals = Sheet(SENTENCES_TABLE, self.types)
            for call_id in silent:
                removals.remove(call_id)
            tables[SENTENCES_TABLE.name] = pa.concat_tables([sentences, removals.arrow()], promote_options="default")
        return tables

    def _reject(self, resource: str, raw: bytes, problem: Exception, sheet: Sheet) -> None:
        record = msgspec.json.decode(raw)
        meta = record.get("metaData", record) if isinstance(record, Mapping) else {}
        named = (meta.get("id") or meta.get("callId")) if isinstance(meta, Mapping) else None
        record_id = str(named) if named else fingerprint(raw)
        sheet.add((resource, record_id, str(problem), record, self.synced_at), {})
        self.tally.rejected[resource] += 1
        self.tally.rows[REJECTED_TABLE.name] += 1


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
    return min(effective[-1], started[-1])
