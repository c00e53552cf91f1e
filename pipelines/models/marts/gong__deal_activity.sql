with linked as (
    select
        opportunities.*,
        calls.url,
        calls.started,
        calls.scheduled,
        calls.duration_seconds,
        types.is_external,
        calls.host_name,
        calls.team,
        accounts.account_id,
        accounts.account_name,
        row_number() over (
            partition by opportunities.crm_system, opportunities.opportunity_id
            order by calls._synced_at desc, calls.started desc nulls last, calls.call_id
        ) as newest_read,
        row_number() over (
            partition by opportunities.crm_system, opportunities.opportunity_id
            order by types.is_external desc, calls.started desc nulls last, calls.call_id
        ) as newest_call
    from {{ ref('int_gong__call_opportunities') }} as opportunities
    join (
        select described.*, users.user_name as host_name, managers.user_name as team
        from {{ ref('stg_gong__calls') }} as described
        left join {{ ref('stg_gong__users') }} as users on users.user_id = described.host_user_id
        left join {{ ref('stg_gong__users') }} as managers on managers.user_id = users.manager_id
    ) as calls on calls.call_id = opportunities.call_id
    join {{ ref('int_gong__call_types') }} as types on types.call_id = opportunities.call_id
    left join {{ ref('int_gong__call_accounts') }} as accounts
        on accounts.call_id = opportunities.call_id and accounts.choice = 1
),

first_seen as (
    -- A stage whose calls all lack a start is the last one.
    select
        crm_system, opportunity_id, stage_at_call, coalesce(min({{ epoch_ms('started') }}), 9007199254740991) as since
    from linked
    where stage_at_call is not null
    group by crm_system, opportunity_id, stage_at_call
),

stages as (
    select
        crm_system,
        opportunity_id,
        {{ joined('stage_at_call', "' > '", 'since') }} as stage_path,
        count(*) as stage_count
    from first_seen
    group by crm_system, opportunity_id
),

people as (
    select
        linked.crm_system,
        linked.opportunity_id,
        {{ count_people() }}
    from linked
    join {{ ref('gong__call_participants') }} as participants on participants.call_id = linked.call_id
    where linked.is_external
    group by linked.crm_system, linked.opportunity_id
),

deals as (
    select
        crm_system,
        opportunity_id,
        max(case when newest_read = 1 then opportunity_name end) as opportunity_name,
        max(case when newest_read = 1 then account_id end) as account_id,
        max(case when newest_read = 1 then account_name end) as account_name,
        max(case when newest_read = 1 then owner end) as owner,
        max(case when newest_read = 1 then stage_now end) as stage_now,
        max(case when newest_read = 1 then amount_now end) as amount_now,
        max(case when newest_read = 1 then currency end) as currency,
        max(case when newest_read = 1 then close_date end) as close_date,
        max(case when newest_read = 1 and is_closed then 1 else 0 end) = 1 as is_closed,
        max(case when newest_read = 1 and is_won then 1 else 0 end) = 1 as is_won,
        max(case when newest_call = 1 then host_name end) as last_host_name,
        max(case when newest_call = 1 then team end) as last_team,
        max(case when newest_call = 1 and is_external then call_id end) as last_call_id,
        max(case when newest_call = 1 and is_external then url end) as last_call_url,
        count(case when is_external then 1 end) as call_count,
        cast(coalesce(sum(case when is_external then duration_seconds end), 0) / {{ fraction('3600.0') }} as {{ type_double() }})
            as call_hours,
        min(case when is_external then started end) as first_call,
        max(case when is_external then started end) as last_call,
        min(case when is_external and scheduled > current_timestamp then scheduled end) as next_call
    from linked
    group by crm_system, opportunity_id
)

select
    deals.crm_system,
    deals.opportunity_id,
    deals.opportunity_name,
    {{ deal_url('deals.opportunity_id') }} as deal_url,
    deals.account_id,
    deals.account_name,
    deals.owner,
    deals.stage_now,
    stages.stage_path,
    coalesce(stages.stage_count, 0) as stage_count,
    deals.amount_now,
    deals.currency,
    deals.close_date,
    deals.is_closed,
    deals.is_won,
    {{ deal_outcome('deals') }} as outcome,
    case
        when deals.is_closed or deals.close_date is null then null
        when {{ epoch_days('current_timestamp') }} > {{ days_of_date('deals.close_date') }}
            then {{ epoch_days('current_timestamp') }} - {{ days_of_date('deals.close_date') }}
        else 0
    end as overdue_days,
    deals.call_count,
    deals.call_hours,
    deals.first_call,
    deals.last_call,
    deals.next_call,
    {{ epoch_days('deals.last_call') }} as last_call_epoch_days,
    {{ epoch_days('current_timestamp') }} - {{ epoch_days('deals.last_call') }} as days_since_last_call,
    deals.last_call_id,
    deals.last_call_url,
    deals.last_host_name,
    deals.last_team,
    coalesce(people.company_people, 0) as company_people,
    coalesce(people.external_people, 0) as external_people,
    coalesce(people.external_people_who_spoke, 0) as external_people_who_spoke
from deals
left join stages
    on stages.crm_system is not distinct from deals.crm_system and stages.opportunity_id = deals.opportunity_id
left join people
    on people.crm_system is not distinct from deals.crm_system and people.opportunity_id = deals.opportunity_id
