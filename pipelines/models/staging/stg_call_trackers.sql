{{ config(materialized='view') }}

select
    call_id,
    tracker_id,
    name as tracker_name,
    type as tracker_type,
    count as mention_count
from {{ source('gong', 'call_trackers') }}
{{ of_readable_calls() }}
