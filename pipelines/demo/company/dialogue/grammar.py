"""Parse the text of this folder into phases, exchanges and templates of sentences.

A text consists of phases, `== key | name | topic` (topic `-` for none). A phase has banks, `@ name` with one sentence
per line, and exchanges: `= gist`, then turns such as `H: First sentence. Second one?`. After a gist, `| lost` or
`| won` restricts the exchange to deals with that outcome, `| alone` to deals without a competitor, and `| first` to the
begin of its phase. An indented line continues the line before.

In a sentence, `[one|another]` is a choice, `{name}` a slot, and `<bank 2-5>` stands for two to five sentences of a bank
in their order. The roles are H for the host, S for a second colleague, B for the buyer and C for a second customer.
Banks named `<phase>_company` and `<phase>_customer` have what either side may add to any exchange of the phase.
Contractions ("it's") and synonyms are added as choices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

Part = str | tuple[str, ...]


class Template(NamedTuple):
    """A sentence with choices.

    Attributes:
        parts: Texts and choices in their order.
        has_slots: Whether any part has a slot.
        is_question: Whether it ends with a question mark.
        takes_opener: Whether a word such as "So" can precede it.
        is_salient: Whether it has a word that people search for.
    """

    parts: tuple[Part, ...]
    has_slots: bool
    is_question: bool
    takes_opener: bool
    is_salient: bool


class BankUse(NamedTuple):
    """The place of some sentences of a bank."""

    bank: str
    low: int
    high: int


class Line(NamedTuple):
    """A turn of one speaker, by role."""

    role: str
    items: tuple[Template | BankUse, ...]

    @property
    def ends_with_question(self) -> bool:
        """Whether the next speaker has to answer."""
        last = self.items[-1]
        return isinstance(last, Template) and last.is_question


class Exchange(NamedTuple):
    """A few turns about one subject.

    Attributes:
        gist: What an outline says of it, with slots.
        lines: Its turns.
        is_first: Whether it fits only at the begin of its phase.
        outcome: `won` or `lost` if it fits deals with that outcome only, otherwise None.
        has_competitor: Whether it names the competitor in the deal (True), or fits only deals without one (False).
        needs_second_colleague: Whether two people of the company speak.
        needs_second_customer: Whether two customers speak.
    """

    gist: str
    lines: tuple[Line, ...]
    is_first: bool
    outcome: str | None
    has_competitor: bool | None
    needs_second_colleague: bool
    needs_second_customer: bool


class Phase(NamedTuple):
    """A phase of a call: its name, the topic that Gong detects or None, and its possible exchanges."""

    name: str
    topic: str | None
    exchanges: tuple[Exchange, ...]


_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?![^\[]*\])|(?<=[.?!]\])\s+|(?<=>)\s+|\s+(?=<)")
_BANK_USE = re.compile(r"<(\w+) (\d+)-(\d+)>")
_CHOICE = re.compile(r"\[([^\]]*)\]")
_FIRST_WORD = re.compile(r"[A-Za-z']+")
# In lower case these words are right after an opener; a name or "I" would not be.
_TAKES_OPENER = frozenset(
    [
        "we",
        "you",
        "they",
        "it",
        "that",
        "this",
        "these",
        "the",
        "there",
        "our",
        "my",
        "your",
        "their",
        "what",
        "how",
        "who",
        "where",
        "when",
        "which",
        "is",
        "are",
        "do",
        "does",
        "did",
        "can",
        "could",
        "would",
        "most",
        "some",
        "each",
        "every",
        "if",
        "for",
        "in",
        "at",
        "on",
        "a",
        "an",
        "one",
        "two",
        "all",
        "both",
        "half",
        "people",
        "planners",
        "suppliers",
        "support",
        "compared",
        "waste",
        "overrides",
        "usage",
        "will",
        "should",
        "may",
        "have",
        "has",
        "with",
        "after",
        "once",
    ]
)


_SALIENT = re.compile(
    r"\b(pric|budget|compet|discount|next step|follow-up|contract|security|renew|expensive|forecast|business case)",
    re.IGNORECASE,
)
"""Beginnings of words that people search for, in sentences that should differ most."""

_CONTRACTIONS = {
    r"\b(do|does|did|is|are|was|were|would|could|should|has|have) not\b": r"\1n't",
    r"\b([Cc])annot\b": r"\1an't",
    r"\b([Ww])ill not\b": r"\1on't",
    r"\bLet us\b": "Let's",
    r"\blet us (?!know)": "let's ",
    r"\bI am(?= \w)": "I'm",
    r"\b([Ii]t|[Tt]hat|[Ww]hat|[Tt]here|[Hh]ere|[Ww]ho) is(?= [\w{])": r"\1's",
    r"\b([Ww]e|[Yy]ou|[Tt]hey) are(?= [\w{])": r"\1're",
    r"\b(I|[Ww]e|[Yy]ou|[Tt]hey|[Ii]t|[Tt]hat) will(?= [\w{])": r"\1'll",
    r"\b(I|[Ww]e|[Yy]ou|[Tt]hey) would(?= [\w{])": r"\1'd",
}
"""People mostly speak with contractions."""

_SYNONYMS = {
    r"\babout (?=\{)": ("around ", "roughly "),
    r"\bperhaps\b": ("maybe",),
    r"\busually\b": ("normally", "mostly"),
    r"\bmostly\b": ("mainly",),
    r"\bneed to\b": ("have to",),
    r"\bsomeone\b": ("somebody",),
    r"\b([Ee])veryone\b": (r"\1verybody",),
    r"^Good, ": ("Great, ", "Perfect, ", "Okay, good, "),
    r"^Then (?=I|we|you|let)": ("So ", "Okay, then "),
    r"^Yes, ": ("Yeah, ", "Right, "),
    r"\bonly (?=\{|a |one|two|the )": ("just ",),
    r"\bat the moment\b": ("right now", "today"),
    r"\bbecause\b": ("since",),
}


def parse_text(text: str) -> tuple[dict[str, Phase], dict[str, tuple[Template, ...]]]:
    """Return the phases by key and the banks by name."""
    phases: dict[str, Phase] = {}
    banks: dict[str, tuple[Template, ...]] = {}
    for block in re.split(r"(?m)^== ", "\n".join(_join_lines(text)))[1:]:
        header, _, body = block.partition("\n")
        key, name, topic = header.split(" | ")
        exchanges = []
        for paragraph in re.split(r"(?m)^(?=[=@] )", body)[1:]:
            first, *lines = [line for line in paragraph.splitlines() if line]
            if first.startswith("@"):
                banks[first[2:]] = tuple(_parse_template(line) for line in lines)
            else:
                exchanges.append(_parse_exchange(first[2:], lines))
        if exchanges:
            phases[key] = Phase(name, None if topic == "-" else topic, tuple(exchanges))
    return phases, banks


def _join_lines(text: str) -> Iterator[str]:
    """Yield lines with their continuations. A line break after `|` is not a space of the choice."""
    joined = ""
    for line in text.splitlines():
        if line.startswith("   "):
            joined += line.strip() if joined.endswith("|") else f" {line.strip()}"
        else:
            yield joined
            joined = line
    yield joined


def _parse_exchange(header: str, lines: list[str]) -> Exchange:
    gist, _, tags = header.partition(" | ")
    words = tags.split()
    turns = tuple(_parse_line(line) for line in lines)
    roles = {turn.role for turn in turns}
    has_competitor = True if "{competitor}" in "".join(lines) or "{competitor_cap}" in "".join(lines) else None
    return Exchange(
        gist,
        turns,
        "first" in words,
        next((word for word in words if word in ("won", "lost")), None),
        False if "alone" in words else has_competitor,
        {"H", "S"} <= roles,
        {"B", "C"} <= roles,
    )


def _parse_line(line: str) -> Line:
    role, _, text = line.partition(": ")
    items: list[Template | BankUse] = []
    for sentence in _SENTENCE_END.split(text):
        use = _BANK_USE.fullmatch(sentence)
        items.append(BankUse(use[1], int(use[2]), int(use[3])) if use else _parse_template(sentence))
    return Line(role, tuple(items))


def _parse_template(sentence: str) -> Template:
    parts: list[Part] = []
    for number, piece in enumerate(_CHOICE.split(sentence)):
        options = [variant for option in piece.split("|") for variant in _vary(option)] if number % 2 else _vary(piece)
        if options != [""]:
            parts.append(options[0] if len(options) == 1 else tuple(options))
    first = (parts[0],) if isinstance(parts[0], str) else parts[0]
    words = [match[0].lower() if (match := _FIRST_WORD.match(option)) else "" for option in first]
    return Template(
        tuple(parts),
        "{" in sentence,
        sentence.rstrip("]").endswith("?"),
        all(word in _TAKES_OPENER for word in words),
        _SALIENT.search(sentence) is not None,
    )


def _vary(text: str) -> list[str]:
    """Return the text with and without contractions, the former twice, and with a synonym."""
    contracted = text
    for pattern, replacement in _CONTRACTIONS.items():
        contracted = re.sub(pattern, replacement, contracted)
    variants = [text] if contracted == text else [contracted, contracted, text]
    for pattern, replacements in _SYNONYMS.items():
        for replacement in replacements:
            varied = re.sub(pattern, replacement, contracted, count=1)
            if varied != contracted:
                variants.append(varied)
    return variants
