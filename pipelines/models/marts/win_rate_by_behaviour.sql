with habits as (
    select
        opportunities.system,
        opportunities.opportunity_id,
        {{ mean('calls.talk_ratio') }} as talk_ratio,
        {{ mean('calls.company_questions_per_hour') }} as questions_per_hour
    from {{ ref('int_call_opportunities') }} as opportunities
    join {{ ref('calls_enriched') }} as calls on calls.call_id = opportunities.call_id
    group by opportunities.system, opportunities.opportunity_id
),

closed as (
    select deals.*, habits.talk_ratio, habits.questions_per_hour
    from {{ ref('deal_activity') }} as deals
    join habits on habits.system = deals.system and habits.opportunity_id = deals.opportunity_id
    where deals.is_closed
),

sorted as (
    select 'external people' as behaviour,
        case when external_people >= 3 then '3 or more' else '1 to 2' end as group_name, is_won
    from closed where external_people > 0
    union all
    select 'calls', case when call_count >= 5 then '5 or more' else '1 to 4' end, is_won
    from closed
    union all
    select 'talk ratio of hosts', case when talk_ratio > 0.65 then 'above 65 %' else 'up to 65 %' end, is_won
    from closed where talk_ratio is not null
    union all
    select 'questions an hour', case when questions_per_hour >= 10 then '10 or more' else 'fewer than 10' end, is_won
    from closed where questions_per_hour is not null
)

select
    behaviour,
    group_name,
    count(*) as closed_deal_count,
    count(case when is_won then 1 end) as won_deal_count,
    count(case when is_won then 1 end) / cast(count(*) as {{ type_double() }}) as win_rate,
    count(*) >= 100 as is_meaningful
from sorted
group by behaviour, group_name
