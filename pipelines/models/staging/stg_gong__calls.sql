{{ config(materialized='view') }}

select
    id as call_id,
    url,
    title,
    started,
    scheduled,
    {{ if_between('duration', 0, 1000000000) }} as duration_seconds,
    primary_user_id as host_user_id,
    direction,
    system,
    scope,
    language,
    purpose,
    workspace_id,
    brief,
    call_outcome_id,
    call_outcome_category,
    call_outcome_name,
    company_question_count,
    non_company_question_count as customer_question_count,
    _synced_at
from {{ loaded('calls') }}
where {{ is_readable() }}
