-- One row per person outside the company on a call, with a key that is the same on all calls of the person.
with people as (
    select
        call_id,
        coalesce(email_address, name, party_id) as person,
        max(email_address) as email_address,
        max({{ email_domain('email_address') }}) as domain
    from {{ ref('stg_gong__call_parties') }}
    where side = 'customer'
    group by call_id, coalesce(email_address, name, party_id)
),

own_domains as (
    select distinct {{ email_domain('email_address') }} as domain
    from {{ ref('stg_gong__users') }}
)

select
    people.call_id,
    people.person,
    people.email_address,
    people.domain,
    own_domains.domain is not null as has_own_domain
from people
left join own_domains on own_domains.domain = people.domain
