"""The report in a browser: select, read its tables, and format values as the page must show them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from html import unescape
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from pipelines.analytics.report.section import Column, Section
from tests.support.gong_api import Json
from tests.support.workspace import Workspace

_NOTHING = "\N{EN DASH}"


def write_report(place: Workspace, file: Path, *arguments: str) -> Json:
    """Write a report and return the output of `gong-elt report --json`."""
    ended = place.run("report", "--json", "--to", str(file), *arguments)
    assert ended.code == 0, f"{ended.out}\n{ended.err}"[:3_000]
    printed: Json = ended.json
    return printed


def read_data(file: Path) -> Json:
    """Return the data in a report."""
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', file.read_text(), re.DOTALL)
    assert match
    data: Json = json.loads(unescape(match[1]))
    return data


def select(page: Page, *, team: int = 0, call_type: int = 0, period: int = 0) -> None:
    """Select a team, a type of calls and a period by index, and wait until the page shows them."""
    page.wait_for_selector("html[data-shown]")
    for selector, index in (("#team", team), ("#type", call_type), ("#period", period)):
        if page.locator(selector).count():
            page.select_option(selector, str(index))
    page.wait_for_selector(f"html[data-shown='{team}-{call_type}-{period}']")


def sql_of(page: Page, section: Section) -> str:
    """Return the SQL that a section shows."""
    return str(page.locator(f"#{section.key} .query code").text_content()).removesuffix(";")


def show_all_rows(page: Page, container: str) -> None:
    """Show all rows of the table in a container, by its selector."""
    more = page.locator(f"{container} .figures .more")
    if more.count():
        more.evaluate("button => button.click()")


def cells_of(page: Page, section: Section) -> list[list[str]]:
    """Return all rows of the table that a section shows, without the team's means."""
    show_all_rows(page, f"#{section.key}")
    return _texts_of(page, section, ".value")


def means_of(page: Page, section: Section) -> list[list[str]]:
    """Return the means of teams in the table of a section."""
    return _texts_of(page, section, ".mean")


def _texts_of(page: Page, section: Section, selector: str) -> list[list[str]]:
    rows: list[list[str]] = page.evaluate(
        "([key, selector]) => [...document.querySelectorAll(`#${key} .figures tbody tr`)].map(row =>"
        " [...row.querySelectorAll(selector)].map(cell => cell.textContent))",
        [section.key, selector],
    )
    return rows


def query_records(place: Workspace, sql: str, section: Section) -> Iterator[dict[str, Any]]:
    """Yield the rows that the page's SQL gives when it is run against the warehouse."""
    names = section.column_names()
    for row in place.rows(f"SELECT {', '.join(names)} FROM ({sql}) AS shown"):
        yield dict(zip(names, row, strict=True))


def format_cells(section: Section, record: Mapping[str, Any]) -> list[str]:
    """Return the cells that the page must show for a row of a section."""
    return [format_value(column, record[column.name], record) for column in section.columns]


def format_means(section: Section, record: Mapping[str, Any]) -> list[str]:
    """Return the means of teams that the page must show for a row of a section."""
    return [f"team {format_value(column, record[column.mean], record)}" for column in section.columns if column.mean]


def format_value(column: Column, value: Any, record: Mapping[str, Any]) -> str:
    """Return a value as the page must show it."""
    if value is None:
        return _NOTHING
    kind = record["kind"] if column.kind == "by_row" else column.kind
    if kind in ("date", "period"):
        return f"{value.astimezone(UTC) if isinstance(value, datetime) else value:%Y-%m-%d}"
    if kind == "text":
        return str(value)
    if kind == "change":
        text = _round(100 * float(value), 1)
        sign = "" if text in ("0.0", "-0.0") else "\N{MINUS SIGN}" if text.startswith("-") else "+"
        return f"{sign}{text.removeprefix('-')}{' points' if record['kind'] == 'share' else '%'}"
    if kind == "clock":
        seconds = int(_round(float(value), 0).replace(",", ""))
        hours, minutes = divmod(seconds // 60, 60)
        return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
    decimals, factor, suffix = {"share": (1, 100, "%"), "seconds": (1, 1, " s"), "number": (1, 1, "")}.get(
        kind, (1 if kind == "hours" else 0, 1, "")
    )
    unit = record[column.unit] if column.unit else None
    return f"{unit + ' ' if unit else ''}{_round(factor * float(value), decimals)}{suffix}"


def _round(value: float, decimals: int) -> str:
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):,}"
