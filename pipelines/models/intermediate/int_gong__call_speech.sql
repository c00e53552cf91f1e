-- One row per call with a transcript: figures over all speakers.
with stretches as (
    select
        call_id,
        count(*) as stretch_count,
        max(case when side <> 'company' then end_ms - start_ms end) as longest_customer_story_ms
    from {{ ref('int_gong__uninterrupted') }}
    group by call_id
)

select
    stretches.call_id,
    cast(stretches.longest_customer_story_ms / {{ fraction('1000.0') }} as {{ type_double() }})
        as longest_customer_story_seconds,
    case when calls.duration_seconds is not null then
        cast(
            least(10.0, stretches.stretch_count / greatest(calls.duration_seconds / {{ fraction('60.0') }}, 1.0))
            as {{ type_double() }}
        )
    end as interactivity
from stretches
join {{ ref('stg_gong__calls') }} as calls on calls.call_id = stretches.call_id
