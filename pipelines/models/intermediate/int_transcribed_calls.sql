-- Calls with a transcript, and when call or transcript were last written.
select
    calls.call_id,
    greatest(calls._synced_at, transcripts._synced_at) as _synced_at
from {{ ref('stg_calls') }} as calls
join {{ ref('stg_transcripts') }} as transcripts on transcripts.call_id = calls.call_id
