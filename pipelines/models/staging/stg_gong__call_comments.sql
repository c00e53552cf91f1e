{{ config(materialized='view') }}

select
    call_id,
    id as comment_id,
    comment as text,
    {{ if_between('audio_start_time', -1000000000, 1000000000) }} as start_seconds,
    {{ if_between('audio_end_time', -1000000000, 1000000000) }} as end_seconds,
    commenter_user_id,
    posted,
    in_reply_to,
    during_call
from {{ loaded('call_comments') }}
{{ of_readable_calls() }}
