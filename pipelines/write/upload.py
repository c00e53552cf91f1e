"""`gong-elt upload`: validate a file of calls, then add them to Gong one by one, recording each outcome in `_uploads`.

An outcome is written as soon as the response arrives. An upload that was stopped or killed is therefore run again:
calls that were added are not sent a second time, and Gong recognises a call whose response was lost by its client
unique id.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import dlt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from destinations.gong.destination import CallRow, gong_calls
from destinations.gong.new_call import InvalidCallError, new_call
from destinations.warehouse import sql_client
from sources.gong import AuthenticationError, GongError, RunStopped
from sources.gong.api.retry import MAX_CONSECUTIVE_FAILURES
from sources.gong.errors import HostUnreachableError, MissingScopeError, RequestError, UnexpectedRedirectError
from state import uploads
from state.uploads import Upload

from ..runtime.connection import Connection
from ..runtime.errors import UsageError, exception_chain
from ..runtime.job import Job, RunColumns
from ..runtime.run_log import create_state_tables
from ..runtime.target import Target
from ..runtime.warehouse_session import restore_pipeline
from .gong_writer import add_call
from .row_files import FileRow, read_rows
from .upload_result import FailedRow, UploadResult

COMMAND = "upload"
_ROWS_PER_BATCH = 500


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """Options of one upload.

    Attributes:
        file: Calls as .csv, .jsonl or .parquet.
        dry_run: Validate every row; send and write nothing.
        deadline: Duration or time after which no request is sent.
    """

    file: Path
    dry_run: bool = False
    deadline: str | None = None


def upload(connection: Connection, target: Target, options: UploadOptions, console: Console) -> UploadResult:
    """Run one upload.

    Args:
        connection: The Gong account.
        target: The warehouse with `_uploads`; it is created if it does not exist.
        options: What to upload.
        console: Where progress is drawn.

    Raises:
        UsageError: If the file or a setting is invalid.
        LockHeldError: If another run works on the same connection and dataset.
    """
    job = Job(COMMAND, connection, target, options.deadline)
    # Building a client validates the settings, before anything is opened.
    connection.client()
    run = UploadJob(job, options, console)
    if options.dry_run:
        return run.validate()
    with job.lock():
        return run.run()


class UploadJob:
    """One upload: validate all rows, send the valid ones, record each outcome."""

    _pipeline: dlt.Pipeline

    def __init__(self, job: Job, options: UploadOptions, console: Console) -> None:
        self._job, self._options = job, options
        self._connection, self._target = job.connection, job.target
        self._rows = self._already_added = self._added = self._consecutive_failures = 0
        self._invalid: list[FailedRow] = []
        self._refused: list[FailedRow] = []
        self._failed: list[FailedRow] = []
        self._progress = Progress(
            TextColumn("calls"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def validate(self) -> UploadResult:
        """Validate every row and send nothing."""
        for _ in self._valid_rows(read_rows(self._options.file)):
            pass
        return self._result()

    def run(self) -> UploadResult:
        """Send every valid row; return the figures, also if the upload ends early.

        Raises:
            UsageError: If the file cannot be read to its end.
        """
        rows = read_rows(self._options.file)
        pipeline = self._pipeline = restore_pipeline(self._connection, self._target, self._folder)
        with self._target.warehouse.hold(create=True):
            create_state_tables(pipeline, self._connection)
        with self._job.open_run_log(pipeline, tables_exist=True):
            self._client = self._job.client()
            self._job.write_progress(**self._columns())
            with self._job.keep_errors():
                self._send_through_dlt(self._valid_rows(rows, self._find_added))
            result = self._result()
            self._job.write_end(**self._columns())
        shutil.rmtree(self._folder)
        for cause in exception_chain(self._job.error):
            # dlt wraps the error of a file that cannot be read to its end.
            if isinstance(cause, UsageError):
                raise cause
        return result

    @property
    def _folder(self) -> Path:
        return self._job.folder("-upload")

    def _send_through_dlt(self, rows: Iterator[list[CallRow]]) -> None:
        """Write all rows to dlt's files, which validates every one of them, then send them file by file."""
        outbound = dlt.pipeline(
            "gong_upload", destination=gong_calls(self._send), pipelines_dir=str(self._folder / "outbound")
        )
        outbound.extract(rows, table_name="new_calls")
        invalid = (self._upload(row.row, row.client_unique_id, "invalid", error=row.faults) for row in self._invalid)
        with sql_client(self._pipeline) as sql:
            uploads.save_invalid_rows(sql, self._connection.name, self._options.file.name, invalid)
        outbound.normalize()
        with self._progress:
            total = self._rows - len(self._invalid) - self._already_added
            self._bar = self._progress.add_task("calls", total=total)
            outbound.load()

    def _valid_rows(
        self, rows: Iterator[FileRow], find_added: Callable[[Sequence[str]], set[str]] | None = None
    ) -> Iterator[list[CallRow]]:
        """Yield the rows to send in batches; invalid rows and calls added earlier are only counted."""
        row_numbers: dict[str, int] = {}
        while batch := list(islice(rows, _ROWS_PER_BATCH)):
            self._rows += len(batch)
            valid = [call for row in batch if (call := self._validate_row(row, row_numbers)) is not None]
            added = find_added([call["client_unique_id"] for call in valid]) if find_added else set[str]()
            self._already_added += len(added)
            yield [call for call in valid if call["client_unique_id"] not in added]

    def _validate_row(self, row: FileRow, row_numbers: dict[str, int]) -> CallRow | None:
        """Return the row as a call to send; None if it is invalid.

        Args:
            row: The row.
            row_numbers: Number of the first row with a client unique id; this row is added.
        """
        faults, client_unique_id = [row.fault] if row.fault else [], _client_unique_id(row.values)
        if not faults:
            try:
                body = new_call(row.values)
                # In the form in which it is sent, which Gong compares.
                client_unique_id = body["clientUniqueId"]
                if (first := row_numbers.setdefault(client_unique_id, row.number)) == row.number:
                    return CallRow(row=row.number, client_unique_id=client_unique_id, body=json.dumps(body))
                faults = [f"client_unique_id: repeats row {first}, and Gong would treat both as one call"]
            except InvalidCallError as error:
                faults = error.faults
        self._invalid.append(FailedRow(row.number, client_unique_id, faults))
        return None

    def _find_added(self, client_unique_ids: Sequence[str]) -> set[str]:
        with sql_client(self._pipeline) as sql:
            return uploads.added_ids(sql, self._connection.name, client_unique_ids)

    def _send(self, rows: Sequence[CallRow]) -> None:
        """Send a batch that dlt hands over. An error is kept and not raised: dlt would send the batch again."""
        if self._job.error is not None:
            return
        with self._job.keep_errors():
            self._job.write_progress(**self._columns())
            asyncio.run(self._send_calls(rows))

    async def _send_calls(self, rows: Sequence[CallRow]) -> None:
        async with self._client.session():
            for row in rows:
                outcome = await self._send_call(row, json.loads(row["body"]))
                # Other processes can use a file while the next response is awaited.
                with sql_client(self._pipeline) as sql:
                    uploads.save_upload(sql, outcome)
                self._progress.advance(self._bar)

    async def _send_call(self, row: CallRow, body: Mapping[str, Any]) -> Upload:
        """Send a call and return its outcome.

        Raises:
            GongError: If the error is not about this call, so that the others would fail as well.
        """
        number, client_unique_id, has_url = row["row"], row["client_unique_id"], "downloadMediaUrl" in body
        try:
            call_id = await add_call(self._client, body)
        except (RunStopped, AuthenticationError, MissingScopeError, UnexpectedRedirectError, HostUnreachableError):
            raise
        except RequestError as error:
            self._consecutive_failures = 0
            self._refused.append(FailedRow(number, client_unique_id, [str(error)]))
            return self._upload(number, client_unique_id, "refused", error=[str(error)], has_media_url=has_url)
        except GongError as error:
            self._consecutive_failures += 1
            if self._consecutive_failures == MAX_CONSECUTIVE_FAILURES:
                raise
            self._failed.append(FailedRow(number, client_unique_id, [str(error)]))
            return self._upload(number, client_unique_id, "failed", error=[str(error)], has_media_url=has_url)
        self._consecutive_failures = 0
        self._added += 1
        return self._upload(number, client_unique_id, "added", call_id=call_id, has_media_url=has_url)

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
            run_id=self._job.run_id,
            at=datetime.now(UTC),
        )

    def _result(self) -> UploadResult:
        self._job.has_failures = bool(self._invalid or self._refused or self._failed)
        reached = self._already_added + self._added + len(self._refused) + len(self._failed)
        return UploadResult(
            **self._job.figures(),
            file=self._options.file.name,
            dry_run=self._options.dry_run,
            rows=self._rows,
            added=self._added,
            already_added=self._already_added,
            invalid=self._invalid,
            refused=self._refused,
            failed=self._failed,
            not_sent=self._rows - len(self._invalid) - reached,
        )

    def _columns(self) -> RunColumns:
        return RunColumns(calls=self._added, rejected=len(self._invalid) + len(self._refused))


def _client_unique_id(values: Mapping[str, Any]) -> str | None:
    """Return the id that an invalid row gives its call; None if it has none that can be read."""
    value = values.get("client_unique_id", values.get("clientUniqueId"))
    return str(value).strip() or None if isinstance(value, str | int) else None
