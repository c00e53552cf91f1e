"""`--publish`: replace a copy of the warehouse's file after a run, for BI tools that keep it open."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from destinations.kinds.duckdb.copy import delete_drafts, replace_copy, write_copy

from ..runtime.errors import PublicationError, UsageError, root_cause_message
from ..runtime.job import Job
from ..runtime.process.interruption import cleanup_on_signal
from ..runtime.target import Target

_MAGIC = slice(8, 12), b"DUCK"


@dataclass(frozen=True, slots=True)
class Publication:
    """A copy of a warehouse's file.

    Attributes:
        source: The warehouse's file.
        file: The copy.
    """

    source: Path
    file: Path

    @property
    def drafts(self) -> tuple[str, ...]:
        """The files that are written before the copy is replaced."""
        draft = str(self.file.with_name(self._draft_prefix))
        return draft, f"{draft}.wal", f"{draft}.wal.checkpoint", f"{draft}.wal.recovery"

    @property
    def _draft_prefix(self) -> str:
        return f".{self.file.name}.part"

    def write(self, job: Job) -> str | None:
        """Replace the copy by the warehouse's present state; a failure becomes the outcome of the job.

        Args:
            job: The run that has ended. Nothing is published if a signal ended it, or there is no warehouse yet.

        Returns:
            The file; None if it was not replaced.
        """
        if job.is_interrupted or job.target.missing_file is not None:
            return None
        lock = self.file.with_name(f".{self.file.name}.lock")
        try:
            # The lock would create the folder, for example in place of a disk that was removed.
            self.file.parent.stat()
            with (
                job.target.waiting.hold_lock(lock, job.run_id, job.command),
                cleanup_on_signal(self._delete_drafts),
            ):
                self._delete_drafts()
                try:
                    draft = self.file.with_name(self._draft_prefix)
                    write_copy(job.target.warehouse, self.source, draft, self.file.name)
                    replace_copy(draft, self.file)
                finally:
                    self._delete_drafts()
        except Exception as error:
            failure = PublicationError(
                f"{self.file} was not replaced and has the state of an earlier run: {root_cause_message(error)}"
            )
            failure.__cause__ = error
            job.error = job.error or failure
            return None
        return str(self.file)

    def _delete_drafts(self) -> None:
        # The next run deletes what cannot be deleted now.
        with suppress(OSError):
            delete_drafts(self.file.parent, self._draft_prefix)


def plan_publication(target: Target, publish: str | None, datasets: Collection[str] = ()) -> Publication | None:
    """Return what `--publish` asks for; None without it. Call it before the run, so that mistakes are found early.

    Args:
        target: The warehouse.
        publish: The file as the user wrote it.
        datasets: Datasets of the warehouse.

    Raises:
        UsageError: If the warehouse is a server, or the copy cannot be written.
    """
    if not publish:
        return None
    source = target.warehouse.file
    if source is None:
        raise UsageError(
            f"--publish {publish!r} copies the file of a DuckDB warehouse, and destination {target.name!r} has none:"
            " leave out --publish and gong_elt.publish"
        )
    # A link is kept, and the file that it names is replaced.
    file = Path(publish).expanduser().resolve()
    _refuse_invalid_name(publish, file, source.resolve(), datasets)
    _refuse_unwritable(publish, file, source)
    return Publication(source, file)


def _refuse_invalid_name(publish: str, file: Path, source: Path, datasets: Collection[str]) -> None:
    if file.is_dir():
        raise UsageError(f"--publish {publish!r} is a folder: name a file in it")
    if file in (source, source.with_name(f"{source.name}.wal")) or (
        file.exists() and source.exists() and file.samefile(source)
    ):
        raise UsageError(f"--publish {publish!r} is the warehouse itself: name another file")
    for dataset in datasets:
        if file.stem.casefold() == dataset.casefold():
            raise UsageError(
                f"--publish {publish!r} has the name of dataset {dataset!r}, and DuckDB cannot distinguish them: name"
                " another file"
            )
    if file.exists() and not (file.is_file() and _is_duckdb_file(file)):
        raise UsageError(f"--publish {publish!r} is not a DuckDB file and would be replaced: name another file")


def _refuse_unwritable(publish: str, file: Path, source: Path) -> None:
    if not file.parent.is_dir():
        raise UsageError(f"the folder of --publish {publish!r} does not exist: create it")
    probe = file.with_name(f".{file.name}.part.test")
    try:
        probe.touch()
        probe.unlink()
        free_bytes = shutil.disk_usage(file.parent).free
    except OSError as error:
        raise UsageError(f"--publish {publish!r} cannot be written: {error.strerror}") from error
    if source.exists() and free_bytes < source.stat().st_size:
        raise UsageError(
            f"--publish {publish!r} cannot be written: its disk has {free_bytes >> 20:,} MB left, and {source.name} has"
            f" {source.stat().st_size >> 20:,} MB"
        )


def _is_duckdb_file(file: Path) -> bool:
    position, magic = _MAGIC
    with file.open("rb") as opened:
        beginning = opened.read(position.stop)
    return not beginning or beginning[position] == magic
