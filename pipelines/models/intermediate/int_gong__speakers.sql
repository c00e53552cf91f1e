-- One row per speaker of a call. Gong can list a person twice; a party with a name is preferred.
{{ config(indexes=index_on(['call_id', 'speaker_id'])) }}

with ranked as (
    select
        *,
        row_number() over (
            partition by call_id, speaker_id
            order by case when name is null then 1 else 0 end, party_id nulls last
        ) as choice
    from {{ ref('stg_gong__call_parties') }}
    where speaker_id is not null
)

select
    call_id,
    speaker_id,
    party_id,
    user_id,
    coalesce(nullif(trim(name), ''), email_address) as name,
    email_address,
    title,
    side
from ranked
where choice = 1
