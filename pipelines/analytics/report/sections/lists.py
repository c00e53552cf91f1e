"""Lists of calls and deals that figures lead to. Relations have the id of a call or a deal and the value to match.

Placeholders are those of the sections; `{in_report}` is the condition for the whole period and the team of the report.
"""

from __future__ import annotations

from ..section import DrillList
from .competitors import OF_COMPETITORS
from .pipeline import OF_WARNING, OPEN_DEALS, RISKY_DEALS, WARNINGS

_OPEN_DEALS = "SELECT opportunity_id FROM {marts}.deal_risks WHERE 1 = 1{team_of_deal}"
_IN_REPORT = "call_id IN (SELECT call_id FROM {marts}.calls_enriched WHERE {in_report})"
_OPEN_DEAL = f"is_external AND opportunity_id IN ({_OPEN_DEALS})"
_CALLS_OF_CHECK = 100

# Checks of the mart data_quality whose calls can be listed.
QUALITY_CHECKS = {
    "external calls without transcript": "is_external AND NOT has_transcript",
    "external calls without account or opportunity in the CRM": (
        "is_external AND coalesce(account_matched_by, '') <> 'crm' AND opportunity_id IS NULL"
    ),
    "external calls without any account": "is_external AND account_id IS NULL",
    "external calls whose host is an unknown user": "is_external AND host_name IS NULL",
    "external calls without any external person": "is_external AND external_people = 0",
    "internal calls": "NOT is_external",
    "calls without a start, which are in no week or month": "started IS NULL",
    "calls without a valid length": "duration_seconds IS NULL",
}
_CHECKED = "\n    UNION ALL\n".join(
    f"    SELECT '{check}' AS check_name, call_id, coalesce(started_epoch_ms, 0) AS started_ms\n"
    f"    FROM {{marts}}.calls_enriched WHERE {condition}{{team}}"
    for check, condition in QUALITY_CHECKS.items()
)
_QUALITY_CALLS = f"""
SELECT check_name, call_id
FROM (
    SELECT
        check_name,
        call_id,
        row_number() OVER (PARTITION BY check_name ORDER BY started_ms DESC, call_id) AS place
    FROM (
{_CHECKED}
    ) AS checked
) AS placed
WHERE place <= {_CALLS_OF_CHECK}
"""


def _mentions(key: str, column: str, name: str, condition: str) -> DrillList:
    """Return the calls with a mention, each with the number of mentions and the moment of the first."""
    return DrillList(
        key=key,
        sql=f"""
SELECT
    {name}, call_id, mentions, start_time, moment_url,
    CASE WHEN mentions_by_customers > 0 THEN 1 ELSE 0 END AS is_by_customer
FROM (
    SELECT
        {column} AS {name},
        call_id,
        start_time,
        moment_url,
        count(*) OVER (PARTITION BY call_id, {column}) AS mentions,
        count(CASE WHEN side = 'customer' THEN 1 END) OVER (PARTITION BY call_id, {column}) AS mentions_by_customers,
        row_number() OVER (PARTITION BY call_id, {column} ORDER BY start_seconds, tracker_id, position) AS place
    FROM {{marts}}.tracker_mentions
    WHERE {condition}{_IN_REPORT}
) AS placed
WHERE place = 1
ORDER BY {name}, call_id
""",
        columns=(name, "call_id", "mentions", "start_time", "moment_url", "is_by_customer"),
        urls=("moment_url",),
    )


_CALL_COLUMNS = (
    "call_id",
    "url",
    "title",
    "started_epoch_ms",
    "started_date",
    "started_week",
    "duration_seconds",
    "call_type",
    "host_user_id",
    "host_name",
    "team",
    "account_name",
    "opportunity_name",
    "stage_at_call",
    "has_transcript",
    "host_talk_ratio",
    "longest_monologue_seconds",
    "interactivity",
    "patience_seconds",
    "company_questions_per_hour",
    "customer_questions_per_hour",
    "next_step_count",
)

CALLS = DrillList(
    key="calls",
    sql=f"""
SELECT
    {", ".join(_CALL_COLUMNS)},
    CASE WHEN next_step_count > 0 THEN 1 ELSE 0 END AS has_next_step
FROM {{marts}}.calls_enriched
WHERE ({{in_report}})
    OR ({_OPEN_DEAL})
    OR call_id IN (SELECT call_id FROM ({_QUALITY_CALLS}) AS checks)
ORDER BY coalesce(started_epoch_ms, 0) DESC, call_id
""",
    columns=(*_CALL_COLUMNS, "has_next_step"),
    urls=("url",),
)

DEALS = DrillList(
    key="deals",
    sql=f"""
WITH deals AS ({RISKY_DEALS})
SELECT
    activity.opportunity_id,
    activity.opportunity_name,
    activity.deal_url,
    activity.account_name,
    activity.owner,
    activity.stage_now,
    activity.amount_now,
    activity.currency,
    activity.outcome,
    CASE WHEN activity.outcome = 'open' THEN 0 ELSE 1 END AS is_closed,
    activity.call_count,
    activity.close_date,
    activity.last_call,
    activity.last_call_url,
    activity.last_team,
    {WARNINGS} AS warnings,
    CASE WHEN {WARNINGS} > 0 THEN 1 ELSE 0 END AS is_at_risk
FROM {{marts}}.deal_activity AS activity
LEFT JOIN deals
    ON deals.opportunity_id = activity.opportunity_id AND deals.crm_system IS NOT DISTINCT FROM activity.crm_system
WHERE (activity.call_count > 0 OR activity.outcome = 'open'){{team_of_activity}}
ORDER BY coalesce(activity.amount_now, 0) DESC, activity.opportunity_name, activity.opportunity_id
""",
    columns=(
        "opportunity_id",
        "opportunity_name",
        "deal_url",
        "account_name",
        "owner",
        "stage_now",
        "amount_now",
        "currency",
        "outcome",
        "is_closed",
        "call_count",
        "close_date",
        "last_call",
        "last_call_url",
        "last_team",
        "warnings",
        "is_at_risk",
    ),
)

RELATIONS = (
    DrillList(
        key="deal_calls",
        sql=f"""
SELECT opportunity_id, call_id
FROM {{marts}}.calls_enriched
WHERE {_OPEN_DEAL}
ORDER BY call_id
""",
        columns=("opportunity_id", "call_id"),
    ),
    DrillList(
        key="deal_warnings",
        sql=f"""
{OPEN_DEALS}
SELECT warning, opportunity_id
FROM (
{OF_WARNING}
) AS of_warning
ORDER BY warning, opportunity_id
""",
        columns=("warning", "opportunity_id"),
    ),
    DrillList(
        key="competitor_deals",
        sql=f"""
SELECT DISTINCT lower(phrase) AS competitor, opportunity_id
FROM {{marts}}.tracker_mentions
WHERE is_external AND opportunity_id IS NOT NULL AND {OF_COMPETITORS}
ORDER BY competitor, opportunity_id
""",
        columns=("competitor", "opportunity_id"),
    ),
    _mentions("tracker_calls", "tracker_name", "tracker", ""),
    _mentions("competitor_calls", "lower(phrase)", "competitor", f"{OF_COMPETITORS} AND "),
    DrillList(
        key="topic_calls",
        sql=f"""
SELECT topic, call_id, sum(seconds) AS topic_seconds
FROM {{marts}}.topic_time
WHERE {_IN_REPORT}
GROUP BY topic, call_id
ORDER BY topic, call_id
""",
        columns=("topic", "call_id", "topic_seconds"),
    ),
    DrillList(
        key="reviews",
        sql=f"""
SELECT
    reviewed_user_id,
    call_id,
    scorecard_name,
    reviewer_name,
    avg(CASE WHEN NOT is_overall THEN 1.0 * score END) AS score
FROM {{marts}}.scorecard_results
WHERE {_IN_REPORT}
GROUP BY answered_scorecard_id, reviewed_user_id, call_id, scorecard_name, reviewer_name
ORDER BY answered_scorecard_id
""",
        columns=("reviewed_user_id", "call_id", "scorecard_name", "reviewer_name", "score"),
    ),
    DrillList(
        key="answers",
        sql=f"""
SELECT question_text, scorecard_name, reviewed_name, call_id, score
FROM {{marts}}.scorecard_results
WHERE score IS NOT NULL AND {_IN_REPORT}
ORDER BY answered_scorecard_id, position
""",
        columns=("question_text", "scorecard_name", "reviewed_name", "call_id", "score"),
    ),
    DrillList(key="quality_calls", sql=_QUALITY_CALLS, columns=("check_name", "call_id")),
)
"""Lists whose rows belong to a row of `calls` or `deals`."""
