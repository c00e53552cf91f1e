"""The report in a browser: figures against their SQL, filters, hostile names, empty and large companies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from pipelines.analytics.report.charts.specs import chart_specs
from pipelines.analytics.report.section import Section
from pipelines.analytics.report.sections.all_sections import SECTIONS
from pipelines.demo.company.company import Company
from pipelines.demo.server.app import SimulatedGong
from tests.analytics.report.conftest import WrittenReport
from tests.support.gong_api import Json
from tests.support.marts import HOSTILE_TEXT, build_models, round_figure, sync_company
from tests.support.pages.browser import PHONE, WIDE, ObservedPage, open_file
from tests.support.pages.report import (
    cells_of,
    format_cells,
    format_means,
    means_of,
    query_records,
    read_data,
    select,
    sql_of,
    write_report,
)
from tests.support.workspace import Workspace


@pytest.mark.slow
def test_figures_equal_the_sql_that_the_page_shows(duckdb_marts: Workspace, written_report: WrittenReport) -> None:
    """For each team, type and period, every table equals the result of its SQL, and the page loads nothing else."""
    printed = written_report.printed

    assert len(printed["teams"]) > 3
    assert printed["call_types"] == ["External calls", "Meetings", "Dials", "Internal calls", "All calls"]
    assert printed["periods"] == ["Whole period", "Last 30 days", "Last 7 days"]

    shown: dict[str, set[str]] = {section.key: set() for section in SECTIONS}
    with open_file(written_report.file) as report:
        numbers = (range(len(printed[name])) for name in ("teams", "call_types", "periods"))
        for team, call_type, period in product(*numbers):
            select(report.page, team=team, call_type=call_type, period=period)
            for section in SECTIONS:
                sql, cells = sql_of(report.page, section), cells_of(report.page, section)
                records = list(query_records(duckdb_marts, sql, section))
                assert cells == [format_cells(section, record) for record in records], sql
                assert means_of(report.page, section) == [format_means(section, record) for record in records], sql
                if team == call_type == period == 0:
                    assert len(cells) == printed["sections"][section.key] > 0
                shown[section.key].add(str(cells))
        _assert_loads_nothing_else(report)

    # Only sections about the whole warehouse ignore the filters.
    for section in SECTIONS:
        assert (len(shown[section.key]) > 1) == (section.scope != "everything"), section.key


def _assert_loads_nothing_else(report: ObservedPage) -> None:
    (request,) = report.requests
    assert request.startswith("file://")
    assert report.errors == []


def test_charts_are_drawn_on_desktop_and_phone(written_report: WrittenReport) -> None:
    """All charts have marks and a label, fit the width, and follow light and dark styles without an error."""
    charts = chart_specs()

    assert {*charts} == {section.key for section in SECTIONS if section.summary}

    for dark, size in ((False, WIDE), (True, PHONE)):
        with open_file(written_report.file, size=size, dark=dark) as report:
            select(report.page)
            for key in charts:
                marks = report.page.locator(f"#{key} .chart svg path, #{key} .chart svg rect")
                assert marks.count() > 3, key
                label = str(report.page.locator(f"#{key} .chart").get_attribute("aria-label"))
                assert re.search(r": chart of \d+ values of .+, from .+ to .+", label), label
            assert report.page.evaluate("document.documentElement.scrollWidth") <= size[0]
            assert report.errors == []
            ground, ink = (
                _lightness(report.page, "body", "background-color"),
                _lightness(report.page, "h1", "color"),
            )
            assert (ground < 60 and ink > 200) if dark else (ground > 200 and ink < 60)
            bars = report.page.locator("#trackers .chart .mark-rect path").first
            assert bars.evaluate("bar => getComputedStyle(bar).fill").startswith("rgb")


def _lightness(page: Page, selector: str, style: str) -> float:
    colour = page.locator(selector).first.evaluate(
        "(element, style) => getComputedStyle(element).getPropertyValue(style)", style
    )
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3


def test_print_is_dark_on_light_without_controls(written_report: WrittenReport) -> None:
    """In print, filters, SQL and buttons are hidden, even for a reader with a dark style."""
    with open_file(written_report.file, dark=True) as report:
        select(report.page)
        report.page.emulate_media(media="print", color_scheme="dark")

        assert _lightness(report.page, "h1", "color") < 60
        assert _lightness(report.page, "body", "background-color") == 255
        assert report.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light only"

        for selector in ("nav", ".query", ".more"):
            assert not report.page.locator(selector).first.is_visible()

        # Headings stay with their charts, which are as wide as the page.
        assert report.page.evaluate("getComputedStyle(document.querySelector('#reps .top')).breakInside") == "avoid"
        chart, section = (report.page.locator(selector).bounding_box() for selector in ("#reps svg", "#reps .top"))
        assert chart
        assert section
        assert chart["width"] == pytest.approx(section["width"], abs=2)
        assert report.page.pdf().startswith(b"%PDF")


def test_hostile_names_are_shown_as_text(
    duckdb_marts: Workspace, written_report: WrittenReport, tmp_path: Path
) -> None:
    """Markup and scripts in names of teams, deals and calls are not executed."""
    printed = written_report.printed
    (team,) = [index for index, label in enumerate(printed["teams"]) if HOSTILE_TEXT in label]
    with open_file(written_report.file) as report:
        select(report.page, team=team)

        assert report.page.locator("#team option:checked").text_content() == printed["teams"][team]

        select(report.page)
        for key in ("library", "deals_at_risk"):
            section = next(section for section in SECTIONS if section.key == key)
            assert HOSTILE_TEXT in "".join("".join(cells) for cells in cells_of(report.page, section)), key
        report.page.locator("#pipeline .open").first.click()
        assert HOSTILE_TEXT in str(report.page.locator("#behind .figures").text_content())
        report.page.locator("#behind .bar button").click()
        report.page.locator("#trackers .mark-rect path").first.hover(force=True)
        report.page.wait_for_selector("#vg-tooltip-element.visible")

        assert report.page.evaluate("typeof struck") == "undefined"
        assert report.page.locator("img").count() == 0

        _assert_loads_nothing_else(report)
    one_team = write_report(duckdb_marts, tmp_path / "team.html", "--team", printed["teams"][team].upper())

    assert one_team["teams"] == [printed["teams"][team]]

    with open_file(tmp_path / "team.html") as report:
        select(report.page)
        assert HOSTILE_TEXT in str(report.page.locator("header").text_content())
        assert report.page.evaluate("typeof struck") == "undefined"


def test_the_security_policy_blocks_foreign_scripts(written_report: WrittenReport, tmp_path: Path) -> None:
    """A script that is added to the file does not run, because its hash is not in the policy."""
    page = written_report.file.read_text(encoding="utf-8")
    (tmp_path / "struck.html").write_text(f"{page}<script>struck = 1</script>", encoding="utf-8")
    with open_file(tmp_path / "struck.html") as report:
        select(report.page)
        assert report.page.evaluate("typeof struck") == "undefined"
        assert any("Content Security Policy" in error for error in report.errors)


def test_both_warehouses_give_the_same_report(
    duckdb_marts: Workspace, postgres_marts: Workspace, tmp_path: Path
) -> None:
    """DuckDB and PostgreSQL return the same rows for every section and selection."""
    until = ("--until", f"{datetime.now(UTC):%Y-%m-%d}")
    write_report(duckdb_marts, tmp_path / "duckdb.html", *until)
    write_report(postgres_marts, tmp_path / "postgres.html", *until)
    first, second = read_data(tmp_path / "duckdb.html"), read_data(tmp_path / "postgres.html")
    for section in SECTIONS:
        results, others = (data["figures"][section.key] for data in (first, second))
        assert {*results["results"]} == {*others["results"]}
        for selection in results["results"]:
            assert _rows_of(results, selection) == _rows_of(others, selection), section.key
    assert {key: entry["length"] for key, entry in first["lists"].items()} == {
        key: entry["length"] for key, entry in second["lists"].items()
    }


def _rows_of(figures: Json, selection: str) -> list[list[Any]]:
    return _round_values([figures["rows"][number] for number in figures["results"][selection]])


def _round_values(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[round_figure(value) if isinstance(value, float) else value for value in row] for row in rows]


@pytest.mark.slow
def test_a_company_without_calls_has_a_report(workspace: Workspace, tmp_path: Path) -> None:
    """Empty sections say so, and calls missing in the marts are reported."""
    with sync_company(workspace, SimulatedGong(Company(name="Empty", until=datetime.now(UTC)))) as place:
        build_models(place)
        printed = write_report(place, tmp_path / "report.html")

        assert printed["teams"] == ["All teams"]

        with open_file(tmp_path / "report.html") as report:
            select(report.page)
            assert report.page.locator("#activity .empty").is_visible()
            assert report.page.locator("#key_figures dd").first.text_content() == "0"
            _assert_loads_nothing_else(report)
        _assert_missing_calls_are_reported(place, tmp_path)


def _assert_missing_calls_are_reported(place: Workspace, tmp_path: Path) -> None:
    place.execute("INSERT INTO gong.calls (id, is_private, started) VALUES ('1', false, now())")
    ended = place.run("report", "--to", str(tmp_path / "behind.html"))
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "warning: 1 loaded calls are not in the marts yet: run gong-elt models"
    with open_file(tmp_path / "behind.html") as report:
        assert "1 loaded calls are not in these figures yet" in str(report.page.locator("header").text_content())


MANY = """
CREATE OR REPLACE TABLE gong_analytics.{mart} AS
SELECT made.* REPLACE ({key} || '-' || copy AS {key})
FROM gong_analytics.{mart} AS made, range({copies}) AS copies(copy)
"""


@pytest.mark.slow
def test_thousands_of_calls_and_deals_are_shown(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Long tables start with 10 rows and show all of them on request."""
    place = Workspace(tmp_path, settings=duckdb_marts.settings)
    (tmp_path / "warehouse.duckdb").write_bytes((duckdb_marts.folder / "warehouse.duckdb").read_bytes())
    keys = {"calls_enriched": "call_id", "topic_time": "call_id", "tracker_mentions": "call_id"}
    ((calls,),) = place.rows("SELECT count(*) FROM gong_analytics.calls_enriched")
    for mart, key in {**keys, "deal_risks": "opportunity_id"}.items():
        place.execute(MANY.format(mart=mart, key=key, copies=5_000 // calls + 1))
    write_report(place, tmp_path / "report.html", "--silent-days", "1")
    with open_file(tmp_path / "report.html") as report:
        select(report.page)
        tile = str(report.page.locator("#key_figures dd .value").first.text_content()).replace(",", "")
        assert int(tile) > 4_000
        deals = next(section for section in SECTIONS if section.key == "deals_at_risk")
        assert report.page.locator("#deals_at_risk tbody tr").count() == 10
        cells = cells_of(report.page, deals)
        assert len(cells) > 500
        records = query_records(place, sql_of(report.page, deals), deals)
        assert cells == [format_cells(deals, record) for record in records]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--team", "Nobody"), "use the name of a manager"),
        (("--since", "soon"), "--since"),
        (("--since", "2026-01-02", "--until", "2026-01-01"), "the period is empty"),
        (("--silent-days", "0"), "--silent-days"),
        (("--analytics", "elsewhere"), "run gong-elt models"),
        (("--to", "no/such/folder/file"), "cannot be written"),
    ],
)
def test_an_invalid_option_is_one_line(duckdb_marts: Workspace, arguments: tuple[str, ...], message: str) -> None:
    """Usage errors end with exit code 2 and one line that names the option or the remedy."""
    ended = duckdb_marts.run("report", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_report_of_nothing_names_its_period(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """A period without calls is one line on stderr with the period that has some; the file is written."""
    ended = duckdb_marts.run("report", "--to", str(tmp_path / "report.html"), "--until", "2020-01-01")
    assert ended.code == 0
    (line,) = ended.err.splitlines()
    assert "no call started from 2019-10-03 to 2020-01-01" in line
    assert "change --since and --until" in line
    assert (tmp_path / "report.html").exists()


def test_the_previous_period_needs_enough_history(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Key figures are compared with the previous period, or else with the longest one that the warehouse covers."""
    ((first,),) = duckdb_marts.rows("SELECT min(started) FROM gong_analytics.calls_enriched")
    day = first.astimezone(UTC).date()
    ((team, _),) = duckdb_marts.rows(
        "SELECT team, count(*) FROM gong_analytics.calls_enriched WHERE is_external AND team IS NOT NULL"
        " GROUP BY team ORDER BY 2 DESC LIMIT 1"
    )
    for days, compared in ((10, 10), (20, 7)):
        since = day + timedelta(days=15)
        until = since + timedelta(days=days)
        write_report(duckdb_marts, tmp_path / "report.html", *_between(since, until), "--team", team)
        data = read_data(tmp_path / "report.html")
        note = data["selections"]["periods"][0]["note"]
        figures = data["figures"]["key_figures"]
        _, in_period, recently, previously, change, *_ = figures["rows"][figures["results"]["0-0-0"][0]]

        assert f"with the {compared} days before" in note
        assert ("is not complete" in note) == (days != compared)
        assert (previously, recently) == _counts(duckdb_marts, team, until, compared)
        assert change == pytest.approx(recently / previously - 1)
        assert (in_period == recently) == (days == compared)


def _counts(place: Workspace, team: str, until: date, days: int) -> tuple[int, int]:
    starts = [
        started.astimezone(UTC).date()
        for (started,) in place.rows(
            "SELECT started FROM gong_analytics.calls_enriched WHERE is_external AND team = ?", [team]
        )
    ]
    begin = until - timedelta(days=days)
    return sum(begin - timedelta(days=days) <= start < begin for start in starts), sum(
        begin <= start < until for start in starts
    )


def _between(since: date, until: date) -> tuple[str, ...]:
    return ("--since", since.isoformat(), "--until", until.isoformat())


def test_sections_declare_columns_of_their_sql() -> None:
    """Column names are unique and occur in the SQL, placeholders are known, and sections explain missing data."""
    for section in SECTIONS:
        names = section.column_names()
        assert len(names) == len(set(names))
        assert all(re.search(rf"\b{name}\b", section.sql) for name in names), section.key
        assert len(section.empty) > 20, section.key
        _assert_known_placeholders(section)


def _assert_known_placeholders(section: Section) -> None:
    names = ("marts", "filter", "filter_recent", "filter_before", "started_period", "team", "team_of_deal", "today")
    placeholders: Mapping[str, str] = dict.fromkeys((*names, "silent_days"), "")
    section.sql.format(**placeholders)
