"""Datasets of the dashboard: marts, and queries over them, with metrics, links and the columns that filters need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..report.sections.pipeline import list_warnings
from .columns import COUNT_FORMAT, DURATION_FORMAT, MONEY_FORMAT, NUMBER_FORMAT, SHARE_FORMAT

TEAM = "team"
REP = "rep"
ACCOUNT = "account_name"
CALL_TYPE = "call_type"
AUDIENCE = "audience"
EXTERNAL = "External"
"""The value of the column `audience` for calls with someone from outside the company."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure over the rows of a dataset.

    Attributes:
        label: Heading.
        expression: SQL.
        number_format: Format of d3 or Superset.
    """

    label: str
    expression: str
    number_format: str = COUNT_FORMAT


@dataclass(frozen=True, slots=True)
class Calculated:
    """A column that Superset computes.

    Attributes:
        label: Heading.
        expression: SQL.
        description: Meaning, for people who build charts.
        is_html: Whether the value is an HTML link that the expression has made safe.
    """

    label: str
    expression: str
    description: str
    is_html: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """A mart, or a query over marts.

    Attributes:
        marts: Marts that it reads; the descriptions of its columns are theirs, the first one's first.
        metrics: Figures by name.
        calculated: Computed columns by name.
        time_column: Column of the period filter; None if the period does not apply.
        query: SQL with `{schema}` for the dataset of the marts; None for all rows of the mart.
        columns: Own columns of the query, with the type and the meaning of each.
        query_columns: Columns that the query takes from the marts; None for all of the first one.
    """

    marts: tuple[str, ...]
    metrics: Mapping[str, Metric]
    calculated: Mapping[str, Calculated] = field(default_factory=dict)
    time_column: str | None = None
    query: str | None = None
    columns: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    query_columns: tuple[str, ...] | None = None


def _link(label: str, url: str, text: str) -> Calculated:
    """Return a column with a link."""
    return Calculated(label, _link_to(url, text), f"Link made of the column {url}.", is_html=True)


def _link_to(url: str, text: str) -> str:
    """Return SQL for a link; other schemes and characters that could end the attribute give no link."""
    # Without a percent sign, which drivers of PostgreSQL take for a placeholder.
    is_https = f"substring({url}, 1, 8) = 'https://'"
    is_plain = (f"replace({url}, '{letter}', '') = {url}" for letter in ('"', "<", ">"))
    safe = " AND ".join((is_https, *is_plain))
    link = f"""'<a href="' || {url} || '" target="_blank" rel="noopener noreferrer">{text}</a>'"""
    return f"CASE WHEN {safe} THEN {link} END"


def _rep(expression: str) -> dict[str, Calculated]:
    return {REP: Calculated("Rep", expression, "Name of the rep, for the filter of the dashboard.")}


def _team(expression: str) -> dict[str, Calculated]:
    return {TEAM: Calculated("Team", expression, "Name of the rep's manager, for the filter of the dashboard.")}


_AUDIENCE = {
    AUDIENCE: Calculated(
        "External or internal",
        f"CASE WHEN is_external THEN '{EXTERNAL}' ELSE 'Internal' END",
        "External if someone from outside the company took part in the call or was invited.",
    )
}
_CALL = {"call_link": _link("Link", "url", "Open call")}
_MOMENT = {"moment_link": _link("Link", "moment_url", "Open moment")}
_LAST_CALL = {"last_call_link": _link("Last call", "last_call_url", "Open call")}
_LINKS = {
    "links": Calculated(
        "Links",
        f"coalesce({_link_to('last_call_url', 'Last call')}, '') ||"
        f" coalesce(' ' || {_link_to('deal_url', 'Deal in the CRM')}, '')",
        "Links to the last call in Gong, and to the deal in the CRM if the variable gong_deal_url is set.",
        is_html=True,
    )
}
_WARNINGS = {
    "warnings": Calculated("Which", list_warnings(), "Warnings of the deal, separated by commas."),
}
_SHARE_WITH_NEXT_STEP = "avg(CASE WHEN next_step_count > 0 THEN 1.0 ELSE 0.0 END)"
_WIN_RATE = "1.0 * count(CASE WHEN outcome = 'won' THEN 1 END) / nullif(count(CASE WHEN is_closed THEN 1 END), 0)"
_CALL_COLUMNS = ("call_id", "started", "is_external", "call_type", "team", "host_name", "account_name", "stage_at_call")

DATASETS: Mapping[str, Dataset] = {
    "calls_enriched": Dataset(
        marts=("calls_enriched",),
        metrics={
            "calls": Metric("Calls", "count(*)"),
            "call_hours": Metric("Hours", "sum(duration_seconds) / 3600.0", NUMBER_FORMAT),
            "talk_ratio": Metric("Talk ratio", "avg(host_talk_ratio)", SHARE_FORMAT),
            "longest_monologue": Metric(
                "Longest monologue", "1000.0 * avg(longest_monologue_seconds)", DURATION_FORMAT
            ),
            "patience": Metric("Patience (seconds)", "avg(patience_seconds)", NUMBER_FORMAT),
            "mean_interactivity": Metric("Interactivity", "avg(interactivity)", NUMBER_FORMAT),
            "questions_per_hour": Metric("Questions per hour", "avg(company_questions_per_hour)", NUMBER_FORMAT),
            "with_next_step": Metric("Calls with a next step", _SHARE_WITH_NEXT_STEP, SHARE_FORMAT),
            "transcribed": Metric(
                "With transcript", "avg(CASE WHEN has_transcript THEN 1.0 ELSE 0.0 END)", SHARE_FORMAT
            ),
        },
        calculated=_AUDIENCE | _rep("host_name") | _CALL,
        time_column="started",
    ),
    "topic_time": Dataset(
        marts=("topic_time",),
        metrics={"minutes": Metric("Minutes", "sum(seconds) / 60.0", COUNT_FORMAT)},
        calculated=_AUDIENCE | _rep("host_name"),
        time_column="started",
    ),
    "call_trackers": Dataset(
        marts=("calls_enriched", "tracker_mentions"),
        metrics={
            "share_of_calls": Metric("Share of calls", "avg(1.0 * is_mentioned)", SHARE_FORMAT),
            "calls_with_mention": Metric("Calls", "sum(is_mentioned)"),
        },
        calculated=_AUDIENCE | _rep("host_name"),
        time_column="started",
        query=f"""\
SELECT
    {", ".join(f"calls.{name}" for name in _CALL_COLUMNS)},
    trackers.tracker_name,
    CASE WHEN mentions.call_id IS NULL THEN 0 ELSE 1 END AS is_mentioned
FROM {{schema}}.calls_enriched AS calls
CROSS JOIN (SELECT DISTINCT tracker_name FROM {{schema}}.tracker_mentions) AS trackers
LEFT JOIN (SELECT DISTINCT call_id, tracker_name FROM {{schema}}.tracker_mentions) AS mentions
    ON mentions.call_id = calls.call_id AND mentions.tracker_name = trackers.tracker_name
WHERE calls.has_transcript
""",
        columns={"is_mentioned": ("integer", "1 if the call mentions the tracker, else 0.")},
        query_columns=(*_CALL_COLUMNS, "tracker_name"),
    ),
    "tracker_mentions": Dataset(
        marts=("tracker_mentions",),
        metrics={
            "calls_with_mention": Metric("Calls", "count(DISTINCT call_id)"),
            "mentions": Metric("Mentions", "count(*)"),
            "mentions_by_customers": Metric("By customers", "count(CASE WHEN side = 'customer' THEN 1 END)"),
        },
        calculated=_AUDIENCE | _rep("host_name"),
        time_column="started",
    ),
    "open_deals": Dataset(
        marts=("deal_risks", "stages"),
        metrics={
            "open_deals": Metric("Open deals", "count(*)"),
            "amount": Metric("Amount", "sum(amount_now)", MONEY_FORMAT),
            "deals_at_risk": Metric("With a warning", "count(CASE WHEN risk_count > 0 THEN 1 END)"),
            "amount_at_risk": Metric(
                "Amount at risk", "sum(CASE WHEN risk_count > 0 THEN amount_now END)", MONEY_FORMAT
            ),
            "place": Metric("Position of the stage", "min(stage_position)"),
        },
        calculated=_team("last_team") | _rep("last_host_name") | _WARNINGS | _LINKS,
        query="""\
SELECT risks.*, coalesce(stages.position, 1000000) AS stage_position
FROM {schema}.deal_risks AS risks
LEFT JOIN {schema}.stages AS stages ON stages.stage = risks.stage_now
""",
        columns={"stage_position": ("integer", "Position of the stage in the funnel, from 1.")},
    ),
    "deal_activity": Dataset(
        marts=("deal_activity",),
        metrics={
            "won_deals": Metric("Won deals", "count(CASE WHEN outcome = 'won' THEN 1 END)"),
            "lost_deals": Metric("Lost deals", "count(CASE WHEN outcome = 'lost' THEN 1 END)"),
            "win_rate": Metric("Win rate", _WIN_RATE, SHARE_FORMAT),
        },
        calculated=_team("last_team") | _rep("last_host_name") | _LINKS,
    ),
    "accounts": Dataset(
        marts=("accounts",),
        metrics={
            "accounts": Metric("Accounts", "count(*)"),
            "pipeline": Metric("Open pipeline", "sum(open_amount)", MONEY_FORMAT),
        },
        calculated=_team("last_team") | _rep("last_host_name") | _LAST_CALL,
    ),
    "competitor_outcomes": Dataset(
        marts=("competitor_outcomes",),
        metrics={
            "calls": Metric("Calls", "max(call_count)"),
            "open_deals": Metric("Open deals", "max(open_deal_count)"),
            "won_deals": Metric("Won", "max(won_deal_count)"),
            "lost_deals": Metric("Lost", "max(lost_deal_count)"),
            "rate_with": Metric("Win rate with", "max(win_rate)", SHARE_FORMAT),
            "rate_without": Metric("Win rate without", "max(win_rate_without)", SHARE_FORMAT),
        },
    ),
    "win_rate_by_behaviour": Dataset(
        marts=("win_rate_by_behaviour",),
        metrics={"closed_deals": Metric("Closed deals", "sum(closed_deal_count)")},
    ),
    "next_steps": Dataset(
        marts=("next_steps",),
        metrics={"next_steps": Metric("Next steps", "count(*)")},
        calculated=_AUDIENCE | _rep("host_name") | _MOMENT,
        time_column="started",
    ),
    "customer_quotes": Dataset(
        marts=("customer_quotes",),
        metrics={"quotes": Metric("Quotes", "count(*)")},
        calculated=_rep("host_name") | _MOMENT,
        time_column="started",
    ),
    "reps": Dataset(
        marts=("reps",),
        metrics={"reps": Metric("Reps", "count(*)")},
        calculated=_rep("rep_name"),
    ),
    "scorecard_results": Dataset(
        marts=("scorecard_results",),
        metrics={
            "reviews": Metric("Reviews", "count(DISTINCT answered_scorecard_id)"),
            "mean_score": Metric("Mean score", "avg(CASE WHEN NOT is_overall THEN 1.0 * score END)", ",.2f"),
            "overall_score": Metric("Overall score", "avg(CASE WHEN is_overall THEN 1.0 * score END)", ",.2f"),
            "any_score": Metric("Mean score", "avg(1.0 * score)", ",.2f"),
            "scores": Metric("Scores", "count(score)"),
        },
        calculated=_rep("reviewed_name"),
        time_column="call_started",
    ),
    "library_shelf": Dataset(
        marts=("library_shelf",),
        metrics={"library_calls": Metric("Calls in the library", "count(*)")},
        calculated=_AUDIENCE | _rep("host_name") | _CALL,
    ),
    "data_quality": Dataset(
        marts=("data_quality",),
        metrics={"rows_found": Metric("Rows found", "max(found)")},
    ),
}
"""Datasets by name. Ratios are means over calls."""
