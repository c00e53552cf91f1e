{{ config(
    materialized='incremental',
    pre_hook=[
        "{{ forget_changed_calls(
            'gong__calls_enriched', [
                'title', 'started', 'url', 'is_external', 'call_type', 'host_name', 'account_name', '_synced_at'
            ]) }}",
        "{{ one_writer() }}"
    ],
    post_hook="{{ as_many_writers_as_before() }}",
    indexes=index_on(['call_id', 'chunk_index'])
) }}

with calls as (
    {{ calls_to_build('gong__calls_enriched') }}
),

labelled as (
    select
        turns.call_id,
        turns.monologue_index,
        turns.start_ms,
        turns.end_ms,
        coalesce(turns.speaker_name, 'Unknown speaker') || ' (' || turns.side || ', ' || turns.start_time || '): '
            || turns.text as passage
    from {{ ref('gong__speaker_turns') }} as turns
    join calls on calls.call_id = turns.call_id
),

placed as (
    select
        *,
        coalesce(sum(length(passage)) over (
            partition by call_id order by monologue_index rows between unbounded preceding and 1 preceding
        ), 0) as characters_before
    from labelled
),

numbered as (
    select
        *,
        cast(floor(characters_before / cast({{ var('gong_chunk_characters') }} as {{ type_double() }})) as bigint) as place
    from placed
),

chunks as (
    select
        call_id,
        place,
        min(start_ms) as start_ms,
        max(end_ms) as end_ms,
        count(*) as turn_count,
        {{ joined('passage', line_break(), 'monologue_index') }} as text
    from numbered
    group by call_id, place
)

select
    chunks.call_id,
    row_number() over (partition by chunks.call_id order by chunks.place) - 1 as chunk_index,
    calls.title,
    calls.started,
    calls.url,
    {{ moment_url('calls.url', 'chunks.start_ms', 'chunks.end_ms') }} as moment_url,
    calls.is_external,
    calls.call_type,
    calls.host_name,
    calls.account_name,
    chunks.start_ms,
    chunks.end_ms,
    {{ clock('chunks.start_ms') }} as start_time,
    chunks.turn_count,
    length(chunks.text) as character_count,
    chunks.text,
    calls._synced_at
from chunks
join calls on calls.call_id = chunks.call_id
