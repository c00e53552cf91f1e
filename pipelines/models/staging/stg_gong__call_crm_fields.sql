{{ config(materialized='view') }}

select
    call_id,
    coalesce(party_id, '') as party_id,
    system,
    object_type,
    object_id,
    coalesce(timing, '') as timing,
    name,
    value
from {{ loaded('call_crm_fields') }}
{{ of_readable_calls() }}
