{{ config(materialized='view') }}

select
    call_id,
    position,
    item_position,
    title,
    text,
    {{ if_between(text_as_number(json_first("start_times")), -1000000000, 1000000000) }} as start_seconds
from {{ loaded('call_highlights') }}
{{ of_readable_calls() }}
