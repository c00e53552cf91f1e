"""Rank sentences: by their words, by the meaning of their passages, or by both rankings together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from tantivy import DocAddress

from state.sql import batches

from .part import IndexPart, Match, hash_words
from .query import Line, SearchQuery

if TYPE_CHECKING:
    from .meaning.index import MeaningIndex
    from .meaning.vectors import RankedPassage

WordMatch = Literal["all words", "any word", "meaning"]

# Of reciprocal rank fusion: the customary constant, which keeps the first places from deciding alone.
_RANK_OFFSET = 60
# Sentences with any of the words are a weaker sign than passages of similar meaning; those with all of them are not.
_WEIGHTS: Mapping[WordMatch, float] = {"all words": 1.0, "any word": 0.5, "meaning": 1.0}
_SPARE = 10
# Of the passages that are similar, some have no sentence of the side, and many may have the same best sentence.
_PASSAGES_PER_SENTENCE = 8
# The number of sentences with the same words beyond which a search has to be repeated.
_MATCHES_PER_SENTENCE = 16

PartCalls = tuple[IndexPart, list[str] | None]
"""A part and the calls of it to search; None for all."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Matches, best first.

    Attributes:
        match: What the matches contain.
        count: Number of matching sentences, with duplicates.
        matches: The first of them.
    """

    match: WordMatch
    count: int
    matches: list[Match]


def rank_by_words(parts: Collection[PartCalls], query: SearchQuery, wanted: int) -> Ranking:
    """Return the sentences that have all words of a query; if there is none, those that have any."""
    ranking = _rank_matches(parts, query, wanted, requires_all_words=True)
    return ranking if ranking.count else _rank_matches(parts, query, wanted, requires_all_words=False)


def rank_by_meaning(parts: Mapping[int, IndexPart], meaning: MeaningIndex, query: SearchQuery, wanted: int) -> Ranking:
    """Return the sentence that fits best of each of the passages that are most similar to a query.

    Raises:
        UsageError: If the model cannot be used.
    """
    vector, ranked = meaning.rank(query, _PASSAGES_PER_SENTENCE * (wanted + _SPARE))
    if query.folds_duplicates:
        # Passages with the same text, which have the same similarity, would be read to find the same sentence.
        ranked = [*reversed({found.similarity: (number, found) for number, found in reversed(ranked)}.values())]
    matches: list[Match] = []
    for batch in batches(ranked, wanted + _SPARE):
        passages = [*_read_passages(parts, query.side, batch)]
        best = meaning.best_texts(vector, [[line.text for line, _ in lines] for _, _, lines in passages])
        for (similarity, part, lines), number in zip(passages, best, strict=True):
            line, address = lines[number]
            matches.append(Match(similarity, part, address, hash_words(line.text)))
        if query.folds_duplicates:
            matches = [*_without_duplicates(matches)]
        if len(matches) >= wanted:
            break
    return Ranking("meaning", len(matches), matches)


def fuse_rankings(query: SearchQuery, words: Ranking, meaning: Ranking) -> Ranking:
    """Return both rankings as one, by reciprocal rank fusion; its ranks are the fused scores."""
    scores: dict[object, float] = {}
    matches: dict[object, Match] = {}
    for ranking in (words, meaning):
        for place, match in enumerate(ranking.matches, _RANK_OFFSET + 1):
            key = match.words_hash if query.folds_duplicates else match.place
            scores[key] = scores.get(key, 0.0) + _WEIGHTS[ranking.match] / place
            matches.setdefault(key, match)
    fused = [match._replace(rank=scores[key]) for key, match in matches.items()]
    fused.sort(key=attrgetter("rank"), reverse=True)
    return Ranking(words.match, max(words.count, len(fused)), fused)


def _read_passages(
    parts: Mapping[int, IndexPart], side: str | None, ranked: Sequence[tuple[int, RankedPassage]]
) -> Iterator[tuple[float, IndexPart, list[tuple[Line, DocAddress]]]]:
    """Yield the similarity, the part and the sentences of each passage in which a side speaks."""
    for number, (similarity, passage) in ranked:
        if number in parts and passage.start_ms is not None and passage.end_ms is not None:
            lines = parts[number].find_passage(passage.call_id, passage.start_ms, passage.end_ms, side)
            if lines:
                yield similarity, parts[number], lines


def _rank_matches(
    parts: Collection[PartCalls], query: SearchQuery, wanted: int, *, requires_all_words: bool
) -> Ranking:
    limit = _MATCHES_PER_SENTENCE * wanted if query.folds_duplicates else wanted
    while True:
        found = [part.find(query, calls, limit, requires_all_words=requires_all_words) for part, calls in parts]
        count = sum(part_count for part_count, _ in found)
        matches = sorted((match for _, matches in found for match in matches), key=attrgetter("rank"), reverse=True)
        # Those after the limit may lack better ones of a part that had more.
        matches = matches[:limit]
        if query.folds_duplicates:
            matches = [*_without_duplicates(matches)]
        if len(matches) >= wanted or limit >= count:
            return Ranking("all words" if requires_all_words else "any word", count, matches[:wanted])
        limit *= 8


def _without_duplicates(matches: Sequence[Match]) -> Iterator[Match]:
    """Yield the first match of each set of sentences that have the same words."""
    seen = set[int]()
    for match in matches:
        if match.words_hash not in seen:
            seen.add(match.words_hash)
            yield match
