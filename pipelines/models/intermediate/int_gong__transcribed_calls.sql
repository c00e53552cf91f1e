-- One row per call with a transcript, with the time when either was last written.
with transcribed as (
    select
        calls.call_id,
        greatest(calls._synced_at, transcripts._synced_at) as _synced_at
    from {{ ref('stg_gong__calls') }} as calls
    join {{ ref('stg_gong__transcripts') }} as transcripts on transcripts.call_id = calls.call_id
)

select call_id, _synced_at, {{ epoch_ms('_synced_at') }} as _synced_epoch_ms
from transcribed
