"""Sections on trackers and competitors: share of calls, per week, per stage and per phrase."""

from __future__ import annotations

from .section import Column, Section

_TRANSCRIBED = "SELECT * FROM {marts}.calls_enriched WHERE has_transcript AND {filter}"

TRACKER_SECTIONS = (
    Section(
        key="trackers",
        title="Trackers",
        description="Share of calls with a transcript that mention a tracker. Trackers without mentions are left out.",
        sql=f"""
WITH calls AS ({_TRANSCRIBED})
SELECT
    tracker_name AS tracker,
    count(DISTINCT call_id) AS calls,
    1.0 * count(DISTINCT call_id) / (SELECT count(*) FROM calls) AS share_of_calls,
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
        description="Share of a week's calls with a transcript that mention a tracker. The chart shows the six trackers"
        " with most calls; weeks without mentions have no point.",
        sql=f"""
WITH calls AS ({_TRANSCRIBED}),
weeks AS (SELECT started_week AS week, count(*) AS calls_in_week FROM calls GROUP BY 1),
mentioned AS (
    SELECT calls.started_week AS week, tracker_name, count(DISTINCT calls.call_id) AS calls
    FROM {{marts}}.tracker_mentions AS mentions
    JOIN calls ON calls.call_id = mentions.call_id
    GROUP BY 1, 2
)
SELECT
    week,
    tracker_name AS tracker,
    calls,
    calls_in_week,
    1.0 * calls / calls_in_week AS share_of_calls
FROM mentioned
JOIN weeks USING (week)
ORDER BY 1, 2
""",
        columns=(
            Column("week", "Week", "date"),
            Column("tracker", "Tracker"),
            Column("calls", "Calls", "count"),
            Column("calls_in_week", "Calls in the week", "count"),
            Column("share_of_calls", "Share of calls", "share"),
        ),
    ),
    Section(
        key="trackers_by_stage",
        title="Trackers by stage",
        description="Share of calls that mention a tracker, by the deal's stage at the time of the call.",
        sql=f"""
WITH calls AS ({_TRANSCRIBED} AND stage_at_call IS NOT NULL),
stages AS (SELECT stage_at_call, count(*) AS calls_at_stage FROM calls GROUP BY 1),
mentioned AS (
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
    1.0 * calls / calls_at_stage AS share_of_calls
FROM mentioned
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
        description="Phrases of keyword trackers with 'compet' in their name, by number of calls.",
        sql=f"""
WITH calls AS ({_TRANSCRIBED})
SELECT
    lower(phrase) AS competitor,
    count(DISTINCT call_id) AS calls,
    1.0 * count(DISTINCT call_id) / (SELECT count(*) FROM calls) AS share_of_calls,
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
"""In the order of the page; placeholders are those of sections.py."""
