"""What a search asks for and what it returns: values without behaviour, importable without the extra `search`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

Mode = Literal["words", "meaning", "both"]
"""How sentences are found: by their words, by their meaning, or by both rankings together."""

MODES: tuple[Mode, ...] = ("words", "meaning", "both")

# A quotation mark, OR or a hyphen before a word.
_OPERATOR = re.compile(r'"|\bOR\b|(?:^|\s)-\w')

FILTERS = ("side", "calls", "since", "until")
"""Names of the attributes of a query that select sentences other than by their words."""


class BrokenPartError(Exception):
    """A part of the index cannot be read; the refresh after `SentenceIndex.drop_part` builds it again.

    Attributes:
        part: Number of the part.
    """

    def __init__(self, part: int, reason: BaseException) -> None:
        super().__init__(f"part {part} of the search index cannot be read: {reason}")
        self.part = part


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and its position in the call.

    Attributes:
        start_time: Start from the beginning of the call, as `hh:mm:ss`.
    """

    call_id: str
    sentence_index: int
    start_ms: int
    end_ms: int | None
    start_time: str
    speaker: str | None
    side: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A matching sentence with its context.

    Attributes:
        score: Relevance (BM25); None if hits are sorted by date.
        line: The sentence.
        before: Sentences before it, in order.
        after: Sentences after it, in order.
        highlights: Start and end of each matching word in the text, in characters.
        duplicates: Number of other matching sentences with the same words, which are not returned.
    """

    score: float | None
    line: Line
    before: Sequence[Line]
    after: Sequence[Line]
    highlights: Sequence[tuple[int, int]] = ()
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A query over the index.

    Attributes:
        words: Words, "exact phrases", OR and -excluded words.
        side: Only what this side said; None for all.
        calls: Only these calls; None for all.
        since: Only calls that started at this time or later; None for no limit.
        until: Only calls that started before this time; None for no limit.
        limit: Maximum number of hits.
        context: Number of sentences before and after each hit.
        newest: Sort by date, newest call first, instead of relevance.
        offset: Number of hits to leave out, for the next page.
        folds_duplicates: Return one hit for all sentences that have the same words.
        mode: How to find sentences; None for the best mode whose packages are installed.
    """

    words: str
    side: str | None = None
    calls: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 10
    context: int = 1
    newest: bool = False
    offset: int = 0
    folds_duplicates: bool = True
    mode: Mode | None = None

    @property
    def has_only_words(self) -> bool:
        """Whether the query has words without a phrase, OR or excluded words, and the default order."""
        return not self.newest and not _OPERATOR.search(self.words)

    @property
    def filters(self) -> list[str]:
        """The names of the filters that are used."""
        return [name for name in FILTERS if getattr(self, name) is not None]

    def without(self, *filters: str) -> SearchQuery:
        """Return the query without some of the filters."""
        # The type checker does not know that only filters are replaced.
        removed: dict[str, Any] = dict.fromkeys(filters)
        return replace(self, **removed)


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of a query.

    Attributes:
        hits: The hits of the page.
        count: Number of matching sentences, with duplicates.
        match: `all words` if sentences contain all of them, else `any word`; `meaning` if words do not matter.
        has_more: Whether hits follow those of the page.
    """

    hits: Sequence[Hit]
    count: int
    match: str
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What to change if sentences with all the words are missing.

    Attributes:
        unknown_words: Words of the query that no sentence contains.
        similar_words: Words of sentences that are spelled like an unknown word, by that word.
        count_without: If nothing was found: number of sentences without a filter, by its name; `all` without any.
            Filters without which there is no sentence either are left out.
    """

    unknown_words: Sequence[str]
    similar_words: Mapping[str, Sequence[str]]
    count_without: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FoundSentence:
    """A hit with the facts of its call; the fields are the keys of a hit in `--json`.

    Attributes:
        score: Relevance (BM25); None if hits are sorted by date.
        start_ms: Start from the beginning of the call.
        end_ms: End from the beginning of the call; None if it is unknown.
        start_time: The start as `hh:mm:ss`.
        title: The call's title; so are `url`, `started`, `host_name` and `account_name` facts of the call.
        moment_url: URL that opens the call in Gong at this sentence; None if the call has no URL.
        highlights: Start and end of each matching word in the text, in characters.
        duplicates: Number of other matching sentences with the same words, which are not returned.
        before: Sentences before it, in order.
        after: Sentences after it, in order.
    """

    score: float | None
    call_id: str
    sentence_index: int
    start_ms: int
    end_ms: int | None
    start_time: str
    speaker: str | None
    side: str
    text: str
    title: str | None
    url: str | None
    started: datetime | None
    host_name: str | None
    account_name: str | None
    moment_url: str | None
    highlights: Sequence[tuple[int, int]]
    duplicates: int
    before: Sequence[Line]
    after: Sequence[Line]


@dataclass(frozen=True, slots=True)
class FoundSentences:
    """The answer to a query.

    Attributes:
        mode: How sentences were found.
        match: `all words` if sentences contain all of them, else `any word`; `meaning` if words do not matter.
        count: Number of matching sentences, with duplicates.
        hits: The hits of the page.
        has_more: Whether hits follow those of the page.
        suggestions: What to change; None if sentences have all the words.
        calls_indexed: Number of calls indexed for this answer.
        search_seconds: Duration of the query without indexing.
    """

    mode: Mode
    match: str
    count: int
    hits: Sequence[FoundSentence]
    has_more: bool
    suggestions: Suggestions | None
    calls_indexed: int
    search_seconds: float
