"""The trackers of the simulated company: what they listen for, and where they hear it in a transcript."""

from bisect import bisect_right
from typing import Any, NamedTuple

Json = dict[str, Any]


class Tracker(NamedTuple):
    """A tracker: its phrases (lower case), its kind, and whether Gong lists its terms separately."""

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


class Spoken(NamedTuple):
    """A sentence as said: when it starts and ends (ms), who says it, and its words."""

    start: int
    end: int
    speaker: str
    text: str


def tracker_hits(tracker_ids: dict[str, str], sentences: list[Spoken]) -> list[Json]:
    """`content.trackers` of a call: each tracker with its count, and its phrases with the places they occur.

    Times are seconds, interpolated within the sentence by the position of the phrase.
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
            places = [_occurrence(sentences, offsets, at) for at in _positions(text, phrase)]
            if places:
                phrases.append({"count": len(places), "phrase": phrase, "occurrences": places})
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


def _positions(text: str, phrase: str) -> list[int]:
    """Where the phrase stands as whole words."""
    found = []
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (at and text[at - 1].isalnum()) and not (end < len(text) and text[end].isalnum()):
            found.append(at)
        at = text.find(phrase, end)
    return found


def _occurrence(sentences: list[Spoken], offsets: list[int], at: int) -> Json:
    index = bisect_right(offsets, at) - 1
    said = sentences[index]
    share = (at - offsets[index]) / max(len(said.text), 1)
    return {"startTime": round((said.start + (said.end - said.start) * share) / 1000, 3), "speakerId": said.speaker}
