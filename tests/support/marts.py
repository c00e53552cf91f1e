"""A simulated company in a warehouse with its marts, built by the real commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipelines.analytics.dbt_build import PROJECT, relation_name
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from tests.support.companies import build_recent_company, public_calls
from tests.support.gong_api import Json
from tests.support.workspace import Workspace

HOSTILE_TEXT = "</script><script>struck = 1</script><img src=x onerror='struck = 1'> \"' %s {marts} 'ok"
"""A text that is dangerous in HTML, JavaScript, SQL and Python format strings."""

# Columns with the time of a load, which differs between two warehouses.
_LOAD_TIMES = ("_synced_at", "_synced_epoch_ms")


@contextmanager
def sync_company(workspace: Workspace, gong: SimulatedGong) -> Iterator[Workspace]:
    """Load a company into a workspace and yield the workspace while Gong still responds."""
    workspace.use_demo_key()
    with serve(gong.app) as base_url:
        workspace.configure(base_url=base_url)
        workspace.sync()
        yield workspace


def build_models(workspace: Workspace, *arguments: str, code: int = 0) -> Json:
    """Run `gong-elt models --json` and return the printed object."""
    result = workspace.run("models", "--json", *arguments)
    assert result.code == code, f"{result.out}\n{result.err}"[:3_000]
    printed: Json = result.json
    return printed


def export_transcripts(workspace: Workspace, *arguments: str) -> list[Json]:
    """Run `gong-elt export transcripts` and return the printed objects."""
    result = workspace.run("export", "transcripts", *arguments)
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()]


def round_figure(figure: float) -> float:
    """Round a mean to six digits; the added epsilon makes DuckDB and PostgreSQL agree on exact halves."""
    return round(figure + 1e-9, 6)


def build_hostile_gong() -> SimulatedGong:
    """Return a company of eighty calls in which a manager, a library title and a deal have the hostile text."""
    company = build_recent_company(calls=80, days=40)
    manager_ids = [user["managerId"] for user in company.users if user["managerId"]]
    manager = next(user for user in company.users if user["id"] == max(set(manager_ids), key=manager_ids.count))
    manager["lastName"] = HOSTILE_TEXT
    folder = next(folder for folder in company.folders if folder.calls)
    folder.calls[0]["title"] = HOSTILE_TEXT
    for call in company.calls:
        for context in call.record.get("context") or ():
            for crm_object in context["objects"]:
                for field in crm_object["fields"]:
                    if crm_object["objectType"] == "Opportunity" and field["name"] == "Name":
                        field["value"] = f"{field['value']} {HOSTILE_TEXT}"
    return SimulatedGong(company)


def assert_marts_follow_changes(place: Workspace, reference: Workspace, gong: SimulatedGong) -> None:
    """Edit a call and delete another one; assert that the marts of two warehouses have the same rows afterwards.

    Args:
        place: A warehouse with marts.
        reference: Another one of the same company.
        gong: The company, which both can reach at the address of `place`.
    """
    edited, deleted = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(edited.id, title="Renamed")
    gong.delete_call(deleted.id)
    for each in (place, reference):
        each.configure(base_url=place.settings["SOURCES__GONG__BASE_URL"])
        each.sync("--select", "calls,transcripts", "--since", "2020-01-01")
        assert each.run("reconcile", "--force").code == 0
        call_ids = {call for (call,) in each.rows("SELECT call_id FROM gong_analytics.transcript_lines")}
        assert deleted.id not in call_ids
        assert edited.id in call_ids
    assert build_models(place)["failed"] == []
    assert build_models(reference)["failed"] == []
    assert_marts_are_equal(place, reference)


def assert_commands_read_the_same(place: Workspace, reference: Workspace) -> None:
    """Assert that export and search find the same in two warehouses, and that the report is written."""
    exported, expected = (sorted(each.run("export", "transcripts").out.splitlines()) for each in (place, reference))
    assert exported == expected
    assert len(exported) > 10
    # Hits with the same score have no order.
    found, expected_count = (
        each.run("search", "price", "--mode", "words", "--json").json["count"] for each in (place, reference)
    )
    assert found == expected_count > 1
    assert place.run("report").code == 0


def assert_marts_are_equal(place: Workspace, reference: Workspace) -> None:
    """Assert that the marts of two warehouses have the same rows."""
    marts = {relation_name(file.stem) for file in (PROJECT / "marts").glob("*.sql")}
    assert len(marts) > 10
    for mart in sorted(marts):
        names = reference.rows(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'gong_analytics' AND table_name = ?",
            [mart],
        )
        columns = ", ".join(name for (name,) in names if name not in _LOAD_TIMES)
        built, expected = (
            sorted(
                str([plain(value) for value in row])
                for row in each.rows(f"SELECT {columns} FROM gong_analytics.{mart}")
            )
            for each in (place, reference)
        )
        assert built == expected, mart


def columns_of(place: Workspace, mart: str, dataset: str = "gong_analytics") -> list[str]:
    """Return the columns of a mart in their order."""
    return [
        name
        for (name,) in place.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ?"
            " ORDER BY ordinal_position",
            [dataset, mart],
        )
    ]


def dataset_of(folder: str) -> str:
    """Return the dataset into which the models of a folder are built."""
    return "gong_analytics" if folder == "marts" else f"gong_analytics_{folder}"


def plain(value: Any) -> Any:
    """Return a value in the form that both warehouses share."""
    if isinstance(value, Decimal | float):
        return round_figure(float(value))
    return value.astimezone(UTC) if isinstance(value, datetime) else value
