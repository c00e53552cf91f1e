"""Convert pages of calls and transcripts to Arrow tables, dropping private and unchanged records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from ..datetimes import parse_gong_datetime, truncate_to_millisecond
from ..metrics import RunMetrics
from ..settings import PrivateCalls
from ..tables.column_types import ColumnTypes
from ..tables.known_hashes import KnownHashes
from ..tables.pseudonyms import Pseudonymizer
from ..tables.records import InvalidRecordError, Record, decode_record, object_field, require_object
from ..tables.rejects import REJECTED_TABLE, RejectCollector
from ..tables.table_builder import TableBuilder
from .call_rows import call_key, call_rows, content_hash, effective_time
from .tables import CALL_TABLES, CALLS_TABLE, SENTENCES_TABLE, TRANSCRIPTS_TABLE
from .transcript_rows import Transcript, transcript_tables

Json = msgspec.Raw | bytes
"""A record as Gong sent it, not decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformContext:
    """What the transformers of one run share; they are used from one thread at a time.

    Attributes:
        private_calls: What to load of private calls.
        known_hashes: Content hashes in the warehouse; None if unknown.
        types: Types of columns that Gong added.
        metrics: Counters of the run.
        started_at: When the run began, by this machine's clock.
        initial_load: The dataset has no tables yet, so no row has to be deleted.
        pseudonymizer: Replaces personal values; None to keep them.
        rejects: Collects records that fail validation.
    """

    private_calls: PrivateCalls
    known_hashes: KnownHashes | None
    types: ColumnTypes
    metrics: RunMetrics
    started_at: datetime
    initial_load: bool = False
    pseudonymizer: Pseudonymizer | None = None
    rejects: RejectCollector = field(init=False)

    def __post_init__(self) -> None:
        rejects = RejectCollector(
            self.types,
            self.known_hashes,
            self.metrics,
            started_at=self.started_at,
            initial_load=self.initial_load,
        )
        object.__setattr__(self, "rejects", rejects)

    @property
    def synced_at(self) -> datetime:
        """When the run began, by Gong's clock if this machine's is ahead: later changes must get later times."""
        return self.metrics.correct_time(self.started_at)

    def find_hashes(self, resource: str, record_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the content hash of each of these records that is, or may be, in the warehouse."""
        return self.known_hashes.find(resource, record_ids) if self.known_hashes is not None else {}

    def may_exist(self, record_id: str, known: Mapping[str, str]) -> bool:
        """Return whether the warehouse may hold the record, given the hashes that `find_hashes` returned."""
        return not self.initial_load and (self.known_hashes is None or record_id in known)

    def is_hidden(self, call: object) -> bool:
        """Return whether the call's content must not be stored."""
        return self.private_calls != "include" and may_be_private(call)

    def reject(self, resource: str, raw: Json, record: Any, error: Exception, *, hidden: bool = False) -> None:
        """Keep a record that fails validation; of a hidden record only its id."""
        if record is None:
            with suppress(InvalidRecordError):
                record = decode_record(raw)
        self.rejects.add(resource, record, error, raw=raw, hidden=hidden)

    def take_rejected(self) -> dict[str, pa.Table]:
        """Return the new rows of `_rejected`, by table; empty if there are none."""
        rejected = self.rejects.table()
        return {} if rejected is None else {REJECTED_TABLE.name: rejected}


@dataclass(frozen=True, slots=True)
class TransformedPage:
    """The tables of a page of calls.

    Attributes:
        tables: Rows to write, by table. Unchanged calls have none.
        transcript_tables: Tombstones of transcripts whose call has become private.
        transcript_candidates: Id and effective time of each call whose transcript may be requested.
        complete_until: Time up to which the page's window has been read, inclusive; None if the page is not ordered.
    """

    tables: Mapping[str, pa.Table]
    transcript_tables: Mapping[str, pa.Table]
    transcript_candidates: Sequence[tuple[str, datetime | None]]
    complete_until: datetime | None


class CallTransformer:
    """Convert pages of calls to tables.

    Args:
        context: What the transformers of the run share.
        write_calls: Whether rows of calls are wanted, not only their ids.
    """

    def __init__(self, context: TransformContext, *, write_calls: bool = True) -> None:
        self._context = context
        self._write_calls = write_calls
        self._seen: set[str] = set()
        self.metrics = context.metrics

    def has_seen(self, call_id: str) -> bool:
        """Return whether the call was in a page of this run, private or not."""
        return call_id in self._seen

    def transform(self, records: Sequence[Json], *, basic: bool) -> TransformedPage:
        """Return the tables of a page of calls.

        Args:
            records: The page's records.
            basic: The records come from GET /v2/calls and hold metadata only.
        """
        context = self._context
        builders = {
            table.name: TableBuilder(table, context.types, context.metrics.repeated)
            for table in (CALLS_TABLE, *CALL_TABLES)
        }
        times: list[tuple[datetime | None, datetime | None]] = []
        calls: dict[str, Record] = {}
        for raw in records:
            call: Any = None
            try:
                call = {"metaData": decode_record(raw)} if basic else decode_record(raw)
                if context.pseudonymizer is not None:
                    call = context.pseudonymizer.apply("calls", call)
                call_id, metadata = call_key(require_object(call)), object_field(call, "metaData")
            except InvalidRecordError as error:
                context.reject("calls", raw, call, error, hidden=context.is_hidden(call))
                continue
            times.append((effective_time(metadata), parse_gong_datetime(metadata.get("started"))))
            if call_id in calls:
                self.metrics.repeated["calls"] += 1
            elif call_id in self._seen:
                continue
            self._seen.add(call_id)
            calls[call_id] = call
        self.metrics.calls_read += len(calls)
        private_ids = {call_id for call_id, call in calls.items() if context.is_hidden(call)}
        self.metrics.private_calls |= private_ids
        if self._write_calls:
            self._add_rows(calls, private_ids, builders)
        candidates = [
            (call_id, effective_time(object_field(call, "metaData")))
            for call_id, call in calls.items()
            if call_id not in private_ids
        ]
        return TransformedPage(
            tables=_build_tables(builders) | context.take_rejected(),
            transcript_tables=self._transcript_tombstones(private_ids),
            transcript_candidates=candidates,
            complete_until=_page_complete_until(times),
        )

    def _add_rows(
        self, calls: Mapping[str, Record], private_ids: Collection[str], builders: Mapping[str, TableBuilder]
    ) -> None:
        """Add rows of new and changed calls, and tombstones of calls that have become private."""
        context = self._context
        known = context.find_hashes("calls", list(calls))
        for call_id, call in calls.items():
            stored = {"metaData": call["metaData"]} if call_id in private_ids else call
            if call_id in private_ids and context.private_calls == "exclude":
                # Rejected while it was not private, the record would stay readable in `_rejected`.
                context.rejects.resolve("calls", [call_id])
                context.rejects.resolve("transcripts", [call_id])
                if context.may_exist(call_id, known):
                    for table in (CALLS_TABLE, *CALL_TABLES):
                        builders[table.name].add_tombstone(call_id)
            elif (call_hash := content_hash(stored)) != known.get(call_id):
                try:
                    self._add_call(stored, call_id, call_hash, builders)
                    context.rejects.resolve("calls", [call_id])
                except InvalidRecordError as error:
                    context.reject("calls", b"", stored, error)

    def _add_call(self, call: Record, call_id: str, call_hash: str, builders: Mapping[str, TableBuilder]) -> None:
        rows = call_rows(call, content_hash=call_hash, synced_at=self._context.synced_at)
        filled = {table for table, _, _ in rows}
        for table, connector_values, record in rows:
            builders[table].add_row(connector_values, record)
        for child_table in CALL_TABLES if not self._context.initial_load else ():
            if child_table.name not in filled:
                # The call may have had rows here: all child rows of a call are replaced, also by none.
                builders[child_table.name].add_tombstone(call_id)

    def _transcript_tombstones(self, call_ids: Collection[str]) -> dict[str, pa.Table]:
        """Return tombstones of the transcripts of these calls, as far as the warehouse may hold them."""
        context = self._context
        known = context.find_hashes("transcripts", list(call_ids))
        builders = {table.name: TableBuilder(table, context.types) for table in (TRANSCRIPTS_TABLE, SENTENCES_TABLE)}
        for call_id in sorted(call_ids):
            for builder in builders.values():
                if context.may_exist(call_id, known):
                    builder.add_tombstone(call_id)
        return _build_tables(builders)


class TranscriptTransformer:
    """Convert pages of transcripts to tables.

    Args:
        context: What the transformers of the run share.
    """

    def __init__(self, context: TransformContext) -> None:
        self._context = context
        self._seen: set[str] = set()

    def transform(self, records: Sequence[Json], requested_ids: Collection[str]) -> Mapping[str, pa.Table]:
        """Return the tables of a page of transcripts.

        Args:
            records: The page's records.
            requested_ids: Ids of the calls that the request named. Other transcripts may be of private calls and are
                dropped.
        """
        context = self._context
        transcripts: dict[str, Transcript] = {}
        for raw in records:
            json = raw
            try:
                if context.pseudonymizer is not None:
                    json = context.pseudonymizer.apply_to_transcript(raw)
                transcript = Transcript.of(json)
            except InvalidRecordError as error:
                # The record names no call, so it may be of a private one.
                context.reject("transcripts", json, None, error, hidden=context.private_calls != "include")
                continue
            if transcript.call_id in requested_ids and transcript.call_id not in self._seen:
                context.metrics.repeated["transcripts"] += transcript.call_id in transcripts
                transcripts[transcript.call_id] = transcript
        self._seen |= transcripts.keys()
        context.metrics.transcripts_read += len(transcripts)
        known = context.find_hashes("transcripts", list(transcripts))
        changed = [
            transcript for call_id, transcript in transcripts.items() if transcript.content_hash != known.get(call_id)
        ]
        return self._build(changed) | context.take_rejected()

    def reject(self, call_id: str) -> Mapping[str, pa.Table]:
        """Return the `_rejected` row of a call whose transcript cannot be requested, because Gong rejects its id."""
        error = InvalidRecordError("callId is not an id that Gong accepts, so the transcript cannot be requested")
        self._context.rejects.add("transcripts", {"callId": call_id}, error)
        return self._context.take_rejected()

    def _build(self, transcripts: Sequence[Transcript]) -> dict[str, pa.Table]:
        context = self._context
        if not transcripts:
            return {}
        try:
            tables = transcript_tables(transcripts, context.types, synced_at=context.synced_at)
        except InvalidRecordError as error:
            if len(transcripts) == 1:
                context.reject("transcripts", transcripts[0].json, None, error)
                return {}
            # At least one is invalid: each is converted alone, so that it does not affect the others.
            parts = [part for transcript in transcripts if (part := self._build([transcript]))]
            return {
                name: pa.concat_tables([part[name] for part in parts], promote_options="default")
                for name in (parts[0] if parts else {})
            }
        context.rejects.resolve("transcripts", [transcript.call_id for transcript in transcripts])
        if not context.initial_load:
            sentences = tables[SENTENCES_TABLE.name]
            tombstones = self._sentence_tombstones(tables[TRANSCRIPTS_TABLE.name])
            if tombstones is not None:
                sentences = pa.concat_tables([sentences, tombstones], promote_options="default")
            tables[SENTENCES_TABLE.name] = sentences
        return tables

    def _sentence_tombstones(self, transcripts: pa.Table) -> pa.Table | None:
        """Return tombstones for transcripts without sentences, which may have had some; None if there are none."""
        builder = TableBuilder(SENTENCES_TABLE, self._context.types)
        for row in transcripts.select(["call_id", "sentence_count"]).to_pylist():
            if not row["sentence_count"]:
                builder.add_tombstone(row["call_id"])
        return builder.build() if len(builder) else None


def may_be_private(call: object) -> bool:
    """Return whether a call is private, or its record does not clearly show that it is not.

    Args:
        call: A record of POST /v2/calls/extensive, with its `metaData`.
    """
    metadata = call.get("metaData") if isinstance(call, Mapping) else None
    flag = metadata.get("isPrivate") if isinstance(metadata, Mapping) else "unknown"
    return str(flag).lower() not in ("false", "0", "none")


def _build_tables(builders: Mapping[str, TableBuilder]) -> dict[str, pa.Table]:
    return {name: builder.build() for name, builder in builders.items() if len(builder)}


def _page_complete_until(times: Sequence[tuple[datetime | None, datetime | None]]) -> datetime | None:
    """Return the earlier of the last call's effective and start time, if the page ascends by one of the two.

    Recorded answers are sorted by scheduled time; Gong's documentation of this endpoint states start time. The earlier
    of both is safe in either case. A page in neither order shows nothing about how far its window has been read.
    """
    effective = [time for time, _ in times if time is not None]
    started = [time for _, time in times if time is not None]
    if not times or len(effective) < len(times) or len(started) < len(times):
        return None
    if effective != sorted(effective) and started != sorted(started):
        return None
    return truncate_to_millisecond(min(effective[-1], started[-1]))
