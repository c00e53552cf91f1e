select
    comments.call_id,
    comments.comment_id,
    comments.text,
    comments.commenter_user_id,
    users.user_name as commenter_name,
    comments.posted,
    comments.in_reply_to,
    comments.during_call,
    comments.start_seconds,
    {{ clock('(1000 * comments.start_seconds)') }} as start_time,
    {{ moment_url('calls.url', '1000 * comments.start_seconds', '1000 * comments.end_seconds') }} as moment_url,
    {{ call_facts() }}
from {{ ref('stg_gong__call_comments') }} as comments
join {{ ref('gong__calls_enriched') }} as calls on calls.call_id = comments.call_id
left join {{ ref('stg_gong__users') }} as users on users.user_id = comments.commenter_user_id
