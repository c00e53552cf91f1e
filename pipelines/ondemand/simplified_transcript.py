"""The simplified transcript: who said what on which side and when, one line a monologue. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sources.gong.tables.records import id_text, object_list_field

SIDES = ("Internal", "External", "Unknown")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who spoke.

    Attributes:
        name: The name, else the e-mail address.
        side: `Internal`, `External` or `Unknown`.
    """

    name: str = "Unknown speaker"
    side: str = "Unknown"


UNKNOWN = Speaker()


def speakers(parties: Iterable[Mapping[str, Any]]) -> dict[str, Speaker]:
    """Who is behind each speaker id of a call.

    Args:
        parties: The call's parties as POST /v2/calls/extensive sends them; those who did not speak have no
            `speakerId`, and a key that is not known is left out.
    """
    known: dict[str, Speaker] = {}
    for party in parties:
        if speaker_id := id_text(party.get("speakerId")):
            names = (party.get(key) for key in ("name", "emailAddress"))
            name = next((text.strip() for text in names if isinstance(text, str) and text.strip()), UNKNOWN.name)
            side = party.get("affiliation")
            known.setdefault(speaker_id, Speaker(name, side if side in SIDES else UNKNOWN.side))
    return known


def clock(milliseconds: object) -> str | None:
    """A time of a transcript as `hh:mm:ss`, rounded down; hours go beyond 99; None where Gong gives no time."""
    if not isinstance(milliseconds, int | float):
        return None
    minutes, seconds = divmod(max(int(milliseconds) // 1000, 0), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def simplified(transcript: Mapping[str, Any], known: Mapping[str, Speaker]) -> list[dict[str, Any]]:
    """A transcript's lines, one a monologue in Gong's order: two in a row by one person stay two.

    Args:
        transcript: A record of POST /v2/calls/transcript.
        known: Who is behind each speaker id of its call.

    Raises:
        InvalidRecordError: It is not what Gong documents.
    """
    return [
        _line(id_text(transcript.get("callId")), monologue, known)
        for monologue in object_list_field(transcript, "transcript")
    ]


def _line(call_id: str, monologue: Mapping[str, Any], known: Mapping[str, Speaker]) -> dict[str, Any]:
    sentences = object_list_field(monologue, "sentences")
    texts = (sentence.get("text") for sentence in sentences)
    speaker = known.get(id_text(monologue.get("speakerId")), UNKNOWN)
    return {
        "callId": call_id,
        "start": clock(sentences[0].get("start")) if sentences else None,
        "end": clock(sentences[-1].get("end")) if sentences else None,
        "speaker": speaker.name,
        "side": speaker.side,
        "topic": monologue.get("topic"),
        "text": " ".join(text for text in texts if isinstance(text, str) and text.strip()),
    }
