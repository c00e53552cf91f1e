"""Job of `gong-elt search`: find sentences by their words, ranked, with their context."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress

from sources.gong import parse_datetime_setting

from ...runtime.connection import Connection
from ...runtime.errors import UsageError
from ...runtime.target import Target
from ..accounts import resolve_accounts
from ..calls.selection import CallFilter, select_call_ids
from ..export import SIDES
from ..marts import DEFAULT_ANALYTICS, Marts, open_marts
from .query import MODES, Mode, SearchQuery
from .result import SearchResult
from .sentences import SentenceSearcher

_MAX_SENTENCES = 1_000


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options of a search.

    Attributes:
        words: Words, "exact phrases", OR and -excluded words.
        rep: Part of the host's name, case-insensitive.
        account: Name of the account or a part of it, its domain, its id in the CRM, or a contact's e-mail address.
        side: Only what this side said.
        since: Start of the period as the user wrote it.
        until: End of the period, exclusive.
        limit: Maximum number of sentences.
        context: Number of sentences before and after each.
        newest: Sort by date, newest call first, instead of relevance.
        duplicates: Return each of the sentences that have the same words, not one with their number.
        mode: `words`, `meaning` or `both`; None for `both` if the extra `semantic` is installed, else `words`.
        rebuild: Rebuild the index from scratch.
        analytics: Dataset of the marts.
    """

    words: str
    rep: str | None = None
    account: str | None = None
    side: str | None = None
    since: str | None = None
    until: str | None = None
    limit: int = 10
    context: int = 1
    newest: bool = False
    duplicates: bool = False
    mode: str | None = None
    rebuild: bool = False
    analytics: str = DEFAULT_ANALYTICS


def search(connection: Connection, target: Target, options: SearchOptions, err: Console) -> SearchResult:
    """Find sentences, after refreshing the index if the marts have changed.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: Words and filters.
        err: Console for the progress bar.

    Raises:
        UsageError: If an option is invalid, a package is missing, or the marts do not exist.
        ConfigurationError: If a date is invalid.
        LockHeldError: If another process is refreshing the index for longer than the command waits.
    """
    searcher = SentenceSearcher(target, options.analytics)
    mode = _validate(options)
    clock = time.monotonic()
    since = parse_datetime_setting(options.since, "--since") if options.since else None
    until = parse_datetime_setting(options.until, "--until") if options.until else None
    with open_marts(connection, target, options.analytics) as marts, _progress_bar(err) as bar:
        calls, reason = _select_calls(marts, options)
        task = None

        def show_progress(done: int, total: int) -> None:
            nonlocal task
            task = bar.add_task("indexing calls") if task is None else task
            bar.update(task, completed=done, total=total)

        found = searcher.search(
            marts,
            SearchQuery(
                options.words,
                side=options.side,
                calls=calls,
                since=since,
                until=until,
                limit=options.limit,
                context=options.context,
                newest=options.newest,
                folds_duplicates=not options.duplicates,
                mode=mode,
            ),
            rebuild=options.rebuild,
            progress=show_progress,
        )
    return SearchResult(
        status="done",
        destination=target.name,
        dataset=target.dataset,
        analytics=options.analytics,
        query=options.words,
        mode=found.mode,
        match=found.match,
        count=found.count,
        hits=found.hits,
        suggestions=found.suggestions,
        reason=reason,
        calls_indexed=found.calls_indexed,
        search_ms=round(1_000 * found.search_seconds, 1),
        duration_seconds=round(time.monotonic() - clock, 3),
    )


def _select_calls(marts: Marts, options: SearchOptions) -> tuple[Sequence[str] | None, str | None]:
    """Return the ids of the calls of a host and an account, None for all; and why there are none, if it is known."""
    if not options.account:
        return select_call_ids(marts, CallFilter(rep=options.rep)), None
    accounts = resolve_accounts(marts, options.account)
    calls = select_call_ids(marts, CallFilter(rep=options.rep, account_ids=accounts.account_ids))
    return calls, accounts.unknown_message(options.account)


def _validate(options: SearchOptions) -> Mode | None:
    """Refuse invalid options, and return the mode."""
    modes: dict[str | None, Mode | None] = {None: None, **{mode: mode for mode in MODES}}
    if options.mode not in modes:
        raise UsageError(f"--mode {options.mode!r} is unknown: use one of {', '.join(MODES)}")
    if not any(letter.isalnum() for letter in options.words):
        raise UsageError(f"{options.words!r} contains no word: enter a word to search for")
    if options.side is not None and options.side not in SIDES:
        raise UsageError(f"--side {options.side!r} is unknown: use one of {', '.join(SIDES)}")
    if not 1 <= options.limit <= _MAX_SENTENCES:
        raise UsageError(f"--limit {options.limit} is out of range: use 1 to {_MAX_SENTENCES:,}")
    if not 0 <= options.context <= _MAX_SENTENCES:
        raise UsageError(f"--context {options.context} is out of range: use 0 to {_MAX_SENTENCES:,}")
    return modes[options.mode]


def _progress_bar(err: Console) -> Progress:
    return Progress(console=err, disable=not err.is_terminal, transient=True)
