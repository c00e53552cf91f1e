{{ config(materialized='view') }}

select
    call_id,
    sentence_index,
    monologue_index,
    speaker_id,
    topic,
    {{ if_between('start_ms', -1000000000000, 1000000000000) }} as start_ms,
    {{ if_between('end_ms', -1000000000000, 1000000000000) }} as end_ms,
    text
from {{ loaded('transcript_sentences') }}
{{ of_readable_calls() }}
