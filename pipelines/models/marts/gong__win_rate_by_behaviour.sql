-- Deals are grouped by thirds of the company's own closed deals. Deals with the same value are in the same third.
with habits as (
    select
        opportunities.crm_system,
        opportunities.opportunity_id,
        {{ mean('calls.host_talk_ratio') }} as host_talk_ratio,
        {{ mean('calls.longest_monologue_seconds') }} as longest_monologue_seconds,
        {{ mean('calls.company_questions_per_hour') }} as company_questions_per_hour,
        {{ mean('calls.interactivity') }} as interactivity
    from {{ ref('int_gong__call_opportunities') }} as opportunities
    join {{ ref('gong__calls_enriched') }} as calls on calls.call_id = opportunities.call_id
    where calls.is_external
    group by opportunities.crm_system, opportunities.opportunity_id
),

closed as (
    select
        deals.is_won, deals.external_people, deals.call_count, habits.host_talk_ratio, habits.longest_monologue_seconds,
        habits.company_questions_per_hour, habits.interactivity
    from {{ ref('gong__deal_activity') }} as deals
    join habits
        on habits.crm_system is not distinct from deals.crm_system and habits.opportunity_id = deals.opportunity_id
    where deals.is_closed
),

{% set behaviours = {
    'external people': ['external_people', 'people'],
    'calls': ['call_count', 'calls'],
    'talk ratio of hosts': ['host_talk_ratio', 'share'],
    'longest monologue of hosts': ['longest_monologue_seconds', 'seconds'],
    'company questions per hour': ['company_questions_per_hour', 'questions per hour'],
    'interactivity': ['interactivity', 'changes of speaker per minute'],
} -%}
measured as (
    {%- for behaviour, (column, unit) in behaviours.items() %}
    select '{{ behaviour }}' as behaviour, '{{ unit }}' as unit, cast({{ column }} as {{ type_double() }}) as figure, is_won
    from closed
    where {{ column }} is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

ranked as (
    select *, percent_rank() over (partition by behaviour order by figure) as place
    from measured
),

sorted as (
    select *, case when place < 1 / {{ fraction('3.0') }} then 1 when place < 2 / {{ fraction('3.0') }} then 2 else 3 end as third
    from ranked
)

select
    behaviour,
    third,
    unit,
    min(figure) as lowest,
    max(figure) as highest,
    count(*) as closed_deal_count,
    count(case when is_won then 1 end) as won_deal_count,
    count(case when is_won then 1 end) / cast(count(*) as {{ type_double() }}) as win_rate,
    count(*) >= 100 as is_meaningful
from sorted
group by behaviour, third, unit
