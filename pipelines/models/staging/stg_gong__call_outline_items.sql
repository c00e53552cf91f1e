{{ config(materialized='view') }}

select
    call_id,
    position,
    item_position,
    text,
    {{ if_between('start_time', -1000000000, 1000000000) }} as start_seconds
from {{ loaded('call_outline_items') }}
{{ of_readable_calls() }}
