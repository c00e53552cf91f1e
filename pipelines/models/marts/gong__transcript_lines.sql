{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed_calls('int_gong__transcribed_calls', ['_synced_at']) }}",
    indexes=index_on(['call_id', 'sentence_index'])
) }}

with calls as (
    {{ calls_to_build('int_gong__transcribed_calls') }}
)

select
    sentences.call_id,
    sentences.sentence_index,
    sentences.monologue_index,
    sentences.speaker_id,
    speakers.name as speaker_name,
    speakers.user_id,
    coalesce(speakers.side, 'unknown') as side,
    sentences.topic,
    sentences.start_ms,
    sentences.end_ms,
    {{ clock('sentences.start_ms') }} as start_time,
    sentences.text,
    calls._synced_at
from {{ ref('stg_gong__transcript_sentences') }} as sentences
join calls on calls.call_id = sentences.call_id
left join {{ ref('int_gong__speakers') }} as speakers
    on speakers.call_id = sentences.call_id
    and speakers.speaker_id = sentences.speaker_id
