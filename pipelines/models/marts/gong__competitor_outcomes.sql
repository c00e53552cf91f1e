-- A deal counts as one with a mention if an external call of the deal mentions the competitor.
with deals as (
    select crm_system, opportunity_id, outcome, amount_now
    from {{ ref('gong__deal_activity') }}
    where call_count > 0
),

mentioned as (
    select distinct opportunities.crm_system, opportunities.opportunity_id, competitors.competitor
    from {{ ref('int_gong__call_competitors') }} as competitors
    join {{ ref('int_gong__call_types') }} as types on types.call_id = competitors.call_id and types.is_external
    join {{ ref('int_gong__call_opportunities') }} as opportunities on opportunities.call_id = competitors.call_id
),

calls as (
    select competitors.competitor, count(*) as call_count, max(started) as last_call
    from {{ ref('int_gong__call_competitors') }} as competitors
    join {{ ref('gong__calls_enriched') }} as enriched on enriched.call_id = competitors.call_id and enriched.is_external
    group by competitors.competitor
),

with_mention as (
    select
        mentioned.competitor,
        count(*) as deal_count,
        count(case when deals.outcome = 'open' then 1 end) as open_deal_count,
        count(case when deals.outcome = 'won' then 1 end) as won_deal_count,
        count(case when deals.outcome = 'lost' then 1 end) as lost_deal_count,
        sum(case when deals.outcome = 'won' then deals.amount_now end) as won_amount,
        sum(case when deals.outcome = 'lost' then deals.amount_now end) as lost_amount
    from mentioned
    join deals
        on deals.crm_system is not distinct from mentioned.crm_system and deals.opportunity_id = mentioned.opportunity_id
    group by mentioned.competitor
),

in_total as (
    select
        count(case when outcome = 'won' then 1 end) as won_deal_count,
        count(case when outcome = 'lost' then 1 end) as lost_deal_count
    from deals
)

select
    calls.competitor,
    calls.call_count,
    calls.last_call,
    coalesce(with_mention.deal_count, 0) as deal_count,
    coalesce(with_mention.open_deal_count, 0) as open_deal_count,
    coalesce(with_mention.won_deal_count, 0) as won_deal_count,
    coalesce(with_mention.lost_deal_count, 0) as lost_deal_count,
    with_mention.won_deal_count
        / nullif(cast(with_mention.won_deal_count + with_mention.lost_deal_count as {{ type_double() }}), 0) as win_rate,
    with_mention.won_amount,
    with_mention.lost_amount,
    in_total.won_deal_count - coalesce(with_mention.won_deal_count, 0) as won_deal_count_without,
    in_total.lost_deal_count - coalesce(with_mention.lost_deal_count, 0) as lost_deal_count_without,
    (in_total.won_deal_count - coalesce(with_mention.won_deal_count, 0))
        / nullif(cast(
            in_total.won_deal_count - coalesce(with_mention.won_deal_count, 0)
            + in_total.lost_deal_count - coalesce(with_mention.lost_deal_count, 0) as {{ type_double() }}
        ), 0) as win_rate_without,
    coalesce(with_mention.won_deal_count + with_mention.lost_deal_count, 0) >= 100 as is_meaningful
from calls
cross join in_total
left join with_mention on with_mention.competitor = calls.competitor
