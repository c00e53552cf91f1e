-- One row per call and competitor that is mentioned on it, by the phrase of the mention in lower case.
select distinct
    occurrences.call_id,
    lower(occurrences.phrase) as competitor
from {{ ref('stg_gong__call_tracker_occurrences') }} as occurrences
join {{ ref('stg_gong__call_trackers') }} as trackers
    on trackers.call_id = occurrences.call_id and trackers.tracker_id = occurrences.tracker_id
where occurrences.phrase is not null and {{ contains_any('trackers.tracker_name', var('gong_competitor_trackers')) }}
