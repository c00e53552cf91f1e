{{ config(materialized='view') }}

select
    call_id,
    position,
    name as topic,
    duration as seconds
from {{ source('gong', 'call_topics') }}
{{ of_readable_calls() }}
