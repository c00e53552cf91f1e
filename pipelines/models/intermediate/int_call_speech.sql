-- What all voices of a call add up to.
select
    stretches.call_id,
    cast(max(case when stretches.side <> 'company' then stretches.end_ms - stretches.start_ms end) / 1000.0 as double precision)
        as longest_customer_story_seconds,
    cast(least(10.0, count(*) / greatest(max(calls.duration_seconds) / 60.0, 1.0)) as double precision) as interactivity
from {{ ref('int_uninterrupted') }} as stretches
join {{ ref('stg_calls') }} as calls on calls.call_id = stretches.call_id
group by stretches.call_id
