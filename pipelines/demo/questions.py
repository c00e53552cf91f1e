"""Questions that the demo answers: SQL over the loaded tables and the marts, and how the answers are printed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from rich.console import Console
from rich.text import Text

from pipelines.runtime.display.table import DataTable
from pipelines.runtime.result import show_line


class Question(NamedTuple):
    """A question and the SQL that answers it."""

    title: str
    sql: str


QUESTIONS = (
    Question(
        "Who hosts most calls, and how long are they?",
        """\
SELECT u.first_name || ' ' || u.last_name AS host, u.title, count(*) AS calls,
       round(avg(c.duration) / 60)::INTEGER AS minutes
FROM gong.calls c
JOIN gong.users u ON u.id = c.primary_user_id
GROUP BY ALL ORDER BY calls DESC LIMIT 5""",
    ),
    Question(
        "What did customers say about the price most recently?",
        """\
SELECT c.started::DATE AS day, s.text
FROM gong.transcript_sentences s
JOIN gong.calls c ON c.id = s.call_id
JOIN gong.call_parties p ON p.call_id = s.call_id AND p.speaker_id = s.speaker_id
WHERE p.affiliation = 'External' AND s.text ILIKE '%price%' AND length(s.text) < 60
ORDER BY c.started DESC LIMIT 5""",
    ),
)
"""Over the loaded tables."""

MART_QUESTIONS = (
    Question(
        "Against which competitors do we win?",
        """\
SELECT competitor, deal_count AS deals, won_deal_count AS won, lost_deal_count AS lost,
       round(100 * win_rate)::INTEGER AS "win %", round(100 * win_rate_without)::INTEGER AS "win % without"
FROM gong_analytics.competitor_outcomes
ORDER BY deals DESC, competitor""",
    ),
    Question(
        "How do reps talk this month?",
        """\
SELECT rep_name AS rep, call_count AS calls, round(100 * talk_ratio)::INTEGER AS "talk %",
       round(longest_monologue_seconds)::INTEGER AS "longest monologue s",
       round(questions_per_hour)::INTEGER AS "questions per hour"
FROM gong_analytics.rep_month
WHERE call_count >= 5
ORDER BY month DESC, calls DESC LIMIT 5""",
    ),
    Question(
        "Which open deals are at risk?",
        """\
SELECT opportunity_name AS deal, amount_now::BIGINT AS amount, days_since_last_call AS "days silent",
       overdue_days AS "days overdue", external_people AS people, risk_count AS warnings
FROM gong_analytics.deal_risks
WHERE risk_count > 0
ORDER BY warnings DESC, amount DESC, deal LIMIT 5""",
    ),
)
"""Over the marts."""


def print_answers(file: Path, questions: Sequence[Question], out: Console) -> None:
    """Print each question with its SQL and its answer from the DuckDB file."""
    with duckdb.connect(str(file), read_only=True) as warehouse:
        for question in questions:
            out.print()
            show_line(out, Text(question.title, style="bold"))
            for line in f"{question.sql};".splitlines():
                show_line(out, Text(line, style="cyan"))
            show_line(out, _build_table(warehouse.execute(question.sql)))


def _build_table(result: duckdb.DuckDBPyConnection) -> DataTable:
    """Return the rows as a table with numbers on the right."""
    headings = [str(column[0]) for column in result.description or ()]
    rows = result.fetchall()
    numbers = {
        heading
        for position, heading in enumerate(headings)
        if any(isinstance(row[position], int | float | Decimal) for row in rows)
    }
    return DataTable(headings, [[_format_cell(value) for value in row] for row in rows], numbers=frozenset(numbers))


def _format_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
