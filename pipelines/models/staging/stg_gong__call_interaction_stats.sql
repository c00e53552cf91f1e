{{ config(materialized='view') }}

select
    call_id,
    name,
    value
from {{ loaded('call_interaction_stats') }}
{{ of_readable_calls() }}
