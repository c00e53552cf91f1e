"""Sections on trackers and topics: by stage in the order of the funnel, in total and over time."""

from __future__ import annotations

from ..section import PERIOD, Behind, Column, Section
from .mentions import Mentioned

_STAGED = "WITH chosen AS (SELECT * FROM {marts}.calls_enriched WHERE stage_at_call IS NOT NULL AND {filter})"
_STAGED_WITH_TRANSCRIPT = _STAGED.replace("WHERE", "WHERE has_transcript AND")
_NO_MENTIONS = (
    "No tracker was mentioned on a call of this selection. Trackers are set up in Gong, and mentions need transcripts:"
    " run gong-elt sync, then gong-elt models."
)
_NO_STAGES = (
    "No call of this selection with {} is linked to a deal. Stages come with the CRM's opportunities of calls: check in"
    " Gong that calls are linked to the CRM."
)
_NO_TOPICS = "No call of this selection has topics. Gong detects them in calls with a transcript."

_TRACKER = Mentioned("tracker", "Tracker", "tracker_name", "", "tracker_calls", _NO_MENTIONS)

TRACKERS_AND_TOPICS = (
    Section(
        key="trackers_by_stage",
        title="Trackers by stage",
        description="Share of calls that mention a tracker, by the deal's stage at the time of the call, in the order"
        " of the funnel.",
        empty=_NO_STAGES.format("a mention of a tracker"),
        sql=f"""
{_STAGED_WITH_TRANSCRIPT},
at_stage AS (SELECT stage_at_call, count(*) AS calls_at_stage FROM chosen GROUP BY stage_at_call),
mentioned AS (
    SELECT chosen.stage_at_call, tracker_name, count(DISTINCT chosen.call_id) AS calls
    FROM {{marts}}.tracker_mentions AS mentions
    JOIN chosen ON chosen.call_id = mentions.call_id
    GROUP BY chosen.stage_at_call, tracker_name
)
SELECT
    mentioned.stage_at_call AS stage,
    tracker_name AS tracker,
    calls,
    calls_at_stage,
    1.0 * calls / calls_at_stage AS share_of_calls,
    coalesce(stages.position, 1000000) AS place
FROM mentioned
JOIN at_stage ON at_stage.stage_at_call = mentioned.stage_at_call
LEFT JOIN {{marts}}.stages AS stages ON stages.stage = mentioned.stage_at_call
ORDER BY place, stage, tracker
""",
        columns=(
            Column("stage", "Stage"),
            Column("tracker", "Tracker"),
            Column("calls", "Calls", "count"),
            Column(
                "calls_at_stage",
                "Calls at the stage",
                "count",
                behind=Behind(match={"stage_at_call": "stage"}, where={"has_transcript": True}),
            ),
            Column("share_of_calls", "Share of calls", "share"),
        ),
        keys=("place",),
        behind=Behind("tracker_calls", {"tracker": "tracker", "stage_at_call": "stage"}),
        summary=("tracker", "share_of_calls"),
    ),
    Section(
        key="topics_by_stage",
        title="Topics by stage",
        description="Share of each topic in the time with topics, by the deal's stage at the time of the call, in the"
        " order of the funnel.",
        empty=_NO_STAGES.format("a topic"),
        sql=f"""
{_STAGED},
spoken AS (
    SELECT chosen.stage_at_call, topics.topic, sum(topics.seconds) AS seconds, count(DISTINCT topics.call_id) AS calls
    FROM {{marts}}.topic_time AS topics
    JOIN chosen ON chosen.call_id = topics.call_id
    GROUP BY chosen.stage_at_call, topics.topic
    HAVING sum(topics.seconds) > 0
),
totals AS (SELECT stage_at_call, sum(seconds) AS seconds FROM spoken GROUP BY stage_at_call)
SELECT
    spoken.stage_at_call AS stage,
    topic,
    calls,
    spoken.seconds / 60.0 AS minutes,
    1.0 * spoken.seconds / nullif(totals.seconds, 0) AS share_of_time,
    coalesce(stages.position, 1000000) AS place
FROM spoken
JOIN totals ON totals.stage_at_call = spoken.stage_at_call
LEFT JOIN {{marts}}.stages AS stages ON stages.stage = spoken.stage_at_call
ORDER BY place, stage, topic
""",
        columns=(
            Column("stage", "Stage"),
            Column("topic", "Topic"),
            Column("calls", "Calls", "count"),
            Column("minutes", "Minutes", "minutes"),
            Column("share_of_time", "Share of time", "share"),
        ),
        keys=("place",),
        behind=Behind("topic_calls", {"topic": "topic", "stage_at_call": "stage"}),
        summary=("topic", "share_of_time"),
    ),
    _TRACKER.share_section(
        "trackers",
        "Trackers",
        "Share of calls with a transcript that mention a tracker. Trackers without mentions are left out.",
    ),
    _TRACKER.trend_section(
        "trackers_over_time",
        "Trackers over time",
        "Share of calls with a transcript that mention a tracker. The chart shows the six trackers with most calls;"
        " periods without mentions have no point.",
    ),
    Section(
        key="topics",
        title="Topics over time",
        description="Share of each topic in the time with topics. Topics after the eighth are Other.",
        empty=_NO_TOPICS,
        sql="""
WITH chosen AS (SELECT * FROM {marts}.calls_enriched WHERE {filter})
SELECT
    chosen.{started_period} AS period,
    topics.topic,
    sum(topics.seconds) / 60.0 AS minutes,
    count(DISTINCT topics.call_id) AS calls
FROM {marts}.topic_time AS topics
JOIN chosen ON chosen.call_id = topics.call_id
GROUP BY 1, 2
HAVING sum(topics.seconds) > 0
ORDER BY 1, minutes DESC, topic
""",
        columns=(
            Column("period", "Period", "period"),
            Column("topic", "Topic"),
            Column("minutes", "Minutes", "minutes"),
            Column("calls", "Calls", "count"),
        ),
        behind=Behind("topic_calls", {"topic": "topic", PERIOD: "period"}),
        summary=("topic", "minutes"),
    ),
)
"""In the order of the page."""
