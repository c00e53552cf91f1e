-- One row per speaker of a call: talk time, longest stretch, questions and patience.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed_calls('int_gong__transcribed_calls', ['_synced_at']) }}",
    indexes=index_on(['call_id', 'speaker_id'])
) }}

with calls as (
    {{ calls_to_build('int_gong__transcribed_calls') }}
),

monologues as (
    select
        turns.call_id,
        speaker_id,
        cast(sum(speech_ms) as {{ type_double() }}) as speech_ms,
        max(calls._synced_at) as _synced_at
    from {{ ref('gong__speaker_turns') }} as turns
    join calls on calls.call_id = turns.call_id
    where speaker_id is not null
    group by turns.call_id, speaker_id
),

stretches as (
    select
        stretches.call_id,
        speaker_id,
        count(*) as turn_count,
        max(end_ms - start_ms) / {{ fraction('1000.0') }} as longest_turn_seconds,
        sum(question_count) as question_count,
        -- Of whole milliseconds, so that the mean does not depend on the order of the rows.
        avg(case when side_before <> 'company' and start_ms is not null and end_ms_before is not null
            then greatest(start_ms - end_ms_before, 0) end) / {{ fraction('1000.0') }} as patience_seconds
    from {{ ref('int_gong__uninterrupted') }} as stretches
    join calls on calls.call_id = stretches.call_id
    where speaker_id is not null
    group by stretches.call_id, speaker_id
)

select
    monologues.call_id,
    monologues.speaker_id,
    monologues.speech_ms / {{ fraction('1000.0') }} as talk_seconds,
    monologues.speech_ms / nullif(sum(monologues.speech_ms) over (partition by monologues.call_id), 0) as talk_ratio,
    cast(stretches.turn_count as bigint) as turn_count,
    cast(stretches.longest_turn_seconds as {{ type_double() }}) as longest_turn_seconds,
    cast(stretches.question_count as bigint) as question_count,
    cast(stretches.patience_seconds as {{ type_double() }}) as patience_seconds,
    monologues._synced_at
from monologues
join stretches on stretches.call_id = monologues.call_id and stretches.speaker_id = monologues.speaker_id
