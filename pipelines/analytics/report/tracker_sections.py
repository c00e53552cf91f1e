"""The sections on trackers, competitors among them: by share of calls, week, stage and phrase."""

from __future__ import annotations

from pipelines.analytics.report.section import WEEK, Column, Section

_TRANSCRIBED = "SELECT * FROM {marts}.calls_enriched WHERE has_transcript AND {chosen}"

TRACKER_SECTIONS = (
    Section(
        key="trackers",
        title="Trackers",
        reads="On which share of the calls with a transcript each tracker came up. Trackers never heard are left out.",
        sql=f"""
WITH calls AS ({_TRANSCRIBED})
SELECT
    tracker_name AS tracker,
    count(DISTINCT call_id) AS calls,
    count(DISTINCT call_id) / CAST((SELECT count(*) FROM calls) AS double precision) AS share_of_calls,
    count(*) AS mentions,
    count(CASE WHEN side = 'customer' THEN 1 END) AS mentions_by_customers
FROM {{marts}}.tracker_mentions
WHERE call_id IN (SELECT call_id FROM calls)
GROUP BY 1
ORDER BY calls DESC, tracker
""",
        columns=(
            Column("tracker", "Tracker"),
            Column("calls", "Calls", "count"),
            Column("share_of_calls", "Share of calls", "share"),
            Column("mentions", "Mentions", "count"),
            Column("mentions_by_customers", "By customers", "count"),
        ),
    ),
    Section(
        key="trackers_over_time",
        title="Trackers over time",
        reads="Share of the calls of a week with a transcript on which a tracker came up; the chart has the six that"
        " came up on most calls. A week in which one was not heard has no point.",
        sql=f"""
WITH calls AS (SELECT *, {WEEK} AS week FROM ({_TRANSCRIBED}) AS transcribed),
weeks AS (SELECT week, count(*) AS calls_of_week FROM calls GROUP BY 1),
heard AS (
    SELECT calls.week, tracker_name, count(DISTINCT calls.call_id) AS calls
    FROM {{marts}}.tracker_mentions AS mentions
    JOIN calls ON calls.call_id = mentions.call_id
    GROUP BY 1, 2
)
SELECT
    week,
    tracker_name AS tracker,
    calls,
    calls_of_week,
    calls / CAST(calls_of_week AS double precision) AS share_of_calls
FROM heard
JOIN weeks USING (week)
ORDER BY 1, 2
""",
        columns=(
            Column("week", "Week", "date"),
            Column("tracker", "Tracker"),
            Column("calls", "Calls", "count"),
            Column("calls_of_week", "Calls of the week", "count"),
            Column("share_of_calls", "Share of calls", "share"),
        ),
    ),
    Section(
        key="trackers_by_stage",
        title="Trackers by stage",
        reads="Share of the calls at a stage, as the deal's was at the time of the call, on which a tracker came up.",
        sql=f"""
WITH calls AS ({_TRANSCRIBED} AND stage_at_call IS NOT NULL),
stages AS (SELECT stage_at_call, count(*) AS calls_at_stage FROM calls GROUP BY 1),
heard AS (
    SELECT calls.stage_at_call, tracker_name, count(DISTINCT calls.call_id) AS calls
    FROM {{marts}}.tracker_mentions AS mentions
    JOIN calls ON calls.call_id = mentions.call_id
    GROUP BY 1, 2
)
SELECT
    stage_at_call AS stage,
    tracker_name AS tracker,
    calls,
    calls_at_stage,
    calls / CAST(calls_at_stage AS double precision) AS share_of_calls
FROM heard
JOIN stages USING (stage_at_call)
ORDER BY 1, 2
""",
        columns=(
            Column("stage", "Stage"),
            Column("tracker", "Tracker"),
            Column("calls", "Calls", "count"),
            Column("calls_at_stage", "Calls at the stage", "count"),
            Column("share_of_calls", "Share of calls", "share"),
        ),
    ),
    Section(
        key="competitors",
        title="Competitors",
        reads="Phrases of the keyword trackers that have 'compet' in their name: on how many calls each was said.",
        sql=f"""
WITH calls AS ({_TRANSCRIBED})
SELECT
    lower(phrase) AS competitor,
    count(DISTINCT call_id) AS calls,
    count(DISTINCT call_id) / CAST((SELECT count(*) FROM calls) AS double precision) AS share_of_calls,
    count(*) AS mentions,
    count(CASE WHEN side = 'customer' THEN 1 END) AS mentions_by_customers
FROM {{marts}}.tracker_mentions
WHERE phrase IS NOT NULL AND lower(tracker_name) LIKE '%compet%' AND call_id IN (SELECT call_id FROM calls)
GROUP BY 1
ORDER BY calls DESC, competitor
""",
        columns=(
            Column("competitor", "Competitor"),
            Column("calls", "Calls", "count"),
            Column("share_of_calls", "Share of calls", "share"),
            Column("mentions", "Mentions", "count"),
            Column("mentions_by_customers", "By customers", "count"),
        ),
    ),
)
"""In the order of the page; the SQL is written as in sections.py."""
