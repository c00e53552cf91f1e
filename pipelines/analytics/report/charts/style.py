"""Colours, axes and sizes that all charts share.

Colours are CSS variables of the page, so that charts follow its light, dark and print styles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import altair as alt

Grain = Literal["day", "week"]
"""Whether charts over time have a point per day or per week."""

HUES = [f"var(--hue-{number})" for number in range(1, 9)]
OTHER = "var(--hue-other)"
INK, FAINT, RULE, WARN = "var(--ink)", "var(--faint)", "var(--rule)", "var(--warn)"
_DAY_MS = 86_400_000

CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": FAINT,
        "titleColor": FAINT,
        "titleFontWeight": "normal",
        "gridColor": RULE,
        "domain": False,
        "tickColor": RULE,
        "labelLimit": 150,
    },
    "legend": {"labelColor": INK, "title": None, "orient": "top", "columns": 3, "labelLimit": 100},
    "range": {"category": HUES},
    "mark": {"color": HUES[0], "cursor": "pointer"},
    "rule": {"color": FAINT},
}
"""Vega-Lite `config` of all charts."""


def chart_of_rows(height: int = 220) -> alt.Chart:
    """Return an empty chart of the section's rows, which the page puts into the dataset `rows`.

    Args:
        height: Height in pixels.
    """
    return alt.Chart(alt.NamedData(name="rows")).properties(width="container", height=height)


def with_period_bounds(chart: alt.Chart, grain: Grain) -> alt.Chart:
    """Return the chart with `begin` and `end` of the row's day or week as times, leaving a gap to the next one.

    Vega's weeks start on Sunday, ours on Monday: weeks are drawn one day early to meet its ticks, and the labels of the
    ticks show the Monday.
    """
    begin, end = (-_DAY_MS, 5.4 * _DAY_MS) if grain == "week" else (0, 0.8 * _DAY_MS)
    bounded: alt.Chart = chart.transform_calculate(
        begin=f"+toDate(datum.period) + {begin}", end=f"+toDate(datum.period) + {end:.0f}"
    )
    return bounded


def period_axis(grain: Grain) -> alt.X:
    """Return the x axis of a chart over time."""
    shift = _DAY_MS if grain == "week" else 0
    return alt.X(
        "begin:T",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(
            title=None,
            labelExpr=f"utcFormat(+datum.value + {shift}, '%-d %b')",
            grid=False,
            labelOverlap=True,
            tickCount=grain,
        ),
    )


def period_tooltip(grain: Grain) -> alt.Tooltip:
    """Return the tooltip with the day or the week of a mark."""
    return alt.Tooltip("period:N", title="Week of" if grain == "week" else "Day")


def share_axis(field: str, title: str) -> alt.Y:
    """Return a y axis for shares."""
    return alt.Y(f"{field}:Q", title=title, axis=alt.Axis(format=".0%"))
