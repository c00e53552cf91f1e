{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='call_id',
    on_schema_change='fail',
    pre_hook="{{ forget_gone_calls() }}",
    indexes=index_on(['call_id', 'chunk_index'])
) }}

with calls as (
    {{ changed_calls() }}
),

labelled as (
    select
        turns.call_id,
        turns.monologue_index,
        turns.start_ms,
        turns.end_ms,
        coalesce(turns.speaker_name, 'Unknown speaker') || ' (' || turns.side || ', ' || turns.start_time || '): '
            || turns.text as passage,
        turns._synced_at
    from {{ ref('speaker_turns') }} as turns
    join calls on calls._call_id = turns.call_id
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
        cast(floor(characters_before / cast({{ var('gong_chunk_characters') }} as double precision)) as bigint) as place
    from placed
),

chunks as (
    select
        call_id,
        place,
        min(start_ms) as start_ms,
        max(end_ms) as end_ms,
        count(*) as turn_count,
        {{ joined('passage', 'chr(10)', 'monologue_index') }} as text,
        _synced_at
    from numbered
    group by call_id, place, _synced_at
)

select
    chunks.call_id,
    row_number() over (partition by chunks.call_id order by chunks.place) - 1 as chunk_index,
    described.title,
    described.started,
    described.url,
    hosts.user_name as host_name,
    accounts.account_name,
    chunks.start_ms,
    chunks.end_ms,
    {{ clock('chunks.start_ms') }} as start_time,
    chunks.turn_count,
    length(chunks.text) as character_count,
    chunks.text,
    chunks._synced_at
from chunks
join {{ ref('stg_calls') }} as described on described.call_id = chunks.call_id
left join {{ ref('stg_users') }} as hosts on hosts.user_id = described.host_user_id
left join {{ ref('int_call_accounts') }} as accounts on accounts.call_id = chunks.call_id
