{{ config(materialized='view') }}

select
    answered_scorecard_id,
    position,
    question_id,
    question_revision_id,
    coalesce(is_overall, false) as is_overall,
    score,
    answer_text
from {{ loaded('answered_scorecard_answers') }}
where not coalesce(not_applicable, false)
  and answered_scorecard_id in (select answered_scorecard_id from {{ ref('stg_gong__answered_scorecards') }})
