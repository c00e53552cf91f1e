"""`gong-elt search`: sentences of the marts by their words, ranked, with what was said around them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from sources.gong import parse_datetime_setting
from state.lock import run_lock
from state.runs import new_run_id

from ...runtime.connection import Connection
from ...runtime.errors import UsageError
from ...runtime.result import Status
from ...runtime.target import Target
from ..derived_data import index_folder, index_lock
from ..export import SIDES
from ..marts import DEFAULT_ANALYTICS, Marts, marts

_CHOSEN_CALLS = "SELECT call_id FROM {marts}.calls_enriched WHERE {conditions}"
_FACTS = """
SELECT call_id, title, url, started, host_name, account_name FROM {marts}.calls_enriched WHERE call_id IN ({places})
"""
_LARGEST = 1_000


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What is looked for.

    Attributes:
        words: In the user's words; "in quotes" side by side, OR, -without.
        rep: Part of the host's name, upper or lower case.
        account: Part of the account's name.
        side: Only what this side says.
        since: Begin of the period in the user's words.
        until: Its end, not part of it.
        limit: How many sentences.
        context: How many sentences before and after each.
        newest: Whether the newest call comes first, and not the best match.
        rebuild: Whether the index is made from scratch.
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
    """What was found; the fields are the keys of `--json`.

    Attributes:
        query: The words.
        match: `all words` in a sentence or, if there is no such sentence, `any word`.
        count: Sentences that match; `hits` are the first of them.
        hits: Each with score (null with `newest`), call, place in it, speaker, side, text, and `before` and `after`.
        calls_indexed: Calls whose sentences had to be written into the index before.
        search_ms: The search alone, in milliseconds.
        duration_seconds: All of it.
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
        """Yield each hit between its neighbouring sentences, then the counts."""
        for hit in self.hits:
            started = f"{hit['started']:%Y-%m-%d}" if hit["started"] else None
            facts = (hit["title"], started, hit["host_name"], hit["account_name"], hit["url"])
            yield Text(_printable(" · ".join(str(fact) for fact in facts if fact)), style="dim")
            yield from (_line(line, is_hit=False) for line in hit["before"])
            yield _line(hit, is_hit=True)
            yield from (_line(line, is_hit=False) for line in hit["after"])
            yield ""
        found = f"{self.count:,} sentence{'' if self.count == 1 else 's'}"
        only_some = self.count > 0 and self.match == "any word"
        how = " with any of these words, none with all of them" if only_some else ""
        shown = f", the first {len(self.hits):,} shown" if len(self.hits) < self.count else ""
        yield f"{found}{how}{shown}; {self.search_ms:.0f} ms"


def search_packages_are_installed() -> bool:
    """Whether the packages of the extra `search` are there."""
    return find_spec("tantivy") is not None


def search(connection: Connection, target: Target, options: SearchOptions, err: Console) -> SearchResult:
    """Looks for sentences; brings the index up to the marts before.

    Args:
        connection: Which Gong account.
        target: Where its marts are.
        options: What is looked for.
        err: Where progress is drawn.

    Raises:
        UsageError: An option cannot be used, or there are no marts.
        ConfigurationError: A word is not a date.
        LockHeldError: Another search writes the index at the moment.
    """
    if not search_packages_are_installed():
        raise UsageError("the index of sentences needs a package: pip install 'gong-elt[search]'")
    from .index import SentenceIndex, Wanted  # noqa: PLC0415 - only once it is known to be installed

    _refuse(options)
    clock = time.monotonic()
    since = parse_datetime_setting(options.since, "--since") if options.since else None
    until = parse_datetime_setting(options.until, "--until") if options.until else None
    folder = index_folder(target, options.analytics)
    index = SentenceIndex(folder)
    with marts(connection, target, options.analytics) as opened:
        written = 0
        if options.rebuild or index.is_behind(opened):
            with run_lock(index_lock(folder), new_run_id(datetime.now(UTC))), _bar(err) as bar:
                task = bar.add_task("indexing calls", total=None)

                def progress(done: int, total: int) -> None:
                    bar.update(task, completed=done, total=total)

                written = index.refresh(opened, progress, rebuild=options.rebuild)
                # A reconcile that erased calls meanwhile has left it to us to take them out.
                if index.is_behind(opened):
                    written += index.refresh(opened, progress)
        before = time.monotonic()
        found = index.find(
            Wanted(
                options.words,
                side=options.side,
                calls=_chosen_calls(opened, options),
                since=since,
                until=until,
                limit=options.limit,
                context=options.context,
                newest=options.newest,
            )
        )
        facts = _facts(opened, list(dict.fromkeys(hit.line.call_id for hit in found.hits)))
        took = time.monotonic() - before
    nothing_known = dict.fromkeys(("title", "url", "started", "host_name", "account_name"))
    return SearchResult(
        status="done",
        destination=target.name,
        dataset=target.dataset,
        analytics=options.analytics,
        query=options.words,
        match=found.match,
        count=found.count,
        hits=[
            {
                "score": hit.score,
                **asdict(hit.line),
                **facts.get(hit.line.call_id, nothing_known),
                "before": [asdict(line) for line in hit.before],
                "after": [asdict(line) for line in hit.after],
            }
            for hit in found.hits
        ],
        calls_indexed=written,
        search_ms=round(1_000 * took, 1),
        duration_seconds=round(time.monotonic() - clock, 3),
    )


def _refuse(options: SearchOptions) -> None:
    if not any(letter.isalnum() for letter in options.words):
        raise UsageError(f"{options.words!r} has no word to look for")
    if options.side is not None and options.side not in SIDES:
        raise UsageError(f"--side {options.side!r} is unknown: it is one of {', '.join(SIDES)}")
    if not 1 <= options.limit <= _LARGEST:
        raise UsageError(f"--limit {options.limit} is out of range: take 1 to {_LARGEST:,}")
    if not 0 <= options.context <= _LARGEST:
        raise UsageError(f"--context {options.context} is out of range: take 0 to {_LARGEST:,}")


def _bar(err: Console) -> Progress:
    return Progress(console=err, disable=not err.is_terminal, transient=True)


def _chosen_calls(opened: Marts, options: SearchOptions) -> list[str] | None:
    named = {"host_name": options.rep, "account_name": options.account}
    wanted = {column: part.lower() for column, part in named.items() if part}
    if not wanted:
        return None
    conditions = " AND ".join(f"strpos(lower({column}), %s) > 0" for column in wanted)
    sql = _CHOSEN_CALLS.format(marts=opened.schema, conditions=conditions)
    return [row["call_id"] for row in opened.rows(sql, *wanted.values())]


def _facts(opened: Marts, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    sql = _FACTS.format(marts=opened.schema, places=", ".join(["%s"] * len(ids)))
    return {
        row["call_id"]: {
            **{name: row[name] for name in row if name != "call_id"},
            "started": row["started"] and row["started"].astimezone(UTC),
        }
        for row in opened.rows(sql, *ids)
    }


def _line(line: Mapping[str, Any], *, is_hit: bool) -> Text:
    speaker = _printable(line["speaker"] or "Unknown speaker")
    text = Text(f"{'>' if is_hit else ' '} {line['start_time']}  {speaker} ({line['side']}): ", style="dim")
    text.append(_printable(line["text"]), style="bold" if is_hit else "dim")
    return text


def _printable(text: str) -> str:
    """Nothing that a terminal would take for a command."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
