{{ config(materialized='view') }}

select
    call_id,
    tracker_id,
    position,
    phrase,
    start_time as start_seconds,
    speaker_id
from {{ source('gong', 'call_tracker_occurrences') }}
{{ of_readable_calls() }}
