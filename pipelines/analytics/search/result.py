"""Result of `gong-elt search`: the keys of `--json`, and the lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text

from ...runtime.display.text import format_count, make_printable
from ...runtime.result import Status
from .query import FoundSentence, Line, Mode, Suggestions

_FILTER_OPTIONS = {
    "side": "--side",
    "calls": "--rep and --account",
    "since": "--since",
    "until": "--until",
    "all": "any filter",
}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Result of a search; the fields are the keys of `--json`.

    Attributes:
        query: The words.
        mode: How sentences were found: `words`, `meaning` or `both`.
        match: `all words` if sentences contain all of them, else `any word`; `meaning` in that mode.
        count: Number of matching sentences, with duplicates; at least that of the sentences ranked by meaning.
        hits: The first of them, each with score (null with `newest`), call, position, speaker, side, text, the
            sentences `before` and `after`, `moment_url`, `highlights` (start and end of each matching word in the
            text) and `duplicates`, the number of other matching sentences with the same words, which are left out.
        suggestions: What to change: `unknown_words` that no sentence contains, `similar_words` of sentences for each,
            and, if nothing was found, `count_without`: the number of sentences without a filter. Null if sentences
            contain all the words.
        reason: Why nothing was found, if no account matches; else null.
        calls_indexed: Number of calls indexed by this search.
        search_ms: Duration of the query without indexing.
        duration_seconds: Duration of the whole command.
    """

    status: Status
    destination: str
    dataset: str
    analytics: str
    query: str
    mode: Mode
    match: str
    count: int
    hits: Sequence[FoundSentence]
    suggestions: Suggestions | None
    reason: str | None
    calls_indexed: int
    search_ms: float
    duration_seconds: float

    def lines(self) -> Iterator[str | Text]:
        """Yield each hit with its context, then what to change, then the counts."""
        for hit in self.hits:
            yield _heading(hit)
            if hit.url:
                # On a line of its own, which few terminals have to wrap; the link of the time opens the moment.
                yield Text(make_printable(hit.url), style="dim")
            yield from map(_context_line, hit.before)
            yield _hit_line(hit)
            yield from map(_context_line, hit.after)
            yield ""
        if self.suggestions is not None:
            yield from _advice(self.suggestions)
        is_partial = self.count > 0 and self.match == "any word"
        match = " with any of these words, none with all of them" if is_partial else ""
        limit = f", the first {len(self.hits):,} shown" if len(self.hits) < self.count else ""
        folded = sum(hit.duplicates for hit in self.hits)
        equal = f", {folded:,} with the same words left out" if folded else ""
        yield f"{format_count(self.count, 'sentence')}{match}{limit}{equal}; {self.search_ms:.0f} ms"


def _heading(hit: FoundSentence) -> Text:
    started = f"{hit.started:%Y-%m-%d}" if hit.started else None
    facts = (hit.title, started, hit.host_name, hit.account_name)
    return Text(make_printable(" · ".join(fact for fact in facts if fact)), style="dim")


def _hit_line(hit: FoundSentence) -> Text:
    line = Text("> ")
    link = None if hit.moment_url is None else make_printable(hit.moment_url)
    line.append(hit.start_time, Style(dim=True, link=link))
    line.append(f"  {_speaker(hit.speaker, hit.side)}: ", "dim")
    start = len(line)
    line.append(make_printable(hit.text))
    for first, last in hit.highlights:
        line.stylize("bold", start + first, start + last)
    if hit.duplicates:
        line.append(f"  (and {format_count(hit.duplicates, 'sentence')} with the same words)", "dim")
    return line


def _context_line(line: Line) -> Text:
    return Text(f"  {line.start_time}  {_speaker(line.speaker, line.side)}: {make_printable(line.text)}", style="dim")


def _speaker(name: str | None, side: str) -> str:
    return f"{make_printable(name or 'Unknown speaker')} ({side})"


def _advice(suggestions: Suggestions) -> Iterator[str]:
    for word in suggestions.unknown_words:
        similar = suggestions.similar_words.get(word)
        yield f"no sentence contains {word!r}" + (f"; spelled like it: {', '.join(similar)}" if similar else "")
    for name, count in suggestions.count_without.items():
        yield f"without {_FILTER_OPTIONS[name]}: {format_count(count, 'sentence')}"
