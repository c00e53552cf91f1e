{{ config(materialized='view') }}

select
    call_id,
    id as party_id,
    user_id,
    speaker_id,
    name,
    lower(email_address) as email_address,
    title,
    {{ side('affiliation') }} as side
from {{ loaded('call_parties') }}
{{ of_readable_calls() }}
