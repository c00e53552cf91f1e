{{ config(materialized='view') }}

select
    call_id,
    sentence_count,
    _synced_at
from {{ loaded('transcripts') }}
{{ of_readable_calls() }}
