select
    insights.call_id,
    insights.position,
    insights.item_position,
    insights.text,
    insights.start_seconds,
    insights.start_time,
    insights.moment_url,
    {{ call_facts() }},
    calls.deal_outcome
from {{ ref('gong__call_insights') }} as insights
join {{ ref('gong__calls_enriched') }} as calls on calls.call_id = insights.call_id
where insights.kind = 'highlight' and {{ contains_any('insights.section', var('gong_next_steps_titles')) }}
