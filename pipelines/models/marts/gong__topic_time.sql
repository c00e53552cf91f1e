select
    topics.call_id,
    topics.position,
    topics.topic,
    topics.seconds,
    topics.seconds / nullif(cast(calls.duration_seconds as {{ type_double() }}), 0) as share_of_call,
    calls.started,
    calls.started_week,
    calls.started_month,
    calls.started_epoch_ms,
    calls.is_external,
    calls.call_type,
    calls.host_user_id,
    calls.host_name,
    calls.team,
    calls.stage_at_call
from {{ ref('stg_gong__call_topics') }} as topics
join {{ ref('gong__calls_enriched') }} as calls on calls.call_id = topics.call_id
