{%- set listed = var('gong_stages') -%}
with named as (
    select distinct stage
    from {{ ref('int_gong__deal_stages') }}
),

-- First place of each stage in a deal.
reached as (
    select crm_system, opportunity_id, stage, min(place) as place
    from {{ ref('int_gong__deal_stages') }}
    group by crm_system, opportunity_id, stage
),

-- Of two stages, the one that more deals reach first comes first.
pairs as (
    select
        earlier.stage,
        later.stage as other,
        count(case when earlier.place < later.place then 1 end) - count(case when earlier.place > later.place then 1 end) as lead
    from reached as earlier
    join reached as later
        on later.crm_system is not distinct from earlier.crm_system and later.opportunity_id = earlier.opportunity_id
        and later.stage <> earlier.stage
    group by earlier.stage, later.stage
),

inferred as (
    select
        stage,
        count(case when lead > 0 then 1 end) - count(case when lead < 0 then 1 end) as ahead
    from pairs
    group by stage
),

placed as (
    select
        named.stage,
        case
            {%- for stage in listed %}
            when named.stage = {{ quoted([stage]) }} then {{ loop.index }}
            {%- endfor %}
            when named.stage in {{ quoted(var('gong_won_stages')) }} then 2000000
            when named.stage in {{ quoted(var('gong_lost_stages')) }} then 3000000
            else 1000000
        end as class,
        coalesce(inferred.ahead, 0) as ahead
    from named
    left join inferred on inferred.stage = named.stage
)

select
    stage,
    row_number() over (order by class, ahead desc, stage) as position,
    class < 1000000 as is_listed,
    stage in {{ quoted(var('gong_won_stages')) }} as is_won,
    stage in {{ quoted(var('gong_lost_stages')) }} as is_lost
from placed
