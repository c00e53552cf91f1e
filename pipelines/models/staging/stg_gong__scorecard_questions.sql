{{ config(materialized='view') }}

select
    scorecard_id,
    question_id,
    question_revision_id,
    question_text
from {{ loaded('scorecard_questions') }}
