{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed_calls('gong__calls_enriched', [
        'title', 'started', 'url', 'host_name', 'team', 'account_id', 'account_name', 'opportunity_id', 'opportunity_name',
        '_synced_at'
    ]) }}",
    indexes=index_on(['call_id', 'sentence_index'])
) }}

with calls as (
    {{ calls_to_build('gong__calls_enriched') }}
    {{ 'and' if is_incremental() else 'where' }} calls.is_external
),

said as (
    select
        lines.call_id, lines.sentence_index, lines.speaker_id, lines.speaker_name, lines.start_ms, lines.end_ms,
        lines.start_time, lines.text,
        coalesce(trim(lines.text) like '%?', false) as is_question
    from {{ ref('gong__transcript_lines') }} as lines
    join calls on calls.call_id = lines.call_id
    where lines.side = 'customer'
),

-- Gong's trackers have the second of a mention. It belongs to the sentence of that speaker that began last.
mentions as (
    select
        occurrences.call_id,
        occurrences.speaker_id,
        trackers.tracker_name,
        occurrences.phrase,
        cast(round(1000 * occurrences.start_seconds) as bigint) as at_ms
    from {{ ref('stg_gong__call_tracker_occurrences') }} as occurrences
    join calls on calls.call_id = occurrences.call_id
    join {{ ref('stg_gong__call_trackers') }} as trackers
        on trackers.call_id = occurrences.call_id and trackers.tracker_id = occurrences.tracker_id
    where trackers.tracker_id <> ''
),

tracked as (
    select
        mentions.call_id, mentions.speaker_id, mentions.tracker_name, mentions.phrase,
        max(said.start_ms) as start_ms
    from mentions
    join said
        on said.call_id = mentions.call_id and said.speaker_id = mentions.speaker_id
        and said.start_ms <= mentions.at_ms and mentions.at_ms <= coalesce(said.end_ms, said.start_ms) + 1000
    group by mentions.call_id, mentions.speaker_id, mentions.tracker_name, mentions.phrase, mentions.at_ms
),

by_tracker as (
    select distinct call_id, speaker_id, start_ms, tracker_name
    from tracked
),

by_phrase as (
    select distinct call_id, speaker_id, start_ms, phrase
    from tracked
    where phrase is not null
),

trackers as (
    select call_id, speaker_id, start_ms, {{ joined('tracker_name', "', '", '1') }} as tracker_names
    from by_tracker
    group by call_id, speaker_id, start_ms
),

phrases as (
    select call_id, speaker_id, start_ms, {{ joined('phrase', "', '", '1') }} as phrases
    from by_phrase
    group by call_id, speaker_id, start_ms
)

select
    said.call_id,
    said.sentence_index,
    said.text,
    said.is_question,
    trackers.tracker_names,
    phrases.phrases,
    said.speaker_id,
    said.speaker_name,
    speakers.title as speaker_title,
    said.start_ms,
    said.start_time,
    {{ moment_url('calls.url', 'said.start_ms', 'said.end_ms') }} as moment_url,
    calls.url,
    calls.title,
    calls.started,
    calls.host_name,
    calls.team,
    calls.account_id,
    calls.account_name,
    calls.opportunity_id,
    calls.opportunity_name,
    calls._synced_at
from said
join calls on calls.call_id = said.call_id
left join trackers
    on trackers.call_id = said.call_id and trackers.speaker_id = said.speaker_id and trackers.start_ms = said.start_ms
left join phrases
    on phrases.call_id = said.call_id and phrases.speaker_id = said.speaker_id and phrases.start_ms = said.start_ms
left join {{ ref('int_gong__speakers') }} as speakers
    on speakers.call_id = said.call_id and speakers.speaker_id = said.speaker_id
where said.is_question or trackers.call_id is not null
