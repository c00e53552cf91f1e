"""Charts with a point per day or week: calls, talk ratio, trackers, competitors, topics, next steps."""

from __future__ import annotations

import altair as alt

from .style import (
    HUES,
    OTHER,
    Grain,
    chart_of_rows,
    period_axis,
    period_tooltip,
    share_axis,
    with_period_bounds,
)

_TYPES = ["meeting", "dial", "short_dial", "other", "internal"]


def activity(grain: Grain) -> alt.Chart:
    """Return the number of calls, stacked by type."""
    chart: alt.Chart = (
        with_period_bounds(chart_of_rows(), grain)
        .transform_stack(stack="calls", groupby=["period"], sort=[alt.SortField("type")], as_=["low", "high"])
        .mark_rect()
        .encode(
            x=period_axis(grain),
            x2="end:T",
            y=alt.Y("low:Q", title="Calls", axis=alt.Axis(tickMinStep=1)),
            y2="high:Q",
            color=alt.Color("type:N", scale=alt.Scale(domain=_TYPES, range=[*HUES[:3], HUES[4], OTHER])),
            tooltip=[
                period_tooltip(grain),
                alt.Tooltip("type:N", title="Type"),
                alt.Tooltip("calls:Q", title="Calls", format=","),
                alt.Tooltip("hours:Q", title="Hours", format=",.1f"),
            ],
        )
    )
    return chart


def share_over_time(grain: Grain, field: str, title: str) -> alt.LayerChart:
    """Return a line of a share; points with fewer calls are paler."""
    periods = with_period_bounds(chart_of_rows(), grain)
    share = share_axis(field, title)
    line = periods.mark_line(color=HUES[0]).encode(x=period_axis(grain), y=share)
    points = periods.mark_point(filled=True, size=70, color=HUES[0]).encode(
        x=period_axis(grain),
        y=share,
        opacity=alt.Opacity("calls:Q", legend=None, scale=alt.Scale(range=[0.4, 1])),
        tooltip=[
            period_tooltip(grain),
            alt.Tooltip(f"{field}:Q", title=title, format=".1%"),
            alt.Tooltip("calls:Q", title="Calls", format=","),
        ],
    )
    return alt.LayerChart(layer=[line, points])


def shares_over_time(grain: Grain, field: str, title: str) -> alt.LayerChart:
    """Return a line per tracker or competitor, for the six with most calls."""
    top = (
        with_period_bounds(chart_of_rows(240), grain)
        .transform_joinaggregate(total="sum(calls)", groupby=[field])
        .transform_window(
            rank="dense_rank()",
            sort=[alt.SortField("total", order="descending"), alt.SortField(field, order="ascending")],
        )
        .transform_filter("datum.rank <= 6")
        .encode(
            x=period_axis(grain),
            y=share_axis("share_of_calls", "Share of calls"),
            color=alt.Color(f"{field}:N", sort=alt.EncodingSortField("rank", op="min")),
        )
    )
    points = top.mark_point(filled=True, size=40).encode(
        tooltip=[
            period_tooltip(grain),
            alt.Tooltip(f"{field}:N", title=title),
            alt.Tooltip("share_of_calls:Q", title="Share of calls", format=".1%"),
            alt.Tooltip("calls:Q", title="Calls", format=","),
        ]
    )
    return alt.LayerChart(layer=[top.mark_line(), points])


def topics(grain: Grain) -> alt.Chart:
    """Return the share of each topic in the time with topics, for the eight with most time."""
    chart: alt.Chart = (
        with_period_bounds(chart_of_rows(240), grain)
        .transform_joinaggregate(total="sum(minutes)", groupby=["topic"])
        .transform_window(
            rank="dense_rank()",
            sort=[alt.SortField("total", order="descending"), alt.SortField("topic", order="ascending")],
        )
        .transform_calculate(topic="datum.rank <= 8 ? datum.topic : 'Other'", order="min(datum.rank, 9)")
        .transform_aggregate(minutes="sum(minutes)", groupby=["period", "begin", "end", "topic", "order"])
        .transform_stack(
            stack="minutes", groupby=["period"], sort=[alt.SortField("order")], offset="normalize", as_=["low", "high"]
        )
        .mark_rect()
        .encode(
            x=period_axis(grain),
            x2="end:T",
            y=share_axis("low", "Share of time"),
            y2="high:Q",
            color=alt.Color(
                "topic:N",
                sort=alt.EncodingSortField("order", op="min"),
                scale=alt.Scale(range=[*HUES, OTHER]),
            ),
            tooltip=[
                period_tooltip(grain),
                alt.Tooltip("topic:N", title="Topic"),
                alt.Tooltip("minutes:Q", title="Minutes", format=",.0f"),
            ],
        )
    )
    return chart
