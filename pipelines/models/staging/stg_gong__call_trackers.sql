{{ config(materialized='view') }}

select
    call_id,
    tracker_id,
    name as tracker_name,
    type as tracker_type,
    {{ if_between('count', 0, 1000000000) }} as mention_count
from {{ loaded('call_trackers') }}
{{ of_readable_calls() }}
