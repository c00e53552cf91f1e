-- One row per opportunity of a call, with its stage at the call and now; `calls_enriched` uses the one with `choice` 1.
select
    call_id,
    crm_system,
    object_id as opportunity_id,
    coalesce(max(case when timing <> 'TimeOfCall' then name end), max(name)) as opportunity_name,
    max(case when timing = 'TimeOfCall' then stage end) as stage_at_call,
    max(case when timing <> 'TimeOfCall' then stage end) as stage_now,
    max(case when timing = 'TimeOfCall' then amount end) as amount_at_call,
    max(case when timing <> 'TimeOfCall' then amount end) as amount_now,
    max(case when timing <> 'TimeOfCall' then currency end) as currency,
    max(case when timing <> 'TimeOfCall' then close_date end) as close_date,
    max(case when timing <> 'TimeOfCall' and is_closed then 1 else 0 end) = 1 as is_closed,
    max(case when timing <> 'TimeOfCall' and is_won then 1 else 0 end) = 1 as is_won,
    max(case when timing <> 'TimeOfCall' then owner end) as owner,
    row_number() over (partition by call_id order by crm_system nulls last, object_id) as choice
from {{ ref('int_gong__crm_records') }}
where kind = 'opportunity'
group by call_id, crm_system, object_id
