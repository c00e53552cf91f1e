"""Trackers of the generated company: their phrases, and where a transcript mentions them."""

from bisect import bisect_right
from typing import Any, NamedTuple

Json = dict[str, Any]


class Tracker(NamedTuple):
    """A tracker: its name, its phrases in lower case, and its kind; Gong lists phrases of keyword trackers only."""

    name: str
    phrases: tuple[str, ...]
    kind: str = "KEYWORD"


TRACKERS = (
    Tracker("Competitors", ("stockwise", "planforge", "netcurrent", "gridlane")),
    Tracker("Pricing", ("price", "pricing", "discount", "list price", "order form")),
    Tracker("Objections", ("no budget", "too expensive", "not the right time", "not interested", "my concern")),
    Tracker("Next steps", ("next step", "follow-up", "send the invitation", "business case", "reach out")),
    Tracker("Security", ("security review", "single sign-on", "encrypted", "audit report")),
    Tracker("Renewal risk", ("price cap", "ticket open", "leave", "cancel")),
    Tracker("Churned vendors", ("switching away", "terminate the contract")),
    Tracker("Urgency", ("peak season", "end of the quarter", "end of the month", "deadline"), "SMART"),
)


class Sentence(NamedTuple):
    """A spoken sentence: start and end in milliseconds, speaker id and text."""

    start: int
    end: int
    speaker: str
    text: str


def find_tracker_hits(tracker_ids: dict[str, str], sentences: list[Sentence]) -> list[Json]:
    """Return `content.trackers` of a call: each tracker with its count, phrases and occurrences.

    Times are in seconds, interpolated within the sentence by the position of the phrase.
    """
    offsets: list[int] = []
    position = 0
    for sentence in sentences:
        offsets.append(position)
        position += len(sentence.text) + 1
    text = "\n".join(sentence.text for sentence in sentences).lower()
    trackers: list[Json] = []
    for tracker in TRACKERS:
        phrases: list[Json] = []
        for phrase in tracker.phrases:
            phrase_hits = [_build_occurrence(sentences, offsets, at) for at in _find_phrase(text, phrase)]
            if phrase_hits:
                phrases.append({"count": len(phrase_hits), "phrase": phrase, "occurrences": phrase_hits})
        occurrences = sorted((o for p in phrases for o in p["occurrences"]), key=lambda o: float(o["startTime"]))
        trackers.append(
            {
                "id": tracker_ids[tracker.name],
                "name": tracker.name,
                "count": len(occurrences),
                "type": tracker.kind,
                "occurrences": occurrences,
                "phrases": phrases if tracker.kind == "KEYWORD" else [],
            }
        )
    return trackers


def _find_phrase(text: str, phrase: str) -> list[int]:
    """Return the positions of the phrase in the text, as whole words."""
    positions = []
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (at and text[at - 1].isalnum()) and not (end < len(text) and text[end].isalnum()):
            positions.append(at)
        at = text.find(phrase, end)
    return positions


def _build_occurrence(sentences: list[Sentence], offsets: list[int], at: int) -> Json:
    index = bisect_right(offsets, at) - 1
    sentence = sentences[index]
    share = (at - offsets[index]) / max(len(sentence.text), 1)
    return {
        "startTime": round((sentence.start + (sentence.end - sentence.start) * share) / 1000, 3),
        "speakerId": sentence.speaker,
    }
