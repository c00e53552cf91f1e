-- One row per stretch without another speaker: consecutive monologues of one speaker, across topics.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed_calls('int_gong__transcribed_calls', ['_synced_at']) }}",
    indexes=index_on(['call_id', 'stretch'])
) }}

with calls as (
    {{ calls_to_build('int_gong__transcribed_calls') }}
),

changes as (
    select
        turns.call_id, monologue_index, speaker_id, side, start_ms, end_ms, question_count, turns._synced_at,
        case
            when speaker_id is distinct from lag(speaker_id) over (partition by turns.call_id order by monologue_index)
                or lag(monologue_index) over (partition by turns.call_id order by monologue_index) is null
            then 1 else 0
        end as begins
    from {{ ref('gong__speaker_turns') }} as turns
    join calls on calls.call_id = turns.call_id
),

numbered as (
    select
        *,
        sum(begins) over (partition by call_id order by monologue_index rows unbounded preceding) as stretch
    from changes
),

stretches as (
    select
        call_id,
        stretch,
        min(speaker_id) as speaker_id,
        min(side) as side,
        min(start_ms) as start_ms,
        max(end_ms) as end_ms,
        sum(question_count) as question_count,
        _synced_at
    from numbered
    group by call_id, stretch, _synced_at
)

select
    call_id,
    cast(stretch as bigint) as stretch,
    speaker_id,
    side,
    start_ms,
    end_ms,
    cast(question_count as bigint) as question_count,
    lag(side) over (partition by call_id order by stretch) as side_before,
    lag(end_ms) over (partition by call_id order by stretch) as end_ms_before,
    _synced_at
from stretches
