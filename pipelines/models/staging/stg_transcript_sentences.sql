{{ config(materialized='view') }}

select
    call_id,
    sentence_index,
    monologue_index,
    speaker_id,
    topic,
    start_ms,
    end_ms,
    text
from {{ source('gong', 'transcript_sentences') }}
{{ of_readable_calls() }}
