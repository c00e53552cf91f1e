"""Errors of jobs, and the one line that a user reads of an error."""

from __future__ import annotations

from sources.gong import GongError


class UsageError(Exception):
    """An option or setting is missing or invalid. The message is one line that names it; exit code 2."""


class JobRefusedError(Exception):
    """A safety limit stopped the job before it changed anything. The message names the limit; exit code 1."""


class RunLogError(Exception):
    """The end of a run could not be written to `_runs`, although its data was loaded; exit code 1."""


def exception_chain(error: BaseException | None) -> list[BaseException]:
    """Return the error and its causes, outermost first; an empty list for None."""
    chain: list[BaseException] = []
    cause = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        # A group only carries the errors of its tasks.
        inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = inner or cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return chain


def root_cause_message(error: BaseException) -> str:
    """Return the cause of an error as one line: the first GongError of the chain, otherwise the innermost error."""
    chain = exception_chain(error)
    cause = next((cause for cause in chain if isinstance(cause, GongError)), chain[-1])
    return one_line(str(cause) or type(cause).__name__)


def one_line(text: object, max_characters: int | None = None) -> str:
    """Return the text with all white space collapsed to single spaces, cut to `max_characters`."""
    return " ".join(str(text).split())[:max_characters]
