"""The dashboard as data: rows of charts over the marts, with Superset's own setting names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TITLE = "Gong calls"

METRICS: Mapping[str, Mapping[str, str]] = {
    "calls_enriched": {
        "calls": "count(*)",
        "call_hours": "sum(duration_seconds) / 3600.0",
        "talk_ratio": "avg(host_talk_ratio)",
        "longest_monologue_seconds": "avg(longest_monologue_seconds)",
        "patience_seconds": "avg(patience_seconds)",
        "interactivity": "avg(interactivity)",
        "customer_questions_per_hour": "avg(customer_questions_per_hour)",
        "transcribed": "avg(case when has_transcript then 1.0 else 0.0 end)",
    },
    "topic_time": {"minutes": "sum(seconds) / 60.0"},
    "tracker_mentions": {"calls_with_mention": "count(distinct call_id)", "mentions": "count(*)"},
    "deal_activity": {"open_deals": "count(case when not is_closed then 1 end)"},
    "library_shelf": {"library_calls": "count(*)"},
    "data_quality": {"found": "max(found)"},
}
"""Metrics of each dataset (mart) as SQL. Ratios are means over calls."""

TIME_COLUMNS: Mapping[str, str] = {
    "calls_enriched": "started",
    "topic_time": "started",
    "tracker_mentions": "started",
    "deal_activity": "last_call",
    "library_shelf": "added",
}
"""Column of each dataset that the period filter uses."""

TEAM_COLUMNS: Mapping[str, str] = {"deal_activity": "last_team"}
"""Column of the team (the host's manager) in datasets without a column `team`."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of the dashboard.

    Attributes:
        title: Heading.
        mart: Dataset.
        kind: Superset's `viz_type`.
        settings: Superset's `params` except dataset and kind.
        width: Width in columns, of 12.
    """

    title: str
    mart: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    width: int = 6


def _figure(title: str, metric: str, number_format: str, mart: str = "calls_enriched") -> Chart:
    return Chart(title, mart, "big_number_total", {"metric": metric, "y_axis_format": number_format}, width=3)


def _by_week(metrics: list[str], number_format: str, **settings: Any) -> dict[str, Any]:
    return {
        "x_axis": "started",
        "time_grain_sqla": "P1W",
        "metrics": metrics,
        "y_axis_format": number_format,
        "row_limit": 10_000,
        **settings,
    }


def _table(groupby: list[str], metrics: list[str]) -> dict[str, Any]:
    return {
        "query_mode": "aggregate",
        "groupby": groupby,
        "metrics": metrics,
        "timeseries_limit_metric": metrics[0],
        "order_desc": True,
        "row_limit": 1_000,
    }


ROWS: tuple[tuple[Chart, ...], ...] = (
    (
        _figure("Calls", "calls", ",d"),
        _figure("Hours", "call_hours", ",.1f"),
        _figure("Talk ratio of hosts", "talk_ratio", ".1%"),
        _figure("With transcript", "transcribed", ".1%"),
    ),
    (
        Chart(
            "Calls by week",
            "calls_enriched",
            "echarts_timeseries_bar",
            _by_week(["calls"], ",d", groupby=["scope"], stack="Stack"),
        ),
        Chart("Talk ratio by week", "calls_enriched", "echarts_timeseries_line", _by_week(["talk_ratio"], ".0%")),
    ),
    (
        Chart(
            "Hosts",
            "calls_enriched",
            "table",
            _table(
                ["host_name"],
                ["calls", "talk_ratio", "longest_monologue_seconds", "patience_seconds", "interactivity"],
            ),
        ),
        Chart(
            "Topics by week",
            "topic_time",
            "echarts_area",
            _by_week(["minutes"], ".0%", groupby=["topic"], stack="Stack", contributionMode="row", limit=8),
        ),
    ),
    (
        Chart(
            "Trackers by week",
            "tracker_mentions",
            "echarts_timeseries_line",
            _by_week(["calls_with_mention"], ",d", groupby=["tracker_name"], limit=6),
        ),
        Chart(
            "Phrases of trackers",
            "tracker_mentions",
            "table",
            _table(["tracker_name", "phrase", "side"], ["calls_with_mention", "mentions"]),
        ),
    ),
    (
        Chart(
            "Open deals by days since the last call",
            "deal_activity",
            "table",
            {
                "query_mode": "raw",
                "all_columns": [
                    *("opportunity_name", "account_name", "stage_now", "amount_now", "days_since_last_call"),
                    *("call_count", "external_people", "last_host_name"),
                ],
                "order_by_cols": ['["days_since_last_call", false]'],
                "adhoc_filters": [{"expressionType": "SQL", "clause": "WHERE", "sqlExpression": "not is_closed"}],
                "row_limit": 1_000,
            },
            width=12,
        ),
    ),
    (
        Chart("Library", "library_shelf", "table", _table(["folder_path", "title", "host_name"], ["library_calls"])),
        Chart("Data quality", "data_quality", "table", _table(["check_name"], ["found"])),
    ),
)
"""All rows of charts, from top to bottom."""
