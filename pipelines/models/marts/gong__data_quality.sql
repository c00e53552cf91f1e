with parts as (
    select party_id as id from {{ ref('stg_gong__call_parties') }}
    union all
    select object_id from {{ ref('stg_gong__call_crm_objects') }}
    union all
    select name from {{ ref('stg_gong__call_crm_fields') }}
    union all
    select tracker_id from {{ ref('stg_gong__call_trackers') }}
    union all
    select name from {{ ref('stg_gong__call_interaction_stats') }}
    union all
    select question_id from {{ ref('stg_gong__scorecard_questions') }}
),

checks as (
    select 'external calls without transcript' as check_name, count(case when not has_transcript then 1 end) as found,
        count(*) as looked_at
    from {{ ref('gong__calls_enriched') }}
    where is_external
    union all
    select 'external calls without account or opportunity in the CRM',
        count(case when coalesce(account_matched_by, '') <> 'crm' and opportunity_id is null then 1 end), count(*)
    from {{ ref('gong__calls_enriched') }}
    where is_external
    union all
    select 'external calls without any account', count(case when account_id is null then 1 end), count(*)
    from {{ ref('gong__calls_enriched') }}
    where is_external
    union all
    select 'external calls whose host is an unknown user', count(case when host_name is null then 1 end), count(*)
    from {{ ref('gong__calls_enriched') }}
    where is_external
    union all
    select 'external calls without any external person', count(case when external_people = 0 then 1 end), count(*)
    from {{ ref('gong__calls_enriched') }}
    where is_external
    union all
    select 'internal calls', count(case when not is_external then 1 end), count(*)
    from {{ ref('gong__calls_enriched') }}
    union all
    select 'calls without a start, which are in no week or month', count(case when started is null then 1 end), count(*)
    from {{ ref('gong__calls_enriched') }}
    union all
    select 'calls without a valid length', count(case when duration_seconds is null then 1 end), count(*)
    from {{ ref('gong__calls_enriched') }}
    union all
    select 'topics longer than their call or of negative length',
        count(case when share_of_call > 1.000001 or share_of_call < 0 then 1 end), count(*)
    from {{ ref('gong__topic_time') }}
    union all
    select 'sentences that end before they start', count(case when end_ms < start_ms then 1 end), count(*)
    from {{ ref('gong__transcript_lines') }}
    union all
    select 'people, trackers, CRM objects and other parts without an id',
        count(case when coalesce(id, '') = '' then 1 end), count(*)
    from parts
    union all
    select 'monologues of unknown speakers', count(case when side = 'unknown' then 1 end), count(*)
    from {{ ref('gong__speaker_turns') }}
    union all
    select 'mentions of unknown speakers', count(case when side = 'unknown' then 1 end), count(*)
    from {{ ref('gong__tracker_mentions') }}
    union all
    select 'library entries whose call is not loaded', count(case when not is_loaded then 1 end), count(*)
    from {{ ref('gong__library_shelf') }}
    union all
    select 'hours since the newest call was loaded',
        cast(floor(({{ epoch_ms('current_timestamp') }} - {{ epoch_ms('max(_synced_at)') }}) / 3600000.0) as bigint), count(*)
    from {{ ref('stg_gong__calls') }}
)

select
    check_name,
    found,
    looked_at,
    case when check_name not like 'hours %' then found / nullif(cast(looked_at as {{ type_double() }}), 0) end as share
from checks
