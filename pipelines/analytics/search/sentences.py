"""Search the sentences of open marts: what `gong-elt search` and programs that hold marts open call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

from state.runs import new_run_id
from state.sql import placeholders

from ...runtime.configuration.command_defaults import read_command_defaults
from ...runtime.errors import UsageError
from ...runtime.target import Target
from ..calls.moments import moment_url
from ..derived_data import index_folder, index_lock
from ..marts import Marts
from .query import BrokenPartError, FoundSentence, FoundSentences, Hit, SearchQuery

if TYPE_CHECKING:
    from .meaning.index import MeaningIndex

_FACTS = """
SELECT call_id, title, url, started, host_name, account_name FROM {marts}.calls_enriched
WHERE call_id IN ({placeholders})
"""

Progress = Callable[[int, int], None]
"""Called with the number of calls indexed so far and the total."""


def search_packages_are_installed() -> bool:
    """Return whether the packages of the extra `search` are installed."""
    return find_spec("tantivy") is not None


class SentenceSearcher:
    """Searches the sentences of a dataset of marts.

    Keep it for several searches: it keeps the index open, so that the later ones are fast. Threads may share it, but
    not the marts.
    """

    def __init__(self, target: Target, analytics: str) -> None:
        """Check the packages. No file is opened.

        Args:
            target: The warehouse of the marts.
            analytics: Dataset of the marts.

        Raises:
            UsageError: If the extra `search` is not installed.
        """
        if not search_packages_are_installed():
            raise UsageError("gong-elt search needs a package: pip install 'gong-elt[search]'")
        from .index import SentenceIndex  # noqa: PLC0415 - the package is optional

        self._folder = index_folder(target, analytics)
        self._waiting = target.waiting
        self._index = SentenceIndex(self._folder)
        self._meaning: MeaningIndex | None = None
        self._lock = Lock()

    def search(
        self,
        marts: Marts,
        query: SearchQuery,
        *,
        refreshes: bool = True,
        rebuild: bool = False,
        progress: Progress = lambda _done, _total: None,
    ) -> FoundSentences:
        """Return the sentences that match a query. Sentences of calls that the marts do not have are never returned.

        Args:
            marts: The marts, open.
            query: The query; it has at least one word.
            refreshes: Update the index first if the marts have changed; else answer from the index as it is.
            rebuild: Build the index from scratch first.
            progress: Called while calls are indexed.

        Raises:
            UsageError: If the marts are missing or outdated, or a part of the index cannot be read or deleted.
            LockHeldError: If another process is refreshing the index for longer than the target's wait.
        """
        with self._lock:
            query, meaning = self._choose_mode(query)
            calls_indexed = self._refresh(marts, progress, rebuild=True) if rebuild else 0
            clock, indexing_seconds = time.monotonic(), 0.0
            broken = set[int]()
            while True:
                try:
                    indexing_clock = time.monotonic()
                    if refreshes:
                        if self._index.is_behind(marts):
                            calls_indexed += self._refresh(marts, progress)
                            indexing_seconds += time.monotonic() - indexing_clock
                        if meaning is not None and meaning.is_behind():
                            indexing_clock = time.monotonic()
                            self._refresh_meaning(marts, meaning, progress)
                            indexing_seconds += time.monotonic() - indexing_clock
                    result = self._index.search(query, meaning)
                    suggestions = self._index.suggest(query, result)
                    break
                except BrokenPartError as error:
                    self._drop_part(marts, query, error, broken)
                    indexing_seconds += time.monotonic() - indexing_clock
            facts = _call_facts(marts, list(dict.fromkeys(hit.line.call_id for hit in result.hits)))
        return FoundSentences(
            mode=query.mode or "words",
            match=result.match,
            count=result.count,
            hits=[_found_sentence(hit, facts[hit.line.call_id]) for hit in result.hits if hit.line.call_id in facts],
            has_more=result.has_more,
            suggestions=suggestions,
            calls_indexed=calls_indexed,
            search_seconds=time.monotonic() - clock - indexing_seconds,
        )

    def close(self) -> None:
        """Close the files of the index; the next search opens them again."""
        with self._lock:
            self._index.close()
            if self._meaning is not None:
                self._meaning.close()

    def _choose_mode(self, query: SearchQuery) -> tuple[SearchQuery, MeaningIndex | None]:
        """Return the query with its mode, and the vectors if the mode needs them.

        Raises:
            UsageError: If the mode needs a model that is missing or a setting is invalid, or hits are sorted by date.
        """
        is_required = query.mode in ("meaning", "both")
        if is_required and query.newest:
            raise UsageError("hits by meaning cannot be sorted by date: omit --newest, or use --mode words")
        if query.mode == "words" or (query.mode is None and not query.has_only_words):
            return replace(query, mode="words"), None
        meaning = self._open_meaning(is_required=is_required)
        return replace(query, mode=query.mode or ("words" if meaning is None else "both")), meaning

    def _open_meaning(self, *, is_required: bool) -> MeaningIndex | None:
        if not find_spec("numpy"):
            if is_required:
                raise UsageError("search by meaning needs a package: pip install 'gong-elt[semantic]'")
            return None
        if self._meaning is None:
            from .meaning.choice import open_embedding  # noqa: PLC0415 - the packages are optional
            from .meaning.index import MeaningIndex  # noqa: PLC0415

            embedding = open_embedding(read_command_defaults(), is_required=is_required)
            self._meaning = None if embedding is None else MeaningIndex(self._index.manifest, embedding)
        return self._meaning

    def _refresh_meaning(self, marts: Marts, meaning: MeaningIndex, progress: Progress) -> None:
        with self._waiting.hold_lock(index_lock(self._folder), new_run_id(datetime.now(UTC)), "search"):
            meaning.refresh(marts, progress)
        # A reconcile that ran meanwhile could not lock the index: drop the calls that it erased.
        if self._index.is_behind(marts):
            self._refresh(marts, progress)

    def _refresh(self, marts: Marts, progress: Progress, *, rebuild: bool = False) -> int:
        """Bring the index up to date with the marts, and return the number of calls indexed."""
        with self._waiting.hold_lock(index_lock(self._folder), new_run_id(datetime.now(UTC)), "search"):
            calls_indexed = self._index.refresh(marts, progress, rebuild=rebuild)
            # A reconcile that ran meanwhile could not lock the index: drop the calls that it erased.
            if self._index.is_behind(marts):
                calls_indexed += self._index.refresh(marts, progress)
        return calls_indexed

    def _drop_part(self, marts: Marts, query: SearchQuery, error: BrokenPartError, dropped: set[int]) -> None:
        """Delete a part that cannot be read, and remember it.

        Raises:
            UsageError: If it was deleted before, or cannot be deleted.
        """
        advice = f"delete the folder {str(self._folder)!r}"
        if error.part in dropped:
            raise UsageError(f"{error}; {advice}") from error
        try:
            with self._waiting.hold_lock(index_lock(self._folder), new_run_id(datetime.now(UTC)), "search"):
                # Another search may have built the part again while this one waited.
                if not self._can_answer(marts, query):
                    dropped.add(error.part)
                    self._index.drop_part(error.part)
        except OSError as failure:
            raise UsageError(f"{error}, nor deleted: {failure.strerror}; {advice}") from failure

    def _can_answer(self, marts: Marts, query: SearchQuery) -> bool:
        """Return whether the index is up to date and can be read."""
        try:
            self._index.close()
            self._index.search(query)
        except BrokenPartError:
            return False
        return not self._index.is_behind(marts)


def _call_facts(marts: Marts, call_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not call_ids:
        return {}
    sql = _FACTS.format(marts=marts.schema, placeholders=placeholders(len(call_ids)))
    return {
        row["call_id"]: {**row, "started": row["started"] and row["started"].astimezone(UTC)}
        for row in marts.rows(sql, *call_ids)
    }


def _found_sentence(hit: Hit, facts: Mapping[str, Any]) -> FoundSentence:
    line = hit.line
    return FoundSentence(
        **{field.name: getattr(line, field.name) for field in fields(line)},
        title=facts["title"],
        url=facts["url"],
        started=facts["started"],
        host_name=facts["host_name"],
        account_name=facts["account_name"],
        moment_url=moment_url(facts["url"], line.start_ms, line.end_ms),
        score=hit.score,
        highlights=hit.highlights,
        duplicates=hit.duplicates,
        before=hit.before,
        after=hit.after,
    )
