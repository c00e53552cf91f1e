with mentions as (
    select
        call_id,
        tracker_id,
        count(case when side = 'customer' then 1 end) as customer_mention_count
    from {{ ref('gong__tracker_mentions') }}
    group by call_id, tracker_id
),

-- Gong sends every tracker for every call that it has analysed, also with a count of zero.
listened as (
    select
        calls.started_month,
        calls.host_user_id,
        calls.host_name,
        calls.stage_at_call,
        trackers.tracker_id,
        trackers.tracker_name,
        trackers.mention_count,
        coalesce(mentions.customer_mention_count, 0) as customer_mention_count
    from {{ ref('stg_gong__call_trackers') }} as trackers
    join {{ ref('gong__calls_enriched') }} as calls on calls.call_id = trackers.call_id
    left join mentions on mentions.call_id = trackers.call_id and mentions.tracker_id = trackers.tracker_id
    -- Without a start a call is in no month, and trackers without an id cannot be told apart.
    where calls.is_external and calls.started is not null and trackers.tracker_id <> ''
)

select
    started_month,
    host_user_id,
    stage_at_call,
    tracker_id,
    max(tracker_name) as tracker_name,
    max(host_name) as host_name,
    count(*) as call_count,
    count(case when mention_count > 0 then 1 end) as call_count_with_mention,
    cast(sum(mention_count) as bigint) as mention_count,
    cast(sum(customer_mention_count) as bigint) as customer_mention_count,
    count(case when mention_count > 0 then 1 end) / cast(count(*) as {{ type_double() }}) as share_of_calls
from listened
group by started_month, host_user_id, stage_at_call, tracker_id
