{{ config(materialized='view') }}

select
    call_id,
    name,
    value
from {{ source('gong', 'call_interaction_stats') }}
{{ of_readable_calls() }}
