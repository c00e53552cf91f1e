"""RecordMapper: a record becomes rows of several tables, or is rejected as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from dlt.common.schema import Schema

from sources.gong.metrics import RunMetrics
from sources.gong.tables.column_types import BIGINT, TEXT, KnownColumns
from sources.gong.tables.record_mapper import RecordMapper
from sources.gong.tables.records import ConnectorValues, Record, object_list_field
from sources.gong.tables.rejects import RejectCollector
from sources.gong.tables.table import TOMBSTONE, Column, Table, WriteStrategy


def _question_rows(form: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    for position, question in enumerate(object_list_field(form, "questions")):
        yield {"form_id": form["formId"], "position": position}, question


FORMS = RecordMapper(
    resource="forms",
    tables=(
        Table(
            name="forms",
            description="forms",
            key=("form_id",),
            write_strategy=WriteStrategy.UPSERT,
            columns=(Column("form_id", TEXT, field="formId"), Column("title", TEXT, field="title")),
            mapped_fields=frozenset({"questions"}),
        ),
        Table(
            name="form_questions",
            description="questions of a form",
            key=("form_id", "position"),
            write_strategy=WriteStrategy.REPLACE_BY_PARENT,
            rows=_question_rows,
            columns=(
                Column("form_id", TEXT),
                Column("position", BIGINT),
                Column("text", TEXT, field="text"),
                TOMBSTONE,
            ),
        ),
    ),
    id_field="formId",
)


class Run:
    """Types and rejects of one run."""

    def __init__(self) -> None:
        self.types = KnownColumns(Schema("gong"))
        self.rejects = RejectCollector(self.types, None, RunMetrics(), started_at=datetime(2026, 1, 1, tzinfo=UTC))

    def rows(self, records: list[Any], **options: Any) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of the records by table."""
        tables = FORMS.to_tables(records, self.types, self.rejects, **options)
        return {name: table.to_pylist() for name, table in tables.items()}

    def rejected(self) -> list[tuple[str, str]]:
        """Return id and reason of the rejected records."""
        table = self.rejects.table()
        return [] if table is None else [(row["id"], row["reason"]) for row in table.to_pylist() if row["reason"]]


@pytest.fixture
def run() -> Run:
    """Return a run without rejected records."""
    return Run()


def test_a_record_has_rows_in_each_table(run: Run) -> None:
    """Each table's `rows` yields its rows; the parent id comes from the record."""
    rows = run.rows([{"formId": "1", "title": "Demo", "questions": [{"text": "Why?"}, {"text": "When?"}]}])
    assert rows["forms"] == [{"form_id": "1", "title": "Demo"}]
    assert [(row["form_id"], row["position"], row["text"]) for row in rows["form_questions"]] == [
        ("1", 0, "Why?"),
        ("1", 1, "When?"),
    ]
    assert run.rejected() == []


@pytest.mark.parametrize(
    ("record", "record_id", "reason"),
    [
        ({"formId": "2", "questions": "none"}, "2", "questions is not a list of objects"),
        ({"formId": True}, None, "formId is missing or not an id"),
        (["2"], None, "it is list, not an object"),
    ],
)
def test_an_invalid_record_is_rejected_with_all_its_rows(
    run: Run, record: Any, record_id: str | None, reason: str
) -> None:
    """A record that is invalid for one table adds no row to any; others are not affected."""
    rows = run.rows([record, {"formId": "1"}])
    assert [row["form_id"] for row in rows["forms"]] == ["1"]
    ((found_id, found_reason),) = run.rejected()
    assert found_reason == reason
    assert record_id is None or found_id == record_id


def test_a_record_without_children_deletes_older_ones(run: Run) -> None:
    """A tombstone is added only if the warehouse may hold older rows."""
    record = {"formId": "1", "questions": []}
    assert run.rows([record])["form_questions"] == []
    (tombstone,) = run.rows([record], with_tombstones=True)["form_questions"]
    assert (tombstone["form_id"], tombstone["_removed"]) == ("1", True)


def test_emptied_parents_delete_their_rows(run: Run) -> None:
    """A parent that no record has any longer gets a tombstone in each table that is replaced by parent."""
    rows = run.rows([], with_tombstones=True, emptied_parents=["9"])
    assert rows["forms"] == []
    assert [(row["form_id"], row["_removed"]) for row in rows["form_questions"]] == [("9", True)]
    assert run.rows([], emptied_parents=["9"])["form_questions"] == []
