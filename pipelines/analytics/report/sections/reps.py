"""Sections on reps: the scoreboard, and coaching by scorecards."""

from __future__ import annotations

from ..section import Behind, Column, Guide, Section

TALK_RATIO = Guide("about 43%, at most 65%", high=0.65)
MONOLOGUE = Guide("at most 2:30", high=150)
INTERACTIVITY = Guide("5 or more", low=5)
PATIENCE = Guide("0.6 to 1.0 s", low=0.6, high=1.0)

_ANSWERS = """
WITH chosen AS (SELECT * FROM {marts}.calls_enriched WHERE {filter}),
answers AS (
    SELECT results.*
    FROM {marts}.scorecard_results AS results
    JOIN chosen ON chosen.call_id = results.call_id
)"""
_NO_REVIEWS = (
    "No call of this selection was reviewed with a scorecard. Scorecards need a plan and a key that can read them: run"
    " gong-elt check, and choose a longer period."
)


def _mean_of_calls(measure: str) -> Behind:
    return Behind(match={"host_user_id": "host_user_id"}, known=(measure,), measure=measure)


REPS = (
    Section(
        key="reps",
        title="Reps",
        description="Means of the calls that each rep hosted; below each, the mean of the calls of the team. Values"
        " outside the range that Gong recommends are marked with an arrow. The ranges are guidance and were not"
        " verified for the kinds of calls of this company. The chart shows the 15 reps with most calls.",
        empty="No call of this selection has a host: choose another team, type or period.",
        sql="""
WITH chosen AS (SELECT * FROM {marts}.calls_enriched WHERE {filter}),
teams AS (
    SELECT
        coalesce(team, '') AS team_key,
        avg(host_talk_ratio) AS talk_ratio,
        avg(longest_monologue_seconds) AS longest_monologue,
        avg(interactivity) AS interactivity,
        avg(patience_seconds) AS patience,
        avg(company_questions_per_hour) AS questions_per_hour,
        avg(CASE WHEN next_step_count > 0 THEN 1.0 ELSE 0.0 END) AS next_steps
    FROM chosen
    GROUP BY coalesce(team, '')
),
reps AS (
    SELECT
        host_user_id,
        coalesce(host_name, 'Unknown host') AS host,
        team,
        count(*) AS calls,
        avg(host_talk_ratio) AS talk_ratio,
        avg(longest_monologue_seconds) AS longest_monologue,
        avg(interactivity) AS interactivity,
        avg(patience_seconds) AS patience,
        avg(company_questions_per_hour) AS questions_per_hour,
        avg(CASE WHEN next_step_count > 0 THEN 1.0 ELSE 0.0 END) AS next_steps
    FROM chosen
    GROUP BY host_user_id, host_name, team
)
SELECT
    reps.*,
    teams.talk_ratio AS team_talk_ratio,
    teams.longest_monologue AS team_longest_monologue,
    teams.interactivity AS team_interactivity,
    teams.patience AS team_patience,
    teams.questions_per_hour AS team_questions_per_hour,
    teams.next_steps AS team_next_steps
FROM reps
JOIN teams ON teams.team_key = coalesce(reps.team, '')
ORDER BY calls DESC, host, host_user_id
""",
        columns=(
            Column("host", "Rep"),
            Column("team", "Team"),
            Column("calls", "Calls", "count"),
            Column(
                "talk_ratio",
                "Talk ratio",
                "share",
                mean="team_talk_ratio",
                guide=TALK_RATIO,
                behind=_mean_of_calls("host_talk_ratio"),
            ),
            Column(
                "longest_monologue",
                "Longest monologue",
                "clock",
                mean="team_longest_monologue",
                guide=MONOLOGUE,
                behind=_mean_of_calls("longest_monologue_seconds"),
            ),
            Column(
                "interactivity",
                "Interactivity",
                "number",
                mean="team_interactivity",
                guide=INTERACTIVITY,
                behind=_mean_of_calls("interactivity"),
            ),
            Column(
                "patience",
                "Patience",
                "seconds",
                mean="team_patience",
                guide=PATIENCE,
                behind=_mean_of_calls("patience_seconds"),
            ),
            Column(
                "questions_per_hour",
                "Questions per hour",
                "number",
                mean="team_questions_per_hour",
                behind=_mean_of_calls("company_questions_per_hour"),
            ),
            Column(
                "next_steps",
                "Calls with a next step",
                "share",
                mean="team_next_steps",
                behind=_mean_of_calls("next_step_count"),
            ),
        ),
        is_wide=True,
        table_is_open=True,
        keys=("host_user_id",),
        behind=Behind(match={"host_user_id": "host_user_id"}),
        summary=("host", "talk_ratio"),
    ),
)

COACHING = (
    Section(
        key="scorecards",
        title="Coaching by rep",
        description="Reviews of calls with scorecards. The mean score leaves out questions for the overall impression.",
        empty=_NO_REVIEWS,
        sql=f"""
{_ANSWERS}
SELECT
    coalesce(reviewed_name, 'Unknown rep') AS rep,
    count(DISTINCT answered_scorecard_id) AS reviews,
    avg(CASE WHEN NOT is_overall THEN 1.0 * score END) AS mean_score,
    avg(CASE WHEN is_overall THEN 1.0 * score END) AS overall_score,
    reviewed_user_id
FROM answers
GROUP BY reviewed_user_id, reviewed_name
ORDER BY reviews DESC, rep, reviewed_user_id
""",
        columns=(
            Column("rep", "Rep"),
            Column("reviews", "Reviews", "count"),
            Column("mean_score", "Mean score", "number"),
            Column("overall_score", "Overall score", "number"),
        ),
        keys=("reviewed_user_id",),
        behind=Behind("reviews", {"reviewed_user_id": "reviewed_user_id"}),
        summary=("rep", "mean_score"),
    ),
    Section(
        key="scorecard_questions",
        title="Coaching by question",
        description="Mean score of each question of a scorecard, lowest first.",
        empty=_NO_REVIEWS,
        sql=f"""
{_ANSWERS}
SELECT
    question_text AS question,
    scorecard_name AS scorecard,
    count(score) AS scores,
    avg(1.0 * score) AS mean_score
FROM answers
WHERE score IS NOT NULL
GROUP BY question_text, scorecard_name
ORDER BY mean_score, question, scorecard
""",
        columns=(
            Column("question", "Question"),
            Column("scorecard", "Scorecard"),
            Column("scores", "Scores", "count"),
            Column("mean_score", "Mean score", "number"),
        ),
        behind=Behind("answers", {"question_text": "question", "scorecard_name": "scorecard"}),
        table_is_open=True,
        first_rows=7,
        summary=("question", "mean_score"),
    ),
)
"""In the order of the page."""
