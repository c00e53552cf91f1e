{{ config(materialized='view') }}

select
    call_id,
    position,
    name as topic,
    duration as seconds
from {{ loaded('call_topics') }}
{{ of_readable_calls() }}
