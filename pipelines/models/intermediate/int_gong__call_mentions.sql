-- One row per call with trackers, competitors or next steps: what was mentioned and agreed.
with trackers as (
    select call_id, cast(sum(mention_count) as bigint) as tracker_mention_count
    from {{ ref('stg_gong__call_trackers') }}
    group by call_id
),

competitors as (
    select call_id, {{ joined('competitor', "', '", '1') }} as competitors
    from {{ ref('int_gong__call_competitors') }}
    group by call_id
),

steps as (
    select call_id, count(*) as next_step_count
    from {{ ref('stg_gong__call_highlights') }}
    where {{ contains_any('title', var('gong_next_steps_titles')) }}
    group by call_id
)

select
    calls.call_id,
    trackers.tracker_mention_count,
    competitors.competitors,
    steps.next_step_count
from {{ ref('stg_gong__calls') }} as calls
left join trackers on trackers.call_id = calls.call_id
left join competitors on competitors.call_id = calls.call_id
left join steps on steps.call_id = calls.call_id
where trackers.call_id is not null or competitors.call_id is not null or steps.call_id is not null
