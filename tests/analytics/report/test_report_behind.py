"""From each figure of the report to the calls and deals behind it, with links into Gong."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Page

from pipelines.analytics.report.section import Column, Section
from pipelines.analytics.report.sections.all_sections import SECTIONS
from pipelines.analytics.report.sections.lists import QUALITY_CHECKS
from tests.analytics.report.conftest import WrittenReport
from tests.support.pages.browser import PHONE, open_file
from tests.support.pages.report import read_data, select, show_all_rows
from tests.support.workspace import Workspace

LINK = re.compile(r"https://[\w.-]+/call\?id=(\d+)(&highlights=\S+)?$")
# Click on the figures of a section, and read the dialog that each opens.
CLICK = """
([key, limit]) => {
    const dialog = document.getElementById("behind");
    return [...document.querySelectorAll(`#${key} .figures .open`)].slice(0, limit).map((figure) => {
        figure.click();
        dialog.querySelector(".more")?.click();
        const rows = [...dialog.querySelectorAll("tbody tr")];
        const links = rows.map((row) => [...row.querySelectorAll("a")].map((link) => link.href));
        const result = {
            row: figure.closest("tr").rowIndex - 1, label: figure.closest("td").dataset.label, text: figure.textContent,
            title: dialog.querySelector("h2").textContent, count: dialog.querySelector("p").textContent, links,
        };
        dialog.close();
        return result;
    });
}
"""
# Counts of calls or deals, by the label of their column.
COUNTED = {"Calls", "Deals", "Number", "Open deals", "Won", "Lost", "Won without", "Lost without", "Deals at risk"}


def click_figures(page: Page, section: Section, limit: int = 10_000) -> list[dict[str, Any]]:
    """Click on figures of a section and return what the dialog shows for each."""
    show_all_rows(page, f"#{section.key}")
    clicked: list[dict[str, Any]] = page.evaluate(CLICK, [section.key, limit])
    return clicked


def test_every_figure_opens_calls_or_deals(written_report: WrittenReport) -> None:
    """Each column of figures leads to rows with links into Gong, and counts lead to that many rows."""
    with open_file(written_report.file) as report:
        select(report.page)
        for section in SECTIONS:
            clicked = click_figures(report.page, section, 60)
            missing = _columns_with_figures(section) - {figure["label"] for figure in clicked}
            assert missing <= _columns_without_value(report.page, section), (section.key, missing)
            for figure in clicked:
                _assert_rows_are_behind(section, figure)
        assert report.errors == []


def _columns_with_figures(section: Section) -> set[str]:
    return {column.label for column in section.columns if _is_figure(column) and (column.behind or section.behind)}


def _is_figure(column: Column) -> bool:
    return column.kind not in ("text", "date", "period", "change")


def _columns_without_value(page: Page, section: Section) -> set[str]:
    """Return the labels of columns that are empty or zero in all rows."""
    labels: list[str] = page.evaluate(
        "key => [...document.querySelectorAll(`#${key} .figures td`)]"
        ".filter(cell => !['\\u2013', '0', '0.0', '0.0%'].includes(cell.querySelector('.value').textContent))"
        ".map(cell => cell.dataset.label)",
        section.key,
    )
    return {column.label for column in section.columns} - set(labels)


def _assert_rows_are_behind(section: Section, figure: dict[str, Any]) -> None:
    assert figure["title"].startswith(section.title), figure
    count = int(figure["count"].split()[0].replace(",", ""))
    assert count > 0, (section.key, figure)
    # A deal whose calls are all internal has no link.
    assert any(figure["links"]), (section.key, figure)
    assert all(LINK.match(link) for links in figure["links"] for link in links), (section.key, figure)
    if figure["label"] in COUNTED:
        assert count == int(figure["text"].replace(",", "")), (section.key, figure)
    # Only scorecards can list a call several times.
    assert len(figure["links"]) >= count
    for links in figure["links"]:
        assert len({match[1] for link in links if (match := LINK.match(link))}) <= 1


@pytest.mark.slow
def test_counts_have_as_many_rows_for_every_selection(written_report: WrittenReport) -> None:
    """For each team, type and period, counts of calls and deals equal the number of rows behind them."""
    printed = written_report.printed
    with open_file(written_report.file) as report:
        for team, call_type, period in product(
            *(range(len(printed[name])) for name in ("teams", "call_types", "periods"))
        ):
            select(report.page, team=team, call_type=call_type, period=period)
            for section in SECTIONS:
                if section.key != "data_quality":
                    for figure in click_figures(report.page, section):
                        _assert_rows_are_behind(section, figure)


def test_a_mention_opens_the_moment(written_report: WrittenReport, duckdb_marts: Workspace) -> None:
    """Behind a tracker, each call has the link of the first mention, exactly as the mart has it."""
    section = next(section for section in SECTIONS if section.key == "trackers")
    with open_file(written_report.file) as report:
        select(report.page)
        figure = click_figures(report.page, section, 1)[0]
    tracker = figure["title"].split(" · ")[1]
    expected = duckdb_marts.rows(
        "SELECT arg_min(moment_url, start_seconds) FROM gong_analytics.tracker_mentions"
        " WHERE tracker_name = ? AND is_external GROUP BY call_id",
        [tracker],
    )
    shown = {moment for _, moment in figure["links"]}
    assert shown <= {url for (url,) in expected}
    assert len(shown) == len(figure["links"]) > 5


def test_a_mark_of_a_chart_opens_its_calls(written_report: WrittenReport) -> None:
    """A click on a bar opens the dialog; Escape and the button close it."""
    with open_file(written_report.file) as report:
        select(report.page)
        dialog = report.page.locator("#behind")
        report.page.locator("#trackers .chart .mark-rect path").first.click(force=True)
        assert dialog.is_visible()
        assert dialog.locator("a").count() > 0
        report.page.keyboard.press("Escape")
        assert not dialog.is_visible()
        report.page.locator("#pipeline .tiles .open").first.click()
        assert "deal" in str(dialog.locator("p").text_content())
        dialog.locator(".open").first.click()
        assert "call" in str(dialog.locator("p").text_content())
        dialog.locator(".bar button").click()
        assert not dialog.is_visible()


def test_the_selection_is_in_the_address(written_report: WrittenReport) -> None:
    """A selection is kept in the URL and restored, short periods have days, and unknown names are ignored."""
    printed = written_report.printed
    team = next(label for label in printed["teams"] if label.isascii() and "<" not in label and "All" not in label)
    with open_file(written_report.file) as report:
        page = report.page
        select(page, team=printed["teams"].index(team), call_type=1, period=1)
        address = page.url
        assert "period=Last+30+days" in address
        assert page.locator("#activity th").first.text_content() == "Day"
        page.goto("about:blank")
        page.goto(address)
        page.wait_for_selector(f"html[data-shown='{printed['teams'].index(team)}-1-1']")
        page.goto("about:blank")
        page.goto(f"{address.split('#')[0]}#team=Nobody&period=Whole+period")
        page.wait_for_selector("html[data-shown='0-0-0']")
        assert page.locator("#activity th").first.text_content() == "Week"
        assert report.errors == []


def test_tables_are_cards_on_a_phone(written_report: WrittenReport) -> None:
    """Each cell has its heading, no word is broken, and nothing is wider than the phone."""
    with open_file(written_report.file, size=PHONE) as report:
        select(report.page)
        cell = report.page.locator("#deals_at_risk td").nth(3)
        assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Amount"'
        assert cell.evaluate("cell => getComputedStyle(cell).overflowWrap") == "normal"
        assert report.page.locator("#deals_at_risk thead").bounding_box()["height"] <= 1  # type: ignore[index]
        report.page.locator("#reps .open").first.click()
        assert report.page.evaluate("document.getElementById('behind').scrollWidth") <= PHONE[0]
        assert report.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_checks_of_calls_are_those_of_the_mart(duckdb_marts: Workspace) -> None:
    """A check whose calls can be listed exists in data_quality and finds the same number of calls."""
    found = dict(duckdb_marts.rows("SELECT check_name, found FROM gong_analytics.data_quality"))
    for check, condition in QUALITY_CHECKS.items():
        ((count,),) = duckdb_marts.rows(f"SELECT count(*) FROM gong_analytics.calls_enriched WHERE {condition}")
        assert found[check] == count, check


def test_competitors_without_a_team_are_those_of_the_mart(
    written_report: WrittenReport, duckdb_marts: Workspace
) -> None:
    """Win rates of all teams equal those of competitor_outcomes."""
    expected = duckdb_marts.rows(
        "SELECT competitor, open_deal_count, won_deal_count, lost_deal_count"
        " FROM gong_analytics.competitor_outcomes WHERE deal_count > 0"
    )
    figures = read_data(written_report.file)["figures"]["competitor_outcomes"]
    shown = [tuple(figures["rows"][number][:4]) for number in figures["results"]["0-0-0"]]
    assert sorted(shown) == sorted(expected)
    assert len(shown) > 1
