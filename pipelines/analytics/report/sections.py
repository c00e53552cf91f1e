"""The sections of the report as data: title, description, SQL and columns.

The SQL only compares, counts and sums columns of the marts, so that it runs on every warehouse. Placeholders: `{marts}`
is the dataset, `{filter}` the conditions for period and team, `{team}` the condition for the team, `{since}` the start
of the period in milliseconds and `{today}` the date of the report in days, both since 1970-01-01 UTC.
"""

from __future__ import annotations

from .section import Column, Section
from .tracker_sections import TRACKER_SECTIONS

KEY_FIGURES = Section(
    key="key_figures",
    title="Key figures",
    description="Each figure with its value in the previous period of the same length, if the warehouse has it.",
    sql="""
SELECT
    CASE WHEN started_epoch_ms >= {since} THEN 'this period' ELSE 'previous period' END AS period,
    count(*) AS calls,
    sum(duration_seconds) / 3600.0 AS hours,
    count(DISTINCT host_user_id) AS hosts,
    count(DISTINCT account_id) AS accounts,
    avg(host_talk_ratio) AS talk_ratio,
    avg(customer_questions_per_hour) AS customer_questions_per_hour,
    avg(CASE WHEN has_transcript THEN 1.0 ELSE 0.0 END) AS transcribed
FROM {marts}.calls_enriched
WHERE {filter_with_previous}
GROUP BY 1
ORDER BY 1 DESC
""",
    columns=(
        Column("period", "Period"),
        Column("calls", "Calls", "count"),
        Column("hours", "Hours", "hours"),
        Column("hosts", "Hosts", "count"),
        Column("accounts", "Accounts", "count"),
        Column("talk_ratio", "Talk ratio of hosts", "share"),
        Column("customer_questions_per_hour", "Customer questions per hour", "number"),
        Column("transcribed", "With transcript", "share"),
    ),
)

SECTIONS = (
    KEY_FIGURES,
    Section(
        key="activity",
        title="Activity",
        description="Calls by week of their start (Monday to Sunday, UTC). The first and last may be partial.",
        sql="""
SELECT
    started_week AS week,
    call_type AS type,
    count(*) AS calls,
    sum(duration_seconds) / 3600.0 AS hours
FROM {marts}.calls_enriched
WHERE {filter}
GROUP BY 1, 2
ORDER BY 1, 2
""",
        columns=(
            Column("week", "Week", "date"),
            Column("type", "Type"),
            Column("calls", "Calls", "count"),
            Column("hours", "Hours", "hours"),
        ),
    ),
    Section(
        key="talk_time",
        title="Talk ratio over time",
        description="The host's share of speaking time, mean of calls per week. Weeks with fewer calls are paler.",
        sql="""
SELECT
    started_week AS week,
    count(host_talk_ratio) AS calls,
    avg(host_talk_ratio) AS talk_ratio
FROM {marts}.calls_enriched
WHERE host_talk_ratio IS NOT NULL AND {filter}
GROUP BY 1
ORDER BY 1
""",
        columns=(
            Column("week", "Week", "date"),
            Column("calls", "Calls", "count"),
            Column("talk_ratio", "Talk ratio", "share"),
        ),
    ),
    Section(
        key="hosts",
        title="Hosts",
        description="Means of each host's calls. The chart shows the 25 hosts with most calls; the line is their mean.",
        sql="""
SELECT
    coalesce(host_name, 'Unknown host') AS host,
    count(*) AS calls,
    avg(host_talk_ratio) AS talk_ratio,
    avg(longest_monologue_seconds) AS longest_monologue,
    avg(longest_customer_story_seconds) AS longest_customer_story,
    avg(patience_seconds) AS patience,
    avg(interactivity) AS interactivity,
    avg(company_questions_per_hour) AS questions_per_hour
FROM {marts}.calls_enriched
WHERE {filter}
GROUP BY host_user_id, host_name
ORDER BY calls DESC, host
""",
        columns=(
            Column("host", "Host"),
            Column("calls", "Calls", "count"),
            Column("talk_ratio", "Talk ratio", "share"),
            Column("longest_monologue", "Longest monologue", "seconds"),
            Column("longest_customer_story", "Longest customer story", "seconds"),
            Column("patience", "Patience", "seconds"),
            Column("interactivity", "Interactivity", "number"),
            Column("questions_per_hour", "Questions per hour", "number"),
        ),
    ),
    Section(
        key="topics",
        title="Topics over time",
        description="Share of each topic in the time with topics, per week. Topics after the eighth are Other.",
        sql="""
SELECT
    started_week AS week,
    topic,
    sum(seconds) / 60.0 AS minutes,
    count(DISTINCT call_id) AS calls
FROM {marts}.topic_time
WHERE {filter}
GROUP BY 1, 2
ORDER BY 1, minutes DESC, topic
""",
        columns=(
            Column("week", "Week", "date"),
            Column("topic", "Topic"),
            Column("minutes", "Minutes", "minutes"),
            Column("calls", "Calls", "count"),
        ),
    ),
    *TRACKER_SECTIONS,
    Section(
        key="deals_at_risk",
        title="Deals at risk",
        description="Open deals without a call for {silent_days} days or more, largest first. A deal belongs to the"
        " team of the host of its last call. Stage and amount are as of the call loaded last.",
        sql="""
SELECT
    opportunity_name AS deal,
    account_name AS account,
    stage_now AS stage,
    amount_now AS amount,
    {today} - last_call_epoch_days AS days_silent,
    last_call,
    call_count AS calls,
    external_people,
    last_host_name AS last_host
FROM {marts}.deal_activity
WHERE NOT is_closed AND {today} - last_call_epoch_days >= {silent_days}{team_of_deal}
ORDER BY coalesce(amount_now, 0) DESC, days_silent DESC, deal, opportunity_id
""",
        columns=(
            Column("deal", "Deal"),
            Column("account", "Account"),
            Column("stage", "Stage"),
            Column("amount", "Amount", "money"),
            Column("days_silent", "Days without a call", "count"),
            Column("last_call", "Last call", "date"),
            Column("calls", "Calls", "count"),
            Column("external_people", "External people", "count"),
            Column("last_host", "Last host"),
        ),
        scope="team",
        table_is_open=True,
    ),
    Section(
        key="library",
        title="Library",
        description="Calls in library folders, newest first, in any period. A call belongs to its host's team.",
        sql="""
SELECT folder_path AS folder, title, url, host_name AS host, account_name AS account, added, note
FROM {marts}.library_shelf
WHERE folder_path IS NOT NULL{team}
ORDER BY added DESC, folder_path, folder_id, position
""",
        columns=(
            Column("folder", "Folder"),
            Column("title", "Call", link="url"),
            Column("host", "Host"),
            Column("account", "Account"),
            Column("added", "Added", "date"),
            Column("note", "Note"),
        ),
        scope="team",
        table_is_open=True,
    ),
    Section(
        key="data_quality",
        title="Data quality",
        description="Missing and inconsistent data in the whole warehouse, as of the last run of gong-elt models.",
        sql="""
SELECT check_name, found, looked_at, share
FROM {marts}.data_quality
ORDER BY check_name
""",
        columns=(
            Column("check_name", "Check"),
            Column("found", "Found", "count"),
            Column("looked_at", "Of", "count"),
            Column("share", "Share", "share"),
        ),
        scope="everything",
        table_is_open=True,
    ),
)
"""All sections, from top to bottom."""
