-- The loaded sentences, the transcript lines and the sentences of all turns have the same number.
with counted as (
    select
        (select count(*) from {{ ref('stg_gong__transcript_sentences') }} as sentences
            where call_id in (select call_id from {{ ref('int_gong__transcribed_calls') }})) as loaded,
        (select count(*) from {{ ref('gong__transcript_lines') }}) as lines,
        (select cast(sum(sentence_count) as bigint) from {{ ref('gong__speaker_turns') }}) as of_turns
)

select *
from counted
where loaded <> lines or lines <> coalesce(of_turns, 0)
