"""Turns the dialogue material into one call's talk: who said what, when, under which topic and section."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipelines.demo.company.phrases import CALL_TYPES, PHASES, SLOTS, Exchange
from pipelines.demo.company.trackers import Spoken

Json = dict[str, Any]

_MILLISECONDS_PER_LETTER = 70
_CHOICES = tuple((slot, values, len(values)) for slot, values in SLOTS.items())


class Turn(NamedTuple):
    """A speaker's uninterrupted sentences within one exchange."""

    speaker: str
    topic: str | None
    sentences: list[Spoken]


class Passage(NamedTuple):
    """One exchange as it happened: the phase it belongs to, its gist with names filled in, and its turns."""

    phase: str
    gist: str
    turns: list[Turn]


class Talk(NamedTuple):
    """A whole conversation and its length in milliseconds."""

    passages: list[Passage]
    length: int

    def sentences(self) -> list[Spoken]:
        """Every sentence in time order."""
        return [said for passage in self.passages for turn in passage.turns for said in turn.sentences]

    def monologues(self) -> list[Json]:
        """The `transcript` array of Gong's transcript answer."""
        return [
            {
                "speakerId": turn.speaker,
                "topic": turn.topic,
                "sentences": [{"start": s.start, "end": s.end, "text": s.text} for s in turn.sentences],
            }
            for passage in self.passages
            for turn in passage.turns
        ]

    def phases(self) -> list[tuple[str, list[Passage]]]:
        """The passages grouped by phase, in order."""
        grouped: list[tuple[str, list[Passage]]] = []
        for passage in self.passages:
            if not grouped or grouped[-1][0] != passage.phase:
                grouped.append((passage.phase, []))
            grouped[-1][1].append(passage)
        return grouped


def hold_talk(
    rng: random.Random, kind: str, speakers: dict[str, str], names: dict[str, str], sentences: int | None
) -> Talk:
    """Lets the speakers (role letter to speaker id) talk as that kind of call does.

    `names` fills the slots that belong to the call (account, buyer, host ...); the others vary by exchange.
    `sentences` fixes the exact number of sentences; otherwise the kind of call decides.
    """
    wanted = sentences if sentences is not None else rng.randint(*CALL_TYPES[kind].sentences)
    clock = rng.randrange(100, 4000)
    passages: list[Passage] = []
    last_speaker = ""
    spoken = 0
    for phase, said in _agenda(rng, kind, wanted):
        slots = _slots(rng, names)
        turns: list[Turn] = []
        # Gong labels only some monologues with a topic, even inside one conversation about it.
        topic = PHASES[phase].topic if rng.random() < 0.4 else None
        for line in said.lines:
            speaker = speakers[line.role]
            clock += int(rng.random() * (300 if speaker == last_speaker else 1700)) + 80
            last_speaker = speaker
            heard: list[Spoken] = []
            for template in line.sentences[: wanted - spoken]:
                text = template.format_map(slots)
                # A slot may open a sentence.
                text = text[0].upper() + text[1:]
                end = clock + len(text) * _MILLISECONDS_PER_LETTER
                heard.append(Spoken(clock, end, speaker, text))
                clock = end + int(rng.random() * 900)
            spoken += len(heard)
            if heard:
                turns.append(Turn(speaker, topic, heard))
        gist = said.gist.format_map(slots)
        passages.append(Passage(phase, gist[0].upper() + gist[1:], turns))
    return Talk(passages, clock)


def _agenda(rng: random.Random, kind: str, wanted: int) -> Iterator[tuple[str, Exchange]]:
    """Exchanges phase by phase until the wanted number of sentences is reached, repeating a phase's late."""
    weights = CALL_TYPES[kind].phases
    whole = sum(weight for _, weight in weights)
    given = 0
    share = 0
    for phase, weight in weights:
        share += weight
        goal = wanted * share // whole
        deck: list[Exchange] = []
        while given < goal:
            if not deck:
                deck = list(PHASES[phase].exchanges)
                rng.shuffle(deck)
            said = deck.pop()
            given += sum(len(line.sentences) for line in said.lines)
            yield phase, said


def _slots(rng: random.Random, names: dict[str, str]) -> dict[str, str]:
    chance = rng.random
    slots = {slot: values[int(chance() * size)] for slot, values, size in _CHOICES}
    slots.update(names)
    return slots
