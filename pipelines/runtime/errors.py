"""A failure in one line, and what it came from."""

from __future__ import annotations

from sources.gong import GongError


def exception_chain(failure: BaseException | None) -> list[BaseException]:
    """The failure and what it came from, one after the other; none for None."""
    found: list[BaseException] = []
    cause = failure
    while cause is not None and cause not in found:
        found.append(cause)
        # What failed inside a group of tasks is the failure; the group only carries it.
        inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = inner or cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return found


def root_cause_message(failure: BaseException) -> str:
    """The cause of a failure in one line: Gong's own error if there is one among the causes."""
    found = exception_chain(failure)
    cause = next((cause for cause in found if isinstance(cause, GongError)), found[-1])
    return " ".join((str(cause) or type(cause).__name__).split())
