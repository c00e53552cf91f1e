"""Status, reason and exit code of a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.runtime.connection import Connection
from pipelines.runtime.errors import JobRefusedError, UsageError
from pipelines.runtime.job import USER_ERRORS, Job
from pipelines.runtime.process.waiting import WaitPolicy
from pipelines.runtime.result import EXIT_CODES
from pipelines.runtime.target import Target
from sources.gong.errors import DeadlineExceeded, GongError, QuotaExceeded
from state.lock import LockHeldError


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return a job that has not opened anything."""
    target = Target.resolve(
        "duckdb", "gong", file=tmp_path / "warehouse.duckdb", folder=tmp_path / "working", waiting=WaitPolicy(0)
    )
    return Job("test", Connection(), target)


@pytest.mark.parametrize(
    ("error", "status", "exit_code"),
    [
        (None, "done", 0),
        (GongError("POST /v2/calls: HTTP 400"), "failed", 1),
        (OSError("disk full"), "failed", 1),
        (JobRefusedError("too many calls"), "refused", 1),
        (QuotaExceeded("no requests left"), "stopped", 3),
        (ExceptionGroup("tasks", [DeadlineExceeded("deadline reached")]), "stopped", 3),
    ],
)
def test_the_error_determines_status_and_exit_code(
    job: Job, error: Exception | None, status: str, exit_code: int
) -> None:
    """Schedulers act on the exit code, so all jobs must map errors in the same way."""
    with job.keep_errors():
        if error is not None:
            raise error

    assert (job.status, EXIT_CODES[job.status]) == (status, exit_code)


def test_the_reason_is_the_root_cause_on_one_line(job: Job) -> None:
    """The reason is stored in a column and printed on one line."""
    with job.keep_errors():
        try:
            raise GongError("POST /v2/calls:\n HTTP 500", request_id="r1")
        except GongError as error:
            raise RuntimeError("pipeline step failed") from error

    assert job.reason == "POST /v2/calls: HTTP 500 (requestId r1)"


def test_failed_items_fail_a_job_without_an_error(job: Job) -> None:
    """An upload with refused rows must not look complete."""
    job.has_failures = True

    assert (job.status, job.reason) == ("failed", None)


def test_failed_resources_share_one_reason(job: Job) -> None:
    """A rejected credential fails every resource; its message appears once."""
    job.metrics.failed = {
        "calls": GongError("HTTP 401"),
        "users": GongError("HTTP 401"),
        "briefs": GongError("HTTP 500"),
    }

    assert job.status == "failed"
    assert job.reason == "calls, users: HTTP 401; briefs: HTTP 500"


def test_errors_of_the_user_are_raised(job: Job) -> None:
    """They end the command with exit code 2 instead of a result."""
    with pytest.raises(UsageError), job.keep_errors(reraise=USER_ERRORS):
        raise UsageError("--since is not a date")

    assert job.error is None


def test_requests_of_the_run_reduce_what_is_left(job: Job) -> None:
    """A client that is created later in the run must not get the whole quota again."""
    quota = job.requests_left
    job.metrics.requests = 7

    assert job.requests_left == quota - 7


def test_two_jobs_of_a_connection_exclude_each_other(job: Job) -> None:
    """Two runs would write the same rows and each believe in its own bookmark."""
    other = Job("test", job.connection, job.target)

    with job.lock(), pytest.raises(LockHeldError, match=f"run_id {job.run_id}, pid "), other.lock():
        pass

    with other.lock():
        pass
