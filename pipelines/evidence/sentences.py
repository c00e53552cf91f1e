"""Search of sentences for evidence, limited to the calls that the reader may see."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.util import find_spec
from typing import Any

from ..analytics.search.query import MODES, FoundSentence, Line, SearchQuery
from ..analytics.search.sentences import SentenceSearcher, search_packages_are_installed
from ..runtime.configuration.command_defaults import read_command_defaults
from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.target import Target
from .access.policy import Policy
from .access.session import MartsSession, OpenMarts
from .answers import SAID, Answer, json_value, shorten_text
from .calls import CallQuestion, resolve_question, select_call_ids

# Longer texts are cut, so that a hit with its context fits into an answer.
_MAX_CHARACTERS = 4_000
# Agents wait for an answer about as long as this.
_MAX_WAIT_SECONDS = 20


class _BuildStoppedError(Exception):
    """The index is not built further, because its user closes it."""


class SentenceSource:
    """The index of sentences. Threads may share it.

    It has a session of its own, so that other questions are answered while the index is brought up to date: for the
    first time that takes minutes.
    """

    def __init__(self, connection: Connection, target: Target, analytics: str) -> None:
        """Remember where the marts and the index are.

        Args:
            connection: The Gong account.
            target: The warehouse of the marts.
            analytics: Dataset of the marts.
        """
        self._connection, self._target, self._analytics = connection, target, analytics
        self._session: MartsSession | None = None
        self._searcher: SentenceSearcher | None = None
        self._lock = threading.Lock()
        self._is_closing = threading.Event()

    @property
    def modes(self) -> list[str]:
        """The values of `mode` whose packages are installed."""
        if not search_packages_are_installed():
            return []
        if not find_spec("numpy"):
            return ["words"]
        from ..analytics.search.meaning.choice import open_embedding  # noqa: PLC0415 - the package is optional

        has_meaning = open_embedding(read_command_defaults(), is_required=False) is not None
        return [*MODES] if has_meaning else ["words"]

    def close(self) -> None:
        """Close the files of the index. A thread that is building it ends after some calls; the next build goes on."""
        self._is_closing.set()
        with self._lock:
            if self._searcher is not None:
                self._searcher.close()
            if self._session is not None:
                self._session.close()

    def prepare(self) -> None:
        """Bring the index up to date. Returns early if another thread closes this object.

        Raises:
            UsageError: If the marts are missing or outdated, or a package is missing.
        """
        with suppress(_BuildStoppedError):
            self.search(Policy(), CallQuestion(), SearchQuery("a", limit=1))

    def search(self, policy: Policy, question: CallQuestion, query: SearchQuery) -> Answer:
        """Return the hits and what describes them.

        Args:
            policy: What the reader may see.
            question: Which calls.
            query: Words or a question, and what else limits the sentences; `calls` is ignored.

        Raises:
            UsageError: If the query has no word, the mode is unknown, a package is missing, the policy excludes
                transcripts, or the index is being built.
        """
        if not any(letter.isalnum() for letter in query.words):
            raise UsageError(f"query {query.words!r} contains no word")
        if not self._lock.acquire(timeout=_MAX_WAIT_SECONDS):
            raise UsageError("the index of sentences is being built: ask again in a minute")
        try:
            if self._searcher is None:
                self._searcher = SentenceSearcher(self._target, self._analytics)
            if self._session is None:
                self._session = MartsSession(self._connection, self._target, self._analytics)
            with self._session.open(policy) as marts:
                return self._search(self._searcher, marts, question, query)
        finally:
            self._lock.release()

    def _stop_if_closing(self, _done: int, _total: int) -> None:
        if self._is_closing.is_set():
            raise _BuildStoppedError

    def _search(
        self, searcher: SentenceSearcher, marts: OpenMarts, question: CallQuestion, query: SearchQuery
    ) -> Answer:
        marts.allowed.require_transcripts()
        found = resolve_question(marts.allowed, question)
        is_limited = marts.allowed.policy.policy.limits_calls
        calls = select_call_ids(marts.allowed, found) if found.conditions or is_limited else None
        # The index has all calls, so it is compared with all marts; the reader gets those of the list.
        answer = searcher.search(marts.all, replace(query, calls=calls), progress=self._stop_if_closing)
        # Words and counts of other calls are not for a reader who may see some calls only.
        suggestions = None if is_limited or answer.suggestions is None else asdict(answer.suggestions)
        return {
            "hits": [_describe_hit(hit) for hit in answer.hits],
            "count": answer.count,
            "mode": answer.mode,
            "match": answer.match,
            "suggestions": suggestions,
            "has_more": answer.has_more,
            "reason": None if answer.hits else found.reason or _why_empty(query.offset, calls),
        }


def _describe_hit(hit: FoundSentence) -> Answer:
    return {
        "call_id": hit.call_id,
        "sentence_index": hit.sentence_index,
        "origin": SAID,
        "speaker": hit.speaker,
        "side": hit.side,
        "at": hit.start_time,
        "text": shorten_text(hit.text, _MAX_CHARACTERS),
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
    return {
        "at": line.start_time,
        "speaker": line.speaker,
        "side": line.side,
        "text": shorten_text(line.text, _MAX_CHARACTERS),
    }


def _why_empty(offset: int, calls: Sequence[str] | None) -> str:
    if offset:
        return "no further sentence matches"
    if calls is not None and not calls:
        return "no call matches the other arguments"
    return "no sentence matches: use other or fewer words, or fewer filters"
