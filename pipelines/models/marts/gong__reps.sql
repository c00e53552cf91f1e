with hosted as (
    select
        host_user_id as user_id,
        count(*) as hosted_call_count,
        min(started) as first_call,
        max(started) as last_call
    from {{ ref('gong__calls_enriched') }}
    where is_external
    group by host_user_id
)

select
    users.user_id,
    users.user_name as rep_name,
    users.email_address,
    users.title,
    users.manager_id as manager_user_id,
    managers.user_name as team,
    users.created,
    {{ epoch_days('current_timestamp') }} - {{ epoch_days('users.created') }} as tenure_days,
    coalesce(users.active, false) as is_active,
    hosted.user_id is not null as is_rep,
    coalesce(hosted.hosted_call_count, 0) as hosted_call_count,
    hosted.first_call,
    hosted.last_call
from {{ ref('stg_gong__users') }} as users
left join {{ ref('stg_gong__users') }} as managers on managers.user_id = users.manager_id
left join hosted on hosted.user_id = users.user_id
