"""Sections at the top: what changed, calls and talk ratio over time.

The SQL of all sections only compares, counts and sums columns of the marts, so that it runs on every warehouse.
Placeholders: `{marts}` is the dataset, `{filter}` the conditions for period, type and team, `{filter_recent}` and
`{filter_before}` those of the two periods to compare, `{team}` and `{team_of_deal}` the condition for the team,
`{started_period}` the column of the day or the week, and `{today}` the date of the report in days since 1970-01-01 UTC.
"""

from __future__ import annotations

from ..section import PERIOD, Behind, Column, Section

_SHARE_WITH_NEXT_STEP = "avg(CASE WHEN next_step_count > 0 THEN 1.0 ELSE 0.0 END)"
# Label, kind, column of the calls that the reader gets to see, SQL.
_FIGURES = (
    ("Calls", "count", "", "count(*)"),
    ("Hours", "hours", "duration_seconds", "sum(duration_seconds) / 3600.0"),
    ("Accounts", "count", "account_name", "count(DISTINCT account_id)"),
    ("Hosts", "count", "host_name", "count(DISTINCT host_user_id)"),
    ("Talk ratio of hosts", "share", "host_talk_ratio", "avg(host_talk_ratio)"),
    ("Longest monologue", "clock", "longest_monologue_seconds", "avg(longest_monologue_seconds)"),
    (
        "Customer questions per hour",
        "number",
        "customer_questions_per_hour",
        "avg(customer_questions_per_hour)",
    ),
    ("Calls with a next step", "share", "next_step_count", _SHARE_WITH_NEXT_STEP),
)


def _figures_sql() -> str:
    aggregates = ",\n        ".join(f"{sql} AS figure_{place}" for place, (*_, sql) in enumerate(_FIGURES, 1))
    parts = "\n    UNION ALL\n".join(
        f"    SELECT\n        '{part}' AS part,\n        {aggregates}\n"
        f"    FROM {{marts}}.calls_enriched\n    WHERE {{{condition}}}"
        for part, condition in (("period", "filter"), ("recent", "filter_recent"), ("before", "filter_before"))
    )
    figures = "\n    UNION ALL\n".join(
        f"    SELECT {place} AS place, '{label}' AS figure, '{kind}' AS kind, '{measure}' AS measure, part,\n"
        f"        1.0 * figure_{place} AS amount\n    FROM parts"
        for place, (label, kind, measure, _) in enumerate(_FIGURES, 1)
    )
    return f"""
WITH parts AS (
{parts}
),
figures AS (
{figures}
),
compared AS (
    SELECT
        place, figure, kind, measure,
        max(CASE WHEN part = 'period' THEN amount END) AS in_period,
        max(CASE WHEN part = 'recent' THEN amount END) AS recently,
        max(CASE WHEN part = 'before' THEN amount END) AS previously
    FROM figures
    GROUP BY place, figure, kind, measure
)
SELECT
    figure, kind, measure, in_period, recently, previously,
    CASE
        WHEN kind = 'share' THEN recently - previously
        WHEN previously <> 0 THEN recently / previously - 1
    END AS change
FROM compared
ORDER BY place
"""


OVERVIEW = (
    Section(
        key="key_figures",
        title="What changed",
        description="Means are means of calls. Changes are in per cent, those of shares in percentage points.",
        empty="No data for this selection.",
        sql=_figures_sql(),
        columns=(
            Column("figure", "Figure"),
            Column("in_period", "Period", "by_row", behind=Behind()),
            Column("recently", "Compared period", "by_row"),
            Column("previously", "Period before", "by_row"),
            Column("change", "Change", "change"),
        ),
        layout="changes",
        is_wide=True,
        keys=("kind", "measure"),
    ),
    Section(
        key="activity",
        title="Calls over time",
        description="Calls by their start (UTC). The first and the last day or week may be partial.",
        empty="No call matches this selection: choose another team, type or period, or write the report with an"
        " earlier --since.",
        sql="""
SELECT
    {started_period} AS period,
    call_type AS type,
    count(*) AS calls,
    sum(duration_seconds) / 3600.0 AS hours
FROM {marts}.calls_enriched
WHERE {filter}
GROUP BY 1, 2
ORDER BY 1, 2
""",
        columns=(
            Column("period", "Period", "period"),
            Column("type", "Type"),
            Column("calls", "Calls", "count"),
            Column("hours", "Hours", "hours"),
        ),
        behind=Behind(match={PERIOD: "period", "call_type": "type"}),
        summary=("period", "calls"),
    ),
    Section(
        key="talk_time",
        title="Talk ratio over time",
        description="The host's share of speaking time, mean of calls. Points with fewer calls are paler.",
        empty="No call of this selection has a talk ratio. It needs transcripts: run gong-elt sync, then gong-elt"
        " models.",
        sql="""
SELECT
    {started_period} AS period,
    count(host_talk_ratio) AS calls,
    avg(host_talk_ratio) AS talk_ratio
FROM {marts}.calls_enriched
WHERE host_talk_ratio IS NOT NULL AND {filter}
GROUP BY 1
ORDER BY 1
""",
        columns=(
            Column("period", "Period", "period"),
            Column("calls", "Calls", "count"),
            Column("talk_ratio", "Talk ratio", "share"),
        ),
        behind=Behind(match={PERIOD: "period"}, known=("host_talk_ratio",), measure="host_talk_ratio"),
        summary=("period", "talk_ratio"),
    ),
)
"""In the order of the page."""
