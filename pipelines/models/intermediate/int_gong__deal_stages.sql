-- One row per deal and call: the stage at the call, in the order of the calls, then the stage now.
with stages as (
    select
        opportunities.crm_system, opportunities.opportunity_id, opportunities.stage_at_call as stage,
        {{ epoch_ms('calls.started') }} as since, opportunities.call_id
    from {{ ref('int_gong__call_opportunities') }} as opportunities
    join {{ ref('stg_gong__calls') }} as calls on calls.call_id = opportunities.call_id
    where opportunities.stage_at_call is not null and calls.started is not null
    union all
    select crm_system, opportunity_id, stage_now, 9007199254740991, ''
    from {{ ref('gong__deal_activity') }}
    where stage_now is not null
)

select
    crm_system,
    opportunity_id,
    stage,
    row_number() over (partition by crm_system, opportunity_id order by since, call_id) as place
from stages
