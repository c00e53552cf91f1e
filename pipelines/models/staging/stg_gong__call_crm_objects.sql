{{ config(materialized='view') }}

select
    call_id,
    coalesce(party_id, '') as party_id,
    system,
    object_type,
    object_id,
    coalesce(timing, '') as timing
from {{ loaded('call_crm_objects') }}
{{ of_readable_calls() }}
