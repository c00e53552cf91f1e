"""Sections that list calls: next steps, what customers said, the library; and data quality."""

from __future__ import annotations

from ..section import PERIOD, Behind, Column, Section

_NO_STEPS = (
    "No next step in this selection. Next steps are Gong's highlights of a call: they need Gong's summaries of calls,"
    " and a highlight whose title is in the variable gong_next_steps_titles of gong-elt models."
)

NEXT_STEPS = (
    Section(
        key="next_steps_over_time",
        title="Next steps over time",
        description="Share of calls with a next step in Gong's highlights.",
        empty="No call matches this selection.",
        sql="""
SELECT
    {started_period} AS period,
    count(*) AS calls,
    count(CASE WHEN next_step_count > 0 THEN 1 END) AS calls_with_next_step,
    avg(CASE WHEN next_step_count > 0 THEN 1.0 ELSE 0.0 END) AS share_of_calls
FROM {marts}.calls_enriched
WHERE {filter}
GROUP BY 1
ORDER BY 1
""",
        columns=(
            Column("period", "Period", "period"),
            Column("calls", "Calls", "count", behind=Behind(match={PERIOD: "period"}, measure="next_step_count")),
            Column("calls_with_next_step", "With a next step", "count"),
            Column("share_of_calls", "Share of calls", "share"),
        ),
        behind=Behind(match={PERIOD: "period"}, where={"has_next_step": 1}, measure="next_step_count"),
        summary=("period", "share_of_calls"),
    ),
    Section(
        key="next_steps",
        title="Next steps",
        description="The 100 latest next steps in Gong's highlights. The time opens the call at this moment.",
        empty=_NO_STEPS,
        sql="""
WITH chosen AS (SELECT * FROM {marts}.calls_enriched WHERE {filter})
SELECT
    chosen.started,
    steps.text AS step,
    coalesce(chosen.opportunity_name, chosen.account_name) AS deal,
    chosen.stage_now AS stage,
    chosen.host_name AS host,
    chosen.title,
    chosen.url,
    steps.start_time,
    steps.moment_url
FROM {marts}.next_steps AS steps
JOIN chosen ON chosen.call_id = steps.call_id
ORDER BY chosen.started_epoch_ms DESC, chosen.call_id, steps.position, steps.item_position
LIMIT 100
""",
        columns=(
            Column("started", "Call on", "date"),
            Column("step", "Next step"),
            Column("deal", "Deal or account"),
            Column("stage", "Stage"),
            Column("host", "Rep"),
            Column("title", "Call", link="url"),
            Column("start_time", "Moment", link="moment_url"),
        ),
        is_wide=True,
        table_is_open=True,
    ),
)

QUOTES_AND_LIBRARY = (
    Section(
        key="customer_quotes",
        title="What customers said",
        description="Sentences of customers in which Gong found a tracker: the 60 latest, at most two per call. The"
        " time opens the call at this moment.",
        empty="No customer's sentence with a tracker in this selection. Quotes need transcripts and trackers: run"
        " gong-elt sync, then gong-elt models.",
        sql="""
WITH chosen AS (SELECT * FROM {marts}.calls_enriched WHERE {filter}),
placed AS (
    SELECT
        quotes.*,
        row_number() OVER (PARTITION BY quotes.call_id ORDER BY quotes.sentence_index) AS place
    FROM {marts}.customer_quotes AS quotes
    WHERE quotes.tracker_names IS NOT NULL AND quotes.call_id IN (SELECT call_id FROM chosen)
)
SELECT
    placed.text AS quote,
    placed.tracker_names AS trackers,
    placed.speaker_name AS speaker,
    placed.account_name AS account,
    chosen.started,
    chosen.title,
    chosen.url,
    placed.start_time,
    placed.moment_url
FROM placed
JOIN chosen ON chosen.call_id = placed.call_id
WHERE placed.place <= 2
ORDER BY chosen.started_epoch_ms DESC, chosen.call_id, placed.sentence_index
LIMIT 60
""",
        columns=(
            Column("quote", "Quote"),
            Column("trackers", "Trackers"),
            Column("speaker", "Customer"),
            Column("account", "Account"),
            Column("started", "Call on", "date"),
            Column("title", "Call", link="url"),
            Column("start_time", "Moment", link="moment_url"),
        ),
        is_wide=True,
        table_is_open=True,
    ),
    Section(
        key="library",
        title="Library",
        description="Calls in library folders, newest first, in any period. A call belongs to its host's team.",
        empty="No call is in a library folder. Folders are filled in Gong; they load with gong-elt sync if the key can"
        " read the library.",
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
        is_wide=True,
        table_is_open=True,
        first_rows=5,
    ),
    Section(
        key="data_quality",
        title="Data quality",
        description="Missing and inconsistent data in the whole warehouse, as of the last run of gong-elt models. The"
        " filters do not apply. Figures on calls open the 100 latest of them.",
        empty="The models were not built: run gong-elt models.",
        sql="""
SELECT check_name, found, looked_at, share
FROM {marts}.data_quality
ORDER BY CASE WHEN found > 0 THEN 0 ELSE 1 END, check_name
""",
        columns=(
            Column("check_name", "Check"),
            Column("found", "Found", "count", behind=Behind("quality_calls", {"check_name": "check_name"})),
            Column("looked_at", "Of", "count"),
            Column("share", "Share", "share", behind=Behind("quality_calls", {"check_name": "check_name"})),
        ),
        scope="everything",
        is_wide=True,
        table_is_open=True,
        first_rows=20,
    ),
)
"""In the order of the page."""
