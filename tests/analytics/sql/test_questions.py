"""The queries of docs/questions.md: each answers its question with the same rows in DuckDB and PostgreSQL."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.marts import round_figure
from tests.support.workspace import Workspace

PAGE = Path(__file__).parents[3] / "docs" / "questions.md"
QUESTIONS: dict[str, str] = dict(
    re.findall(r"^## (.+?)$.*?```sql\n(.*?);\n```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
)


def _plain(value: Any) -> Any:
    # PostgreSQL adds whole numbers up to exact ones.
    if isinstance(value, Decimal | float | int) and not isinstance(value, bool):
        return round_figure(float(value))
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _answer(place: Workspace, sql: str) -> list[str]:
    return sorted(str([_plain(value) for value in row]) for row in place.rows(sql))


def test_each_question_has_one_answer_in_both_warehouses(duckdb_marts: Workspace, postgres_marts: Workspace) -> None:
    """All ten queries run as they are printed, have rows, and give the same ones."""
    assert len(QUESTIONS) == 10
    for question, sql in QUESTIONS.items():
        rows = _answer(duckdb_marts, sql)
        assert rows, question
        assert rows == _answer(postgres_marts, sql), question


def test_the_answers_agree_with_the_loaded_tables(duckdb_marts: Workspace) -> None:
    """Calls without a next step and calls without a link in the CRM are those of the loaded tables."""
    ((without_step,),) = duckdb_marts.rows(
        "SELECT count(*) FROM gong.calls AS calls WHERE _deleted_at IS NULL AND NOT is_private"
        " AND direction = 'Conference' AND scope = 'External'"
        " AND id NOT IN (SELECT call_id FROM gong.call_highlights WHERE title = 'Next steps')"
    )
    assert len(duckdb_marts.rows(QUESTIONS["Which calls ended without a next step?"])) == without_step > 0

    ((unlinked,),) = duckdb_marts.rows(
        "SELECT count(*) FROM gong.calls WHERE _deleted_at IS NULL AND NOT is_private AND scope = 'External'"
        " AND id NOT IN (SELECT call_id FROM gong.call_crm_objects WHERE coalesce(party_id, '') = '')"
    )
    assert len(duckdb_marts.rows(QUESTIONS["Which calls have no link in the CRM?"])) == unlinked > 0
