"""A failure in one line."""

from __future__ import annotations

from sources.gong import GongError


def told(failure: BaseException) -> str:
    """The cause of a failure in one line: Gong's own error if there is one among the causes."""
    causes: list[BaseException] = []
    cause: BaseException | None = failure
    while cause is not None and cause not in causes:
        causes.append(cause)
        # What failed inside a group of tasks is the failure; the group only carries it.
        inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = inner or cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    told = next((cause for cause in causes if isinstance(cause, GongError)), causes[-1])
    return " ".join((str(told) or type(told).__name__).split())
