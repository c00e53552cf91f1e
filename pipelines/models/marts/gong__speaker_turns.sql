{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed_calls('int_gong__transcribed_calls', ['_synced_at']) }}",
    indexes=index_on(['call_id', 'monologue_index'])
) }}

with calls as (
    {{ calls_to_build('int_gong__transcribed_calls') }}
)

select
    lines.call_id,
    lines.monologue_index,
    min(lines.speaker_id) as speaker_id,
    min(lines.speaker_name) as speaker_name,
    min(lines.user_id) as user_id,
    min(lines.side) as side,
    min(lines.topic) as topic,
    min(lines.start_ms) as start_ms,
    max(lines.end_ms) as end_ms,
    {{ clock('min(lines.start_ms)') }} as start_time,
    cast(sum(case when lines.end_ms > lines.start_ms then lines.end_ms - lines.start_ms else 0 end) as bigint) as speech_ms,
    count(*) as sentence_count,
    count(case when trim(lines.text) like '%?' then 1 end) as question_count,
    {{ joined('lines.text', "' '", 'lines.sentence_index') }} as text,
    lines._synced_at
from {{ ref('gong__transcript_lines') }} as lines
join calls on calls.call_id = lines.call_id
group by lines.call_id, lines.monologue_index, lines._synced_at
