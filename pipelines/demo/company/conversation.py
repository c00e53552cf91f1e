"""Generate the conversation of one call: exchanges by phase, speakers, times and topics."""

import random
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from pipelines.demo.company.dialogue.call_types import BANKS, CALL_TYPES, OUTCOME_PHASES, PHASES
from pipelines.demo.company.dialogue.grammar import Exchange
from pipelines.demo.company.speech import Slots, Speech
from pipelines.demo.company.trackers import Sentence

Json = dict[str, Any]

_INTERJECTIONS = ("Mm-hmm.", "Right.", "Okay.", "I see.", "Yes.", "Got it.", "Sure.", "Makes sense.", "Uh-huh.")
_LONG_TURN = 5
"""Number of sentences during which a listener may say a word."""

_LONGER_SHARE = 0.8
"""Share of the exchanges in which someone adds a few sentences."""

_LOST_WEIGHTS = {"objections": 2.0, "next_steps": 0.5}
"""Factors for the weights of phases in a deal that is going to be lost."""


class Turn(NamedTuple):
    """A speaker's uninterrupted sentences, and the topic that Gong detects or None."""

    speaker: str
    topic: str | None
    sentences: list[Sentence]


class SpokenExchange(NamedTuple):
    """One exchange as spoken: its phase, its gist with slots filled, and its start in milliseconds."""

    phase: str
    gist: str
    start: int

    @property
    def start_seconds(self) -> float:
        """Start of the first sentence in seconds."""
        return self.start / 1000


class Conversation(NamedTuple):
    """A whole conversation and its length in milliseconds."""

    exchanges: list[SpokenExchange]
    turns: list[Turn]
    length: int

    def list_sentences(self) -> list[Sentence]:
        """Return every sentence in time order."""
        return [sentence for turn in self.turns for sentence in turn.sentences]

    def build_monologues(self) -> list[Json]:
        """Return the `transcript` array of Gong's transcript response."""
        return [
            {
                "speakerId": turn.speaker,
                "topic": turn.topic,
                "sentences": [{"start": s.start, "end": s.end, "text": s.text} for s in turn.sentences],
            }
            for turn in self.turns
        ]

    def group_by_phase(self) -> list[tuple[str, list[SpokenExchange]]]:
        """Return each phase with its exchanges, in order."""
        groups: list[tuple[str, list[SpokenExchange]]] = []
        for exchange in self.exchanges:
            if not groups or groups[-1][0] != exchange.phase:
                groups.append((exchange.phase, []))
            groups[-1][1].append(exchange)
        return groups


class Subject(NamedTuple):
    """What a conversation is about: an account and its deal.

    Attributes:
        slots: Values of the slots that are fixed for the account and the call.
        competitor: The competitor in the deal; None without one.
        is_lost: Whether the deal is lost in the end.
    """

    slots: dict[str, str]
    competitor: str | None
    is_lost: bool

    def suits(self, exchange: Exchange) -> bool:
        """Return whether the exchange can be about this account."""
        if exchange.has_competitor is not None and exchange.has_competitor != (self.competitor is not None):
            return False
        return exchange.outcome is None or (exchange.outcome == "lost") == self.is_lost


def generate_conversation(
    rng: random.Random,
    speech: Speech,
    kind: str,
    speakers: dict[str, str],
    subjects: Sequence[Subject],
    *,
    outcome: str | None = None,
    sentence_count: int | None = None,
) -> Conversation:
    """Return a conversation of a kind of call.

    Args:
        rng: Source of random numbers.
        speech: The sentences of the company.
        kind: Key of `CALL_TYPES`.
        speakers: Speaker id by role letter.
        subjects: The account that the call is about; several for an internal meeting.
        outcome: Outcome of a cold call.
        sentence_count: Exact number of sentences; None lets the kind of call decide.
    """
    call_type = CALL_TYPES[kind]
    target = sentence_count if sentence_count is not None else rng.randint(*call_type.sentences)
    recorder = _Recorder(rng, speakers, sentence_count, has_listeners=kind != "voicemail")
    names_competitor = len(subjects) > 1 or rng.random() < 0.6
    phases = _list_phases(rng, kind, subjects[0].is_lost, outcome, sentence_count is not None)
    total_weight = sum(weight for _, weight in phases)
    cumulative_weight = 0.0
    decks = []
    for key, weight in phases:
        cumulative_weight += weight
        goal = target * cumulative_weight / total_weight
        deck = _Deck(rng, key, speakers, subjects, names_competitor)
        decks.append((weight, deck))
        is_empty = True
        while recorder.sentence_count < goal or (is_empty and sentence_count is None):
            # Only an internal meeting repeats an exchange, about another account.
            drawn = deck.draw(can_repeat=sentence_count is not None or len(subjects) > 1)
            if drawn is None:
                break
            _speak(rng, speech, recorder, key, *drawn)
            is_empty = False
    while sentence_count is not None and recorder.sentence_count < sentence_count:
        deck = max(decks, key=lambda weighted: weighted[0])[1]
        drawn = deck.draw(can_repeat=True)
        assert drawn is not None
        _speak(rng, speech, recorder, deck.key, *drawn)
    return Conversation(recorder.exchanges, recorder.turns, recorder.clock)


def _list_phases(
    rng: random.Random, kind: str, is_lost: bool, outcome: str | None, is_exact: bool
) -> list[tuple[str, float]]:
    """Return the phases of a call with their weights. Some calls end without next steps, more of them in lost deals."""
    phases: list[tuple[str, float]] = []
    has_next_steps = is_exact or rng.random() > (0.4 if is_lost else 0.1)
    for key, weight in CALL_TYPES[kind].phases:
        if key == "outcome":
            phases.append((OUTCOME_PHASES[outcome or "Follow up later"], weight))
        elif key != "next_steps" or has_next_steps:
            phases.append((key, weight * (_LOST_WEIGHTS.get(key, 1.0) if is_lost else 1.0)))
    return phases


def _speak(
    rng: random.Random, speech: Speech, recorder: "_Recorder", phase: str, exchange: Exchange, subject: Subject
) -> None:
    """Record one exchange."""
    slots = Slots(subject.slots, rng)
    # Gong labels only some monologues with a topic, even inside one conversation about it.
    topic = PHASES[phase].topic if rng.random() < 0.4 else None
    recorder.begin_exchange()
    # One of the last two turns is longer than the text, now and then.
    longer = len(exchange.lines) - 1 - int(rng.random() * 2) if rng.random() < _LONGER_SHARE else None
    for number, line in enumerate(exchange.lines):
        addition = None
        if number == longer and not line.ends_with_question:
            addition = f"{phase}_{'company' if line.role in 'HS' else 'customer'}"
        texts = speech.say_line(line, slots, recorder.used_templates, addition if addition in BANKS else None)
        recorder.add_turn(line.role, topic, texts)
    gist = exchange.gist.format_map(slots)
    recorder.end_exchange(phase, gist[0].upper() + gist[1:])


@cache
def _list_exchanges(
    phase: str, has_second_colleague: bool, has_second_customer: bool
) -> tuple[tuple[Exchange, ...], tuple[Exchange, ...]]:
    """Return the exchanges for which enough people are on the call: those that begin the phase, and the others."""
    possible = [
        exchange
        for exchange in PHASES[phase].exchanges
        if (has_second_colleague or not exchange.needs_second_colleague)
        and (has_second_customer or not exchange.needs_second_customer)
    ]
    return tuple(e for e in possible if e.is_first), tuple(e for e in possible if not e.is_first)


class _Deck:
    """The exchanges of a phase that fit a call, drawn in random order."""

    def __init__(
        self,
        rng: random.Random,
        key: str,
        speakers: dict[str, str],
        subjects: Sequence[Subject],
        names_competitor: bool,
    ) -> None:
        self.key = key
        self._rng = rng
        self._subjects = subjects
        self._names_competitor = names_competitor
        openings, self._others = _list_exchanges(key, speakers["S"] != speakers["H"], speakers["C"] != speakers["B"])
        self._openings, self._left = list(openings), list(self._others)

    def draw(self, *, can_repeat: bool) -> tuple[Exchange, Subject] | None:
        """Return an exchange and the account that it is about; None if all were used, unless they can be repeated."""
        if self._openings:
            openings, self._openings = self._openings, []
            if drawn := self._draw_from(openings):
                return drawn
        drawn = self._draw_from(self._left)
        if drawn is None and can_repeat:
            self._left = list(self._others)
            drawn = self._draw_from(self._left)
        return drawn

    def _draw_from(self, exchanges: list[Exchange]) -> tuple[Exchange, Subject] | None:
        """Remove exchanges at random until one fits."""
        while exchanges:
            index = int(self._rng.random() * len(exchanges))
            exchange = exchanges[index]
            exchanges[index] = exchanges[-1]
            exchanges.pop()
            subject = self._rng.choice(self._subjects) if len(self._subjects) > 1 else self._subjects[0]
            if subject.suits(exchange) and (self._names_competitor or not exchange.has_competitor):
                return exchange, subject
        return None


class _Recorder:
    """Turns with their times: people speak one after another, each at a pace of 135 to 165 words per minute."""

    def __init__(
        self, rng: random.Random, speakers: dict[str, str], max_sentences: int | None, *, has_listeners: bool
    ) -> None:
        self.exchanges: list[SpokenExchange] = []
        self.turns: list[Turn] = []
        self.used_templates: set[int] = set()
        self.clock = rng.randrange(100, 4000)
        self.sentence_count = 0
        self._draw = rng.random
        self._speakers = speakers
        self._max_sentences = max_sentences
        self._has_listeners = has_listeners
        self._pace = {speaker: 368 + 70 * rng.random() for speaker in dict.fromkeys(speakers.values())}
        self._start: int | None = None

    def begin_exchange(self) -> None:
        """Begin an exchange, which starts with its first sentence."""
        self._start = None

    def end_exchange(self, phase: str, gist: str) -> None:
        """Add the exchange, if anything was said."""
        if self._start is not None:
            self.exchanges.append(SpokenExchange(phase, gist, self._start))

    def add_turn(self, role: str, topic: str | None, texts: Iterable[str]) -> None:
        """Add the sentences of a speaker; a listener may say a word in between."""
        speaker = self._speakers[role]
        listener = self._speakers["B" if role in "HS" else "H"]
        for number, text in enumerate(texts, 1):
            self._add_sentence(speaker, topic, text)
            if number >= _LONG_TURN and self._has_listeners and listener != speaker and self._draw() < 0.05:
                self._add_sentence(listener, topic, _INTERJECTIONS[int(self._draw() * len(_INTERJECTIONS))])

    def _add_sentence(self, speaker: str, topic: str | None, text: str) -> None:
        if self._max_sentences is not None and self.sentence_count >= self._max_sentences:
            return
        last = self.turns[-1] if self.turns else None
        is_same_speaker = last is not None and last.speaker == speaker
        if last is None or not is_same_speaker or last.topic != topic:
            last = Turn(speaker, topic, [])
            self.turns.append(last)
        start = self.clock + 90 + int(self._draw() * (600 if is_same_speaker else 1700))
        if self._start is None:
            self._start = start
        duration = (text.count(" ") + 1) * self._pace[speaker] * (0.97 + 0.06 * self._draw())
        self.clock = start + int(duration)
        last.sentences.append(Sentence(start, self.clock, speaker, text))
        self.sentence_count += 1
