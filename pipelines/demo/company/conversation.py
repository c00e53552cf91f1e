"""Generate the conversation of one call from the dialogue in `phrases`: speakers, times, topics and sections."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipelines.demo.company.phrases import CALL_TYPES, PHASES, SLOTS, Exchange
from pipelines.demo.company.trackers import Sentence

Json = dict[str, Any]

_MILLISECONDS_PER_LETTER = 70
_SLOT_VALUES = tuple((slot, values, len(values)) for slot, values in SLOTS.items())


class Turn(NamedTuple):
    """A speaker's uninterrupted sentences within one exchange, and the topic that Gong detects or None."""

    speaker: str
    topic: str | None
    sentences: list[Sentence]


class SpokenExchange(NamedTuple):
    """One exchange as spoken: its phase, its gist with slots filled, and its turns."""

    phase: str
    gist: str
    turns: list[Turn]

    @property
    def start_seconds(self) -> float:
        """Start of the first sentence in seconds."""
        return self.turns[0].sentences[0].start / 1000


class Conversation(NamedTuple):
    """A whole conversation and its length in milliseconds."""

    exchanges: list[SpokenExchange]
    length: int

    def list_sentences(self) -> list[Sentence]:
        """Return every sentence in time order."""
        return [sentence for exchange in self.exchanges for turn in exchange.turns for sentence in turn.sentences]

    def build_monologues(self) -> list[Json]:
        """Return the `transcript` array of Gong's transcript response."""
        return [
            {
                "speakerId": turn.speaker,
                "topic": turn.topic,
                "sentences": [{"start": s.start, "end": s.end, "text": s.text} for s in turn.sentences],
            }
            for exchange in self.exchanges
            for turn in exchange.turns
        ]

    def group_by_phase(self) -> list[tuple[str, list[SpokenExchange]]]:
        """Return each phase with its exchanges, in order."""
        groups: list[tuple[str, list[SpokenExchange]]] = []
        for exchange in self.exchanges:
            if not groups or groups[-1][0] != exchange.phase:
                groups.append((exchange.phase, []))
            groups[-1][1].append(exchange)
        return groups


def generate_conversation(
    rng: random.Random, kind: str, speakers: dict[str, str], names: dict[str, str], sentence_count: int | None
) -> Conversation:
    """Return a conversation of a kind of call.

    Args:
        rng: Source of random numbers.
        kind: Key of `CALL_TYPES`.
        speakers: Speaker id by role letter.
        names: Values of the slots that are fixed for the call (account, buyer, host); others vary by exchange.
        sentence_count: Exact number of sentences; None lets the kind of call decide.
    """
    target = sentence_count if sentence_count is not None else rng.randint(*CALL_TYPES[kind].sentences)
    clock = rng.randrange(100, 4000)
    exchanges: list[SpokenExchange] = []
    last_speaker = ""
    spoken = 0
    for phase, exchange in _plan_exchanges(rng, kind, target):
        slots = _fill_slots(rng, names)
        turns: list[Turn] = []
        # Gong labels only some monologues with a topic, even inside one conversation about it.
        topic = PHASES[phase].topic if rng.random() < 0.4 else None
        for line in exchange.lines:
            speaker = speakers[line.role]
            clock += int(rng.random() * (300 if speaker == last_speaker else 1700)) + 80
            last_speaker = speaker
            sentences: list[Sentence] = []
            for template in line.sentences[: target - spoken]:
                text = template.format_map(slots)
                # The value of a slot at the start of a sentence can be lower case.
                text = text[0].upper() + text[1:]
                end = clock + len(text) * _MILLISECONDS_PER_LETTER
                sentences.append(Sentence(clock, end, speaker, text))
                clock = end + int(rng.random() * 900)
            spoken += len(sentences)
            if sentences:
                turns.append(Turn(speaker, topic, sentences))
        gist = exchange.gist.format_map(slots)
        exchanges.append(SpokenExchange(phase, gist[0].upper() + gist[1:], turns))
    return Conversation(exchanges, clock)


def _plan_exchanges(rng: random.Random, kind: str, target: int) -> Iterator[tuple[str, Exchange]]:
    """Yield exchanges phase by phase until they have `target` sentences; a phase repeats only once all were used."""
    weights = CALL_TYPES[kind].phases
    total_weight = sum(weight for _, weight in weights)
    planned = 0
    cumulative_weight = 0
    for phase, weight in weights:
        cumulative_weight += weight
        goal = target * cumulative_weight // total_weight
        deck: list[Exchange] = []
        while planned < goal:
            if not deck:
                deck = list(PHASES[phase].exchanges)
                rng.shuffle(deck)
            exchange = deck.pop()
            planned += sum(len(line.sentences) for line in exchange.lines)
            yield phase, exchange


def _fill_slots(rng: random.Random, names: dict[str, str]) -> dict[str, str]:
    draw = rng.random
    slots = {slot: values[int(draw() * count)] for slot, values, count in _SLOT_VALUES}
    slots.update(names)
    return slots
