-- Domains of people on the calls of an account, and those that the CRM or the calls show to be the account's own.
with own as (
    select value as domain, account_id, true as is_own
    from {{ ref('int_gong__account_evidence') }}
    where kind = 'domain' and choice = 1 and is_clear
),

seen as (
    select
        people.domain,
        accounts.account_id,
        count(distinct people.call_id) as call_count,
        count(distinct people.person) as person_count
    from {{ ref('int_gong__external_people') }} as people
    join {{ ref('int_gong__call_accounts') }} as accounts on accounts.call_id = people.call_id
    where people.domain is not null
    group by people.domain, accounts.account_id
)

select
    coalesce(seen.domain, own.domain) as domain,
    coalesce(seen.account_id, own.account_id) as account_id,
    coalesce(own.is_own, seen.domain = seen.account_id) as is_own_domain,
    coalesce(seen.call_count, 0) as call_count,
    coalesce(seen.person_count, 0) as person_count
from seen
full join own on own.domain = seen.domain and own.account_id = seen.account_id
