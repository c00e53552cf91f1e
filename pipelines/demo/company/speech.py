"""Turn templates of the dialogue into sentences: fill slots, choose variants, and avoid repetition."""

import random
from collections.abc import Iterator, Mapping

from pipelines.demo.company.dialogue.call_types import BANKS, SLOTS
from pipelines.demo.company.dialogue.grammar import BankUse, Line, Template

_MAX_SPOKEN = 100_000
"""Number of sentences that are remembered so as not to be repeated: enough for a demo, and bounded for a benchmark."""

_MAX_ATTEMPTS, _FEWER_ATTEMPTS = 6, 2
_SHORT_CHARACTERS = 24
"""Length of a sentence that anyone would repeat, such as "That works for me"."""

_OPENER_SHARE = 0.08
_MAX_ADDED = 4
_TURN_OPENERS = ("Well, ", "Honestly, ", "Look, ", "I think ", "From my side, ", "To be fair, ", "As I see it, ")
_OPENERS = ("And ", "So ", "Basically, ", "I mean, ", "In practice, ", "Of course, ", "Obviously, ", "You know, ")
_QUESTION_OPENERS = ("And ", "So ", "Okay, and ", "Just so I understand, ", "May I ask, ", "Out of interest, ")


class Slots(dict[str, str]):
    """Values of slots within one exchange; those that are not fixed are drawn when they are first used."""

    def __init__(self, fixed: Mapping[str, str], rng: random.Random) -> None:
        super().__init__(fixed)
        self.fixed = fixed
        self._draw = rng.random

    def __missing__(self, name: str) -> str:
        if name.endswith("_cap"):
            value = self[name.removesuffix("_cap")]
            value = value[0].upper() + value[1:]
        elif name in SLOTS:
            values = SLOTS[name]
            value = values[int(self._draw() * len(values))]
        else:
            other = name.removesuffix("2")
            values = SLOTS[other]
            index = int(self._draw() * len(values))
            value = values[index] if values[index] != self[other] else values[index - 1]
        self[name] = value
        return value


class Speech:
    """The sentences of one company; a longer sentence is not repeated while the dialogue has other variants of it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._draw = rng.random
        self._spoken: set[str] = set()
        self._is_full = False
        # Templates whose variants are used up; no further attempts are made to find a new one.
        self._exhausted: set[int] = set()

    def say_line(self, line: Line, slots: Slots, used: set[int], addition: str | None) -> Iterator[str]:
        """Yield the sentences of a turn.

        Args:
            line: The turn.
            slots: Values of its slots.
            used: Identities of the templates of banks that were used on this call, which are not used again.
            addition: Bank of which a few sentences may be added; None for none.
        """
        is_first = True
        for item in line.items:
            if isinstance(item, BankUse):
                for text in self._say_bank(item.bank, item.low, item.high, slots, used, is_first):
                    yield text
                    is_first = False
            elif text := self._say(item, slots, is_first, can_be_omitted=False):
                yield text
                is_first = False
        if addition is not None:
            yield from self._say_bank(addition, 1, _MAX_ADDED, slots, used, False)

    def _say_bank(self, bank: str, low: int, high: int, slots: Slots, used: set[int], is_first: bool) -> Iterator[str]:
        """Yield some sentences of a bank. Each has values of its own for the slots that are not fixed."""
        for template in self._select(bank, low, high, used):
            if text := self._say(template, Slots(slots.fixed, self._rng), is_first, can_be_omitted=True):
                yield text
                is_first = False

    def _select(self, bank: str, low: int, high: int, used: set[int]) -> list[Template]:
        """Return some unused templates of a bank in their order."""
        count = low + int(self._draw() * (high - low + 1))
        left = [template for template in BANKS[bank] if id(template) not in used]
        if count < len(left):
            chosen = sorted(self._rng.sample(range(len(left)), count))
            left = [left[index] for index in chosen]
        used.update(map(id, left))
        return left

    def _say(self, template: Template, slots: Slots, is_first: bool, *, can_be_omitted: bool) -> str:
        """Return the sentence, or an empty text if it is optional, or repeated and can be omitted."""
        draw, spoken = self._draw, self._spoken
        is_exhausted = id(template) in self._exhausted
        new_text = None
        for attempt in range(_FEWER_ATTEMPTS if is_exhausted else _MAX_ATTEMPTS):
            pattern = "".join(
                [part if isinstance(part, str) else part[int(draw() * len(part))] for part in template.parts]
            )
            text = pattern.format_map(slots) if template.has_slots else pattern
            if template.takes_opener and draw() < (0.5 if attempt else _OPENER_SHARE):
                text = self._add_opener(text, template, is_first)
            if self._is_full or (len(text) < _SHORT_CHARACTERS and not template.is_salient):
                break
            if text not in spoken:
                new_text = text
                # Sentences that people search for should differ in more than their names and numbers.
                if not template.is_salient or pattern not in spoken:
                    spoken.add(pattern if template.is_salient else text)
                    break
        else:
            self._exhausted.add(id(template))
            if can_be_omitted and new_text is None:
                return ""
            text = new_text or text
        if template.is_salient and not self._is_full:
            spoken.add(text)
        self._is_full = len(spoken) >= _MAX_SPOKEN
        if not text[:1].isupper():
            # The value of a slot, or the text after an empty choice, can start in lower case.
            text = text.strip()
            text = text[:1].upper() + text[1:]
        return text

    def _add_opener(self, text: str, template: Template, is_first: bool) -> str:
        openers = _QUESTION_OPENERS if template.is_question else _TURN_OPENERS if is_first else _OPENERS
        return openers[int(self._draw() * len(openers))] + text[:1].lower() + text[1:]
