"""Simplified transcripts: one line per monologue with speaker, side and time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sources.gong.tables.records import id_text, object_list_field

SIDES = ("Internal", "External", "Unknown")


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person who speaks on a call.

    Attributes:
        name: The name, else the e-mail address.
        side: `Internal`, `External` or `Unknown`.
    """

    name: str = "Unknown speaker"
    side: str = "Unknown"


UNKNOWN_SPEAKER = Speaker()


def speakers_by_id(parties: Iterable[Mapping[str, Any]]) -> dict[str, Speaker]:
    """Return the speakers of a call by speaker id.

    Args:
        parties: The call's parties as POST /v2/calls/extensive sends them. Parties without a `speakerId` did not speak.
            If two parties share one, the first counts.
    """
    speakers: dict[str, Speaker] = {}
    for party in parties:
        if speaker_id := id_text(party.get("speakerId")):
            names = (party.get(key) for key in ("name", "emailAddress"))
            name = next((text.strip() for text in names if isinstance(text, str) and text.strip()), None)
            side = party.get("affiliation")
            speaker = Speaker(name or UNKNOWN_SPEAKER.name, side if side in SIDES else UNKNOWN_SPEAKER.side)
            speakers.setdefault(speaker_id, speaker)
    return speakers


def format_clock(milliseconds: object) -> str | None:
    """Return a time of a transcript as `hh:mm:ss`, rounded down, hours unbounded; None if it is not a number."""
    if not isinstance(milliseconds, int | float):
        return None
    minutes, seconds = divmod(max(int(milliseconds) // 1000, 0), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def simplify_transcript(transcript: Mapping[str, Any], speakers: Mapping[str, Speaker]) -> list[dict[str, Any]]:
    """Return the lines of a transcript, one per monologue in Gong's order.

    Args:
        transcript: A record of POST /v2/calls/transcript.
        speakers: The speakers of its call by speaker id.

    Raises:
        InvalidRecordError: If the transcript does not have the documented structure.
    """
    call_id = id_text(transcript.get("callId"))
    return [_line(call_id, monologue, speakers) for monologue in object_list_field(transcript, "transcript")]


def _line(call_id: str, monologue: Mapping[str, Any], speakers: Mapping[str, Speaker]) -> dict[str, Any]:
    sentences = object_list_field(monologue, "sentences")
    texts = (sentence.get("text") for sentence in sentences)
    speaker = speakers.get(id_text(monologue.get("speakerId")), UNKNOWN_SPEAKER)
    return {
        "callId": call_id,
        "start": format_clock(sentences[0].get("start")) if sentences else None,
        "end": format_clock(sentences[-1].get("end")) if sentences else None,
        "speaker": speaker.name,
        "side": speaker.side,
        "topic": monologue.get("topic"),
        "text": " ".join(text for text in texts if isinstance(text, str) and text.strip()),
    }
