{{ config(materialized='view') }}

select
    call_id,
    position,
    text
from {{ loaded('call_key_points') }}
{{ of_readable_calls() }}
