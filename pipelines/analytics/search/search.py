"""Job of `gong-elt search`: find sentences by their words, ranked, with their context."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from sources.gong import parse_datetime_setting
from state.runs import new_run_id
from state.sql import placeholders

from ...runtime.connection import Connection
from ...runtime.display.text import make_printable
from ...runtime.errors import UsageError
from ...runtime.process.waiting import WaitPolicy
from ...runtime.result import Status
from ...runtime.target import Target
from ..derived_data import index_folder, index_lock
from ..export import SIDES
from ..marts import DEFAULT_ANALYTICS, Marts, contains, open_marts

if TYPE_CHECKING:
    from .index import QueryResult, SearchQuery, SentenceIndex

_FILTERED_CALLS = "SELECT call_id FROM {marts}.calls_enriched WHERE {conditions}"
_FACTS = """
SELECT call_id, title, url, started, host_name, account_name FROM {marts}.calls_enriched
WHERE call_id IN ({placeholders})
"""
_MAX_SENTENCES = 1_000


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options of a search.

    Attributes:
        words: Words, "exact phrases", OR and -excluded words.
        rep: Part of the host's name, case-insensitive.
        account: Part of the account's name, case-insensitive.
        side: Only what this side said.
        since: Start of the period as the user wrote it.
        until: End of the period, exclusive.
        limit: Maximum number of sentences.
        context: Number of sentences before and after each.
        newest: Sort by date, newest call first, instead of relevance.
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
    rebuild: bool = False
    analytics: str = DEFAULT_ANALYTICS


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Result of a search; the fields are the keys of `--json`.

    Attributes:
        query: The words.
        match: `all words` if sentences contain all of them, else `any word`.
        count: Number of matching sentences.
        hits: The first of them, each with score (null with `newest`), call, position, speaker, side, text, and
            the sentences `before` and `after`.
        calls_indexed: Number of calls indexed by this search.
        search_ms: Duration of the query without indexing.
        duration_seconds: Duration of the whole command.
    """

    status: Status
    destination: str
    dataset: str
    analytics: str
    query: str
    match: str
    count: int
    hits: Sequence[Mapping[str, Any]]
    calls_indexed: int
    search_ms: float
    duration_seconds: float

    def lines(self) -> Iterator[str | Text]:
        """Yield each hit with its context, then the counts."""
        for hit in self.hits:
            started = f"{hit['started']:%Y-%m-%d}" if hit["started"] else None
            facts = (hit["title"], started, hit["host_name"], hit["account_name"], hit["url"])
            yield Text(make_printable(" · ".join(str(fact) for fact in facts if fact)), style="dim")
            yield from (_format_line(line, is_hit=False) for line in hit["before"])
            yield _format_line(hit, is_hit=True)
            yield from (_format_line(line, is_hit=False) for line in hit["after"])
            yield ""
        sentences = f"{self.count:,} sentence{'' if self.count == 1 else 's'}"
        is_partial = self.count > 0 and self.match == "any word"
        match = " with any of these words, none with all of them" if is_partial else ""
        limit = f", the first {len(self.hits):,} shown" if len(self.hits) < self.count else ""
        yield f"{sentences}{match}{limit}; {self.search_ms:.0f} ms"


def search_packages_are_installed() -> bool:
    """Return whether the packages of the extra `search` are installed."""
    return find_spec("tantivy") is not None


def search(connection: Connection, target: Target, options: SearchOptions, err: Console) -> SearchResult:
    """Find sentences, after refreshing the index if the marts have changed.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: Words and filters.
        err: Console for the progress bar.

    Raises:
        UsageError: If an option is invalid, or the marts do not exist.
        ConfigurationError: If a date is invalid.
        LockHeldError: If another process is refreshing the index for longer than the command waits.
    """
    if not search_packages_are_installed():
        raise UsageError("gong-elt search needs a package: pip install 'gong-elt[search]'")
    from .index import SearchQuery  # noqa: PLC0415 - the package is optional

    _validate(options)
    clock = time.monotonic()
    since = parse_datetime_setting(options.since, "--since") if options.since else None
    until = parse_datetime_setting(options.until, "--until") if options.until else None
    folder = index_folder(target, options.analytics)
    with open_marts(connection, target, options.analytics) as marts:
        query = SearchQuery(
            options.words,
            side=options.side,
            calls=_filtered_calls(marts, options),
            since=since,
            until=until,
            limit=options.limit,
            context=options.context,
            newest=options.newest,
        )
        result, calls_indexed, search_seconds = _search_index(
            folder, marts, query, err, target.waiting, rebuild=options.rebuild
        )
        facts_clock = time.monotonic()
        facts = _call_facts(marts, list(dict.fromkeys(hit.line.call_id for hit in result.hits)))
        search_seconds += time.monotonic() - facts_clock
    unknown_facts = dict.fromkeys(("title", "url", "started", "host_name", "account_name"))
    return SearchResult(
        status="done",
        destination=target.name,
        dataset=target.dataset,
        analytics=options.analytics,
        query=options.words,
        match=result.match,
        count=result.count,
        hits=[
            {
                "score": hit.score,
                **asdict(hit.line),
                **facts.get(hit.line.call_id, unknown_facts),
                "before": [asdict(line) for line in hit.before],
                "after": [asdict(line) for line in hit.after],
            }
            for hit in result.hits
        ],
        calls_indexed=calls_indexed,
        search_ms=round(1_000 * search_seconds, 1),
        duration_seconds=round(time.monotonic() - clock, 3),
    )


def _search_index(
    folder: Path, marts: Marts, query: SearchQuery, err: Console, waiting: WaitPolicy, *, rebuild: bool
) -> tuple[QueryResult, int, float]:
    """Return the result, the number of calls indexed for it, and the seconds that the query took.

    A part of the index that cannot be read is deleted and built again.

    Raises:
        UsageError: If a part cannot be read or deleted even so.
    """
    from .index import BrokenPartError, SentenceIndex  # noqa: PLC0415 - the package is optional

    index = SentenceIndex(folder)
    calls_indexed, dropped = 0, set[int]()
    while True:
        try:
            if rebuild or index.is_behind(marts):
                calls_indexed += _refresh(index, folder, marts, err, waiting, rebuild=rebuild)
                rebuild = False
            clock = time.monotonic()
            return index.search(query), calls_indexed, time.monotonic() - clock
        except BrokenPartError as broken:
            if broken.part in dropped:
                raise UsageError(f"{broken}; delete the folder {str(folder)!r}") from broken
            try:
                with waiting.hold_lock(index_lock(folder), new_run_id(datetime.now(UTC)), "search"):
                    # Another search may have built the part again while this one waited.
                    if not _can_answer(index, marts, query):
                        dropped.add(broken.part)
                        index.drop_part(broken.part)
            except OSError as error:
                raise UsageError(
                    f"{broken}, nor deleted: {error.strerror}; delete the folder {str(folder)!r}"
                ) from error


def _can_answer(index: SentenceIndex, marts: Marts, query: SearchQuery) -> bool:
    """Return whether the index is up to date and can be read."""
    from .index import BrokenPartError  # noqa: PLC0415 - the package is optional

    try:
        index.search(query)
    except BrokenPartError:
        return False
    return not index.is_behind(marts)


def _refresh(
    index: SentenceIndex, folder: Path, marts: Marts, err: Console, waiting: WaitPolicy, *, rebuild: bool
) -> int:
    """Bring the index up to date with the marts, and return the number of calls indexed."""
    run_id = new_run_id(datetime.now(UTC))
    with waiting.hold_lock(index_lock(folder), run_id, "search"), _progress_bar(err) as bar:
        task = bar.add_task("indexing calls", total=None)

        def show_progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        calls_indexed = index.refresh(marts, show_progress, rebuild=rebuild)
        # A reconcile that ran meanwhile could not lock the index: drop the calls that it erased.
        if index.is_behind(marts):
            calls_indexed += index.refresh(marts, show_progress)
    return calls_indexed


def _validate(options: SearchOptions) -> None:
    if not any(letter.isalnum() for letter in options.words):
        raise UsageError(f"{options.words!r} contains no word: enter a word to search for")
    if options.side is not None and options.side not in SIDES:
        raise UsageError(f"--side {options.side!r} is unknown: use one of {', '.join(SIDES)}")
    if not 1 <= options.limit <= _MAX_SENTENCES:
        raise UsageError(f"--limit {options.limit} is out of range: use 1 to {_MAX_SENTENCES:,}")
    if not 0 <= options.context <= _MAX_SENTENCES:
        raise UsageError(f"--context {options.context} is out of range: use 0 to {_MAX_SENTENCES:,}")


def _progress_bar(err: Console) -> Progress:
    return Progress(console=err, disable=not err.is_terminal, transient=True)


def _filtered_calls(marts: Marts, options: SearchOptions) -> list[str] | None:
    names = {"host_name": options.rep, "account_name": options.account}
    filters = {column: part.lower() for column, part in names.items() if part}
    if not filters:
        return None
    conditions = " AND ".join(map(contains, filters))
    sql = _FILTERED_CALLS.format(marts=marts.schema, conditions=conditions)
    return [row["call_id"] for row in marts.rows(sql, *filters.values())]


def _call_facts(marts: Marts, call_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not call_ids:
        return {}
    sql = _FACTS.format(marts=marts.schema, placeholders=placeholders(len(call_ids)))
    return {
        row["call_id"]: {
            **{name: row[name] for name in row if name != "call_id"},
            "started": row["started"] and row["started"].astimezone(UTC),
        }
        for row in marts.rows(sql, *call_ids)
    }


def _format_line(line: Mapping[str, Any], *, is_hit: bool) -> Text:
    speaker = make_printable(line["speaker"] or "Unknown speaker")
    text = Text(f"{'>' if is_hit else ' '} {line['start_time']}  {speaker} ({line['side']}): ", style="dim")
    text.append(make_printable(line["text"]), style="bold" if is_hit else "dim")
    return text
