with calls as (
    select
        accounts.account_id,
        accounts.call_id,
        accounts.matched_by,
        described.started,
        described.scheduled,
        types.is_external
    from {{ ref('int_gong__call_accounts') }} as accounts
    join {{ ref('stg_gong__calls') }} as described on described.call_id = accounts.call_id
    join {{ ref('int_gong__call_types') }} as types on types.call_id = accounts.call_id
),

-- The name in the call that started last.
named as (
    select
        linked.account_id, linked.account_name, linked.crm_system, linked.owner,
        row_number() over (
            partition by linked.account_id
            order by case when linked.account_name is null then 1 else 0 end, calls.started desc nulls last, linked.call_id
        ) as choice
    from {{ ref('int_gong__linked_accounts') }} as linked
    join {{ ref('stg_gong__calls') }} as calls on calls.call_id = linked.call_id
),

names as (
    select account_id, {{ joined('account_name', "' | '", '1') }} as names
    from (
        select distinct account_id, account_name
        from {{ ref('int_gong__linked_accounts') }}
        where account_name is not null
    ) as different
    group by account_id
),

domains as (
    select account_id, {{ joined('domain', "', '", '1') }} as domains
    from {{ ref('gong__account_domains') }}
    where is_own_domain
    group by account_id
),

counted as (
    select
        account_id,
        count(case when is_external then 1 end) as call_count,
        count(case when is_external and matched_by <> 'crm' then 1 end) as call_count_without_crm_link,
        count(case when is_external and {{ is_recent('started', 30) }} then 1 end) as calls_in_30_days,
        count(case when is_external and {{ is_recent('started', 90) }} then 1 end) as calls_in_90_days,
        count(case when is_external and {{ is_recent('started', 365) }} then 1 end) as calls_in_365_days,
        min(case when is_external then started end) as first_external_call,
        max(case when is_external then started end) as last_external_call,
        min(case when is_external and scheduled > current_timestamp then scheduled end) as next_call,
        max(case when matched_by = 'crm' then 1 else 0 end) = 1 as is_in_crm
    from calls
    group by account_id
),

people as (
    select
        calls.account_id,
        {{ count_people() }}
    from calls
    join {{ ref('gong__call_participants') }} as participants on participants.call_id = calls.call_id
    where calls.is_external
    group by calls.account_id
),

last_calls as (
    select
        calls.account_id, enriched.call_id, enriched.url, enriched.host_name, enriched.team,
        row_number() over (partition by calls.account_id order by enriched.started desc nulls last, enriched.call_id) as choice
    from calls
    join {{ ref('gong__calls_enriched') }} as enriched on enriched.call_id = calls.call_id
    where calls.is_external
),

deals as (
    select
        account_id,
        count(case when not is_closed then 1 end) as open_deal_count,
        count(case when is_won then 1 end) as won_deal_count,
        count(case when is_closed and not is_won then 1 end) as lost_deal_count,
        sum(case when not is_closed then amount_now end) as open_amount
    from {{ ref('gong__deal_activity') }}
    where account_id is not null
    group by account_id
),

stages as (
    select account_id, {{ joined('stage_now', "', '", '1') }} as deal_stages
    from (
        select distinct account_id, stage_now
        from {{ ref('gong__deal_activity') }}
        where not is_closed and stage_now is not null
    ) as open_deals
    group by account_id
),

described as (
    select
        counted.*,
        {{ epoch_days('current_timestamp') }} - {{ epoch_days('counted.last_external_call') }} as days_since_last_call
    from counted
)

select
    described.account_id,
    coalesce(named.account_name, described.account_id) as account_name,
    coalesce(names.names, described.account_id) as names,
    domains.domains,
    named.crm_system,
    described.is_in_crm,
    named.owner,
    coalesce(deals.open_deal_count, 0) as open_deal_count,
    coalesce(deals.won_deal_count, 0) as won_deal_count,
    coalesce(deals.lost_deal_count, 0) as lost_deal_count,
    deals.open_amount,
    stages.deal_stages,
    described.call_count,
    described.call_count_without_crm_link,
    described.calls_in_30_days,
    described.calls_in_90_days,
    described.calls_in_365_days,
    described.first_external_call,
    described.last_external_call,
    described.days_since_last_call,
    described.next_call,
    last_calls.call_id as last_call_id,
    last_calls.url as last_call_url,
    last_calls.host_name as last_host_name,
    last_calls.team as last_team,
    coalesce(people.company_people, 0) as company_people,
    coalesce(people.external_people, 0) as external_people,
    coalesce(people.external_people_who_spoke, 0) as external_people_who_spoke,
    case
        when described.last_external_call is null then 'no external call'
        when described.days_since_last_call <= {{ var('gong_active_days') }} then 'active'
        when described.days_since_last_call <= {{ var('gong_cooling_days') }} then 'cooling'
        else 'inactive'
    end as engagement_status
from described
left join named on named.account_id = described.account_id and named.choice = 1
left join names on names.account_id = described.account_id
left join domains on domains.account_id = described.account_id
left join people on people.account_id = described.account_id
left join last_calls on last_calls.account_id = described.account_id and last_calls.choice = 1
left join deals on deals.account_id = described.account_id
left join stages on stages.account_id = described.account_id
