"""A file of calls into Gong: checked whole before anything is sent, then one call after the other, each written down.

What became of a call stands in `_uploads` as soon as its answer came. So an upload that was stopped or killed is
simply run again: calls that Gong has taken are not sent a second time, and one whose answer was lost on the way is
the same call once more, by its client unique id.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import dlt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from destinations.gong_destination import CallRow, gong_calls
from destinations.new_call import InvalidCallError, new_call
from sources.gong import AuthenticationError, ExtractRun, GongError, RunMetrics, RunStopped, truncate_to_millisecond
from sources.gong.errors import MissingScopeError, RequestError, UnexpectedRedirectError
from state import runs, uploads
from state.lock import run_lock
from state.sql import TransactionalSql
from state.uploads import Upload

from ..runtime.connection import Connection
from ..runtime.errors import UsageError, exception_chain, root_cause_message
from ..runtime.result import Status
from ..runtime.run_log import RunLog, open_run_log
from ..runtime.run_options import parse_deadline
from ..runtime.target import Target
from ..runtime.warehouse_session import restore_pipeline
from .gong_writer import add_call
from .row_files import FileRow, file_rows
from .upload_result import FailedRow, UploadResult

COMMAND = "upload"
_ROWS_AT_ONCE = 500
# So many calls in a row without a usable answer: it is not the calls.
_FAILURES_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What a user may say about one upload.

    Attributes:
        file: Rows of calls: .csv, .jsonl or .parquet.
        dry_run: Check every row, send nothing and write nothing down.
        deadline: How long the run may go on sending requests, or until when.
    """

    file: Path
    dry_run: bool = False
    deadline: str | None = None


def upload(connection: Connection, target: Target, options: UploadOptions, console: Console) -> UploadResult:
    """Runs one upload.

    Args:
        connection: Which Gong account.
        target: The warehouse that keeps `_uploads`; it is made where there is none.
        options: What to upload.
        console: Where progress is drawn.

    Raises:
        UsageError: The file or a setting cannot be used; nothing was sent.
        LockHeldError: Another run works on the same connection and warehouse.
    """
    run = UploadJob(connection, target, options, console)
    if options.dry_run:
        return run.checked()
    with run_lock(target.folder / f"{connection.name}.lock", run.run_id):
        return run.executed()


class UploadJob:
    """One upload: check all rows, send the good ones, write down each answer."""

    _sql: TransactionalSql
    _ledger: RunLog

    def __init__(self, connection: Connection, target: Target, options: UploadOptions, console: Console) -> None:
        self._connection = connection
        self._target = target
        self._options = options
        self._started = truncate_to_millisecond(datetime.now(UTC))
        self._clock = time.monotonic()
        self._deadline = parse_deadline(options.deadline, self._started)
        self.run_id = runs.new_run_id(self._started)
        self._metrics = RunMetrics()
        # A setting that cannot be used is told before anything is opened.
        self._client = connection.client(ExtractRun(metrics=self._metrics))
        self._folder = target.folder / f"{connection.name}-upload"
        self._rows = self._already = self._added = self._failures = 0
        self._invalid: list[FailedRow] = []
        self._refused: list[FailedRow] = []
        self._failed: list[FailedRow] = []
        self._ended_by: Exception | None = None
        self._progress = Progress(
            TextColumn("calls"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def checked(self) -> UploadResult:
        """Every row checked, nothing sent."""
        for _ in self._good_rows(file_rows(self._options.file)):
            pass
        return self._outcome()

    def executed(self) -> UploadResult:
        """Every good row sent; what ends it early is told in the result."""
        rows = file_rows(self._options.file)
        pipeline = restore_pipeline(self._connection, self._target, self._folder)
        with open_run_log(pipeline, self._connection, self._target) as (self._sql, self._ledger):
            spent = self._ledger.requests_today(self._connection.name, self._started)
            left = self._connection.settings.requests_per_day - spent
            self._client = self._connection.client(
                ExtractRun(metrics=self._metrics, requests_left=max(0, left), deadline=self._deadline)
            )
            self._ledger.write(self._row("running", None))
            try:
                self._through_dlt(self._good_rows(rows, self._already_added))
            except Exception as failure:
                self._ended_by = failure
            outcome = self._outcome()
            self._ledger.close(self._row(outcome.status, outcome.reason))
        shutil.rmtree(self._folder)
        for cause in exception_chain(self._ended_by):
            # The file breaks off: dlt made its own error of it.
            if isinstance(cause, UsageError):
                raise cause
        return outcome

    def _through_dlt(self, rows: Iterator[list[CallRow]]) -> None:
        """All rows into dlt's files, which checks every one of them; then, file by file, to Gong."""
        outbound = dlt.pipeline(
            "gong_upload", destination=gong_calls(self._send), pipelines_dir=str(self._folder / "outbound")
        )
        outbound.extract(rows, table_name="new_calls")
        left = (self._upload(row.row, row.client_unique_id, "invalid", error=row.faults) for row in self._invalid)
        uploads.record_invalid(self._sql, self._connection.name, self._options.file.name, left)
        outbound.normalize()
        with self._progress:
            self._bar = self._progress.add_task("calls", total=self._rows - len(self._invalid) - self._already)
            outbound.load()

    def _good_rows(
        self, rows: Iterator[FileRow], already_added: Callable[[Sequence[str]], set[str]] | None = None
    ) -> Iterator[list[CallRow]]:
        """Rows that Gong would take and has not got; the others are counted and set aside."""
        numbers: dict[str, int] = {}
        while several := list(islice(rows, _ROWS_AT_ONCE)):
            self._rows += len(several)
            good = [good for row in several if (good := self._good_row(row, numbers)) is not None]
            known = already_added([row["client_unique_id"] for row in good]) if already_added else set[str]()
            self._already += len(known)
            yield [row for row in good if row["client_unique_id"] not in known]

    def _good_row(self, row: FileRow, numbers: dict[str, int]) -> CallRow | None:
        faults, name = [row.fault] if row.fault else [], _named(row.values)
        if not faults:
            try:
                body = new_call(row.values)
                # As it is sent: by that Gong knows the call.
                name = body["clientUniqueId"]
                if (first := numbers.setdefault(name, row.number)) == row.number:
                    return CallRow(row=row.number, client_unique_id=name, body=json.dumps(body))
                faults = [f"client_unique_id: is that of row {first} too, and Gong would take them for one call"]
            except InvalidCallError as refused:
                faults = refused.faults
        self._invalid.append(FailedRow(row.number, name, faults))
        return None

    def _already_added(self, client_unique_ids: Sequence[str]) -> set[str]:
        return uploads.added(self._sql, self._connection.name, client_unique_ids)

    def _send(self, rows: Sequence[CallRow]) -> None:
        """Takes a batch from dlt. What ends the upload is kept for its end: dlt would send the batch once more."""
        if self._ended_by is not None:
            return
        try:
            self._ledger.write(self._row("running", None))
            asyncio.run(self._send_each(rows))
        except Exception as end:
            self._ended_by = end

    async def _send_each(self, rows: Sequence[CallRow]) -> None:
        async with self._client.session():
            for row in rows:
                body = json.loads(row["body"])
                upload = await self._sent(row, body)
                uploads.record(self._sql, upload)
                self._progress.advance(self._bar)

    async def _sent(self, row: CallRow, body: Mapping[str, Any]) -> Upload:
        """What became of a call.

        Raises:
            GongError: It says nothing of this call, and the others would fare no better.
        """
        number, name, has_url = row["row"], row["client_unique_id"], "downloadMediaUrl" in body
        try:
            call_id = await add_call(self._client, body)
        except (RunStopped, AuthenticationError, MissingScopeError, UnexpectedRedirectError):
            raise
        except RequestError as refusal:
            self._failures = 0
            self._refused.append(FailedRow(number, name, [str(refusal)]))
            return self._upload(number, name, "refused", error=[str(refusal)], has_media_url=has_url)
        except GongError as failure:
            self._failures += 1
            if self._failures == _FAILURES_IN_A_ROW:
                raise
            self._failed.append(FailedRow(number, name, [str(failure)]))
            return self._upload(number, name, "failed", error=[str(failure)], has_media_url=has_url)
        self._failures = 0
        self._added += 1
        return self._upload(number, name, "added", call_id=call_id, has_media_url=has_url)

    def _upload(
        self,
        row: int,
        client_unique_id: str | None,
        status: uploads.Status,
        *,
        call_id: str | None = None,
        error: Sequence[str] = (),
        has_media_url: bool = False,
    ) -> Upload:
        return Upload(
            client_unique_id=client_unique_id,
            file=self._options.file.name,
            row=row,
            status=status,
            call_id=call_id,
            error="; ".join(error) or None,
            has_media_url=has_media_url,
            connection=self._connection.name,
            run_id=self.run_id,
            at=datetime.now(UTC),
        )

    def _outcome(self) -> UploadResult:
        left = bool(self._invalid or self._refused or self._failed)
        status: Status = "failed" if self._ended_by is not None or left else "done"
        if any(isinstance(cause, RunStopped) for cause in exception_chain(self._ended_by)):
            status = "stopped"
        reached = self._already + self._added + len(self._refused) + len(self._failed)
        return UploadResult(
            run_id=self.run_id,
            status=status,
            file=self._options.file.name,
            destination=self._target.name,
            dataset=self._target.dataset,
            dry_run=self._options.dry_run,
            rows=self._rows,
            added=self._added,
            already_added=self._already,
            invalid=self._invalid,
            refused=self._refused,
            failed=self._failed,
            not_sent=self._rows - len(self._invalid) - reached,
            requests=self._metrics.requests,
            duration_seconds=round(time.monotonic() - self._clock, 3),
            reason=None if self._ended_by is None else root_cause_message(self._ended_by),
        )

    def _row(self, status: str, reason: str | None) -> runs.Run:
        return runs.Run(
            run_id=self.run_id,
            connection=self._connection.name,
            command=COMMAND,
            status=status,
            started_at=self._started,
            requests=self._metrics.requests,
            calls=self._added,
            rejected=len(self._invalid) + len(self._refused),
            reason=reason,
        )


def _named(values: Mapping[str, Any]) -> str | None:
    """What a row that is set aside calls itself, as far as it does."""
    given = values.get("client_unique_id", values.get("clientUniqueId"))
    return str(given).strip() or None if isinstance(given, str | int) else None
