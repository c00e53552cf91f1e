{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed_calls('gong__calls_enriched', [
        'url', 'started', 'is_external', 'call_type', 'host_user_id', 'host_name', 'team', 'account_id', 'account_name',
        'opportunity_id', 'stage_at_call', '_synced_at'
    ]) }}"
) }}

with calls as (
    {{ calls_to_build('gong__calls_enriched') }}
)

select
    occurrences.call_id,
    occurrences.tracker_id,
    occurrences.position,
    trackers.tracker_name,
    trackers.tracker_type,
    occurrences.phrase,
    occurrences.start_seconds,
    {{ clock('(1000 * occurrences.start_seconds)') }} as start_time,
    occurrences.speaker_id,
    speakers.name as speaker_name,
    speakers.user_id,
    coalesce(speakers.side, 'unknown') as side,
    {{ moment_url('calls.url', '1000 * occurrences.start_seconds', '1000 * occurrences.start_seconds') }} as moment_url,
    calls.url,
    calls.started,
    calls.started_month,
    calls.is_external,
    calls.call_type,
    calls.host_user_id,
    calls.host_name,
    calls.team,
    calls.account_id,
    calls.account_name,
    calls.opportunity_id,
    calls.stage_at_call,
    calls._synced_at
from {{ ref('stg_gong__call_tracker_occurrences') }} as occurrences
join calls on calls.call_id = occurrences.call_id
left join {{ ref('stg_gong__call_trackers') }} as trackers
    on trackers.call_id = occurrences.call_id
    and trackers.tracker_id = occurrences.tracker_id
    and trackers.tracker_id <> ''
left join {{ ref('int_gong__speakers') }} as speakers
    on speakers.call_id = occurrences.call_id and speakers.speaker_id = occurrences.speaker_id
