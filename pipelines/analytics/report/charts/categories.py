"""Charts with a row per rep, deal stage, warning, tracker, competitor, topic, question or folder."""

from __future__ import annotations

import altair as alt

from .style import FAINT, HUES, INK, OTHER, chart_of_rows

_WITH_CURRENCY = "datum.{0} + (datum.currency ? ' (' + datum.currency + ')' : '')"
_BY_TALK_RATIO = alt.EncodingSortField("talk_ratio", order="descending")
_AMOUNT = alt.Axis(labelExpr="format(datum.value, '~s')", tickCount=5)


def pipeline_by_stage() -> alt.Chart:
    """Return the amount of open deals by stage, with and without warnings."""
    chart: alt.Chart = (
        chart_of_rows()
        .transform_calculate(label=_WITH_CURRENCY.format("stage"))
        .mark_bar()
        .encode(
            x=alt.X("amount:Q", title="Amount", axis=_AMOUNT),
            y=alt.Y("label:N", sort=alt.EncodingSortField("place", op="min"), title=None),
            color=alt.Color("state:N", scale=alt.Scale(domain=["with a warning", "without"], range=[HUES[1], HUES[0]])),
            tooltip=[
                alt.Tooltip("label:N", title="Stage"),
                alt.Tooltip("state:N", title="Deals"),
                alt.Tooltip("deals:Q", title="Number"),
                alt.Tooltip("amount:Q", title="Amount", format=","),
            ],
        )
    )
    return chart


def pipeline_by_warning() -> alt.Chart:
    """Return the amount of open deals by warning."""
    chart: alt.Chart = (
        chart_of_rows()
        .transform_calculate(label=_WITH_CURRENCY.format("warning"))
        .mark_bar(color=HUES[1])
        .encode(
            x=alt.X("amount:Q", title="Amount", axis=_AMOUNT),
            y=alt.Y("label:N", sort="-x", title=None),
            tooltip=[
                alt.Tooltip("label:N", title="Warning"),
                alt.Tooltip("deals:Q", title="Deals"),
                alt.Tooltip("amount:Q", title="Amount", format=","),
            ],
        )
    )
    return chart


def reps() -> alt.LayerChart:
    """Return the talk ratio of the reps with most calls, against the recommended ratio and limit."""
    top = (
        chart_of_rows()
        .transform_filter("datum.talk_ratio !== null")
        .transform_window(rank="row_number()", sort=[alt.SortField("calls", order="descending")])
        .transform_filter("datum.rank <= 15")
    )
    points = top.mark_point(filled=True, size=90, opacity=0.9).encode(
        x=alt.X(
            "talk_ratio:Q", title="Talk ratio", axis=alt.Axis(format=".0%", tickCount=6), scale=alt.Scale(zero=False)
        ),
        y=alt.Y("host:N", sort=_BY_TALK_RATIO, title=None),
        tooltip=[
            alt.Tooltip("host:N", title="Rep"),
            alt.Tooltip("talk_ratio:Q", title="Talk ratio", format=".1%"),
            alt.Tooltip("team_talk_ratio:Q", title="Mean of the team", format=".1%"),
            alt.Tooltip("calls:Q", title="Calls", format=","),
        ],
    )
    team = top.mark_tick(thickness=2, size=14, color=FAINT).encode(
        x="team_talk_ratio:Q",
        y=alt.Y("host:N", sort=_BY_TALK_RATIO, title=None),
        tooltip=[alt.Tooltip("team_talk_ratio:Q", title="Mean of the team", format=".1%")],
    )
    return alt.LayerChart(layer=[_limit(0.43, HUES[2]), _limit(0.65, HUES[1]), team, points])


def _limit(value: float, color: str) -> alt.Chart:
    rule: alt.Chart = (
        alt.Chart(alt.InlineData([{"limit": value}]))
        .mark_rule(strokeDash=[4, 4], color=color)
        .encode(x="limit:Q", tooltip=[alt.Tooltip("limit:Q", title="Recommended by Gong", format=".0%")])
    )
    return rule


def shares(field: str, title: str) -> alt.Chart:
    """Return the share of calls per tracker or competitor."""
    chart: alt.Chart = (
        chart_of_rows()
        .transform_window(rank="row_number()")
        .transform_filter("datum.rank <= 20")
        .mark_bar()
        .encode(
            x=alt.X("share_of_calls:Q", title="Share of calls", axis=alt.Axis(format=".0%", tickCount=6)),
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


def win_rates() -> alt.LayerChart:
    """Return the win rates with and without a mention of each competitor."""
    rates = chart_of_rows().transform_window(rank="row_number()").transform_filter("datum.rank <= 20")
    y = alt.Y("competitor:N", title=None, sort=None)
    axis = alt.Axis(format=".0%", tickCount=6)
    line = rates.mark_rule(strokeWidth=2).encode(
        x=alt.X("win_rate:Q", title="Win rate", axis=axis), x2="win_rate_without:Q", y=y
    )
    points = (
        rates.transform_fold(["win_rate", "win_rate_without"], as_=["series", "rate"])
        .transform_calculate(deals="datum.series === 'win_rate' ? 'with a mention' : 'without'")
        .mark_point(filled=True, size=90, opacity=1)
        .encode(
            x=alt.X("rate:Q", title="Win rate", axis=axis),
            y=y,
            color=alt.Color("deals:N", scale=alt.Scale(domain=["with a mention", "without"], range=[HUES[1], OTHER])),
            tooltip=[
                alt.Tooltip("competitor:N", title="Competitor"),
                alt.Tooltip("deals:N", title="Deals"),
                alt.Tooltip("rate:Q", title="Win rate", format=".1%"),
            ],
        )
    )
    return alt.LayerChart(layer=[line, points])


def by_stage(field: str, title: str, share: str, share_title: str) -> alt.LayerChart:
    """Return a heat map of shares, with stages in the order of the funnel."""
    cells = chart_of_rows().encode(
        x=alt.X(
            "stage:N",
            title=None,
            sort=alt.EncodingSortField("place", op="min"),
            axis=alt.Axis(labelAngle=-30, labelOverlap=False, labelLimit=90, ticks=False),
        ),
        y=alt.Y(f"{field}:N", title=None, axis=alt.Axis(ticks=False)),
    )
    # Opacity instead of a colour gradient, which could not follow the page's light and dark styles.
    tiles = cells.mark_rect(color=HUES[0]).encode(
        opacity=alt.Opacity(f"{share}:Q", legend=None, scale=alt.Scale(domainMin=0, range=[0.04, 0.75])),
        tooltip=[
            alt.Tooltip("stage:N", title="Stage"),
            alt.Tooltip(f"{field}:N", title=title),
            alt.Tooltip(f"{share}:Q", title=share_title, format=".1%"),
            alt.Tooltip("calls:Q", title="Calls", format=","),
        ],
    )
    labels = cells.mark_text(color=INK).encode(text=alt.Text(f"{share}:Q", format=".0%"))
    return alt.LayerChart(layer=[tiles, labels])


def scores(field: str, title: str, count: str, group: str | None = None) -> alt.Chart:
    """Return the mean score per rep or question, with a bar per scorecard if this is the group."""
    chart: alt.Chart = (
        chart_of_rows()
        .mark_bar()
        .encode(
            x=alt.X("mean_score:Q", title="Mean score"),
            y=alt.Y(f"{field}:N", sort="x", title=None, axis=alt.Axis(labelLimit=220)),
            tooltip=[
                alt.Tooltip(f"{field}:N", title=title),
                *([alt.Tooltip(f"{group}:N", title=group.capitalize())] if group else []),
                alt.Tooltip("mean_score:Q", title="Mean score", format=".1f"),
                alt.Tooltip(f"{count}:Q", title=count.capitalize(), format=","),
            ],
        )
    )
    return chart.encode(yOffset=f"{group}:N", color=f"{group}:N") if group else chart
