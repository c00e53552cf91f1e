"""The Vega-Lite specification of each section's chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt

from . import categories, over_time
from .style import CONFIG, Grain

_OVER_TIME: Mapping[str, Callable[[Grain], alt.LayerChart | alt.Chart]] = {
    "activity": over_time.activity,
    "talk_time": lambda grain: over_time.share_over_time(grain, "talk_ratio", "Talk ratio of hosts"),
    "competitors_over_time": lambda grain: over_time.shares_over_time(grain, "competitor", "Competitor"),
    "trackers_over_time": lambda grain: over_time.shares_over_time(grain, "tracker", "Tracker"),
    "topics": over_time.topics,
    "next_steps_over_time": lambda grain: over_time.share_over_time(grain, "share_of_calls", "Calls with a next step"),
}


@dataclass(frozen=True, slots=True)
class _Categories:
    """A chart whose height the page sets by the number of its categories.

    Vega-Lite's own steps are not used: they cannot be combined with a width that follows the page.

    Attributes:
        chart: Makes the chart.
        field: Column with the categories.
        step: Height of a category in pixels.
        limit: Largest number of categories in the chart.
    """

    chart: Callable[[], alt.LayerChart | alt.Chart]
    field: str
    step: int
    limit: int = 20


_CATEGORIES: Mapping[str, _Categories] = {
    "pipeline_by_stage": _Categories(categories.pipeline_by_stage, "stage", 34),
    "pipeline_by_warning": _Categories(categories.pipeline_by_warning, "warning", 30),
    "reps": _Categories(categories.reps, "host", 20, 15),
    "competitors": _Categories(lambda: categories.shares("competitor", "Competitor"), "competitor", 34),
    "competitor_outcomes": _Categories(categories.win_rates, "competitor", 26),
    "trackers_by_stage": _Categories(
        lambda: categories.by_stage("tracker", "Tracker", "share_of_calls", "Share of calls"), "tracker", 28, 30
    ),
    "topics_by_stage": _Categories(
        lambda: categories.by_stage("topic", "Topic", "share_of_time", "Share of time"), "topic", 28, 30
    ),
    "trackers": _Categories(lambda: categories.shares("tracker", "Tracker"), "tracker", 28),
    "scorecards": _Categories(lambda: categories.scores("rep", "Rep", "reviews"), "rep", 22),
    "scorecard_questions": _Categories(
        lambda: categories.scores("question", "Question", "scores", "scorecard"), "question", 40
    ),
}


def chart_specs() -> dict[str, dict[Grain, dict[str, Any]]]:
    """Return the specifications by section key and grain; sections without a chart are missing."""
    specs: dict[str, dict[Grain, dict[str, Any]]] = {
        key: {"day": _specify(chart("day")), "week": _specify(chart("week"))} for key, chart in _OVER_TIME.items()
    }
    for key, sized in _CATEGORIES.items():
        size = {"field": sized.field, "step": sized.step, "limit": sized.limit}
        spec = {**_specify(sized.chart()), "usermeta": size}
        specs[key] = {"day": spec, "week": spec}
    return specs


def _specify(chart: alt.LayerChart | alt.Chart) -> dict[str, Any]:
    spec = chart.to_dict()
    return {**spec, "autosize": {"type": "fit-x", "contains": "padding"}, "config": CONFIG}
