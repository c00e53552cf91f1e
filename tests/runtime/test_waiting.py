"""How long a command waits for what another process holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from destinations.warehouse import WarehouseInUseError
from pipelines.runtime.errors import UsageError
from pipelines.runtime.process.waiting import WaitPolicy
from pipelines.runtime.run_options import parse_wait
from sources.gong.errors import DeadlineExceeded
from state.lock import LockHeldError


class Attempt:
    """An attempt that fails a number of times."""

    def __init__(self, failures: int) -> None:
        self.failures, self.calls = failures, 0

    def __call__(self) -> str:
        """Fail as for a file that another process has open, then succeed."""
        self.calls += 1
        if self.calls <= self.failures:
            raise WarehouseInUseError("pid 7 has warehouse.duckdb open")
        return "opened"


def test_an_attempt_is_repeated_until_it_succeeds() -> None:
    """A file that is held for a moment fails nothing."""
    attempt = Attempt(failures=3)

    assert WaitPolicy(10).retry(attempt) == "opened"
    assert attempt.calls == 4


def test_without_a_wait_there_is_one_attempt_and_the_holder_is_named() -> None:
    """A scheduler with its own retries fails at once."""
    attempt = Attempt(failures=1)

    with pytest.raises(LockHeldError, match=r"^pid 7 has warehouse.duckdb open; .*--wait"):
        WaitPolicy(0).retry(attempt)
    assert attempt.calls == 1


def test_a_wait_ends_after_its_duration() -> None:
    """A command never hangs on a process that does not end."""
    with pytest.raises(LockHeldError, match=r"^pid 7 has warehouse.duckdb open, also after 0 s"):
        WaitPolicy(0.1).retry(Attempt(failures=1_000))


def test_the_deadline_bounds_every_wait() -> None:
    """`--deadline` ends a run on purpose, also while it waits."""
    policy = WaitPolicy(60, deadline=datetime.now(UTC) + timedelta(seconds=0.1))

    with pytest.raises(DeadlineExceeded, match="pid 7"):
        policy.retry(Attempt(failures=1_000))


def test_a_lock_is_taken_when_its_holder_releases_it(tmp_path: Path) -> None:
    """Both kinds of locks share one policy."""
    path = tmp_path / "gong.lock"
    with (
        WaitPolicy(0).hold_lock(path, "first", "sync"),
        pytest.raises(LockHeldError, match=r"sync, run_id first, pid \d+, host .*, since 2"),
        WaitPolicy(0.1).hold_lock(path, "second", "sync"),
    ):
        pass

    with WaitPolicy(0).hold_lock(path, "second", "sync"):
        pass


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("5", 5), ("30s", 30), ("5m", 300)])
def test_the_option_is_a_duration_or_seconds(text: str, seconds: int) -> None:
    """The units are those of all durations."""
    assert parse_wait(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "-1s", "soon", "5 bananas", "1" * 10])
def test_another_option_is_refused(text: str) -> None:
    """A wrong option must not wait for ever."""
    with pytest.raises(UsageError, match="--wait"):
        parse_wait(text)
