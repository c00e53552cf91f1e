"""Vega-Lite charts of the report's sections.

A chart reads the rows of its section from the dataset `rows`. Colours are CSS variables of the page, so that charts
follow its light, dark and print styles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt

_HUES = [f"var(--hue-{number})" for number in range(1, 9)]
_OTHER = "var(--hue-other)"
_INK, _FAINT, _RULE = "var(--ink)", "var(--faint)", "var(--rule)"
_DAY_MS = 86_400_000

CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": _FAINT,
        "titleColor": _FAINT,
        "titleFontWeight": "normal",
        "gridColor": _RULE,
        "domain": False,
        "tickColor": _RULE,
        "labelLimit": 150,
    },
    "legend": {"labelColor": _INK, "title": None, "orient": "top", "columns": 3, "labelLimit": 100},
    "range": {"category": _HUES},
    "mark": {"color": _HUES[0]},
    "rule": {"color": _FAINT},
}
"""Vega-Lite `config` of all charts."""


def chart_specs() -> dict[str, dict[str, Any]]:
    """Return the Vega-Lite specifications by section key; sections without a chart are missing."""
    charts: dict[str, Callable[[], alt.LayerChart | alt.Chart]] = {
        "activity": _activity,
        "talk_time": _talk_time,
        "hosts": _hosts,
        "topics": _topics,
        "trackers": lambda: _shares("tracker", "Tracker"),
        "trackers_over_time": _trackers_over_time,
        "trackers_by_stage": _trackers_by_stage,
        "competitors": lambda: _shares("competitor", "Competitor"),
        "deals_at_risk": _deals_at_risk,
        "library": _library,
    }
    page_width = {"type": "fit-x", "contains": "padding"}
    return {key: {**chart().to_dict(), "autosize": page_width, "config": CONFIG} for key, chart in charts.items()}


def _chart_of_rows(**size: Any) -> alt.Chart:
    return alt.Chart(alt.NamedData(name="rows")).properties(width="container", **size)


def _with_week_bounds(chart: alt.Chart) -> alt.Chart:
    """Return the chart with `week_begin` and `week_end` as times, leaving a gap to the next week.

    Vega's weeks start on Sunday, ours on Monday: bars are drawn one day early to meet its ticks, and the labels of the
    ticks show the Monday.
    """
    weeks: alt.Chart = chart.transform_calculate(
        week_begin=f"toDate(datum.week) - {_DAY_MS}", week_end=f"toDate(datum.week) + {5.4 * _DAY_MS:.0f}"
    )
    return weeks


def _week_axis() -> alt.X:
    return alt.X(
        "week_begin:T",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(
            title=None,
            labelExpr=f"utcFormat(+datum.value + {_DAY_MS}, '%-d %b')",
            grid=False,
            labelOverlap=True,
            tickCount="week",
        ),
    )


def _week_tooltip() -> alt.Tooltip:
    return alt.Tooltip("week:N", title="Week of")


def _activity() -> alt.Chart:
    types = ["meeting", "dial", "short_dial", "other", "internal"]
    chart: alt.Chart = (
        _with_week_bounds(_chart_of_rows(height=220))
        .transform_stack(stack="calls", groupby=["week"], sort=[alt.SortField("type")], as_=["low", "high"])
        .mark_rect()
        .encode(
            x=_week_axis(),
            x2="week_end:T",
            y=alt.Y("low:Q", title="Calls", axis=alt.Axis(tickMinStep=1)),
            y2="high:Q",
            color=alt.Color("type:N", scale=alt.Scale(domain=types, range=[*_HUES[:3], _HUES[4], _OTHER])),
            tooltip=[
                _week_tooltip(),
                alt.Tooltip("type:N", title="Type"),
                alt.Tooltip("calls:Q", title="Calls", format=","),
                alt.Tooltip("hours:Q", title="Hours", format=",.1f"),
            ],
        )
    )
    return chart


def _talk_time() -> alt.LayerChart:
    weeks = _with_week_bounds(_chart_of_rows(height=220))
    share = alt.Y("talk_ratio:Q", title="Talk ratio of hosts", axis=alt.Axis(format=".0%"))
    line = weeks.mark_line(color=_HUES[0]).encode(x=_week_axis(), y=share)
    points = weeks.mark_point(filled=True, size=70, color=_HUES[0]).encode(
        x=_week_axis(),
        y=share,
        opacity=alt.Opacity("calls:Q", legend=None, scale=alt.Scale(range=[0.4, 1])),
        tooltip=[
            _week_tooltip(),
            alt.Tooltip("talk_ratio:Q", title="Talk ratio", format=".1%"),
            alt.Tooltip("calls:Q", title="Calls", format=","),
        ],
    )
    return alt.LayerChart(layer=[line, points])


def _hosts() -> alt.LayerChart:
    top = (
        _chart_of_rows(height=alt.Step(20))
        .transform_filter("datum.talk_ratio !== null")
        .transform_window(rank="row_number()", sort=[alt.SortField("calls", order="descending")])
        .transform_filter("datum.rank <= 25")
    )
    share = alt.X("talk_ratio:Q", title="Talk ratio", axis=alt.Axis(format=".0%", tickCount=6))
    points = top.mark_point(filled=True, size=90, opacity=0.9).encode(
        x=share,
        y=alt.Y("host:N", sort="-x", title=None),
        tooltip=[
            alt.Tooltip("host:N", title="Host"),
            alt.Tooltip("talk_ratio:Q", title="Talk ratio", format=".1%"),
            alt.Tooltip("calls:Q", title="Calls", format=","),
        ],
    )
    mean = top.mark_rule(strokeDash=[4, 4]).encode(x=alt.X("mean(talk_ratio):Q"))
    return alt.LayerChart(layer=[mean, points])


def _topics() -> alt.Chart:
    chart: alt.Chart = (
        _with_week_bounds(_chart_of_rows(height=260))
        .transform_joinaggregate(total="sum(minutes)", groupby=["topic"])
        .transform_window(
            rank="dense_rank()",
            sort=[alt.SortField("total", order="descending"), alt.SortField("topic", order="ascending")],
        )
        .transform_calculate(name="datum.rank <= 8 ? datum.topic : 'Other'", order="min(datum.rank, 9)")
        .transform_aggregate(minutes="sum(minutes)", groupby=["week", "week_begin", "week_end", "name", "order"])
        .transform_stack(
            stack="minutes", groupby=["week"], sort=[alt.SortField("order")], offset="normalize", as_=["low", "high"]
        )
        .mark_rect()
        .encode(
            x=_week_axis(),
            x2="week_end:T",
            y=alt.Y("low:Q", title="Share of time", axis=alt.Axis(format=".0%")),
            y2="high:Q",
            color=alt.Color(
                "name:N",
                sort=alt.EncodingSortField("order", op="min"),
                scale=alt.Scale(range=[*_HUES, _OTHER]),
            ),
            tooltip=[
                _week_tooltip(),
                alt.Tooltip("name:N", title="Topic"),
                alt.Tooltip("minutes:Q", title="Minutes", format=",.0f"),
            ],
        )
    )
    return chart


def _shares(field: str, title: str) -> alt.Chart:
    chart: alt.Chart = (
        _chart_of_rows(height=alt.Step(22))
        .transform_window(rank="row_number()")
        .transform_filter("datum.rank <= 20")
        .mark_bar()
        .encode(
            x=alt.X("share_of_calls:Q", title="Share of calls", axis=alt.Axis(format=".0%")),
            y=alt.Y(f"{field}:N", sort="-x", title=None),
            tooltip=[
                alt.Tooltip(f"{field}:N", title=title),
                alt.Tooltip("share_of_calls:Q", title="Share of calls", format=".1%"),
                alt.Tooltip("calls:Q", title="Calls", format=","),
                alt.Tooltip("mentions:Q", title="Mentions", format=","),
                alt.Tooltip("mentions_by_customers:Q", title="By customers", format=","),
            ],
        )
    )
    return chart


def _trackers_over_time() -> alt.LayerChart:
    top = (
        _with_week_bounds(_chart_of_rows(height=240))
        .transform_joinaggregate(total="sum(calls)", groupby=["tracker"])
        .transform_window(
            rank="dense_rank()",
            sort=[alt.SortField("total", order="descending"), alt.SortField("tracker", order="ascending")],
        )
        .transform_filter("datum.rank <= 6")
        .encode(
            x=_week_axis(),
            y=alt.Y("share_of_calls:Q", title="Share of calls", axis=alt.Axis(format=".0%")),
            color=alt.Color("tracker:N", sort=alt.EncodingSortField("rank", op="min")),
        )
    )
    points = top.mark_point(filled=True, size=40).encode(
        tooltip=[
            _week_tooltip(),
            alt.Tooltip("tracker:N", title="Tracker"),
            alt.Tooltip("share_of_calls:Q", title="Share of calls", format=".1%"),
            alt.Tooltip("calls:Q", title="Calls", format=","),
        ]
    )
    return alt.LayerChart(layer=[top.mark_line(), points])


def _trackers_by_stage() -> alt.LayerChart:
    cells = _chart_of_rows(height=alt.Step(28)).encode(
        x=alt.X("stage:N", title=None, axis=alt.Axis(labelAngle=-30, labelOverlap=False, labelLimit=90, ticks=False)),
        y=alt.Y("tracker:N", title=None, axis=alt.Axis(ticks=False)),
    )
    # Opacity instead of a colour gradient, which could not follow the page's light and dark styles.
    tiles = cells.mark_rect(color=_HUES[0]).encode(
        opacity=alt.Opacity("share_of_calls:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.04, 0.75])),
        tooltip=[
            alt.Tooltip("stage:N", title="Stage"),
            alt.Tooltip("tracker:N", title="Tracker"),
            alt.Tooltip("share_of_calls:Q", title="Share of calls", format=".1%"),
            alt.Tooltip("calls:Q", title="Calls", format=","),
            alt.Tooltip("calls_at_stage:Q", title="Calls at the stage", format=","),
        ],
    )
    labels = cells.mark_text(color=_INK).encode(text=alt.Text("share_of_calls:Q", format=".0%"))
    return alt.LayerChart(layer=[tiles, labels])


def _deals_at_risk() -> alt.Chart:
    chart: alt.Chart = (
        _chart_of_rows(height=220)
        .mark_point(filled=True, size=90, opacity=0.8)
        .encode(
            x=alt.X("days_silent:Q", title="Days without a call", scale=alt.Scale(zero=True)),
            y=alt.Y("amount:Q", title="Amount", axis=alt.Axis(format="~s")),
            color=alt.Color("stage:N"),
            tooltip=[
                alt.Tooltip("deal:N", title="Deal"),
                alt.Tooltip("account:N", title="Account"),
                alt.Tooltip("stage:N", title="Stage"),
                alt.Tooltip("amount:Q", title="Amount", format=","),
                alt.Tooltip("days_silent:Q", title="Days without a call"),
            ],
        )
    )
    return chart


def _library() -> alt.Chart:
    chart: alt.Chart = (
        _chart_of_rows(height=alt.Step(20))
        .transform_aggregate(calls="count()", groupby=["folder"])
        .transform_window(rank="row_number()", sort=[alt.SortField("calls", order="descending")])
        .transform_filter("datum.rank <= 20")
        .mark_bar()
        .encode(
            x=alt.X("calls:Q", title="Calls in the folder", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("folder:N", sort="-x", title=None, axis=alt.Axis(labelLimit=220)),
            tooltip=[alt.Tooltip("folder:N", title="Folder"), alt.Tooltip("calls:Q", title="Calls", format=",")],
        )
    )
    return chart
