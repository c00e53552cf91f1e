with deals as (
    select *
    from {{ ref('gong__deal_activity') }}
    where not is_closed
),

calls as (
    select opportunities.crm_system, opportunities.opportunity_id, enriched.call_id, enriched.next_step_count
    from {{ ref('int_gong__call_opportunities') }} as opportunities
    join {{ ref('gong__calls_enriched') }} as enriched on enriched.call_id = opportunities.call_id
    where enriched.is_external
),

last_steps as (
    select deals.crm_system, deals.opportunity_id, enriched.next_step_count
    from deals
    join {{ ref('gong__calls_enriched') }} as enriched on enriched.call_id = deals.last_call_id
),

priced_calls as (
    select call_id
    from {{ ref('stg_gong__call_trackers') }}
    where mention_count > 0 and {{ contains_any('tracker_name', var('gong_pricing_words')) }}
    union
    select call_id
    from {{ ref('stg_gong__call_topics') }}
    where seconds > 0 and {{ contains_any('topic', var('gong_pricing_words')) }}
),

priced as (
    select distinct calls.crm_system, calls.opportunity_id
    from calls
    join priced_calls on priced_calls.call_id = calls.call_id
),

decided as (
    select distinct calls.crm_system, calls.opportunity_id
    from calls
    join {{ ref('gong__call_participants') }} as participants on participants.call_id = calls.call_id
    where participants.side <> 'company'
        and {{ contains_any_word('participants.title', var('gong_decision_maker_titles')) }}
),

moves as (
    select
        steps.crm_system, steps.opportunity_id, stages.position, stages.is_lost,
        lag(stages.position) over (
            partition by steps.crm_system, steps.opportunity_id order by steps.place
        ) as position_before
    from {{ ref('int_gong__deal_stages') }} as steps
    join {{ ref('gong__stages') }} as stages on stages.stage = steps.stage
),

moved_back as (
    select distinct crm_system, opportunity_id
    from moves
    where position < position_before and not is_lost
),

risks as (
    select
        deals.*,
        coalesce(deals.days_since_last_call >= {{ var('gong_silent_days') }}, true) as is_silent,
        coalesce(deals.overdue_days > 0, false) as is_overdue,
        deals.external_people <= 1 as is_single_threaded,
        coalesce(last_steps.next_step_count, 0) = 0 as has_no_next_step,
        priced.opportunity_id is null as pricing_not_discussed,
        moved_back.opportunity_id is not null as stage_moved_back,
        decided.opportunity_id is null as has_no_decision_maker
    from deals
    left join last_steps
        on last_steps.crm_system is not distinct from deals.crm_system and last_steps.opportunity_id = deals.opportunity_id
    left join priced
        on priced.crm_system is not distinct from deals.crm_system and priced.opportunity_id = deals.opportunity_id
    left join moved_back
        on moved_back.crm_system is not distinct from deals.crm_system and moved_back.opportunity_id = deals.opportunity_id
    left join decided
        on decided.crm_system is not distinct from deals.crm_system and decided.opportunity_id = deals.opportunity_id
)

{%- set warnings = [
    'is_silent', 'is_overdue', 'is_single_threaded', 'has_no_next_step', 'pricing_not_discussed', 'stage_moved_back',
    'has_no_decision_maker'
] %}

select
    crm_system,
    opportunity_id,
    opportunity_name,
    deal_url,
    account_id,
    account_name,
    owner,
    stage_now,
    amount_now,
    currency,
    close_date,
    overdue_days,
    last_call,
    last_call_epoch_days,
    days_since_last_call,
    last_call_id,
    last_call_url,
    last_host_name,
    last_team,
    call_count,
    external_people,
    {{ warnings | join(',\n    ') }},
    {% for warning in warnings %}case when {{ warning }} then 1 else 0 end{{ " + " if not loop.last }}{% endfor %} as risk_count
from risks
