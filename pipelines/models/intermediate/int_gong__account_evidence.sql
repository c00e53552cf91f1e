-- One row per e-mail address, domain or deal, and account that it belongs to according to the CRM's links, with the number
-- of calls and contacts that show it. The row with `choice` 1 is the account, if `is_clear`.
with people as (
    select call_id, email_address, domain
    from {{ ref('int_gong__external_people') }}
    where not has_own_domain
),

-- A call that is linked to several accounts shows for none of its people where they work.
linked as (
    select people.call_id, people.email_address, people.domain, accounts.account_id
    from people
    join {{ ref('int_gong__linked_accounts') }} as accounts
        on accounts.call_id = people.call_id and accounts.account_count = 1
),

domains_of_calls as (
    select
        call_id, account_id, domain,
        rank() over (partition by call_id order by count(*) desc) as place
    from linked
    where domain is not null
    group by call_id, account_id, domain
),

contacts as (
    select
        objects.call_id,
        {{ json_as_text('fields.value') }} as account_id,
        lower(parties.email_address) as email_address
    from {{ ref('stg_gong__call_crm_objects') }} as objects
    join {{ ref('stg_gong__call_crm_fields') }} as fields
        on fields.call_id = objects.call_id
        and fields.party_id = objects.party_id
        and fields.system = objects.system
        and fields.object_type = objects.object_type
        and fields.object_id = objects.object_id
        and fields.timing = objects.timing
    join {{ ref('stg_gong__call_parties') }} as parties
        on parties.call_id = objects.call_id and parties.party_id = objects.party_id
    where objects.party_id <> '' and fields.name in {{ quoted(var('gong_contact_account_fields')) }}
        and parties.side = 'customer' and parties.email_address is not null
),

evidence as (
    select 'email' as kind, email_address as value, account_id, count(distinct call_id) as weight
    from linked
    where email_address is not null
    group by email_address, account_id
    union all
    select 'email', email_address, account_id, 1000 * count(distinct call_id)
    from contacts
    where account_id is not null
    group by email_address, account_id
    union all
    select 'deal', records.object_id, accounts.account_id, count(distinct records.call_id)
    from {{ ref('int_gong__crm_records') }} as records
    join {{ ref('int_gong__linked_accounts') }} as accounts
        on accounts.call_id = records.call_id and accounts.account_count = 1
    where records.kind = 'opportunity'
    group by records.object_id, accounts.account_id
    union all
    -- Of several companies on a call, the one with most people is the account's.
    select 'domain', domain, account_id, count(distinct call_id)
    from domains_of_calls
    where place = 1
    group by domain, account_id
    union all
    select 'domain', {{ email_domain('email_address') }}, account_id, count(distinct call_id)
    from contacts
    where account_id is not null and {{ email_domain('email_address') }} is not null
    group by {{ email_domain('email_address') }}, account_id
    union all
    select 'domain', website_domain, account_id, 1000000
    from {{ ref('int_gong__linked_accounts') }}
    where website_domain is not null and website_domain not in {{ quoted(var('gong_free_mail_domains')) }}
    group by website_domain, account_id
),

added as (
    select kind, value, account_id, sum(weight) as weight
    from evidence
    group by kind, value, account_id
)

select
    kind,
    value,
    account_id,
    cast(weight as bigint) as weight,
    row_number() over (partition by kind, value order by weight desc, account_id) as choice,
    count(*) over (partition by kind, value) as account_count,
    weight >= {{ var('gong_domain_share') }} * sum(weight) over (partition by kind, value) as is_clear
from added
