-- Compare the hosts' talk ratio and longest monologue, computed from sentences, with Gong's figures, computed from audio.
-- Single calls can differ; warn if more than a tenth of the calls do.
{{ config(severity='warn') }}

with compared as (
    select
        calls.call_id,
        abs(calls.host_talk_ratio - ratios.value) > 0.05
            or abs(calls.longest_monologue_seconds - monologues.value) > 5.0 as differs
    from {{ ref('gong__calls_enriched') }} as calls
    join {{ ref('stg_gong__call_interaction_stats') }} as ratios
        on ratios.call_id = calls.call_id and ratios.name = 'Talk Ratio'
    join {{ ref('stg_gong__call_interaction_stats') }} as monologues
        on monologues.call_id = calls.call_id and monologues.name = 'Longest Monologue'
    where calls.has_transcript and calls.host_talk_ratio is not null
)

select count(*) as compared_calls, count(case when differs then 1 end) as different_calls
from compared
having count(case when differs then 1 end) > 0.1 * count(*)
