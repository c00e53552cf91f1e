{{ config(materialized='view') }}

select
    answered_scorecard_id,
    scorecard_id,
    scorecard_name,
    call_id,
    call_start_time,
    reviewed_user_id,
    reviewer_user_id,
    review_method,
    review_time
from {{ loaded('answered_scorecards') }}
{{ without_unreadable_calls() }}
