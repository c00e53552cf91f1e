-- One row per call and account, and how it was found: by the CRM's link to the call, by the call's deal, by a participant's
-- e-mail address, or by the domain of most participants. `calls_enriched` uses the account with `choice` 1.
with names as (
    select account_id, max(account_name) as account_name
    from {{ ref('int_gong__linked_accounts') }}
    group by account_id
),

clear as (
    select kind, value, account_id
    from {{ ref('int_gong__account_evidence') }}
    where choice = 1 and is_clear
),

deals as (
    select opportunities.call_id, min(clear.account_id) as account_id
    from {{ ref('int_gong__call_opportunities') }} as opportunities
    join clear on clear.kind = 'deal' and clear.value = opportunities.opportunity_id
    where opportunities.choice = 1
        and opportunities.call_id not in (select call_id from {{ ref('int_gong__linked_accounts') }})
    group by opportunities.call_id
),

people as (
    select call_id, email_address, domain
    from {{ ref('int_gong__external_people') }}
    where not has_own_domain
        and call_id not in (select call_id from {{ ref('int_gong__linked_accounts') }})
        and call_id not in (select call_id from deals)
),

found as (
    select
        people.call_id,
        -- People of a domain with more than two accounts are guests, such as consultants. A domain without any link in
        -- the CRM is an account of its own.
        case
            when by_domain.account_id is not null then by_domain.account_id
            when coalesce(known.account_count, 0) <= 2 and by_email.account_id is not null then by_email.account_id
            when known.value is null then people.domain
        end as account_id,
        case
            when by_email.account_id = coalesce(by_domain.account_id, by_email.account_id) then 'email'
            else 'domain'
        end as matched_by
    from people
    left join clear as by_email on by_email.kind = 'email' and by_email.value = people.email_address
    left join clear as by_domain on by_domain.kind = 'domain' and by_domain.value = people.domain
    left join {{ ref('int_gong__account_evidence') }} as known
        on known.kind = 'domain' and known.value = people.domain and known.choice = 1
),

counted as (
    select
        call_id,
        account_id,
        max(matched_by) as matched_by,
        row_number() over (partition by call_id order by count(*) desc, max(matched_by) desc, account_id) as place
    from found
    where account_id is not null
    group by call_id, account_id
),

matched as (
    select call_id, account_id, 'crm' as matched_by, row_number() over (partition by call_id order by account_id) as choice
    from {{ ref('int_gong__linked_accounts') }}
    union all
    select call_id, account_id, 'deal', 1
    from deals
    union all
    -- People of other companies are guests.
    select call_id, account_id, matched_by, 1
    from counted
    where place = 1
)

select
    matched.call_id,
    matched.account_id,
    coalesce(names.account_name, matched.account_id) as account_name,
    matched.matched_by,
    matched.choice
from matched
left join names on names.account_id = matched.account_id
