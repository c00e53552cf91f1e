"""Simplified transcripts: clock times, speakers, and one line per monologue for any input."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pipelines.ondemand.simplified_transcript import format_clock, simplify_transcript, speakers_by_id
from tests.support.gong_api import Json

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
SENTENCES = st.fixed_dictionaries(
    {"start": st.integers(0, 10**8), "end": st.integers(0, 10**8)}, optional={"text": st.none() | TEXTS}
)
MONOLOGUES = st.fixed_dictionaries(
    {"speakerId": st.none() | st.sampled_from(["1", "2", "3"]), "topic": st.none() | TEXTS},
    optional={"sentences": st.none() | st.lists(SENTENCES, max_size=4)},
)
PARTIES = st.fixed_dictionaries(
    {"speakerId": st.none() | st.sampled_from(["1", "2", 3])},
    optional={
        "name": st.none() | st.sampled_from(["Ada", " "]),
        "emailAddress": st.none() | st.sampled_from(["ada@example.com", ""]),
        "affiliation": st.none() | st.sampled_from(["Internal", "External", "Unknown", "Martian"]),
    },
)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_time_is_formatted_as_hours_minutes_and_seconds(milliseconds: int) -> None:
    """The text has the form hh:mm:ss and is rounded down to a second."""
    text = format_clock(milliseconds) or ""

    assert re.fullmatch(r"\d{2,}:[0-5]\d:[0-5]\d", text)
    hours, minutes, seconds = text.split(":")
    assert 0 <= milliseconds - 1000 * (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) < 1000


def test_an_invalid_time_has_no_text() -> None:
    """A value that is not a number gives None; a negative time counts as zero."""
    assert format_clock(None) is None
    assert format_clock("12") is None
    assert format_clock(-5) == "00:00:00"


@given(st.none() | st.lists(MONOLOGUES, max_size=6), st.lists(PARTIES, max_size=4))
def test_each_monologue_is_one_line_with_all_its_sentences(monologues: list[Json] | None, parties: list[Json]) -> None:
    """Lines keep Gong's order and text; of two parties with one speaker id the first counts."""
    lines = simplify_transcript({"callId": "7", "transcript": monologues}, speakers_by_id(parties))

    assert len(lines) == len(monologues or [])
    for line, monologue in zip(lines, monologues or [], strict=True):
        texts = [sentence.get("text") or "" for sentence in monologue.get("sentences") or []]
        assert line["text"] == " ".join(text for text in texts if text.strip())
        assert line["callId"] == "7"
        party = next((party for party in parties if str(party["speakerId"]) == monologue["speakerId"]), {})
        name = (party.get("name") or "").strip() or party.get("emailAddress") or "Unknown speaker"
        side = party.get("affiliation")
        assert (line["speaker"], line["side"]) == (name, side if side in ("Internal", "External") else "Unknown")
