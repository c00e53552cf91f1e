"""Rank sentences: by their words, by the meaning of their passages, or by both rankings together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from .part import IndexPart, Match
from .query import SearchQuery

if TYPE_CHECKING:
    from .meaning.index import MeaningIndex

WordMatch = Literal["all words", "any word", "meaning"]

# Of reciprocal rank fusion: the customary constant, which keeps the first places from deciding alone.
_RANK_OFFSET = 60
# Sentences with any of the words are a weaker sign than passages of similar meaning; those with all of them are not.
_WEIGHTS: Mapping[WordMatch, float] = {"all words": 1.0, "any word": 0.5, "meaning": 1.0}
_SPARE = 10
_SPARE_FACTOR_WITH_SIDE = 4

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
    factor = 1 if query.side is None else _SPARE_FACTOR_WITH_SIDE
    vector, ranked = meaning.rank(query, factor * (wanted + _SPARE))
    candidates = []
    for number, (similarity, passage) in ranked:
        if number in parts and passage.start_ms is not None and passage.end_ms is not None:
            found = parts[number].find_passage(passage.call_id, passage.start_ms, passage.end_ms, query.side)
            if found:
                candidates.append((similarity, found))
        if len(candidates) >= wanted + _SPARE:
            break
    best = meaning.best_texts(vector, [[line.text for line, _ in found] for _, found in candidates])
    matches = [
        found[number][1]._replace(rank=similarity) for (similarity, found), number in zip(candidates, best, strict=True)
    ]
    matches = [*_without_duplicates(matches)] if query.folds_duplicates else matches
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


def _rank_matches(
    parts: Collection[PartCalls], query: SearchQuery, wanted: int, *, requires_all_words: bool
) -> Ranking:
    limit = wanted
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
