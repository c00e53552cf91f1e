"""Errors of jobs, and the one line that a user reads of an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from traceback import extract_tb

from dlt.common.configuration.exceptions import ConfigFieldMissingException, LookupTrace, LookupTraces

from destinations.warehouse import InvalidWarehouseError, NotPublishedError
from sources.gong import GongError
from state.lock import LockHeldError

# A request's place differs from one resource to the next even if the cause is the same.
_REQUEST = re.compile(r"^[A-Z]+ /\S+: ")
_REQUEST_ID = re.compile(r" \(requestId [^)]*\)")
_LISTED_NAMES = 3
# Their texts mean something only together with the code that raised them.
_PROGRAMMING_ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError)


class UsageError(Exception):
    """An option or setting is missing or invalid. The message is one line that names it; exit code 2."""


class JobRefusedError(Exception):
    """A safety limit stopped the job before it changed anything. The message names the limit; exit code 1."""


class PublicationError(Exception):
    """The copy that `--publish` names was not replaced, although the run's data was loaded; exit code 1."""


class RunLogError(Exception):
    """The end of a run could not be written to `_runs`, although its data was loaded; exit code 1."""


_WRITTEN_FOR_USERS = (
    GongError,
    UsageError,
    JobRefusedError,
    PublicationError,
    RunLogError,
    LockHeldError,
    InvalidWarehouseError,
    NotPublishedError,
    ConfigFieldMissingException,
)


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
    """Return the cause of an error as one line, without the names of dlt's steps and classes around it.

    The cause is the first error of the chain whose message is written for users, otherwise the innermost error. Notes
    of errors name the place, such as a table.
    """
    chain = exception_chain(error)
    cause = next((cause for cause in chain if isinstance(cause, _WRITTEN_FOR_USERS)), chain[-1])
    if isinstance(cause, ConfigFieldMissingException):
        return _describe_missing_setting(cause)
    if isinstance(cause, OSError) and cause.strerror:
        return one_line(f"{cause.strerror}: {cause.filename}" if cause.filename else cause.strerror)
    if isinstance(cause, MemoryError):
        return "out of memory"
    if isinstance(cause, _PROGRAMMING_ERRORS):
        return one_line(f"unexpected {type(cause).__name__}: {cause} ({_place(cause)}); please report it")
    hint = "; gong-elt sync creates missing tables again" if any(map(_is_missing_table, chain)) else ""
    place = "".join(f"{note}: " for error in chain for note in getattr(error, "__notes__", ()))
    return place + one_line(_read_message(cause) or type(cause).__name__) + hint


def _read_message(error: BaseException) -> str:
    match error.args:
        # Some drivers raise errors with a number and a text, whose `str` is the tuple.
        case (int(number), str(text)):
            return f"{text} (error {number})"
    return str(error)


def _is_missing_table(error: BaseException) -> bool:
    # dlt's class; importing it here would slow down commands that open no warehouse.
    return type(error).__name__ == "DatabaseUndefinedRelation"


def group_by_cause(reasons: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
    """Yield each cause once, with the names of what it affects.

    Args:
        reasons: Why something failed, by its name. Reasons that differ only in the request have the same cause.
    """
    groups: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        groups.setdefault(_REQUEST_ID.sub("", _REQUEST.sub("", reason)), []).append(name)
    for cause, names in groups.items():
        texts = {reasons[name] for name in names}
        yield names, texts.pop() if len(texts) == 1 else cause


def list_names(names: list[str]) -> str:
    """Return the first names, and the number of the others: `calls, users, library and 8 more`."""
    more = len(names) - _LISTED_NAMES
    return ", ".join(names[:_LISTED_NAMES]) + (f" and {more} more" if more > 0 else "")


def one_line(text: object, max_characters: int | None = None) -> str:
    """Return the text with all white space collapsed to single spaces, cut to `max_characters`."""
    return " ".join(str(text).split())[:max_characters]


def _describe_missing_setting(error: ConfigFieldMissingException) -> str:
    """Return the settings that dlt did not find; its own text lists every place where it searched."""
    variables = list(_missing_variables(error.traces))
    variable = " and ".join(variables)
    setting = variable.lower().replace("__", ".")
    return f"{setting} is missing: set it in .dlt/secrets.toml, or {variable} in the environment"


def _missing_variables(traces: Mapping[str, Sequence[LookupTrace | LookupTraces]]) -> Iterator[str]:
    """Yield the environment variable of each missing setting."""
    for field, searched in traces.items():
        nested = [trace for trace in searched if isinstance(trace, LookupTraces)]
        if nested:
            # The others are the same setting in another form.
            yield from _missing_variables(nested[0].traces)
            continue
        keys = [trace.key for trace in searched if isinstance(trace, LookupTrace) and trace.key.isupper()]
        # The first places are below the names of the pipeline and of the schema.
        yield next((key for key in keys if key.startswith(("DESTINATION__", "SOURCES__"))), (keys or [field])[-1])


def _place(error: BaseException) -> str:
    """Return the module and line that raised an error."""
    frames = extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "place unknown"
