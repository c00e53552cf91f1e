-- One row per person outside the company on a call, with a key that is the same on all calls of the person.
select
    parties.call_id,
    coalesce(parties.email_address, parties.name, parties.party_id) as person,
    max(parties.email_address) as email_address,
    max({{ email_domain('parties.email_address') }}) as domain
from {{ ref('stg_gong__call_parties') }} as parties
where parties.side = 'customer'
group by parties.call_id, coalesce(parties.email_address, parties.name, parties.party_id)
