"""Search of sentences for evidence, limited to the calls that the reader may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..analytics.search.query import FoundSentence, Line, SearchQuery
from ..analytics.search.sentences import SentenceSearcher, search_packages_are_installed
from ..runtime.errors import UsageError
from ..runtime.target import Target
from .access.session import OpenMarts
from .answers import SAID, Answer, json_value
from .calls import CallConditions, select_call_ids

MODES = ("words", "meaning", "both")
"""Values of `mode`."""

_CONTEXT_LINES = 1


class SentenceSource:
    """The index of sentences, opened by the first search. Threads may share it."""

    def __init__(self, target: Target, analytics: str) -> None:
        """Remember where the index is.

        Args:
            target: The warehouse of the marts.
            analytics: Dataset of the marts.
        """
        self._target, self._analytics = target, analytics
        self._searcher: SentenceSearcher | None = None

    @property
    def modes(self) -> list[str]:
        """The values of `mode` whose packages are installed."""
        return ["words"] if search_packages_are_installed() else []

    def close(self) -> None:
        """Close the files of the index."""
        if self._searcher is not None:
            self._searcher.close()

    def search(
        self,
        marts: OpenMarts,
        found: CallConditions,
        query: str,
        mode: str | None,
        side: str | None,
        period: tuple[datetime | None, datetime | None],
        limit: int,
        offset: int,
    ) -> Answer:
        """Return the hits and what describes them.

        Args:
            marts: The open marts.
            found: Conditions of the calls.
            query: Words or a question.
            mode: One of `MODES`; None for the best one that is installed.
            side: Only what this side said; None for all.
            period: Start and end of the period; None for no limit.
            limit: Number of hits.
            offset: Number of hits to leave out.

        Raises:
            UsageError: If the query has no word, the mode is unknown, or a package is missing.
        """
        if not any(letter.isalnum() for letter in query):
            raise UsageError(f"query {query!r} contains no word")
        if mode is not None and mode not in MODES:
            raise UsageError(f"mode {mode!r} is unknown: use one of {', '.join(MODES)}")
        if self._searcher is None:
            self._searcher = SentenceSearcher(self._target, self._analytics)
        is_limited = marts.allowed.policy.policy.limits_calls
        calls = select_call_ids(marts.allowed, found) if found.conditions or is_limited else None
        since, until = period
        # The index has all calls, so it is compared with all marts; the reader gets those of the list.
        answer = self._searcher.search(
            marts.all,
            SearchQuery(
                query,
                side=side,
                calls=calls,
                since=since,
                until=until,
                limit=limit,
                context=_CONTEXT_LINES,
                offset=offset,
                mode=mode,  # type: ignore[arg-type]
            ),
        )
        # Words and counts of other calls are not for a reader who may see some calls only.
        suggestions = None if is_limited or answer.suggestions is None else asdict(answer.suggestions)
        return {
            "hits": [_describe_hit(hit) for hit in answer.hits],
            "count": answer.count,
            "mode": answer.mode,
            "match": answer.match,
            "suggestions": suggestions,
            "has_more": answer.has_more,
            "reason": None if answer.hits else _why_empty(offset, calls),
        }


def _describe_hit(hit: FoundSentence) -> Answer:
    return {
        "call_id": hit.call_id,
        "sentence_index": hit.sentence_index,
        "origin": SAID,
        "speaker": hit.speaker,
        "side": hit.side,
        "at": hit.start_time,
        "text": hit.text,
        "before": [_describe_line(line) for line in hit.before],
        "after": [_describe_line(line) for line in hit.after],
        "moment_url": hit.moment_url,
        "title": hit.title,
        "started": json_value(hit.started),
        "account": hit.account_name,
        "host": hit.host_name,
        "duplicates": hit.duplicates,
    }


def _describe_line(line: Line) -> dict[str, Any]:
    return {"at": line.start_time, "speaker": line.speaker, "side": line.side, "text": line.text}


def _why_empty(offset: int, calls: Sequence[str] | None) -> str:
    if offset:
        return "no further sentence matches"
    if calls is not None and not calls:
        return "no call matches the other arguments"
    return "no sentence matches: use other or fewer words, or fewer filters"
