{{ config(materialized='view') }}

select
    call_id,
    tracker_id,
    position,
    phrase,
    {{ if_between('start_time', -1000000000, 1000000000) }} as start_seconds,
    speaker_id
from {{ loaded('call_tracker_occurrences') }}
{{ of_readable_calls() }}
